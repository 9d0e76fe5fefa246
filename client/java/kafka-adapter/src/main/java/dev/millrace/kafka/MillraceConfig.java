package dev.millrace.kafka;

import dev.millrace.client.ConnectionOptions;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.AdminClientConfig;

/** The settings that Kafka has no names for; they stand among Kafka's own, for every kind of client. */
public final class MillraceConfig {
  /** The durability that a producer asks for: {@code default} (the hub's), {@code buffered}, {@code synced}. */
  public static final String DURABILITY = "millrace.durability";

  /** A file of PEM: who vouches for the hub. One of these three means TLS. */
  public static final String TLS_CA = "millrace.tls.ca";

  /** A file of PEM: the certificate that is shown, then those that vouch for it. */
  public static final String TLS_CERTIFICATE = "millrace.tls.certificate";

  /** A file of PEM: the key of the certificate. */
  public static final String TLS_KEY = "millrace.tls.key";

  /** The same as an object, a {@link dev.millrace.client.TlsOptions}, in place of these three. */
  public static final String TLS_OPTIONS = "millrace.tls.options";

  /** A file with a bearer token that says who the client is, read anew for every call. */
  public static final String TOKEN_FILE = "millrace.token-file";

  static final Set<String> NAMES = Set.of(DURABILITY, TLS_CA, TLS_CERTIFICATE, TLS_KEY, TLS_OPTIONS, TOKEN_FILE);

  private MillraceConfig() {}

  /**
   * The connection that an admin of these settings makes: for calls that Kafka's interfaces have no method for.
   * For one connection, which closes the login that the settings may ask for.
   *
   * @throws org.apache.kafka.common.config.ConfigException as the clients' constructors do
   */
  public static ConnectionOptions connection(Map<String, Object> configs) {
    AdminClientConfig config = new AdminClientConfig(configs);
    Duration timeout = Settings.millis(config, AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG);
    return Security.of(config).connection(Settings.target(config), timeout);
  }
}
