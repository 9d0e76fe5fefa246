package dev.millrace.kafka;

import dev.millrace.kafka.ClientMetrics.ConsumerCounts;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetCommitCallback;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.Deserializer;

/**
 * Kafka's {@code Consumer} over a Millrace hub.
 *
 * <p>Settings keep their names and meaning; the README of the adapter lists what differs. It connects when
 * it is first polled, in the background: a hub that is away is waited for. After a broken connection it goes
 * on behind the last record that it received.
 *
 * <p>Threads: one at a time, as Kafka's, which a second one is told with ConcurrentModificationException; but
 * {@link #wakeup}, which makes poll throw.
 */
public class MillraceKafkaConsumer<K, V> extends HubQueries<K, V> {
  private final Deserializer<K> keyDeserializer;
  private final Deserializer<V> valueDeserializer;
  private final RecordReader<K, V> reader;
  private final AtomicBoolean woken = new AtomicBoolean();

  private volatile Reading reading; // Null: neither subscribed nor assigned.
  private PatternTopics pattern; // Null: no subscription by pattern.
  private ConsumerRebalanceListener listener;
  private volatile Set<TopicPartition> assigned = Set.of(); // As of the last poll, for the metrics.
  private final ConsumerCounts counts = new ConsumerCounts(this::maxLag, () -> assigned.size());
  private final ClientMetrics metrics;
  private final GroupCommits commits;
  private boolean closing;
  private boolean closed;

  /**
   * @param configs as for KafkaConsumer; {@code bootstrap.servers} is the hub's address
   * @param keyDeserializer null: made from {@code key.deserializer}
   * @param valueDeserializer null: made from {@code value.deserializer}
   * @throws org.apache.kafka.common.config.ConfigException where a setting is wrong, or asks for what the
   *     adapter cannot do and must not leave out, such as encryption
   */
  public MillraceKafkaConsumer(
      Map<String, Object> configs, Deserializer<K> keyDeserializer, Deserializer<V> valueDeserializer) {
    this(
        new ConsumerConfig(ConsumerConfig.appendDeserializerToConfig(configs, keyDeserializer, valueDeserializer)),
        keyDeserializer,
        valueDeserializer);
  }

  private MillraceKafkaConsumer(
      ConsumerConfig config, Deserializer<K> keyDeserializer, Deserializer<V> valueDeserializer) {
    super(ConsumerSettings.of(config));
    this.keyDeserializer =
        keyDeserializer != null
            ? keyDeserializer
            : deserializer(config, ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, true);
    this.valueDeserializer =
        valueDeserializer != null
            ? valueDeserializer
            : deserializer(config, ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, false);
    reader = new RecordReader<>(this.keyDeserializer, this.valueDeserializer);
    commits = new GroupCommits(settings, counts);
    metrics =
        ClientMetrics.ofConsumer(Settings.clientId(config, "consumer-" + settings.group()), counts);
  }

  @SuppressWarnings("unchecked")
  private static <T> Deserializer<T> deserializer(ConsumerConfig config, String setting, boolean isKey) {
    Deserializer<T> made = config.getConfiguredInstance(setting, Deserializer.class);
    made.configure(config.originals(), isKey);
    return made;
  }

  @Override
  boolean isClosed() {
    return closed;
  }

  // ---- What to read

  @Override
  public void subscribe(Collection<String> topics) {
    subscribe(topics, null);
  }

  @Override
  public void subscribe(Collection<String> topics, ConsumerRebalanceListener newListener) {
    run(
        () -> {
          if (topics.isEmpty()) {
            unsubscribe();
            return;
          }
          pattern = null;
          subscribeTo(topics, newListener);
        });
  }

  @Override
  public void subscribe(Pattern topics) {
    subscribe(topics, null);
  }

  @Override
  public void subscribe(Pattern topics, ConsumerRebalanceListener newListener) {
    run(
        () -> {
          settings.requireGroup("subscribe");
          refuseBesideAssign();
          pattern = new PatternTopics(admin, topics, settings.metadataMaxAge());
          listener = newListener;
        });
  }

