package dev.millrace.client;

import io.grpc.Status;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;

/**
 * Receives records from a hub: every record once, in order, over any number of disconnects.
 *
 * <pre>{@code
 * try (Consumer consumer = Consumer.open(hub, ConsumerOptions.ofGroup("billing", "orders"))) {
 *   while (running) {
 *     for (ReceivedRecord record : consumer.poll(Duration.ofSeconds(1))) handle(record);
 *     consumer.commit();
 *   }
 * }
 * }</pre>
 *
 * <p>It reads ahead into a bounded buffer. When its stream ends or falls silent it subscribes again and goes
 * on behind the last record it received: one consumer never returns a record twice and never skips one.
 * (What a new consumer of a group gets again is what the old one did not commit. {@link GroupConsumer}
 * commits by itself.) Everything else that happens is told to a {@link ConsumerListener}.
 *
 * <p>Threads: poll from one thread at a time; everything else from any thread.
 */
public final class Consumer implements AutoCloseable {
  private static final int POLL_RECORDS = 10_000;
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(2);

  private final Connection connection;
  private final ConsumerCore core;
  private final Commits commits;
  private final ConsumerListener listener;
  private ExecutorService committer; // Guarded by this; null until it is needed.

  private Consumer(Connection connection, ConsumerOptions options, ConsumerListener listener) {
    this.connection = connection;
    this.listener = listener;
    core = new ConsumerCore(connection, options);
    commits = new Commits(core);
  }

  /** As {@link #open(Connection, ConsumerOptions, ConsumerListener)}, listening to nothing. */
  public static Consumer open(Connection connection, ConsumerOptions options) {
    return open(connection, options, ConsumerListener.NONE);
  }

  /** Begins to subscribe, in the background; what the hub refuses, poll answers. Never blocks. */
  public static Consumer open(Connection connection, ConsumerOptions options, ConsumerListener listener) {
    return new Consumer(connection, options, listener);
  }

  /** As {@link #poll(Duration, int, RecordDecoder)}, at most 10,000 records. */
  public List<ReceivedRecord> poll(Duration timeout) {
    return poll(timeout, POLL_RECORDS, ReceivedRecord::of);
  }

  /**
   * The next records, at least one; none after the timeout, at the end ({@link #ended}), after {@link
   * #wakeup}, or when only events came. A hub that is away is waited for.
   *
   * @throws MillraceException final: INSTANCE_REPLACED, TOPIC_NOT_FOUND, a refused position, CLOSED, …;
   *     UNAUTHENTICATED, PERMISSION_DENIED: polling again asks the hub again, and goes on where it was.
   *     Records that were received before are returned first
   */
  public <T> List<T> poll(Duration timeout, int maxRecords, RecordDecoder<T> decoder) {
    return core.poll(timeout, Math.max(1, maxRecords), decoder, listener);
  }

  /** Makes a blocked poll return at once, and the next one if none is blocked. */
  public void wakeup() {
    core.wakeup();
  }

  /** With {@code endAtCurrent}: everything that was visible when the consumer was opened is returned. */
  public boolean ended() {
    return locked(core::isEnded);
  }

  // ---- Positions

  /** The partitions that this consumer reads, and the next offset of each; but those of which poll has not told yet. */
  public List<Position> positions() {
    return locked(
        () ->
            core.readings.all().stream()
                .filter(Reading::toldOfPosition)
                .map(reading -> new Position(reading.partition, reading.returned, reading.returnedEpoch))
                .toList());
  }

  /** The next offset that poll will return of a partition; empty: it is not read. */
  public Optional<Position> position(TopicPartition partition) {
    return locked(
        () ->
            Optional.ofNullable(core.readings.find(partition))
                .filter(reading -> reading.known)
                .map(reading -> new Position(partition, reading.returned, reading.returnedEpoch)));
  }

  /** Records of a partition that are visible and not returned, as far as the hub has told. */
  public Optional<Long> lag(TopicPartition partition) {
    return locked(
        () ->
            Optional.ofNullable(core.readings.find(partition))
                .filter(reading -> reading.known)
                .map(reading -> Math.max(0, reading.highWatermark - reading.returned)));
  }

  /**
   * Moves a partition: from now on no record of the old place is returned. The hub is told in the
   * background; where the offset is out of range, it is dealt with as {@code onOutOfRange} says.
   *
   * @throws MillraceException PARTITION_NOT_ASSIGNED
   */
  public void seek(TopicPartition partition, long offset) {
    locked(
        () -> {
          Reading reading = assigned(partition);
          boolean leftOut = reading.failed && !reading.assigned;
          core.readings.move(reading, offset, null);
          reading.markTold();
          reading.moving = reading.movedByCaller = true;
          core.calls().becomeDue();
          // It was left out when subscribing again, because it could not be read.
          if (leftOut) core.breakOff("A partition shall be read again.");
          return null;
        });
  }

