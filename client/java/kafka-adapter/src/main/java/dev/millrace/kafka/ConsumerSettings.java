package dev.millrace.kafka;

import dev.millrace.client.ConnectionOptions;
import dev.millrace.client.ConsumerOptions;
import dev.millrace.client.OutOfRange;
import dev.millrace.client.Start;
import java.time.Duration;
import java.time.Instant;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.errors.InvalidGroupIdException;

/** What a consumer reads out of Kafka's configuration. */
record ConsumerSettings(
    ConnectionOptions connection,
    String group,
    String instanceId,
    String reset,
    boolean autoCommit,
    Duration autoCommitInterval,
    int maxPollRecords,
    Duration maxPollInterval,
    Duration heartbeatInterval,
    Duration apiTimeout,
    Duration metadataMaxAge,
    int maxFrameBytes,
    long prefetchBytes) {

  /** What a subscriber may ask for without the hub's being configured for it. */
  private static final int LARGEST_FRAME = (4 << 20) - (64 << 10);

  private static final Duration SHORTEST_HEARTBEAT = Duration.ofMillis(100);
  private static final Duration LONGEST_HEARTBEAT = Duration.ofHours(1);

  /** A reader that is behind is not slowed by more; one that is slow holds no more than this. */
  private static final long LARGEST_PREFETCH = 16 << 20;

  static ConsumerSettings of(ConsumerConfig config) {
    Settings.tellWithoutEffect(config);
    String group = config.getString(ConsumerConfig.GROUP_ID_CONFIG);
    int maxFrameBytes = config.getInt(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG);
    long prefetchBytes = config.getInt(ConsumerConfig.FETCH_MAX_BYTES_CONFIG);
    Duration apiTimeout = Settings.millis(config, ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG);
    return new ConsumerSettings(
        Security.of(config).connection(Settings.target(config), apiTimeout),
        group == null ? "" : group,
        config.getString(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG),
        config.getString(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG),
        // Kafka's own rule: without a group there is nothing to commit.
        group != null && config.getBoolean(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG),
        Settings.millis(config, ConsumerConfig.AUTO_COMMIT_INTERVAL_MS_CONFIG),
        config.getInt(ConsumerConfig.MAX_POLL_RECORDS_CONFIG),
        Settings.millis(config, ConsumerConfig.MAX_POLL_INTERVAL_MS_CONFIG),
        within(Settings.millis(config, ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG)),
        apiTimeout,
        Settings.millis(config, ConsumerConfig.METADATA_MAX_AGE_CONFIG),
        Math.max(1 << 10, Math.min(maxFrameBytes, LARGEST_FRAME)),
        Math.max(1 << 10, Math.min(prefetchBytes, LARGEST_PREFETCH)));
  }

  /** What the hub takes for an interval of heartbeats. */
  private static Duration within(Duration interval) {
    if (interval.compareTo(SHORTEST_HEARTBEAT) < 0) return SHORTEST_HEARTBEAT;
    return interval.compareTo(LONGEST_HEARTBEAT) > 0 ? LONGEST_HEARTBEAT : interval;
  }

  /** With auto.offset.reset=none nobody but the application says where to begin. */
  boolean resets() {
    return !reset.equals("none");
  }

  /** Where to begin without a committed offset. */
  Start start() {
    if (reset.startsWith("by_duration:")) {
      return Start.at(Instant.now().minus(Duration.parse(reset.substring("by_duration:".length()))));
    }
    return reset.equals("latest") ? Start.LATEST : Start.EARLIEST;
  }

  OutOfRange outOfRange() {
    if (!resets()) return OutOfRange.FAIL;
    return reset.equals("latest") ? OutOfRange.LATEST : OutOfRange.EARLIEST;
  }

  /** How both kinds of subscription read. */
  ConsumerOptions reading(ConsumerOptions options) {
    return options
        .withStart(start(), outOfRange())
        .withAllowMissingTopics(true)
        .withBuffer(maxFrameBytes, prefetchBytes)
        .withHeartbeatInterval(heartbeatInterval)
        .withRevocation(options.group().isEmpty() ? null : maxPollInterval, false)
        .withInstanceId(instanceId == null || options.group().isEmpty() ? "" : instanceId);
  }

  void requireGroup(String what) {
    if (!group.isEmpty()) return;
    throw new InvalidGroupIdException("To " + what + ", set group.id in the consumer's configuration.");
  }
}
