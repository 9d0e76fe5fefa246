package dev.millrace.kafka;

import dev.millrace.client.MillraceException;
import dev.millrace.kafka.ClientMetrics.ConsumerCounts;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetCommitCallback;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a consumer commits: at the application's word, and by itself where {@code enable.auto.commit}.
 *
 * <p>Threads: the consumer's.
 */
final class GroupCommits {
  private static final Logger LOG = LoggerFactory.getLogger(MillraceKafkaConsumer.class);

  private final ConsumerSettings settings;
  private final ConsumerCounts counts;
  private final AsyncCommits underway = new AsyncCommits();
  private long nextAutomatic;

  GroupCommits(ConsumerSettings settings, ConsumerCounts counts) {
    this.settings = settings;
    this.counts = counts;
  }

  /** From now on the interval of automatic commits counts. */
  void startInterval() {
    nextAutomatic = System.nanoTime() + settings.autoCommitInterval().toNanos();
  }

  void automaticallyIfDue(Reading reading) {
    if (!settings.autoCommit() || System.nanoTime() - nextAutomatic < 0) return;
    startInterval();
    async(reading, reading.positions(), null);
  }

  void automatically(Reading reading, Duration timeout) {
    automatically(reading, reading.assignment(), timeout);
  }

  /** Waits for it; what fails is logged, as Kafka does, and repeated by whoever reads on. */
  void automatically(Reading reading, Set<TopicPartition> partitions, Duration timeout) {
    if (!settings.autoCommit()) return;
    Map<TopicPartition, OffsetAndMetadata> positions = reading.positions();
    positions.keySet().retainAll(partitions);
    if (positions.isEmpty()) return;
    try {
      reading.commit(positions, timeout);
      counts.commits.increment();
    } catch (MillraceException error) {
      warn(positions, error);
    }
  }

  private static void warn(Map<TopicPartition, OffsetAndMetadata> committed, Exception error) {
    if (error != null) LOG.warn("The commit of {} failed", committed, error);
  }

  /** After all that are under way. */
  void sync(Reading reading, Map<TopicPartition, OffsetAndMetadata> offsets, Duration timeout) {
    settings.requireGroup("commit");
    settle(timeout);
    if (offsets.isEmpty()) return;
    reading.commit(offsets, timeout);
    counts.commits.increment();
  }

  /** @param callback null: a failure is logged */
  void async(Reading reading, Map<TopicPartition, OffsetAndMetadata> offsets, OffsetCommitCallback callback) {
    settings.requireGroup("commit");
    if (offsets.isEmpty()) return;
    Map<TopicPartition, OffsetAndMetadata> copy = new HashMap<>(offsets);
    OffsetCommitCallback told = callback != null ? callback : GroupCommits::warn;
    underway.add(
        reading.commitAsync(copy, settings.apiTimeout()),
        copy,
        (committed, error) -> {
          if (error == null) counts.commits.increment();
          told.onComplete(committed, error);
        });
  }

  /** Calls back for what has ended. */
  void callBack() {
    underway.callBack();
  }

  /** Waits for what is under way, and calls back. */
  void settle(Duration timeout) {
    underway.settle(timeout);
  }
}
