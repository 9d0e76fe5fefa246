package dev.millrace.client;

import static io.grpc.util.AdvancedTlsX509TrustManager.Verification.CERTIFICATE_AND_HOST_NAME_VERIFICATION;
import static io.grpc.util.AdvancedTlsX509TrustManager.Verification.CERTIFICATE_ONLY_VERIFICATION;

import io.grpc.ChannelCredentials;
import io.grpc.TlsChannelCredentials;
import io.grpc.util.AdvancedTlsX509KeyManager;
import io.grpc.util.AdvancedTlsX509TrustManager;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The certificates of a connection, which become what their source has become. gRPC's own managers show and
 * check them; their own way of watching files looks only once a minute, and only at files of PEM.
 *
 * <p>Owns a thread until it is closed.
 */
final class WatchedTls implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Connection.class);
  private static final long INTERVAL_SECONDS = 1; // As often as the hub looks at its own.

  private final TlsSource source;
  private final AdvancedTlsX509TrustManager trust;
  private final AdvancedTlsX509KeyManager identity; // Null: no certificate is shown.
  private final ScheduledExecutorService watch = Executors.newSingleThreadScheduledExecutor(WatchedTls::thread);
  private Object version;

  /** @throws IllegalArgumentException what the source gives cannot be used */
  WatchedTls(TlsOptions options) {
    source = options.source();
    version = source.version();
    try {
      TlsMaterial first = source.read();
      trust =
          AdvancedTlsX509TrustManager.newBuilder()
              .setVerification(
                  options.hostChecked() ? CERTIFICATE_AND_HOST_NAME_VERIFICATION : CERTIFICATE_ONLY_VERIFICATION)
              .build();
      identity = first.key() == null ? null : new AdvancedTlsX509KeyManager();
      if (first.authorities().isEmpty()) trust.useSystemDefaultTrustCerts();
      take(first);
    } catch (IOException | GeneralSecurityException unusable) {
      watch.shutdown();
      throw new IllegalArgumentException(unusable.getMessage(), unusable);
    }
    watch.scheduleWithFixedDelay(this::look, INTERVAL_SECONDS, INTERVAL_SECONDS, TimeUnit.SECONDS);
  }

  private static Thread thread(Runnable work) {
    Thread thread = new Thread(work, "millrace-certificates");
    thread.setDaemon(true);
    return thread;
  }

  ChannelCredentials credentials() {
    TlsChannelCredentials.Builder builder = TlsChannelCredentials.newBuilder().trustManager(trust);
    return (identity == null ? builder : builder.keyManager(identity)).build();
  }

  private void look() {
    Object now = source.version();
    if (now.equals(version)) return;
    version = now;
    try {
      take(source.read());
      LOG.info("Certificates taken from {}", source);
    } catch (IOException | GeneralSecurityException | RuntimeException unusable) {
      LOG.warn("Certificates not taken, and the old ones stay: {}", unusable.getMessage());
    }
  }

  private void take(TlsMaterial read) throws IOException, GeneralSecurityException {
    TlsMaterial next = read.requirePair(source);
    if (!next.authorities().isEmpty()) trust.updateTrustCredentials(array(next.authorities()));
    if (identity != null) identity.updateIdentityCredentials(array(next.chain()), next.key());
  }

  private static X509Certificate[] array(List<X509Certificate> certificates) {
    return certificates.toArray(X509Certificate[]::new);
  }

  @Override
  public void close() {
    watch.shutdownNow();
  }
}
