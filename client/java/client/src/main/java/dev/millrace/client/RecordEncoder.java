package dev.millrace.client;

import com.google.protobuf.CodedOutputStream;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import millrace.v1.ProduceRequest;
import millrace.v1.Record;

/**
 * Writes records as a request holds them, straight into the request's bytes: a message object for each
 * record would cost more than all the rest of sending it.
 */
final class RecordEncoder {
  private RecordEncoder() {}

  /** Bytes of the encoded record. */
  static int size(OutgoingRecord record) {
    int size = 0;
    if (record.key() != null) {
      size += CodedOutputStream.computeByteArraySize(Record.KEY_FIELD_NUMBER, record.key());
    }
    if (record.value() != null) {
      size += CodedOutputStream.computeByteArraySize(Record.VALUE_FIELD_NUMBER, record.value());
    }
    List<Header> headers = record.headers();
    for (int i = 0; i < headers.size(); i++) {
      size += nestedSize(Record.HEADERS_FIELD_NUMBER, headerSize(headers.get(i)));
    }
    if (record.eventTime() != null) {
      size += nestedSize(Record.EVENT_TIME_FIELD_NUMBER, timeSize(record.eventTime()));
    }
    return size;
  }

  /** Bytes of the request's entry for a record of this size. */
  static int entrySize(int recordSize) {
    return nestedSize(ProduceRequest.RECORDS_FIELD_NUMBER, recordSize);
  }

  /** Writes the request's entry for a record of this size. */
  static void writeEntry(CodedOutputStream out, OutgoingRecord record, int recordSize) throws IOException {
    beginNested(out, ProduceRequest.RECORDS_FIELD_NUMBER, recordSize);
    if (record.key() != null) out.writeByteArray(Record.KEY_FIELD_NUMBER, record.key());
    if (record.value() != null) out.writeByteArray(Record.VALUE_FIELD_NUMBER, record.value());
    List<Header> headers = record.headers();
    for (int i = 0; i < headers.size(); i++) {
      Header header = headers.get(i);
      beginNested(out, Record.HEADERS_FIELD_NUMBER, headerSize(header));
      out.writeString(millrace.v1.Header.NAME_FIELD_NUMBER, header.name());
      if (header.value() != null) out.writeByteArray(millrace.v1.Header.VALUE_FIELD_NUMBER, header.value());
    }
    Instant time = record.eventTime();
    if (time != null) {
      beginNested(out, Record.EVENT_TIME_FIELD_NUMBER, timeSize(time));
      if (time.getEpochSecond() != 0) out.writeInt64(1, time.getEpochSecond());
      if (time.getNano() != 0) out.writeInt32(2, time.getNano());
    }
  }

  private static int headerSize(Header header) {
    int size = CodedOutputStream.computeStringSize(millrace.v1.Header.NAME_FIELD_NUMBER, header.name());
    if (header.value() == null) return size;
    return size + CodedOutputStream.computeByteArraySize(millrace.v1.Header.VALUE_FIELD_NUMBER, header.value());
  }

  private static int timeSize(Instant time) {
    int size = 0;
    if (time.getEpochSecond() != 0) size += CodedOutputStream.computeInt64Size(1, time.getEpochSecond());
    if (time.getNano() != 0) size += CodedOutputStream.computeInt32Size(2, time.getNano());
    return size;
  }

  private static int nestedSize(int field, int size) {
    return CodedOutputStream.computeTagSize(field) + CodedOutputStream.computeUInt32SizeNoTag(size) + size;
  }

  private static void beginNested(CodedOutputStream out, int field, int size) throws IOException {
    out.writeTag(field, com.google.protobuf.WireFormat.WIRETYPE_LENGTH_DELIMITED);
    out.writeUInt32NoTag(size);
  }
}
