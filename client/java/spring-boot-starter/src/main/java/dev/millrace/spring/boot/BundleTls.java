package dev.millrace.spring.boot;

import dev.millrace.client.TlsMaterial;
import dev.millrace.client.TlsOptions;
import dev.millrace.client.TlsSource;
import java.security.GeneralSecurityException;
import org.springframework.boot.ssl.SslBundle;
import org.springframework.boot.ssl.SslBundles;
import org.springframework.boot.ssl.SslStoreBundle;
import org.springframework.util.Assert;

/** The certificates of one of Boot's SSL bundles, also of what it becomes with {@code reload-on-update}. */
final class BundleTls implements TlsSource {
  private final String name;
  private volatile SslBundle bundle;

  private BundleTls(SslBundles bundles, String name) {
    this.name = name;
    bundle = bundles.getBundle(name);
    Assert.isTrue(bundle.getOptions().getCiphers() == null,
        () -> "SSL bundle '" + name + "' names ciphers, which cannot be honoured: TLS is gRPC's own");
    bundles.addBundleUpdateHandler(name, next -> bundle = next);
  }

  static TlsOptions of(SslBundles bundles, String name) {
    return TlsOptions.of(new BundleTls(bundles, name));
  }

  @Override
  public TlsMaterial read() throws GeneralSecurityException {
    SslBundle now = bundle;
    SslStoreBundle stores = now.getStores();
    String password = now.getKey().getPassword() != null ? now.getKey().getPassword() : stores.getKeyStorePassword();
    return TlsMaterial.ofKeyStores(
        stores.getTrustStore(), stores.getKeyStore(), password == null ? null : password.toCharArray());
  }

  @Override
  public Object version() {
    return bundle;
  }

  @Override
  public String toString() {
    return "SSL bundle '" + name + "'";
  }
}
