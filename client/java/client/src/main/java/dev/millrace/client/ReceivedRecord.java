package dev.millrace.client;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import millrace.v1.Record;
import millrace.v1.RecordBatch;

/**
 * A record as it was received.
 *
 * @param key null: none
 * @param value null: a tombstone
 * @param eventTime the producer's clock; null: it did not say
 * @param appendTime the hub's clock; null: its storage engine keeps none
 * @param logEpoch under which the record was stored, see {@link Position}; 0: not known
 */
public record ReceivedRecord(
    String topic,
    int partition,
    long offset,
    byte[] key,
    byte[] value,
    List<Header> headers,
    Instant eventTime,
    Instant appendTime,
    long logEpoch) {

  /** The key as UTF-8; null: none. */
  public String keyText() {
    return text(key);
  }

  /** The value as UTF-8; null: a tombstone. */
  public String valueText() {
    return text(value);
  }

  static ReceivedRecord of(RecordBatch batch, int index) {
    Record record = batch.getRecords(index);
    return new ReceivedRecord(
        batch.getTopic(),
        batch.getPartition(),
        batch.getBaseOffset() + index,
        record.hasKey() ? record.getKey().toByteArray() : null,
        record.hasValue() ? record.getValue().toByteArray() : null,
        headers(record),
        record.hasEventTime() ? Times.toInstant(record.getEventTime()) : null,
        batch.hasAppendTime() ? Times.toInstant(batch.getAppendTime()) : null,
        batch.getLogEpoch());
  }

  private static List<Header> headers(Record record) {
    if (record.getHeadersCount() == 0) return List.of();
    List<Header> headers = new ArrayList<>(record.getHeadersCount());
    for (millrace.v1.Header header : record.getHeadersList()) {
      headers.add(new Header(header.getName(), header.hasValue() ? header.getValue().toByteArray() : null));
    }
    return headers;
  }

  private static String text(byte[] bytes) {
    return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
  }
}
