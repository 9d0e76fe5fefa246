package dev.millrace.client;

import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.CompositeChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import millrace.v1.EventHubServiceGrpc;
import millrace.v1.EventHubServiceGrpc.EventHubServiceBlockingStub;
import millrace.v1.GetHubRequest;
import millrace.v1.GroupServiceGrpc;
import millrace.v1.GroupServiceGrpc.GroupServiceBlockingStub;
import millrace.v1.HubInfo;
import millrace.v1.HubServiceGrpc;
import millrace.v1.TopicServiceGrpc;
import millrace.v1.TopicServiceGrpc.TopicServiceBlockingStub;

/**
 * A connection to a hub, to be shared by producers and consumers. It connects when it is first needed,
 * and again whenever the hub was away: whoever uses it finds the hub there or waits for it.
 *
 * <p>Threads: any. Close what uses it before it.
 */
public final class Connection implements AutoCloseable {
  /** Room for the largest frame that a hub may be configured to send. */
  private static final int MAX_MESSAGE_BYTES = 64 << 20;

  private final ConnectionOptions options;
  private final WatchedTls tls; // Null: none.
  private final ManagedChannel channel;

  private Connection(ConnectionOptions options) {
    this.options = options;
    if (options.exposesToken()) {
      throw new IllegalArgumentException(
          "Without TLS whoever is on the way to " + options.target()
              + " can read the token: use TLS, or ask for it with withTokenInClear.");
    }
    tls = options.tls() == null ? null : new WatchedTls(options.tls());
    NettyChannelBuilder builder =
        NettyChannelBuilder.forTarget(options.target(), credentials())
            .intercept(new FirstContact())
            .maxInboundMessageSize(MAX_MESSAGE_BYTES)
            .flowControlWindow(4 << 20)
            .keepAliveTime(30, TimeUnit.SECONDS)
            .keepAliveTimeout(10, TimeUnit.SECONDS)
            .disableRetry();
    if (tls != null && options.tls().serverName() != null) builder.overrideAuthority(options.tls().serverName());
    if (options.isThisMachine()) builder.proxyDetector(address -> null); // What stays here goes past no proxy.
    channel = builder.build();
  }

  private ChannelCredentials credentials() {
    ChannelCredentials way = tls == null ? InsecureChannelCredentials.create() : tls.credentials();
    if (options.token() == null) return way;
    return CompositeChannelCredentials.create(way, new BearerToken(options.token()));
  }

  /** To the hub at {@code HOST:PORT}, in clear; calls wait up to 30 s for a hub that is away. Never blocks. */
  public static Connection to(String target) {
    return to(ConnectionOptions.to(target));
  }

  /**
   * To the hub at {@code HOST:PORT}, in clear. Never blocks.
   *
   * @param requestTimeout how long a call may take in all, attempts while the hub is away included
   */
  public static Connection to(String target, Duration requestTimeout) {
    return to(ConnectionOptions.to(target).withRequestTimeout(requestTimeout));
  }

  /**
   * As the options say. Reads the files of certificates, and never waits for the hub.
   *
   * @throws IllegalArgumentException certificates that cannot be used, or a token that would be {@linkplain
   *     ConnectionOptions#exposesToken exposed}; the source of tokens is closed
   */
  public static Connection to(ConnectionOptions options) {
    try {
      return new Connection(options);
    } catch (IllegalArgumentException refused) {
      if (options.token() != null) options.token().close();
      throw refused;
    }
  }

  public String target() {
    return options.target();
  }

  public Duration requestTimeout() {
    return options.requestTimeout();
  }

  /** For the contract's generated stubs, where this library has no method. */
  public Channel channel() {
    return channel;
  }

  /**
   * What the hub is, can do and allows. Waits for a hub that is away.
   *
   * @throws MillraceException UNAVAILABLE; UNAUTHENTICATED, with TLS_FAILED where it is TLS that failed
   */
  public HubInfo hub() {
    return call(
        () -> stub(HubServiceGrpc.newBlockingStub(channel)).getHub(GetHubRequest.getDefaultInstance()))
        .getHub();
  }

  /** Ends all that still goes on over it, and closes the source of its tokens. */
  @Override
  public void close() {
    channel.shutdownNow();
    if (tls != null) tls.close();
    if (options.token() != null) options.token().close();
  }

  /** Calls, and again while the hub is away, up to the request timeout. */
  <T> T call(Supplier<T> attempt) {
    return call(attempt, requestTimeout());
  }

  <T> T call(Supplier<T> attempt, Duration timeout) {
    long deadline = Times.nanosFromNow(timeout);
    Backoff backoff = new Backoff();
    while (true) {
      try {
        return attempt.get();
      } catch (io.grpc.StatusRuntimeException failed) {
        MillraceException error = MillraceException.of(failed);
        Duration wait = longer(backoff.next(), error.retryAfter().orElse(Duration.ZERO));
        boolean inTime = System.nanoTime() + wait.toNanos() - deadline < 0;
        if (!error.isTransient() || !inTime || Thread.currentThread().isInterrupted()) throw error;
        pause(wait, error);
        reconnect();
      }
    }
  }

  /** The channel tries at once, instead of when its own patience says so: ours does. */
  void reconnect() {
    channel.resetConnectBackoff();
  }

  EventHubServiceBlockingStub events() {
    return stub(EventHubServiceGrpc.newBlockingStub(channel));
  }

  TopicServiceBlockingStub topics() {
    return stub(TopicServiceGrpc.newBlockingStub(channel));
  }

  GroupServiceBlockingStub groups() {
    return stub(GroupServiceGrpc.newBlockingStub(channel));
  }

  private <S extends io.grpc.stub.AbstractStub<S>> S stub(S stub) {
    return stub.withDeadlineAfter(requestTimeout().toMillis(), TimeUnit.MILLISECONDS);
  }

  static Duration longer(Duration first, Duration second) {
    return first.compareTo(second) >= 0 ? first : second;
  }

  private static void pause(Duration wait, MillraceException error) {
    try {
      TimeUnit.NANOSECONDS.sleep(wait.toNanos());
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw error;
    }
  }
}
