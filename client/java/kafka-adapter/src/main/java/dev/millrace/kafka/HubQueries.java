package dev.millrace.kafka;

import dev.millrace.client.Admin;
import dev.millrace.client.Connection;
import dev.millrace.client.MillraceException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.metrics.KafkaMetric;

/**
 * The part of a consumer that asks the hub, whatever is subscribed: offsets and topics. And what cannot be
 * honoured. A timeout is the one of the configuration, {@code default.api.timeout.ms}.
 *
 * <p>Threads: one at a time, which {@link #call} sees to.
 */
abstract class HubQueries<K, V> implements Consumer<K, V> {
  final ConsumerSettings settings;
  final Connection connection;
  final Admin admin;
  final Offsets offsets;
  private final AtomicReference<Thread> user = new AtomicReference<>();
  private int depth; // Of calls from inside of rebalance listeners. The user's.

  HubQueries(ConsumerSettings settings) {
    this.settings = settings;
    connection = Security.open(settings.connection());
    admin = new Admin(connection);
    offsets = new Offsets(admin);
  }

  abstract boolean isClosed();

  // ---- Offsets

  @Override
  public Map<TopicPartition, OffsetAndMetadata> committed(Set<TopicPartition> partitions) {
    return call(
        () -> {
          settings.requireGroup("ask for committed offsets");
          return offsets.committed(settings.group(), partitions);
        });
  }

  @Override
  public Map<TopicPartition, OffsetAndMetadata> committed(Set<TopicPartition> partitions, Duration timeout) {
    return committed(partitions);
  }

  @Override
  public Map<TopicPartition, OffsetAndTimestamp> offsetsForTimes(Map<TopicPartition, Long> times) {
    return call(() -> offsets.forTimes(times));
  }

  @Override
  public Map<TopicPartition, OffsetAndTimestamp> offsetsForTimes(Map<TopicPartition, Long> times, Duration timeout) {
    return offsetsForTimes(times);
  }

  @Override
  public Map<TopicPartition, Long> beginningOffsets(Collection<TopicPartition> partitions) {
    return call(() -> offsets.earliest(partitions));
  }

  @Override
  public Map<TopicPartition, Long> beginningOffsets(Collection<TopicPartition> partitions, Duration timeout) {
    return beginningOffsets(partitions);
  }

  @Override
  public Map<TopicPartition, Long> endOffsets(Collection<TopicPartition> partitions) {
    return call(() -> offsets.latest(partitions));
  }

  @Override
  public Map<TopicPartition, Long> endOffsets(Collection<TopicPartition> partitions, Duration timeout) {
    return endOffsets(partitions);
  }

  // ---- Topics

  @Override
  public List<PartitionInfo> partitionsFor(String topic) {
    return call(
        () -> {
          try {
            int count = admin.describeTopic(topic).getTopic().getPartitionCount();
            return Topics.partitions(topic, count, Topics.node(connection.target()));
          } catch (MillraceException error) {
            if (KafkaErrors.of(error) instanceof UnknownTopicOrPartitionException) return List.of();
            throw error;
          }
        });
  }

  @Override
  public List<PartitionInfo> partitionsFor(String topic, Duration timeout) {
    return partitionsFor(topic);
  }

  @Override
  public Map<String, List<PartitionInfo>> listTopics() {
    return call(
        () -> {
          Map<String, List<PartitionInfo>> topics = new HashMap<>();
          admin
              .listTopics()
              .forEach(
                  topic ->
                      topics.put(
                          topic.getName(),
                          Topics.partitions(
                              topic.getName(), topic.getPartitionCount(), Topics.node(connection.target()))));
          return topics;
        });
  }

  @Override
  public Map<String, List<PartitionInfo>> listTopics(Duration timeout) {
    return listTopics();
  }

  // ---- What has no counterpart

  @Override
  public Uuid clientInstanceId(Duration timeout) {
    throw noTelemetry();
  }

  @Override
  public void registerMetricForSubscription(KafkaMetric metric) {
    throw noTelemetry();
  }

  @Override
  public void unregisterMetricFromSubscription(KafkaMetric metric) {
    throw noTelemetry();
  }

  private static UnsupportedOperationException noTelemetry() {
    return new UnsupportedOperationException("A Millrace hub takes no metrics from its clients (KIP-714).");
  }

  @Override
  public void enforceRebalance() {
    throw new UnsupportedOperationException(
        "The hub shares partitions out whenever members or topics change, and at no one's command.");
  }

  @Override
  public void enforceRebalance(String reason) {
    enforceRebalance();
  }

  // ---- One thread at a time

  <T> T call(Supplier<T> action) {
    acquire();
    try {
      if (isClosed()) throw new IllegalStateException("This consumer has already been closed.");
      return action.get();
    } catch (MillraceException error) {
      throw KafkaErrors.of(error);
    } finally {
      release();
    }
  }

  void run(Runnable action) {
    call(
        () -> {
          action.run();
          return null;
        });
  }

  void acquire() {
    Thread current = Thread.currentThread();
    if (user.get() != current && !user.compareAndSet(null, current)) {
      throw new java.util.ConcurrentModificationException(
          "A consumer is for one thread; " + current.getName() + " came while " + user.get() + " was in it.");
    }
    depth++;
  }

  void release() {
    if (--depth == 0) user.set(null);
  }
}