  /** No record of these partitions is returned until {@link #resume}. PARTITION_NOT_ASSIGNED. */
  public void pause(Collection<TopicPartition> partitions) {
    setPaused(partitions, true);
  }

  /** Goes on with these partitions. PARTITION_NOT_ASSIGNED. */
  public void resume(Collection<TopicPartition> partitions) {
    setPaused(partitions, false);
  }

  private void setPaused(Collection<TopicPartition> partitions, boolean paused) {
    locked(
        () -> {
          List<Reading> all = partitions.stream().map(this::assigned).toList();
          all.forEach(reading -> core.buffer.pause(reading, paused));
          core.readOn();
          core.calls().becomeDue();
          core.changed.signalAll();
          return null;
        });
  }

  private Reading assigned(TopicPartition partition) {
    Reading reading = core.readings.find(partition);
    if (reading != null && reading.known) return reading;
    throw new MillraceException(
        Status.Code.FAILED_PRECONDITION, Reason.PARTITION_NOT_ASSIGNED, partition + " is not read by this consumer.");
  }

  /** Reads these topics instead; partitions of topics that stay go on undisturbed. In the background. */
  public void updateTopics(Collection<String> topics) {
    locked(
        () -> {
          core.replaceTopics(List.copyOf(topics));
          core.calls().topicsChanged();
          return null;
        });
  }

  // ---- Committing

  /** Commits everything that poll returned; waits for a hub that is away, up to the request timeout. */
  public void commit() {
    commits.commitPlaces(false, Durability.HUB_DEFAULT, connection.requestTimeout());
  }

  /** Of what poll returned, commits what {@link #markProcessed} said is done. */
  void commitProcessed(Durability durability) {
    commits.commitPlaces(true, durability, connection.requestTimeout());
  }

  CompletableFuture<Void> commitProcessedAsync(Durability durability) {
    return CompletableFuture.runAsync(() -> commitProcessed(durability), committer());
  }

  /** The caller is done with everything that was returned. */
  void markProcessed() {
    locked(
        () -> {
          core.readings.all().forEach(reading -> reading.processed = reading.returned);
          return null;
        });
  }

  /**
   * Commits these offsets.
   *
   * @return one result each, in order; SUPERSEDED, without asking the hub: the partition was lost or
   *     repositioned since poll last gave the caller a record or an event of it
   */
  public List<CommitResult> commit(List<OffsetCommit> offsets, Durability durability, Duration timeout) {
    return commits.commit(offsets, durability, timeout);
  }

  /** As {@link #commit(List, Durability, Duration)} without waiting; one after the other, in order. */
  public CompletableFuture<List<CommitResult>> commitAsync(
      List<OffsetCommit> offsets, Durability durability, Duration timeout) {
    return CompletableFuture.supplyAsync(() -> commits.commit(offsets, durability, timeout), committer());
  }

  private synchronized ExecutorService committer() {
    if (committer == null) {
      committer =
          Executors.newSingleThreadExecutor(
              task -> {
                Thread thread = new Thread(task, "millrace-committer");
                thread.setDaemon(true);
                return thread;
              });
    }
    return committer;
  }

  /** Gives partitions of a group up at once; poll returns no more of them. */
  public void release(Collection<TopicPartition> partitions, Duration timeout) {
    commits.release(partitions, timeout);
  }

  /** As whom this consumer commits, to be given to a {@link Transactor}; empty: it is in no group now. */
  public Optional<Member> member() {
    return locked(
        () ->
            core.options().inGroup()
                ? Optional.ofNullable(core.session()).map(ConsumerCore.Session::member)
                : Optional.empty());
  }

  /** As {@link #close(boolean, Duration)}; a member leaves. */
  @Override
  public void close() {
    close(true, CLOSE_TIMEOUT);
  }

  /**
   * Ends the subscription. Commits nothing. Idempotent.
   *
   * @param leave whether a member of a group gives its partitions to the others at once; otherwise, with an
   *     instance id, they wait for it for a short while
   * @param timeout for the hub to hear that it leaves
   */
  public void close(boolean leave, Duration timeout) {
    core.close(leave, timeout);
    synchronized (this) {
      if (committer != null) committer.shutdown();
    }
  }

  private <T> T locked(Supplier<T> action) {
    core.lock.lock();
    try {
      return action.get();
    } finally {
      core.lock.unlock();
    }
  }
}
