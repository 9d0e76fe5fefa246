package dev.millrace.client;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.concurrent.Executor;
import millrace.v1.EventHubServiceGrpc;
import millrace.v1.SubscribeRequest;
import millrace.v1.SubscribeResponse;

/** One stream of frames, which come as they are asked for. Threads: its methods one at a time. */
final class SubscribeStream {
  /** Told on the stream's executor. */
  interface Listener {
    void onFrame(SubscribeStream stream, SubscribeResponse frame);

    /** @param orderly the hub ended the stream, and not an error */
    void onEnded(SubscribeStream stream, MillraceException error, boolean orderly);
  }

  private final ClientCall<SubscribeRequest, SubscribeResponse> call;

  private SubscribeStream(ClientCall<SubscribeRequest, SubscribeResponse> call) {
    this.call = call;
  }

  static SubscribeStream open(
      Connection connection, Executor executor, SubscribeRequest request, Listener listener) {
    connection.reconnect();
    ClientCall<SubscribeRequest, SubscribeResponse> call =
        connection
            .channel()
            .newCall(EventHubServiceGrpc.getSubscribeMethod(), CallOptions.DEFAULT.withExecutor(executor));
    SubscribeStream stream = new SubscribeStream(call);
    call.start(stream.new Frames(listener), new Metadata());
    call.sendMessage(request);
    call.halfClose();
    return stream;
  }

  void request(int frames) {
    call.request(frames);
  }

  void cancel(String why) {
    call.cancel(why, null);
  }

  private final class Frames extends ClientCall.Listener<SubscribeResponse> {
    private final Listener listener;

    Frames(Listener listener) {
      this.listener = listener;
    }

    @Override
    public void onMessage(SubscribeResponse frame) {
      listener.onFrame(SubscribeStream.this, frame);
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      MillraceException error = MillraceException.of(status.asRuntimeException(trailers));
      listener.onEnded(SubscribeStream.this, error, status.isOk());
    }
  }
}
