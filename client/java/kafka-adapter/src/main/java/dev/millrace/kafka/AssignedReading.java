package dev.millrace.kafka;

import dev.millrace.client.Admin;
import dev.millrace.client.Connection;
import dev.millrace.client.Consumer;
import dev.millrace.client.ConsumerListener;
import dev.millrace.client.ConsumerOptions;
import dev.millrace.client.MillraceException;
import dev.millrace.client.Position;
import dev.millrace.client.Reason;
import dev.millrace.client.RecordDecoder;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.NoOffsetForPartitionException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/**
 * Partitions that the application assigned by itself: an independent reader of exactly these. A partition
 * begins where seek says, else at the group's committed offset, else as {@code auto.offset.reset} says; one
 * that does not exist yet is looked for again and again.
 */
final class AssignedReading implements Reading, ConsumerListener {
  private static final Duration LOOK_AGAIN = Duration.ofMillis(200);

  private final Connection connection;
  private final Admin admin;
  private final ConsumerSettings settings;
  private final Offsets offsets;
  private final Set<TopicPartition> assignment;
  private final Set<TopicPartition> paused = new HashSet<>();
  private final Map<TopicPartition, Position> begun = new HashMap<>(); // Where each began, or was when reopened.
  private volatile Consumer consumer; // Null: there is nothing to be read, or it is to be opened anew.
  private long lookAt = System.nanoTime();
  private RuntimeException failure; // Of a partition, for poll to throw.
  private final Object waiting = new Object();
  private boolean woken; // Guarded by waiting.

  /** @param before what was assigned until now, whose positions go on; null: nothing */
  AssignedReading(
      Connection connection,
      ConsumerSettings settings,
      Offsets offsets,
      Collection<TopicPartition> partitions,
      AssignedReading before) {
    this.connection = connection;
    this.settings = settings;
    this.offsets = offsets;
    admin = new Admin(connection);
    assignment = new LinkedHashSet<>(partitions);
    if (before == null) return;
    before.remember();
    begun.putAll(before.begun);
    begun.keySet().retainAll(assignment);
    paused.addAll(before.paused);
    paused.retainAll(assignment);
  }

  @Override
  public Set<TopicPartition> assignment() {
    return Set.copyOf(assignment);
  }

  @Override
  public Set<String> subscription() {
    return Set.of();
  }

  @Override
  public <T> List<T> poll(Duration timeout, int maxRecords, RecordDecoder<T> decoder) {
    throwFailure();
    boolean complete = begun.keySet().containsAll(assignment);
    if (!complete && System.nanoTime() - lookAt >= 0) {
      complete = begin();
      lookAt = System.nanoTime() + LOOK_AGAIN.toNanos();
    }
    if (consumer == null && !begun.isEmpty()) open();
    Duration wait = complete || timeout.compareTo(LOOK_AGAIN) < 0 ? timeout : LOOK_AGAIN;
    if (consumer == null) {
      pause(wait);
      return List.of();
    }
    List<T> records = consumer.poll(wait, maxRecords, decoder);
    if (!records.isEmpty()) return records; // A failure waits: the position is past these.
    throwFailure();
    return records;
  }

  private void throwFailure() {
    RuntimeException told = failure;
    failure = null;
    if (told != null) throw told;
  }

  /** Finds where partitions begin of which that is not known; whether all are. */
  private boolean begin() {
    List<TopicPartition> unknown = new ArrayList<>(assignment);
    unknown.removeAll(begun.keySet());
    boolean complete = true;
    for (TopicPartition partition : unknown) {
      try {
        begun.put(partition, position(partition, start(partition)));
        reopen();
      } catch (UnknownTopicOrPartitionException missing) {
        complete = false;
      } catch (MillraceException error) {
        if (!error.is(Reason.TOPIC_NOT_FOUND)) throw error;
        complete = false;
      }
    }
    return complete;
  }

  private static Position position(TopicPartition partition, long offset) {
    return new Position(Offsets.of(partition), offset, null);
  }

  private long start(TopicPartition partition) {
    List<TopicPartition> one = List.of(partition);
    if (!settings.group().isEmpty()) {
      OffsetAndMetadata committed = offsets.committed(settings.group(), one).get(partition);
      if (committed != null) return committed.offset();
    }
    if (!settings.resets()) throw new NoOffsetForPartitionException(partition);
    return switch (settings.reset()) {
      case "earliest" -> offsets.earliest(one).get(partition);
      case "latest" -> offsets.latest(one).get(partition);
      default -> {
        Duration back = Duration.parse(settings.reset().substring("by_duration:".length()));
        yield offsets.at(one, Instant.now().minus(back)).get(partition);
      }
    };
  }

