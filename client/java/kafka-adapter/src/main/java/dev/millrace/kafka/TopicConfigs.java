package dev.millrace.kafka;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import millrace.v1.RetentionPolicy;
import millrace.v1.Topic;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A topic's settings in Kafka's terms: a hub has a limit by age and one by size. */
final class TopicConfigs {
  private static final Logger LOG = LoggerFactory.getLogger(MillraceKafkaAdmin.class);
  private static final Set<String> TOLD = ConcurrentHashMap.newKeySet();
  private static final long NO_LIMIT = -1;

  private TopicConfigs() {}

  /** The retention that these say; null: the hub's own. */
  static RetentionPolicy retention(Map<String, String> configs) {
    configs.keySet().forEach(key -> check(key, configs.get(key)));
    Duration age = age(configs.get(TopicConfig.RETENTION_MS_CONFIG));
    Long bytes = bytes(configs.get(TopicConfig.RETENTION_BYTES_CONFIG));
    if (age == null && bytes == null) return null;
    RetentionPolicy.Builder policy = RetentionPolicy.newBuilder();
    if (age != null && !age.isZero()) {
      policy.setMaxAge(
          com.google.protobuf.Duration.newBuilder().setSeconds(age.getSeconds()).setNanos(age.getNano()));
    }
    if (bytes != null) policy.setMaxPartitionBytes(bytes);
    return policy.build();
  }

  /** Refuses what would keep other records than was asked for, and tells once what has no effect. */
  static void check(String key, String value) {
    switch (key) {
      case TopicConfig.RETENTION_MS_CONFIG, TopicConfig.RETENTION_BYTES_CONFIG -> {}
      case TopicConfig.CLEANUP_POLICY_CONFIG -> {
        if (!TopicConfig.CLEANUP_POLICY_DELETE.equals(value)) {
          throw new InvalidConfigurationException(
              key + "=" + value + ": a Millrace hub deletes old records by age and size, and does not compact.");
        }
      }
      default -> {
        if (TOLD.add(key)) LOG.info("The topic setting {} has no effect with a Millrace hub", key);
      }
    }
  }

  /** Null: unchanged; zero: no limit, which Kafka writes as -1. */
  static Duration age(String millis) {
    return millis == null ? null : Duration.ofMillis(Math.max(0, Long.parseLong(millis)));
  }

  /** Null: unchanged; 0: no limit, which Kafka writes as -1. */
  static Long bytes(String bytes) {
    return bytes == null ? null : (Long) Math.max(0, Long.parseLong(bytes));
  }

  static Config of(Topic topic) {
    RetentionPolicy policy = topic.getRetention();
    long age = policy.getMaxAge().getSeconds() * 1000 + policy.getMaxAge().getNanos() / 1_000_000;
    List<ConfigEntry> entries = new ArrayList<>();
    entries.add(entry(TopicConfig.RETENTION_MS_CONFIG, age));
    entries.add(entry(TopicConfig.RETENTION_BYTES_CONFIG, policy.getMaxPartitionBytes()));
    entries.add(new ConfigEntry(TopicConfig.CLEANUP_POLICY_CONFIG, TopicConfig.CLEANUP_POLICY_DELETE));
    return new Config(entries);
  }

  private static ConfigEntry entry(String name, long value) {
    return new ConfigEntry(name, String.valueOf(value == 0 ? NO_LIMIT : value));
  }
}