  /** Matched here, and not by the hub: the pattern is Java's and not RE2's. */
  @Override
  public void subscribe(SubscriptionPattern topics) {
    subscribe(topics, null);
  }

  @Override
  public void subscribe(SubscriptionPattern topics, ConsumerRebalanceListener newListener) {
    subscribe(Pattern.compile(topics.pattern()), newListener);
  }

  private void subscribeTo(Collection<String> topics, ConsumerRebalanceListener newListener) {
    settings.requireGroup("subscribe");
    refuseBesideAssign();
    if (reading instanceof GroupReading open && listener == newListener) {
      open.updateTopics(topics);
      return;
    }
    closeReading();
    listener = newListener;
    reading = new GroupReading(connection, settings, offsets, topics, listener, this::commitBeforeRevoked);
    commits.startInterval();
  }

  private void refuseBesideAssign() {
    if (reading instanceof AssignedReading) {
      throw new IllegalStateException(
          "Subscription to topics, partitions and pattern are mutually exclusive: unsubscribe first.");
    }
  }

  @Override
  public void assign(Collection<TopicPartition> partitions) {
    run(
        () -> {
          if (reading instanceof GroupReading || pattern != null) {
            throw new IllegalStateException(
                "Subscription to topics, partitions and pattern are mutually exclusive: unsubscribe first.");
          }
          if (reading != null) commits.automatically(reading, settings.apiTimeout());
          AssignedReading before = (AssignedReading) reading;
          reading =
              partitions.isEmpty()
                  ? null
                  : new AssignedReading(connection, settings, offsets, partitions, before);
          if (before != null) before.close(true, Duration.ZERO);
        });
  }

  @Override
  public void unsubscribe() {
    run(
        () -> {
          closeReading();
          pattern = null;
        });
  }

  private void closeReading() {
    if (reading == null) return;
    reading.tellRevoked();
    reading.close(true, settings.apiTimeout());
    reading = null;
  }

  @Override
  public Set<TopicPartition> assignment() {
    return call(() -> reading == null ? Set.of() : reading.assignment());
  }

  @Override
  public Set<String> subscription() {
    return call(() -> reading == null ? Set.of() : reading.subscription());
  }

  // ---- Poll

  @Override
  public ConsumerRecords<K, V> poll(Duration timeout) {
    return call(
        () -> {
          if (reading == null && pattern == null) {
            throw new IllegalStateException("Consumer is not subscribed to any topics or assigned any partitions");
          }
          long deadline = System.nanoTime() + Math.min(timeout.toMillis(), Long.MAX_VALUE / 4_000_000) * 1_000_000;
          commits.callBack();
          if (reading != null) commits.automaticallyIfDue(reading);
          while (true) {
            throwIfWoken();
            long left = Math.max(0, deadline - System.nanoTime());
            List<ConsumerRecord<K, V>> records = pollOnce(Duration.ofNanos(left));
            count(records);
            if (!records.isEmpty()) return records(records);
            throwIfWoken();
            commits.callBack();
            if (deadline - System.nanoTime() <= 0) return ConsumerRecords.empty();
          }
        });
  }

  private List<ConsumerRecord<K, V>> pollOnce(Duration timeout) {
    Duration wait = timeout;
    if (pattern != null) {
      if (pattern.refresh() && !pattern.topics().isEmpty()) subscribeTo(pattern.topics(), listener);
      wait = timeout.compareTo(Duration.ofSeconds(1)) > 0 ? Duration.ofSeconds(1) : timeout;
    }
    if (reading != null) return reading.poll(wait, settings.maxPollRecords(), reader);
    synchronized (woken) {
      try {
        if (!woken.get()) woken.wait(Math.max(1, wait.toMillis())); // Nothing matches the pattern yet.
      } catch (InterruptedException interrupted) {
        throw new org.apache.kafka.common.errors.InterruptException(interrupted);
      }
    }
    return List.of();
  }

