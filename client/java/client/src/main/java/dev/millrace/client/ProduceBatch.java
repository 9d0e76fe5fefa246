package dev.millrace.client;

import com.google.protobuf.CodedOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import millrace.v1.AppendedRange;
import millrace.v1.ProduceRequest;
import millrace.v1.ProduceResponse;
import millrace.v1.ProducerSequence;

/** Records of one topic that become one request. Threads: one at a time. */
final class ProduceBatch {
  static final int ANY_PARTITION = -1;

  final long id;
  final String topic;
  final int partition;
  final long createdNanos;

  /** One for each record; null: nobody waits for it. */
  final List<SendCallback> callbacks = new ArrayList<>();

  long sequence;

  /** An attempt has no answer: the request may be stored under its sequence. */
  boolean unsettled;

  /** Its records have failed; it stands only for its sequence, which is still to be answered. */
  boolean expired;

  private byte[] bytes;
  private CodedOutputStream out;
  private int size;

  ProduceBatch(long id, String topic, int partition, long createdNanos, byte[] room) {
    this.id = id;
    this.topic = topic;
    this.partition = partition;
    this.createdNanos = createdNanos;
    bytes = room;
    out = CodedOutputStream.newInstance(bytes, 0, bytes.length);
  }

  /** What is left of a batch whose records are given up while it is on its way. */
  ProduceBatch placeholder() {
    ProduceBatch rest = new ProduceBatch(0, topic, partition, createdNanos, new byte[0]);
    rest.sequence = sequence;
    rest.unsettled = unsettled;
    rest.expired = true;
    return rest;
  }

  void add(OutgoingRecord record, int recordSize, SendCallback callback) {
    int entry = RecordEncoder.entrySize(recordSize);
    if (bytes.length - size < entry) {
      bytes = Arrays.copyOf(bytes, Math.max(size + entry, 2 * bytes.length));
      out = CodedOutputStream.newInstance(bytes, size, bytes.length - size);
    }
    try {
      RecordEncoder.writeEntry(out, record, recordSize);
    } catch (IOException impossible) {
      throw new IllegalStateException("There was room for the record.", impossible);
    }
    size += entry;
    callbacks.add(callback);
  }

  int size() {
    return size;
  }

  int count() {
    return callbacks.size();
  }

  /** The bytes of the records, to be used by a later batch when this one is settled. */
  byte[] room() {
    return bytes;
  }

  /** The request; {@code epoch} 0: without a sequence. */
  ProduceFrame toFrame(String producerId, long epoch, Durability durability) {
    ProduceRequest.Builder head =
        ProduceRequest.newBuilder().setTopic(topic).setDurability(durability.toProto());
    if (partition != ANY_PARTITION) head.setPartition(partition);
    if (epoch > 0) {
      head.setSequence(
          ProducerSequence.newBuilder().setProducerId(producerId).setEpoch(epoch).setSequence(sequence));
    }
    return ProduceFrame.of(head.build().toByteArray(), bytes, size);
  }

  void complete(ProduceResponse response) {
    if (response.getResultExpired()) {
      callAll(-1, -1, null);
      return;
    }
    for (AppendedRange range : response.getAppendedList()) {
      MillraceException error = range.hasError() ? MillraceException.of(range.getError()) : null;
      for (int i = 0; i < range.getRecordCount(); i++) {
        int index = range.getRecordIndexesCount() == 0 ? i : range.getRecordIndexes(i);
        call(callbacks.get(index), error == null ? range.getPartition() : -1,
            error == null ? range.getBaseOffset() + i : -1, error);
      }
    }
  }

  void fail(MillraceException error) {
    callAll(-1, -1, error);
  }

  private void callAll(int onPartition, long offset, MillraceException error) {
    for (SendCallback callback : callbacks) call(callback, onPartition, offset, error);
  }

  private static void call(SendCallback callback, int partition, long offset, MillraceException error) {
    if (callback == null) return;
    try {
      callback.onCompletion(partition, offset, error);
    } catch (RuntimeException thrown) {
      ProducerCore.LOG.warn("A callback of send threw", thrown);
    }
  }
}
