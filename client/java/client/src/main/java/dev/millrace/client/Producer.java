package dev.millrace.client;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/**
 * Sends records to a hub: batched, in order, and by default exactly once.
 *
 * <pre>{@code
 * try (Connection hub = Connection.to("localhost:9640");
 *     Producer producer = Producer.open(hub, ProducerOptions.defaults())) {
 *   producer.send("orders", OutgoingRecord.of("42", "{\"item\":\"tea\"}"));
 * }
 * }</pre>
 *
 * <p>Records of one topic (and partition, where one is named) collect into a request until it holds
 * {@code batchBytes} or is {@code linger} old; requests go over one stream, several at a time. When the
 * stream breaks (the hub was killed, the network is gone) the producer reconnects and repeats what has no
 * answer, in order and under the same sequence numbers, until {@code deliveryTimeout}: nothing is lost,
 * doubled or reordered. A request that the hub refuses (TOPIC_NOT_FOUND, say) fails its own records and
 * nothing else.
 *
 * <p>Order: records of one topic that go to one partition keep the order of their sends, as long as these
 * either all name the partition or all leave it out.
 *
 * <p>Threads: any. What is done with a future's result without an executor of its own runs on the
 * producer's thread: it must not block, nor flush or close the producer.
 */
public final class Producer implements AutoCloseable {
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(30);

  private final ProducerCore core;

  private Producer(ProducerCore core) {
    this.core = core;
  }

  /**
   * Asks the hub for its limits and opens the producer's epoch; waits for a hub that is away, up to the
   * connection's request timeout.
   *
   * @throws MillraceException INVALID_NAME, or UNAVAILABLE
   */
  public static Producer open(Connection connection, ProducerOptions options) {
    return new Producer(new ProducerCore(connection, options));
  }

  /**
   * Takes a record in, which is placed by its key. The arrays are read before it returns, and not kept.
   *
   * @return completes when the record is as durable as asked; or with a {@link MillraceException}
   * @throws MillraceException RECORD_TOO_LARGE, BUFFER_FULL after {@code maxBlock}, CLOSED, or
   *     PRODUCER_FENCED, which is final
   */
  public CompletableFuture<Delivery> send(String topic, OutgoingRecord record) {
    return send(topic, ProduceBatch.ANY_PARTITION, record);
  }

  /** As {@link #send(String, OutgoingRecord)}, to this partition. */
  public CompletableFuture<Delivery> send(String topic, int partition, OutgoingRecord record) {
    CompletableFuture<Delivery> future = new CompletableFuture<>();
    core.send(
        topic,
        partition,
        record,
        (storedPartition, offset, error) -> {
          if (error == null) future.complete(new Delivery(storedPartition, offset));
          else future.completeExceptionally(error);
        });
    return future;
  }

  /**
   * As {@link #send(String, OutgoingRecord)} without a future.
   *
   * @param partition -1: placed by the key
   * @param callback not called where this throws; null: nobody is told
   */
  public void send(String topic, int partition, OutgoingRecord record, SendCallback callback) {
    core.send(topic, partition, record, callback);
  }

  /**
   * Sends what is collected without lingering and waits until everything that was sent before is
   * answered.
   *
   * @return false: not everything is within the timeout, and everything goes on
   */
  public boolean flush(Duration timeout) {
    return core.flush(timeout);
  }

  /**
   * Flushes, then ends the stream; what is not delivered within the timeout fails with CLOSED. Idempotent.
   *
   * @return whether everything was delivered
   */
  public boolean close(Duration timeout) {
    return core.close(timeout);
  }

  /** As {@link #close(Duration)} with 30 s. */
  @Override
  public void close() {
    close(CLOSE_TIMEOUT);
  }

  /** The name, as given or made up by the hub; empty without idempotence. */
  public String producerId() {
    return core.producerId();
  }

  public ProducerStatistics statistics() {
    return core.statistics();
  }
}
