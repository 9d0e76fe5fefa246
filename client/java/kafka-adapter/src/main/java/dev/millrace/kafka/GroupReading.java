package dev.millrace.kafka;

import dev.millrace.client.CommitResult;
import dev.millrace.client.Connection;
import dev.millrace.client.Consumer;
import dev.millrace.client.ConsumerListener;
import dev.millrace.client.ConsumerOptions;
import dev.millrace.client.Durability;
import dev.millrace.client.LostCause;
import dev.millrace.client.Member;
import dev.millrace.client.MillraceException;
import dev.millrace.client.Position;
import dev.millrace.client.Reason;
import dev.millrace.client.RecordDecoder;
import dev.millrace.client.TopicPartition;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.NoOffsetForPartitionException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A member of a group. What the hub tells of its partitions comes out of the client's poll, on the polling
 * thread, and is told to Kafka's rebalance listener there.
 *
 * <p>A revoked partition stays this member's through {@code onPartitionsRevoked}, where the application
 * commits what it has processed; then it is given up. If nobody polls, it is lost after {@code
 * max.poll.interval.ms}, and nobody is evicted.
 */
final class GroupReading implements Reading, ConsumerListener {
  private static final Logger LOG = LoggerFactory.getLogger(MillraceKafkaConsumer.class);

  /** What Kafka's consumer does before its listener is told. */
  interface BeforeRevoked {
    void commit(Set<org.apache.kafka.common.TopicPartition> partitions);
  }

  private final ConsumerSettings settings;
  private final Offsets offsets;
  private final Connection connection;
  private final ConsumerRebalanceListener listener; // Null: none.
  private final BeforeRevoked beforeRevoked;
  private final Set<org.apache.kafka.common.TopicPartition> assignment = new LinkedHashSet<>();
  private final Set<org.apache.kafka.common.TopicPartition> paused = new HashSet<>();
  private Set<String> topics;
  private volatile Consumer consumer; // Null until it is first polled.
  private ConsumerGroupMetadata lastMetadata;
  private RuntimeException failure; // Of a partition, for poll to throw.

  GroupReading(
      Connection connection,
      ConsumerSettings settings,
      Offsets offsets,
      Collection<String> topics,
      ConsumerRebalanceListener listener,
      BeforeRevoked beforeRevoked) {
    this.connection = connection;
    this.settings = settings;
    this.offsets = offsets;
    this.topics = new TreeSet<>(topics);
    this.listener = listener;
    this.beforeRevoked = beforeRevoked;
    lastMetadata = new ConsumerGroupMetadata(settings.group());
  }

  /** Reads these topics instead; partitions of topics that stay go on undisturbed. */
  void updateTopics(Collection<String> newTopics) {
    topics = new TreeSet<>(newTopics);
    if (consumer != null) consumer.updateTopics(topics);
  }

  @Override
  public Set<org.apache.kafka.common.TopicPartition> assignment() {
    return Set.copyOf(assignment);
  }

  @Override
  public Set<String> subscription() {
    return Set.copyOf(topics);
  }

  @Override
  public <T> List<T> poll(Duration timeout, int maxRecords, RecordDecoder<T> decoder) {
    if (consumer == null) join();
    throwFailure();
    List<T> records = consumer.poll(timeout, maxRecords, decoder);
    if (!records.isEmpty()) return records; // A failure waits: the position is past these.
    throwFailure();
    return records;
  }

  private void throwFailure() {
    RuntimeException told = failure;
    failure = null;
    if (told != null) throw told;
  }

  private void join() {
    if (!settings.resets()) requireCommitted();
    ConsumerOptions options =
        settings.reading(ConsumerOptions.ofGroup(settings.group(), topics.toArray(String[]::new)));
    consumer = Consumer.open(connection, options, this);
  }

  /** With auto.offset.reset=none: a group that begins nowhere is an error, and not a place to begin at. */
  private void requireCommitted() {
    Map<org.apache.kafka.common.TopicPartition, OffsetAndMetadata> committed =
        offsets.committed(settings.group(), offsets.partitionsOf(topics));
    List<org.apache.kafka.common.TopicPartition> without =
        committed.keySet().stream().filter(partition -> committed.get(partition) == null).toList();
    if (!without.isEmpty()) throw new NoOffsetForPartitionException(without);
  }

  @Override
  public void wakeup() {
    Consumer open = consumer;
    if (open != null) open.wakeup();
  }

  // ---- What the hub tells, on the polling thread

  @Override
  public void onAssigned(List<TopicPartition> partitions) {
    Set<org.apache.kafka.common.TopicPartition> added = names(partitions);
    assignment.addAll(added);
    if (listener != null) tell(() -> listener.onPartitionsAssigned(added));
  }

  @Override
  public void onRevoking(List<TopicPartition> partitions, Duration timeLeft) {
    Set<org.apache.kafka.common.TopicPartition> revoked = names(partitions);
    revoked.retainAll(assignment);
    if (revoked.isEmpty()) return;
    try {
      revoke(revoked);
    } finally {
      release(partitions);
    }
  }

  private void release(List<TopicPartition> revoked) {
    try {
      consumer.release(revoked, settings.apiTimeout());
    } catch (MillraceException error) {
      // They are lost when their time is over, and what was committed stays so.
      LOG.warn("Partitions {} could not be given up", revoked, error);
    }
  }

