package dev.millrace.client;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.concurrent.Executor;
import millrace.v1.ProduceStreamResponse;

/** One stream of requests and their answers. Threads: its methods one at a time. */
final class ProduceStream {
  /** Told on the stream's executor. */
  interface Listener {
    void onAnswer(ProduceStream stream, ProduceStreamResponse answer);

    void onEnded(ProduceStream stream, MillraceException error);
  }

  private final ClientCall<ProduceFrame, ProduceStreamResponse> call;

  private ProduceStream(ClientCall<ProduceFrame, ProduceStreamResponse> call) {
    this.call = call;
  }

  static ProduceStream open(Connection connection, Executor executor, Listener listener) {
    connection.reconnect();
    ClientCall<ProduceFrame, ProduceStreamResponse> call =
        connection.channel().newCall(ProduceFrame.PRODUCE_STREAM, CallOptions.DEFAULT.withExecutor(executor));
    ProduceStream stream = new ProduceStream(call);
    call.start(stream.new Answers(listener), new Metadata());
    call.request(Integer.MAX_VALUE); // The window bounds what can be answered.
    return stream;
  }

  /** The frame's bytes are read before it returns. */
  void write(ProduceFrame frame) {
    call.sendMessage(frame);
  }

  /** Nothing more is written; the hub ends the stream after its last answer. */
  void endWrites() {
    call.halfClose();
  }

  void cancel() {
    call.cancel("The producer is closed.", null);
  }

  private final class Answers extends ClientCall.Listener<ProduceStreamResponse> {
    private final Listener listener;

    Answers(Listener listener) {
      this.listener = listener;
    }

    @Override
    public void onMessage(ProduceStreamResponse answer) {
      listener.onAnswer(ProduceStream.this, answer);
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      Status why = status.isOk() ? Status.UNAVAILABLE.withDescription("The hub ended the stream.") : status;
      listener.onEnded(ProduceStream.this, MillraceException.of(why.asRuntimeException(trailers)));
    }
  }
}
