package dev.millrace.spring.boot;

import dev.millrace.client.ConnectionOptions;
import dev.millrace.kafka.MillraceConfig;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.CommonClientConfigs;
import org.springframework.boot.context.properties.PropertyMapper;
import org.springframework.boot.kafka.autoconfigure.KafkaProperties;
import org.springframework.boot.ssl.SslBundles;
import org.springframework.util.Assert;
import org.springframework.util.StringUtils;

/**
 * What the clients of the hub are configured with: {@code spring.kafka.*} as Boot reads it, but for where the hub
 * is; and what it is to be told and shown there, {@code millrace.tls.*} and {@code millrace.token-file}.
 */
final class HubConfigs {
  private final KafkaProperties kafka;
  private final MillraceProperties properties;
  private final MillraceConnectionDetails hub;
  private final SslBundles bundles; // Null: the application has none.

  HubConfigs(KafkaProperties kafka, MillraceProperties properties, MillraceConnectionDetails hub,
      SslBundles bundles) {
    this.kafka = kafka;
    this.properties = properties;
    this.hub = hub;
    this.bundles = bundles;
  }

  Map<String, Object> producer() {
    return ofTheHub(kafka.buildProducerProperties(), kafka.getProducer().getSsl());
  }

  Map<String, Object> consumer() {
    return ofTheHub(kafka.buildConsumerProperties(), kafka.getConsumer().getSsl());
  }

  Map<String, Object> admin() {
    return ofTheHub(kafka.buildAdminProperties(), kafka.getAdmin().getSsl());
  }

  /** As the admin reaches the hub. */
  ConnectionOptions connection() {
    return MillraceConfig.connection(admin());
  }

  private Map<String, Object> ofTheHub(Map<String, Object> configs, KafkaProperties.Ssl own) {
    configs.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, List.of(hub.getTarget()));
    String bundle = StringUtils.hasLength(own.getBundle()) ? own.getBundle() : kafka.getSsl().getBundle();
    if (StringUtils.hasLength(bundle) && usesTls(configs)) {
      Assert.notNull(bundles, "spring.kafka.ssl.bundle names a bundle, and the application has none");
      configs.put(MillraceConfig.TLS_OPTIONS, BundleTls.of(bundles, bundle));
    }
    addOwn(configs);
    return configs;
  }

  /** With Kafka a bundle means nothing until the protocol is one of TLS. */
  private static boolean usesTls(Map<String, Object> configs) {
    return String.valueOf(configs.get(CommonClientConfigs.SECURITY_PROTOCOL_CONFIG)).endsWith("SSL");
  }

  /** Also for factories that an application has made itself. */
  void addOwn(Map<String, Object> configs) {
    MillraceProperties.Tls tls = properties.getTls();
    PropertyMapper map = PropertyMapper.get();
    map.from(tls::getCa).to(file -> configs.put(MillraceConfig.TLS_CA, file));
    map.from(tls::getCertificate).to(file -> configs.put(MillraceConfig.TLS_CERTIFICATE, file));
    map.from(tls::getKey).to(file -> configs.put(MillraceConfig.TLS_KEY, file));
    map.from(properties::getTokenFile).to(file -> configs.put(MillraceConfig.TOKEN_FILE, file));
  }
}
