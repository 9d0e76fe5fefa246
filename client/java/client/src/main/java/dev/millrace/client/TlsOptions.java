package dev.millrace.client;

import java.nio.file.Path;
import java.util.Objects;

/**
 * How a connection speaks TLS: {@link #ofFiles} or {@link #of}, and the {@code with…} methods. Immutable.
 *
 * <p>What the source gives is looked at once a second: whatever is new is shown to, and asked of, connections
 * to come, and open ones stay. What cannot be used is logged, and the old goes on being used.
 *
 * @param serverName the name that the hub's certificate must have; null: the target's host
 * @param hostChecked whether that is checked at all
 */
public record TlsOptions(TlsSource source, String serverName, boolean hostChecked) {
  public TlsOptions {
    Objects.requireNonNull(source);
  }

  /** Certificates and keys from anywhere. */
  public static TlsOptions of(TlsSource source) {
    return new TlsOptions(source, null, true);
  }

  /**
   * From PEM files; a key is PKCS #8, and not encrypted.
   *
   * @param ca who vouches for the hub; null: those that this Java trusts
   * @param certificate the client's own, then those that vouch for it; null: none is shown
   * @param key of the client's certificate; null exactly where that is
   */
  public static TlsOptions ofFiles(Path ca, Path certificate, Path key) {
    return of(new PemFiles(ca, certificate, key));
  }

  /** For a hub that is reached by an address which its certificate does not have. */
  public TlsOptions withServerName(String name) {
    return new TlsOptions(source, name, hostChecked);
  }

  /** Whoever has a certificate of the authority is then taken for the hub. */
  public TlsOptions withoutHostCheck() {
    return new TlsOptions(source, serverName, false);
  }
}
