package dev.millrace.kafka;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import dev.millrace.client.RecordDecoder;
import java.nio.ByteBuffer;
import java.util.Optional;
import millrace.v1.Record;
import millrace.v1.RecordBatch;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.apache.kafka.common.errors.RecordDeserializationException.DeserializationExceptionOrigin;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.serialization.Deserializer;

/** Makes Kafka's records of the hub's. Threads: one at a time. */
final class RecordReader<K, V> implements RecordDecoder<ConsumerRecord<K, V>> {
  private final Deserializer<K> keys;
  private final Deserializer<V> values;

  RecordReader(Deserializer<K> keys, Deserializer<V> values) {
    this.keys = keys;
    this.values = values;
  }

  /** @throws RecordDeserializationException which tells the offset to seek past */
  @Override
  public ConsumerRecord<K, V> decode(RecordBatch batch, int index) {
    Record record = batch.getRecords(index);
    Headers headers = headers(record);
    byte[] keyBytes = record.hasKey() ? record.getKey().toByteArray() : null;
    byte[] valueBytes = record.hasValue() ? record.getValue().toByteArray() : null;
    boolean dated = record.hasEventTime();
    K key;
    try {
      key = keyBytes == null ? null : keys.deserialize(batch.getTopic(), headers, keyBytes);
    } catch (RuntimeException error) {
      throw failed(DeserializationExceptionOrigin.KEY, batch, index, headers, error);
    }
    V value;
    try {
      value = valueBytes == null ? null : values.deserialize(batch.getTopic(), headers, valueBytes);
    } catch (RuntimeException error) {
      throw failed(DeserializationExceptionOrigin.VALUE, batch, index, headers, error);
    }
    return new ConsumerRecord<>(
        batch.getTopic(),
        batch.getPartition(),
        batch.getBaseOffset() + index,
        millis(dated ? record.getEventTime() : batch.getAppendTime()),
        dated ? TimestampType.CREATE_TIME : TimestampType.LOG_APPEND_TIME,
        keyBytes == null ? ConsumerRecord.NULL_SIZE : keyBytes.length,
        valueBytes == null ? ConsumerRecord.NULL_SIZE : valueBytes.length,
        key,
        value,
        headers,
        Optional.empty());
  }

  private static RecordDeserializationException failed(
      DeserializationExceptionOrigin origin, RecordBatch batch, int index, Headers headers, RuntimeException cause) {
    Record record = batch.getRecords(index);
    TopicPartition partition = new TopicPartition(batch.getTopic(), batch.getPartition());
    long offset = batch.getBaseOffset() + index;
    boolean dated = record.hasEventTime();
    return new RecordDeserializationException(
        origin,
        partition,
        offset,
        millis(dated ? record.getEventTime() : batch.getAppendTime()),
        dated ? TimestampType.CREATE_TIME : TimestampType.LOG_APPEND_TIME,
        buffer(record.hasKey(), record.getKey()),
        buffer(record.hasValue(), record.getValue()),
        headers,
        "Error deserializing " + origin.name() + " for partition " + partition + " at offset " + offset
            + ". If needed, please seek past the record to continue consumption.",
        cause);
  }

  private static ByteBuffer buffer(boolean present, ByteString bytes) {
    return present ? bytes.asReadOnlyByteBuffer() : null;
  }

  private static Headers headers(Record record) {
    RecordHeaders headers = new RecordHeaders();
    for (millrace.v1.Header header : record.getHeadersList()) {
      headers.add(header.getName(), header.hasValue() ? header.getValue().toByteArray() : null);
    }
    return headers;
  }

  private static long millis(Timestamp time) {
    return time.getSeconds() * 1000 + time.getNanos() / 1_000_000;
  }
}
