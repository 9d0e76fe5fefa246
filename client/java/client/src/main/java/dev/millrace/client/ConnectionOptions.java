package dev.millrace.client;

import java.time.Duration;
import java.util.Objects;

/**
 * How a hub is reached, and as whom; {@link #to} and the {@code with…} methods make one. Immutable.
 *
 * @param target {@code HOST:PORT}
 * @param requestTimeout how long a call may take in all, attempts while the hub is away included
 * @param tls null: none, as a hub without certificates wants it
 * @param token says who the client is; null: nothing does, or a certificate
 * @param tokenInClear whether a token may be sent without TLS, where whoever is on the way can read it
 */
public record ConnectionOptions(
    String target, Duration requestTimeout, TlsOptions tls, TokenSource token, boolean tokenInClear) {

  public ConnectionOptions {
    Objects.requireNonNull(target);
    Objects.requireNonNull(requestTimeout);
  }

  /** In clear, as nobody; calls wait up to 30 s for a hub that is away. */
  public static ConnectionOptions to(String target) {
    return new ConnectionOptions(target, Duration.ofSeconds(30), null, null, false);
  }

  public ConnectionOptions withRequestTimeout(Duration timeout) {
    return new ConnectionOptions(target, timeout, tls, token, tokenInClear);
  }

  public ConnectionOptions withTls(TlsOptions options) {
    return new ConnectionOptions(target, requestTimeout, options, token, tokenInClear);
  }

  /** For a connection with TLS. */
  public ConnectionOptions withToken(TokenSource source) {
    return new ConnectionOptions(target, requestTimeout, tls, source, tokenInClear);
  }

  /** Without TLS whoever is on the way can read it: for a hub on this machine, or behind a proxy on it. */
  public ConnectionOptions withTokenInClear(TokenSource source) {
    return new ConnectionOptions(target, requestTimeout, tls, source, true);
  }
}
