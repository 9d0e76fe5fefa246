package dev.millrace.kafka;

import dev.millrace.client.MillraceException;
import dev.millrace.client.SendCallback;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What becomes of one record. The callback is called before the future is complete, as Kafka's is. */
final class SendFuture extends CompletableFuture<RecordMetadata> implements SendCallback {
  private static final Logger LOG = LoggerFactory.getLogger(MillraceKafkaProducer.class);
  private static final long NO_OFFSET = -1;

  private final TopicPartition partition;
  private final long timestamp;
  private final int keySize;
  private final int valueSize;
  private final Callback callback; // Null: none.
  private final Consumer<MillraceException> onError;

  /** @param onError told of the hub's error before anybody else is */
  SendFuture(
      TopicPartition partition,
      long timestamp,
      int keySize,
      int valueSize,
      Callback callback,
      Consumer<MillraceException> onError) {
    this.partition = partition;
    this.timestamp = timestamp;
    this.keySize = keySize;
    this.valueSize = valueSize;
    this.callback = callback;
    this.onError = onError;
  }

  @Override
  public void onCompletion(int storedPartition, long offset, MillraceException error) {
    if (error == null) {
      complete(offset);
      return;
    }
    onError.accept(error);
    fail(KafkaErrors.ofRecord(error));
  }

  /** Part of a transaction: taken in, with no offset until it is committed. */
  void buffered() {
    complete(NO_OFFSET);
  }

  private void complete(long offset) {
    RecordMetadata metadata = new RecordMetadata(partition, offset, 0, timestamp, keySize, valueSize);
    tell(metadata, null);
    complete(metadata);
  }

  void fail(RuntimeException error) {
    tell(new RecordMetadata(partition, NO_OFFSET, -1, NO_OFFSET, -1, -1), error);
    completeExceptionally(error);
  }

  private void tell(RecordMetadata metadata, RuntimeException error) {
    if (callback == null) return;
    try {
      callback.onCompletion(metadata, error);
    } catch (RuntimeException thrown) {
      LOG.error("A callback of send threw", thrown);
    }
  }
}
