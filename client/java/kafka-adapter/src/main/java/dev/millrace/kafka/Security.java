package dev.millrace.kafka;

import static org.apache.kafka.common.config.SaslConfigs.SASL_MECHANISM;
import static org.apache.kafka.common.config.SslConfigs.SSL_CIPHER_SUITES_CONFIG;
import static org.apache.kafka.common.config.SslConfigs.SSL_ENDPOINT_IDENTIFICATION_ALGORITHM_CONFIG;
import static org.apache.kafka.common.config.SslConfigs.SSL_ENGINE_FACTORY_CLASS_CONFIG;
import static org.apache.kafka.common.config.SslConfigs.SSL_PROVIDER_CONFIG;

import dev.millrace.client.Connection;
import dev.millrace.client.ConnectionOptions;
import dev.millrace.client.TlsOptions;
import dev.millrace.client.TokenSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.config.SslConfigs;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether a client speaks TLS, and as whom, out of Kafka's own settings or the hub's. Whatever asks for more
 * than can be done is refused: nothing is sent in clear, or as nobody, that was not meant to be.
 *
 * @param tls null: none
 * @param token null: none
 * @param tokenInClear whether it may be sent without TLS to any machine
 */
record Security(TlsOptions tls, TokenSource token, boolean tokenInClear) {
  private static final Logger LOG = LoggerFactory.getLogger(Settings.class);
  private static final String OAUTHBEARER = OAuthBearerLoginModule.OAUTHBEARER_MECHANISM;

  /** Settings that change what TLS does, and that gRPC's leaves no choice about. */
  private static final List<String> NOT_HONOURED =
      List.of(SSL_ENGINE_FACTORY_CLASS_CONFIG, SSL_CIPHER_SUITES_CONFIG, SSL_PROVIDER_CONFIG, "security.providers");

  private static final List<String> FILES =
      List.of(MillraceConfig.TLS_CA, MillraceConfig.TLS_CERTIFICATE, MillraceConfig.TLS_KEY);

  static Security of(AbstractConfig config) {
    SecurityProtocol protocol = protocol(config);
    boolean inClear = protocol == SecurityProtocol.SASL_PLAINTEXT;
    return new Security(tls(config, protocol), token(config, protocol), inClear);
  }

  /**
   * The way to the hub; certificates are read by whoever opens it.
   *
   * @throws ConfigException a token would be exposed
   */
  ConnectionOptions connection(String target, Duration requestTimeout) {
    ConnectionOptions options = ConnectionOptions.to(target).withRequestTimeout(requestTimeout);
    if (tls != null) options = options.withTls(tls);
    if (token == null) return options;
    options = tokenInClear ? options.withTokenInClear(token) : options.withToken(token);
    if (!options.exposesToken()) return options;
    throw new ConfigException(
        MillraceConfig.TOKEN_FILE + ": without TLS whoever is on the way to " + target
            + " can read the token: use SSL or SASL_SSL, or allow it with SASL_PLAINTEXT");
  }

  /** Opens it; what is wrong with the files of certificates is a mistake in the configuration. */
  static Connection open(ConnectionOptions options) {
    try {
      return Connection.to(options);
    } catch (IllegalArgumentException unusable) {
      ConfigException refused = new ConfigException(unusable.getMessage());
      refused.initCause(unusable);
      throw refused;
    }
  }

  private static SecurityProtocol protocol(AbstractConfig config) {
    String name = CommonClientConfigs.SECURITY_PROTOCOL_CONFIG;
    String given = config.getString(name);
    boolean said = config.originals().containsKey(name);
    SecurityProtocol protocol = SecurityProtocol.forName(given);
    if (!hasOwnTls(config) || isTls(protocol)) return protocol;
    if (said) throw new ConfigException(name, given, "millrace.tls.* asks for TLS: say SSL or SASL_SSL, or nothing");
    return SecurityProtocol.SSL;
  }

  private static boolean isTls(SecurityProtocol protocol) {
    return protocol == SecurityProtocol.SSL || protocol == SecurityProtocol.SASL_SSL;
  }

