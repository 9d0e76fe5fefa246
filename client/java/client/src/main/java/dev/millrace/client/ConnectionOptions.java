package dev.millrace.client;

import java.time.Duration;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * How a hub is reached, and as whom; {@link #to} and the {@code with…} methods make one. Immutable.
 *
 * @param target {@code HOST:PORT}
 * @param requestTimeout how long a call may take in all, attempts while the hub is away included
 * @param tls null: none, as a hub without certificates wants it
 * @param token says who the client is; null: nothing does, or a certificate
 * @param tokenInClear whether a token may be sent without TLS to any machine, where whoever is on the way can
 *     read it
 */
public record ConnectionOptions(
    String target, Duration requestTimeout, TlsOptions tls, TokenSource token, boolean tokenInClear) {
  private static final Pattern THIS_MACHINE =
      Pattern.compile("unix:.+|(localhost|127(\\.\\d{1,3}){3}|\\[::1])(:\\d*)?", Pattern.CASE_INSENSITIVE);

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

  /** By TLS, or to this machine: without TLS whoever is on the way to another can read it. */
  public ConnectionOptions withToken(TokenSource source) {
    return new ConnectionOptions(target, requestTimeout, tls, source, tokenInClear);
  }

  /** Also without TLS to another machine, where whoever is on the way can read it. */
  public ConnectionOptions withTokenInClear(TokenSource source) {
    return new ConnectionOptions(target, requestTimeout, tls, source, true);
  }

  /**
   * Whether a token would travel where others can read it, and nobody asked for that: without TLS and
   * {@link #withTokenInClear}, to a target that is not written as localhost, 127.0.0.0/8, [::1] or unix:PATH.
   */
  public boolean exposesToken() {
    return token != null && tls == null && !tokenInClear && !isThisMachine();
  }

  /** Whether what is sent to the target stays on this machine, by how it is written; no name is looked up. */
  boolean isThisMachine() {
    return THIS_MACHINE.matcher(target).matches();
  }
}