  private void count(List<ConsumerRecord<K, V>> records) {
    Set<TopicPartition> now = reading == null ? Set.of() : reading.assignment();
    if (!now.equals(assigned)) {
      assigned = now;
      counts.rebalances.increment();
    }
    counts.records.add(records.size());
    long bytes = 0;
    for (ConsumerRecord<K, V> record : records) {
      bytes += Math.max(0, record.serializedKeySize()) + Math.max(0, record.serializedValueSize());
    }
    counts.bytes.add(bytes);
  }

  private long maxLag() {
    Reading open = reading;
    long most = 0;
    for (TopicPartition partition : assigned) {
      Long lag = open == null ? null : open.lag(partition);
      if (lag != null) most = Math.max(most, lag);
    }
    return most;
  }

  private void throwIfWoken() {
    if (woken.getAndSet(false)) throw new WakeupException();
    if (Thread.currentThread().isInterrupted()) {
      throw new org.apache.kafka.common.errors.InterruptException("The polling thread is interrupted.");
    }
  }

  private ConsumerRecords<K, V> records(List<ConsumerRecord<K, V>> all) {
    Map<TopicPartition, List<ConsumerRecord<K, V>>> byPartition = new LinkedHashMap<>();
    Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>();
    for (int from = 0, to; from < all.size(); from = to) {
      ConsumerRecord<K, V> first = all.get(from);
      for (to = from + 1; to < all.size() && isOf(all.get(to), first); ) to++;
      TopicPartition partition = new TopicPartition(first.topic(), first.partition());
      byPartition.computeIfAbsent(partition, any -> new java.util.ArrayList<>()).addAll(all.subList(from, to));
      next.put(partition, new OffsetAndMetadata(all.get(to - 1).offset() + 1));
    }
    return new ConsumerRecords<>(byPartition, next);
  }

  private static boolean isOf(ConsumerRecord<?, ?> record, ConsumerRecord<?, ?> other) {
    return record.partition() == other.partition() && record.topic().equals(other.topic());
  }

  @Override
  public void wakeup() {
    woken.set(true);
    synchronized (woken) {
      woken.notifyAll();
    }
    Reading open = reading;
    if (open != null) open.wakeup();
  }

  // ---- Committing

  /** What poll returned before a rebalance is processed when the next poll tells of it. */
  private void commitBeforeRevoked(Set<TopicPartition> partitions) {
    if (!closing) commits.automatically(reading, partitions, settings.apiTimeout()); // Closing has committed.
  }

  @Override
  public void commitSync() {
    commitSync(settings.apiTimeout());
  }

  @Override
  public void commitSync(Duration timeout) {
    run(() -> commits.sync(requireReading(), requireReading().positions(), timeout));
  }

  @Override
  public void commitSync(Map<TopicPartition, OffsetAndMetadata> committed) {
    commitSync(committed, settings.apiTimeout());
  }

  @Override
  public void commitSync(Map<TopicPartition, OffsetAndMetadata> committed, Duration timeout) {
    run(() -> commits.sync(requireReading(), committed, timeout));
  }

  @Override
  public void commitAsync() {
    commitAsync(null);
  }

  @Override
  public void commitAsync(OffsetCommitCallback callback) {
    run(() -> commits.async(requireReading(), requireReading().positions(), callback));
  }

  @Override
  public void commitAsync(Map<TopicPartition, OffsetAndMetadata> committed, OffsetCommitCallback callback) {
    run(() -> commits.async(requireReading(), committed, callback));
  }

  private Reading requireReading() {
    if (reading != null) return reading;
    throw new IllegalStateException("Consumer is not subscribed to any topics or assigned any partitions");
  }

  // ---- Positions

  @Override
  public void seek(TopicPartition partition, long offset) {
    if (offset < 0) throw new IllegalArgumentException("seek offset must not be a negative number");
    run(() -> requireAssigned(List.of(partition)).seek(partition, offset));
  }

