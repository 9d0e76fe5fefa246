package dev.millrace.kafka;

import dev.millrace.client.FileVersion;
import dev.millrace.client.TlsMaterial;
import dev.millrace.client.TlsSource;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.SslConfigs;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.security.ssl.DefaultSslEngineFactory;

/**
 * The trust store and the key store of Kafka's {@code ssl.*} settings: files of JKS, PKCS12 or PEM, or PEM as
 * text. kafka-clients itself reads them, so that they mean what they always did.
 */
final class KafkaStores implements TlsSource {
  /** Which say what is trusted and shown. */
  static final List<String> SETTINGS =
      List.of(
          SslConfigs.SSL_TRUSTSTORE_LOCATION_CONFIG,
          SslConfigs.SSL_TRUSTSTORE_CERTIFICATES_CONFIG,
          SslConfigs.SSL_KEYSTORE_LOCATION_CONFIG,
          SslConfigs.SSL_KEYSTORE_CERTIFICATE_CHAIN_CONFIG,
          SslConfigs.SSL_KEYSTORE_KEY_CONFIG);

  private final Map<String, ?> values;

  private KafkaStores(Map<String, ?> values) {
    this.values = values;
  }

  static KafkaStores of(AbstractConfig config) {
    return new KafkaStores(config.values());
  }

  @Override
  public TlsMaterial read() throws GeneralSecurityException {
    try (DefaultSslEngineFactory stores = new DefaultSslEngineFactory()) {
      stores.configure(values);
      return TlsMaterial.ofKeyStores(stores.truststore(), stores.keystore(), keyPassword());
    } catch (KafkaException unusable) {
      Throwable cause = unusable.getCause();
      throw new GeneralSecurityException(
          unusable.getMessage() + (cause == null ? "" : ": " + cause.getMessage()), unusable);
    }
  }

  /** Of the key's own, else the store's; a store of PEM has none. */
  private char[] keyPassword() {
    Password password = (Password) values.get(SslConfigs.SSL_KEY_PASSWORD_CONFIG);
    if (password == null) password = (Password) values.get(SslConfigs.SSL_KEYSTORE_PASSWORD_CONFIG);
    return password == null ? null : password.value().toCharArray();
  }

  @Override
  public Object version() {
    return FileVersion.of(
        file(SslConfigs.SSL_TRUSTSTORE_LOCATION_CONFIG), file(SslConfigs.SSL_KEYSTORE_LOCATION_CONFIG));
  }

  private Path file(String setting) {
    Object value = values.get(setting);
    return value == null ? null : Path.of(value.toString());
  }

  @Override
  public String toString() {
    return "ssl.truststore and ssl.keystore";
  }
}