  private static boolean isSasl(SecurityProtocol protocol) {
    return protocol == SecurityProtocol.SASL_SSL || protocol == SecurityProtocol.SASL_PLAINTEXT;
  }

  // ---- TLS

  private static boolean hasOwnTls(AbstractConfig config) {
    return config.originals().containsKey(MillraceConfig.TLS_OPTIONS)
        || FILES.stream().anyMatch(config.originals()::containsKey);
  }

  private static TlsOptions tls(AbstractConfig config, SecurityProtocol protocol) {
    if (!isTls(protocol)) return null;
    for (String name : NOT_HONOURED) {
      Object value = config.originals().get(name);
      if (value != null) {
        throw new ConfigException(name, value, "cannot be honoured: TLS is gRPC's own, 1.3 or 1.2");
      }
    }
    TlsOptions options = hasOwnTls(config) ? ownTls(config) : TlsOptions.of(KafkaStores.of(config));
    String algorithm = config.getString(SSL_ENDPOINT_IDENTIFICATION_ALGORITHM_CONFIG);
    if (algorithm.equalsIgnoreCase("https")) return options;
    if (!algorithm.isEmpty()) {
      throw new ConfigException(SSL_ENDPOINT_IDENTIFICATION_ALGORITHM_CONFIG, algorithm, "https, or empty");
    }
    LOG.warn("{} is empty: whoever has a certificate of the authority is taken for the hub",
        SSL_ENDPOINT_IDENTIFICATION_ALGORITHM_CONFIG);
    return options.withoutHostCheck();
  }

  private static TlsOptions ownTls(AbstractConfig config) {
    for (String name : KafkaStores.SETTINGS) {
      if (config.originals().containsKey(name)) {
        throw new ConfigException(name + " and millrace.tls.* both say what is trusted and shown: give one of them");
      }
    }
    Object object = config.originals().get(MillraceConfig.TLS_OPTIONS);
    if (object != null) return wholeTls(config, object);
    try {
      return TlsOptions.ofFiles(
          file(config, MillraceConfig.TLS_CA),
          file(config, MillraceConfig.TLS_CERTIFICATE),
          file(config, MillraceConfig.TLS_KEY));
    } catch (IllegalArgumentException half) {
      throw new ConfigException(MillraceConfig.TLS_CERTIFICATE + " and " + MillraceConfig.TLS_KEY + " go together");
    }
  }

  private static TlsOptions wholeTls(AbstractConfig config, Object object) {
    for (String name : FILES) {
      if (config.originals().containsKey(name)) {
        throw new ConfigException(name + " and " + MillraceConfig.TLS_OPTIONS + " say the same: give one of them");
      }
    }
    if (object instanceof TlsOptions options) return options;
    throw new ConfigException(MillraceConfig.TLS_OPTIONS, object, "a " + TlsOptions.class.getName());
  }

  private static Path file(AbstractConfig config, String name) {
    Object value = config.originals().get(name);
    return value == null ? null : Path.of(value.toString());
  }

  // ---- Identity

  private static TokenSource token(AbstractConfig config, SecurityProtocol protocol) {
    Path file = file(config, MillraceConfig.TOKEN_FILE);
    if (isSasl(protocol)) requireBearer(config, file != null);
    if (file == null) return isSasl(protocol) ? LoginToken.of(config) : null;
    if (!Files.isReadable(file)) throw new ConfigException(MillraceConfig.TOKEN_FILE, file, "cannot be read");
    return TokenSource.ofFile(file);
  }

  /** A hub takes bearer tokens and certificates, and no passwords. */
  private static void requireBearer(AbstractConfig config, boolean hasFile) {
    String mechanism = config.getString(SASL_MECHANISM);
    boolean said = config.originals().containsKey(SASL_MECHANISM);
    if (mechanism.equals(OAUTHBEARER) || (hasFile && !said)) return;
    throw new ConfigException(
        SASL_MECHANISM, mechanism,
        "a Millrace hub takes bearer tokens and certificates: use " + OAUTHBEARER + " or " + MillraceConfig.TOKEN_FILE
            + ", or security.protocol=SSL with " + SslConfigs.SSL_KEYSTORE_LOCATION_CONFIG);
  }
}
