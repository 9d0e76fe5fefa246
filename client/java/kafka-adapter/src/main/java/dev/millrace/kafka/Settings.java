package dev.millrace.kafka;

import dev.millrace.client.Durability;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What producers, consumers and admins read out of Kafka's configuration in the same way. The values are
 * parsed and checked by kafka-clients itself, so that they mean what they always did.
 */
final class Settings {
  private static final Logger LOG = LoggerFactory.getLogger(Settings.class);
  private static final AtomicInteger MADE_UP = new AtomicInteger();
  private static final Set<String> TOLD = ConcurrentHashMap.newKeySet();

  /** Kafka's settings that say nothing to a hub, and why. */
  private static final Map<String, String> WITHOUT_EFFECT =
      Map.ofEntries(
          Map.entry("acks", "the hub always answers; " + MillraceConfig.DURABILITY + " says what an answer promises"),
          Map.entry("retries", "sends are repeated until delivery.timeout.ms, and stored once"),
          Map.entry("compression.type", "the hub compresses what it stores by itself"),
          Map.entry("interceptor.classes", "interceptors are not called"),
          Map.entry("partition.assignment.strategy", "the hub assigns, incrementally and sticky"),
          Map.entry("session.timeout.ms", "an open stream is the membership"),
          Map.entry("group.protocol", "the hub has one of its own"),
          Map.entry("fetch.min.bytes", "records are delivered when they become visible"),
          Map.entry("fetch.max.wait.ms", "records are delivered when they become visible"),
          Map.entry("transaction.timeout.ms", "a transaction holds nothing at the hub until it is committed"),
          Map.entry("ssl.protocol", "it is TLS 1.3 or 1.2"),
          Map.entry("ssl.enabled.protocols", "it is TLS 1.3 or 1.2"),
          Map.entry("metric.reporters", "metrics() has what there is to report"),
          Map.entry("client.rack", "a hub is in one place"));

  private Settings() {}

  /** The hub: one address. */
  static String target(AbstractConfig config) {
    List<String> servers = config.getList(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG);
    if (servers.size() != 1) {
      throw new ConfigException(
          CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, servers, "name one address: a Millrace hub is one process");
    }
    return servers.get(0);
  }

  /** Tells once what has no effect. */
  static void tellWithoutEffect(AbstractConfig config) {
    for (String key : config.originals().keySet()) {
      if (WITHOUT_EFFECT.containsKey(key) && TOLD.add(key)) {
        LOG.info("{} has no effect with a Millrace hub: {}", key, WITHOUT_EFFECT.get(key));
      } else if (!config.values().containsKey(key) && !MillraceConfig.NAMES.contains(key) && TOLD.add(key)) {
        LOG.info("{} is not known to the Kafka adapter; a serializer may know it", key);
      }
    }
  }

  /** The name that metrics are told under; one is made up as Kafka does. */
  static String clientId(AbstractConfig config, String kind) {
    String given = config.getString(CommonClientConfigs.CLIENT_ID_CONFIG);
    return given == null || given.isEmpty() ? kind + "-" + MADE_UP.incrementAndGet() : given;
  }

  static Duration millis(AbstractConfig config, String key) {
    Object value = config.values().get(key);
    return Duration.ofMillis(((Number) value).longValue());
  }

  static Durability durability(AbstractConfig config) {
    Object value = config.originals().getOrDefault(MillraceConfig.DURABILITY, "default");
    return switch (value.toString().toLowerCase(Locale.ROOT)) {
      case "default" -> Durability.HUB_DEFAULT;
      case "buffered" -> Durability.BUFFERED;
      case "synced" -> Durability.SYNCED;
      default -> throw new ConfigException(MillraceConfig.DURABILITY, value, "default, buffered or synced");
    };
  }
}
