package dev.millrace.client;

import millrace.v1.RecordBatch;

/** Makes of a received record what poll returns. */
@FunctionalInterface
public interface RecordDecoder<T> {
  /**
   * Called on the polling thread.
   *
   * @param batch where the record is; its offset is {@code base_offset + index}
   * @throws RuntimeException of any kind: poll throws it when all records before have been returned, and
   *     again until a seek leads past the record
   */
  T decode(RecordBatch batch, int index);
}
