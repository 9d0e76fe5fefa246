package dev.millrace.client;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import millrace.v1.ProduceRequest;
import millrace.v1.Record;

/** What this library's own types are as messages of the contract. Byte arrays are wrapped, not copied. */
final class Messages {
  private Messages() {}

  static ProduceRequest produceRequest(Append append) {
    ProduceRequest.Builder request = ProduceRequest.newBuilder().setTopic(append.topic());
    if (append.partition() >= 0) request.setPartition(append.partition());
    append.records().forEach(record -> request.addRecords(record(record)));
    return request.build();
  }

  static Record record(OutgoingRecord record) {
    Record.Builder out = Record.newBuilder();
    if (record.key() != null) out.setKey(wrapped(record.key()));
    if (record.value() != null) out.setValue(wrapped(record.value()));
    for (Header header : record.headers()) {
      millrace.v1.Header.Builder added = out.addHeadersBuilder().setName(header.name());
      if (header.value() != null) added.setValue(wrapped(header.value()));
    }
    if (record.eventTime() != null) out.setEventTime(Times.toProto(record.eventTime()));
    return out.build();
  }

  private static ByteString wrapped(byte[] bytes) {
    return UnsafeByteOperations.unsafeWrap(bytes);
  }
}
