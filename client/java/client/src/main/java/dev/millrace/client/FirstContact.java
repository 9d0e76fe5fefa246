package dev.millrace.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.nio.channels.ClosedChannelException;
import java.security.GeneralSecurityException;
import javax.net.ssl.SSLException;

/**
 * Makes a wrong certificate final until the hub has answered for the first time: until then it is how this
 * client is configured, and waiting would not help. Later it is a certificate that is being renewed, of which
 * one side has heard before the other, and passes as a hub that is away does.
 */
final class FirstContact implements ClientInterceptor {
  private volatile boolean answered;

  @Override
  public <Q, A> ClientCall<Q, A> interceptCall(MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
    return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
      @Override
      public void start(Listener<A> listener, Metadata headers) {
        super.start(new Judging<>(listener), headers);
      }
    };
  }

  private final class Judging<A> extends SimpleForwardingClientCallListener<A> {
    Judging(ClientCall.Listener<A> listener) {
      super(listener);
    }

    @Override
    public void onHeaders(Metadata headers) {
      answered = true;
      super.onHeaders(headers);
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      super.onClose(!answered && isTlsRefusal(status) ? refused(status) : status, trailers);
    }
  }

  /** Whether it was refused because of TLS, and not because the other side went away while it spoke. */
  static boolean isTlsRefusal(Status status) {
    boolean tls = false;
    for (Throwable cause = status.getCause(); cause != null; cause = cause.getCause()) {
      if (cause instanceof ClosedChannelException) return false;
      tls |= cause instanceof SSLException || cause instanceof GeneralSecurityException;
    }
    return tls;
  }

  private static Status refused(Status status) {
    Throwable root = status.getCause();
    while (root.getCause() != null) root = root.getCause();
    return Status.UNAUTHENTICATED.withDescription("TLS failed: " + root.getMessage()).withCause(status.getCause());
  }
}
