package dev.millrace.client;

import com.google.protobuf.CodedOutputStream;
import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import io.grpc.protobuf.ProtoUtils;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import millrace.v1.EventHubServiceGrpc;
import millrace.v1.ProduceStreamRequest;
import millrace.v1.ProduceStreamResponse;

/** An encoded ProduceStreamRequest: what stands before the records, and their bytes as they lie in a batch. */
record ProduceFrame(byte[] head, byte[] records, int recordsSize) {
  /** The call whose requests are these. */
  static final MethodDescriptor<ProduceFrame, ProduceStreamResponse> PRODUCE_STREAM =
      EventHubServiceGrpc.getProduceStreamMethod()
          .toBuilder(new FrameMarshaller(), ProtoUtils.marshaller(ProduceStreamResponse.getDefaultInstance()))
          .build();

  /** Around the fields of a ProduceRequest but its records, and those. */
  static ProduceFrame of(byte[] fields, byte[] records, int recordsSize) {
    int requestSize = fields.length + recordsSize;
    int field = ProduceStreamRequest.REQUEST_FIELD_NUMBER;
    byte[] head =
        new byte
            [CodedOutputStream.computeTagSize(field)
                + CodedOutputStream.computeUInt32SizeNoTag(requestSize)
                + fields.length];
    CodedOutputStream out = CodedOutputStream.newInstance(head);
    try {
      out.writeTag(field, com.google.protobuf.WireFormat.WIRETYPE_LENGTH_DELIMITED);
      out.writeUInt32NoTag(requestSize);
      out.writeRawBytes(fields);
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return new ProduceFrame(head, records, recordsSize);
  }

  private static final class FrameMarshaller implements MethodDescriptor.Marshaller<ProduceFrame> {
    @Override
    public InputStream stream(ProduceFrame frame) {
      return new FrameStream(frame);
    }

    @Override
    public ProduceFrame parse(InputStream stream) {
      throw new UnsupportedOperationException("Requests are only sent.");
    }
  }

  /** gRPC takes the bytes out by drainTo, without a copy in between. */
  private static final class FrameStream extends InputStream implements Drainable, KnownLength {
    private final ProduceFrame frame;
    private int at;

    FrameStream(ProduceFrame frame) {
      this.frame = frame;
    }

    @Override
    public int drainTo(OutputStream target) throws IOException {
      int size = available();
      int headLeft = Math.max(0, frame.head.length - at);
      target.write(frame.head, frame.head.length - headLeft, headLeft);
      target.write(frame.records, frame.recordsSize - (size - headLeft), size - headLeft);
      at += size;
      return size;
    }

    @Override
    public int available() {
      return frame.head.length + frame.recordsSize - at;
    }

    @Override
    public int read() {
      if (available() == 0) return -1;
      int index = at++;
      int headSize = frame.head.length;
      return 0xff & (index < headSize ? frame.head[index] : frame.records[index - headSize]);
    }
  }
}