  private void revoke(Set<org.apache.kafka.common.TopicPartition> revoked) {
    beforeRevoked.commit(revoked);
    try {
      if (listener != null) tell(() -> listener.onPartitionsRevoked(revoked));
    } finally {
      remove(revoked);
    }
  }

  private void remove(Set<org.apache.kafka.common.TopicPartition> gone) {
    assignment.removeAll(gone);
    paused.removeAll(gone);
  }

  @Override
  public void onLost(List<TopicPartition> partitions, LostCause cause) {
    Set<org.apache.kafka.common.TopicPartition> lost = names(partitions);
    lost.retainAll(assignment); // What was revoked has been told.
    if (lost.isEmpty()) return;
    LOG.info("Partitions {} were lost: {}", lost, cause);
    try {
      if (listener != null) tell(() -> listener.onPartitionsLost(lost));
    } finally {
      remove(lost);
    }
  }

  @Override
  public void onPartitionFailed(TopicPartition partition, MillraceException error) {
    failure = failureOf(partition, error, position(partition));
  }

  /** What poll throws of a partition that cannot go on; null: nothing, it waits. */
  static RuntimeException failureOf(TopicPartition partition, MillraceException error, long position) {
    if (error.is(Reason.OFFSET_OUT_OF_RANGE) || error.is(Reason.LOG_EPOCH_CHANGED)) {
      return new OffsetOutOfRangeException(error.getMessage(), Map.of(Offsets.of(partition), position));
    }
    if (error.is(Reason.TOPIC_NOT_FOUND)) {
      LOG.warn("The topic of {} was deleted; the partition waits for it", partition);
      return null;
    }
    return KafkaErrors.of(error);
  }

  @Override
  public void onDisconnected(MillraceException error) {
    LOG.warn("The connection to the hub broke; trying to come back: {}", error.getMessage());
  }

  private static void tell(Runnable callback) {
    try {
      callback.run();
    } catch (WakeupException | InterruptException error) {
      throw error;
    } catch (RuntimeException error) {
      throw new KafkaException("User rebalance callback throws an error", error);
    }
  }

  @Override
  public void tellRevoked() {
    if (!assignment.isEmpty()) revoke(new LinkedHashSet<>(assignment));
  }

  // ---- Positions

  private long position(TopicPartition partition) {
    return consumer.position(partition).map(Position::offset).orElse(-1L);
  }

  @Override
  public long position(org.apache.kafka.common.TopicPartition partition, Duration timeout) {
    return position(Offsets.of(partition)); // Known from the assignment on.
  }

  @Override
  public void seek(org.apache.kafka.common.TopicPartition partition, long offset) {
    consumer.seek(Offsets.of(partition), offset);
    failure = null;
  }

  @Override
  public void pause(Collection<org.apache.kafka.common.TopicPartition> partitions) {
    consumer.pause(Offsets.ofAll(partitions));
    paused.addAll(partitions);
  }

  @Override
  public void resume(Collection<org.apache.kafka.common.TopicPartition> partitions) {
    consumer.resume(Offsets.ofAll(partitions));
    paused.removeAll(partitions);
  }

  @Override
  public Set<org.apache.kafka.common.TopicPartition> paused() {
    return Set.copyOf(paused);
  }

  @Override
  public Long lag(org.apache.kafka.common.TopicPartition partition) {
    return consumer.lag(Offsets.of(partition)).orElse(null);
  }

  @Override
  public Map<org.apache.kafka.common.TopicPartition, OffsetAndMetadata> positions() {
    Map<org.apache.kafka.common.TopicPartition, OffsetAndMetadata> positions = new HashMap<>();
    if (consumer == null) return positions;
    for (Position position : consumer.positions()) {
      org.apache.kafka.common.TopicPartition partition = Offsets.of(position.partition());
      if (assignment.contains(partition)) positions.put(partition, new OffsetAndMetadata(position.offset()));
    }
    return positions;
  }

  // ---- Committing

  @Override
  public void commit(Map<org.apache.kafka.common.TopicPartition, OffsetAndMetadata> committed, Duration timeout) {
    if (consumer == null) join();
    Offsets.requireStored(consumer.commit(Offsets.commits(committed), Durability.HUB_DEFAULT, timeout));
  }

  @Override
  public CompletableFuture<Void> commitAsync(
      Map<org.apache.kafka.common.TopicPartition, OffsetAndMetadata> committed, Duration timeout) {
    if (consumer == null) join();
    CompletableFuture<List<CommitResult>> results =
        consumer.commitAsync(Offsets.commits(committed), Durability.HUB_DEFAULT, timeout);
    return results.thenAccept(Offsets::requireStored);
  }

  /** The last session's while the connection is broken: what is stored by it is refused, not unfenced. */
  @Override
  public ConsumerGroupMetadata groupMetadata() {
    Optional<Member> member = consumer == null ? Optional.empty() : consumer.member();
    member.ifPresent(
        now ->
            lastMetadata =
                new ConsumerGroupMetadata(
                    now.group(), now.memberEpoch(), now.memberId(), Optional.ofNullable(settings.instanceId())));
    return lastMetadata;
  }

  @Override
  public void close(boolean leave, Duration timeout) {
    if (consumer != null) consumer.close(leave, timeout);
  }

  private static Set<org.apache.kafka.common.TopicPartition> names(List<TopicPartition> partitions) {
    Set<org.apache.kafka.common.TopicPartition> names = new LinkedHashSet<>();
    partitions.forEach(partition -> names.add(Offsets.of(partition)));
    return names;
  }
}