  private void open() {
    ConsumerOptions options = settings.reading(ConsumerOptions.ofPositions(List.copyOf(begun.values())));
    consumer = Consumer.open(connection, options, this);
  }

  /** A hub's reader has the partitions that it was opened with: another set needs another one. */
  private void reopen() {
    if (consumer == null) return;
    remember();
    consumer.close();
    consumer = null;
  }

  private void remember() {
    if (consumer == null) return;
    for (Position position : consumer.positions()) {
      begun.computeIfPresent(Offsets.of(position.partition()), (partition, before) -> position);
    }
  }

  // ---- What the hub tells, on the polling thread

  @Override
  public void onAssigned(List<dev.millrace.client.TopicPartition> partitions) {
    List<dev.millrace.client.TopicPartition> held =
        partitions.stream().filter(partition -> paused.contains(Offsets.of(partition))).toList();
    if (!held.isEmpty()) consumer.pause(held);
  }

  @Override
  public void onPartitionFailed(dev.millrace.client.TopicPartition partition, MillraceException error) {
    failure = GroupReading.failureOf(partition, error, position(Offsets.of(partition)).offset());
  }

  // ---- Positions

  private Position position(TopicPartition partition) {
    Position at = begun.get(partition);
    return consumer == null ? at : consumer.position(Offsets.of(partition)).orElse(at);
  }

  @Override
  public long position(TopicPartition partition, Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    while (!begun.containsKey(partition) && !begin()) {
      if (System.nanoTime() - deadline >= 0) {
        throw new TimeoutException("Partition " + partition + " does not exist, or not yet.");
      }
      pause(LOOK_AGAIN);
    }
    return position(partition).offset();
  }

  @Override
  public void seek(TopicPartition partition, long offset) {
    failure = null;
    if (consumer != null) {
      try {
        consumer.seek(Offsets.of(partition), offset);
        return;
      } catch (MillraceException notYet) {
        reopen(); // The hub has not said yet that it reads it.
      }
    }
    begun.put(partition, position(partition, offset));
  }

  @Override
  public void pause(Collection<TopicPartition> partitions) {
    paused.addAll(partitions);
    if (consumer != null) consumer.pause(known(partitions));
  }

  @Override
  public void resume(Collection<TopicPartition> partitions) {
    paused.removeAll(partitions);
    if (consumer != null) consumer.resume(known(partitions));
  }

  private List<dev.millrace.client.TopicPartition> known(Collection<TopicPartition> partitions) {
    return Offsets.ofAll(partitions).stream().filter(each -> consumer.position(each).isPresent()).toList();
  }

  @Override
  public Set<TopicPartition> paused() {
    return Set.copyOf(paused);
  }

  @Override
  public Long lag(TopicPartition partition) {
    return consumer == null ? null : consumer.lag(Offsets.of(partition)).orElse(null);
  }

  @Override
  public Map<TopicPartition, OffsetAndMetadata> positions() {
    Map<TopicPartition, OffsetAndMetadata> positions = new HashMap<>();
    begun.keySet().forEach(at -> positions.put(at, new OffsetAndMetadata(position(at).offset())));
    return positions;
  }

  // ---- Committing: from outside of the group, which has no members

  @Override
  public void commit(Map<TopicPartition, OffsetAndMetadata> committed, Duration timeout) {
    Offsets.requireStored(admin.commitOffsets(settings.group(), Offsets.commits(committed)));
  }

  @Override
  public CompletableFuture<Void> commitAsync(Map<TopicPartition, OffsetAndMetadata> committed, Duration timeout) {
    try {
      commit(committed, timeout); // Its order is that of the calls.
      return CompletableFuture.completedFuture(null);
    } catch (MillraceException error) {
      return CompletableFuture.failedFuture(error);
    }
  }

  @Override
  public ConsumerGroupMetadata groupMetadata() {
    return new ConsumerGroupMetadata(settings.group());
  }

  // ---- Waiting and closing

  @Override
  public void wakeup() {
    synchronized (waiting) {
      woken = true;
      waiting.notifyAll();
    }
    Consumer open = consumer;
    if (open != null) open.wakeup();
  }

  private void pause(Duration wait) {
    long deadline = System.nanoTime() + wait.toNanos();
    synchronized (waiting) {
      try {
        for (long left = wait.toMillis(); !woken && left > 0; left = (deadline - System.nanoTime()) / 1_000_000) {
          waiting.wait(left);
        }
      } catch (InterruptedException interrupted) {
        throw new org.apache.kafka.common.errors.InterruptException(interrupted);
      }
      woken = false;
    }
  }

  @Override
  public void tellRevoked() {}

  @Override
  public void close(boolean leave, Duration timeout) {
    if (consumer != null) consumer.close(leave, timeout);
  }
}