  @Override
  public void seek(TopicPartition partition, OffsetAndMetadata offset) {
    seek(partition, offset.offset());
  }

  /** Asks the hub at once, and not at the next poll. */
  @Override
  public void seekToBeginning(Collection<TopicPartition> partitions) {
    run(() -> offsets.earliest(chosen(partitions)).forEach(reading::seek));
  }

  /** Asks the hub at once, and not at the next poll. */
  @Override
  public void seekToEnd(Collection<TopicPartition> partitions) {
    run(() -> offsets.latest(chosen(partitions)).forEach(reading::seek));
  }

  private Collection<TopicPartition> chosen(Collection<TopicPartition> partitions) {
    requireAssigned(partitions);
    return partitions.isEmpty() ? reading.assignment() : partitions;
  }

  private Reading requireAssigned(Collection<TopicPartition> partitions) {
    Set<TopicPartition> assignment = reading == null ? Set.of() : reading.assignment();
    for (TopicPartition partition : partitions) {
      if (!assignment.contains(partition)) {
        throw new IllegalStateException("No current assignment for partition " + partition);
      }
    }
    return requireReading();
  }

  @Override
  public long position(TopicPartition partition) {
    return position(partition, settings.apiTimeout());
  }

  @Override
  public long position(TopicPartition partition, Duration timeout) {
    return call(() -> requireAssigned(List.of(partition)).position(partition, timeout));
  }

  @Override
  public OptionalLong currentLag(TopicPartition partition) {
    return call(
        () -> {
          Long lag = requireAssigned(List.of(partition)).lag(partition);
          return lag == null ? OptionalLong.empty() : OptionalLong.of(lag);
        });
  }

  @Override
  public void pause(Collection<TopicPartition> partitions) {
    run(() -> requireAssigned(partitions).pause(partitions));
  }

  @Override
  public void resume(Collection<TopicPartition> partitions) {
    run(() -> requireAssigned(partitions).resume(partitions));
  }

  @Override
  public Set<TopicPartition> paused() {
    return call(() -> reading == null ? Set.of() : reading.paused());
  }

  // ---- The rest

  @Override
  public ConsumerGroupMetadata groupMetadata() {
    return call(
        () -> {
          settings.requireGroup("ask for the group's metadata");
          return reading == null ? new ConsumerGroupMetadata(settings.group()) : reading.groupMetadata();
        });
  }

  /** What this consumer counts, under the names that Kafka's has. */
  @Override
  public Map<MetricName, ? extends Metric> metrics() {
    return metrics.all();
  }

  @Override
  public void close() {
    close(CloseOptions.timeout(settings.apiTimeout()));
  }

  @Override
  public void close(Duration timeout) {
    close(CloseOptions.timeout(timeout));
  }

  @Override
  public void close(CloseOptions options) {
    acquire();
    try {
      if (closed) return;
      Duration timeout = options.timeout().orElse(settings.apiTimeout());
      try {
        if (reading != null) closeReading(leaves(options), timeout);
      } finally {
        closed = true;
        connection.close();
        metrics.close();
        keyDeserializer.close();
        valueDeserializer.close();
      }
    } finally {
      release();
    }
  }

  /** A static member's partitions wait for it, unless it says otherwise. */
  private boolean leaves(CloseOptions options) {
    return switch (options.groupMembershipOperation()) {
      case LEAVE_GROUP -> true;
      case REMAIN_IN_GROUP -> false;
      case DEFAULT -> settings.instanceId() == null;
    };
  }

  private void closeReading(boolean leave, Duration timeout) {
    Reading open = reading;
    closing = true;
    try {
      commits.settle(timeout);
      commits.automatically(open, timeout);
      open.tellRevoked();
      commits.settle(timeout);
    } finally {
      open.close(leave, timeout);
      reading = null;
    }
  }
}
