package dev.millrace.client;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A member of a consumer group that processes every record at least once and commits by itself.
 *
 * <pre>{@code
 * try (GroupConsumer consumer = GroupConsumer.open(hub, ConsumerOptions.ofGroup("billing", "orders"))) {
 *   while (running) {
 *     for (ReceivedRecord record : consumer.poll(Duration.ofSeconds(1))) handle(record);
 *   }
 * }
 * }</pre>
 *
 * <p>The members of a group share the partitions of its topics. What poll returned counts as processed at
 * the next poll, so a commit never covers records that the caller still works on, and a crash at any moment
 * repeats records but loses none. It commits every {@code commitInterval}, at once for partitions that are
 * about to go to another member, and in close.
 *
 * <p>Threads: poll and close from one thread at a time.
 */
public final class GroupConsumer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(GroupConsumer.class);

  private final Consumer consumer;
  private final Duration commitInterval;
  private long nextCommit;
  private CompletableFuture<Void> underWay = CompletableFuture.completedFuture(null);
  private boolean closed;

  private GroupConsumer(
      Connection connection, ConsumerOptions options, ConsumerListener listener, Duration commitInterval) {
    this.commitInterval = commitInterval;
    consumer = Consumer.open(connection, options, new CommittingListener(listener));
    nextCommit = Times.nanosFromNow(commitInterval);
  }

  /** Joins a group, and commits every 5 s. Never blocks, see {@link Consumer#open}. */
  public static GroupConsumer open(Connection connection, ConsumerOptions options) {
    return open(connection, options, ConsumerListener.NONE, Duration.ofSeconds(5));
  }

  /**
   * Joins a group.
   *
   * @param listener told from inside poll, when everything that was returned before is processed
   */
  public static GroupConsumer open(
      Connection connection, ConsumerOptions options, ConsumerListener listener, Duration commitInterval) {
    if (!options.inGroup()) throw new IllegalArgumentException("A member needs the name of its group.");
    return new GroupConsumer(connection, options, listener, commitInterval);
  }

  /**
   * Says that what it returned before is processed, and returns the next records, see {@link
   * Consumer#poll(Duration, int, RecordDecoder)}.
   */
  public List<ReceivedRecord> poll(Duration timeout) {
    consumer.markProcessed();
    if (System.nanoTime() - nextCommit >= 0) commitInBackground();
    return consumer.poll(timeout);
  }

  /** Commits what is processed, and waits for it. */
  public void commit() {
    consumer.commitProcessed(Durability.HUB_DEFAULT);
  }

  /** Everything but poll, commits and close. */
  public Consumer consumer() {
    return consumer;
  }

  private void commitInBackground() {
    if (!underWay.isDone()) return; // What it does not cover, the next one does.
    nextCommit = Times.nanosFromNow(commitInterval);
    underWay =
        consumer
            .commitProcessedAsync(Durability.HUB_DEFAULT)
            .exceptionally(
                error -> {
                  LOG.warn("A commit failed; what it was to cover is committed later, or repeated", error);
                  return null;
                });
  }

  /** Commits everything that poll returned, and leaves the group. Idempotent. */
  @Override
  public void close() {
    if (closed) return;
    closed = true;
    try {
      consumer.markProcessed();
      consumer.commitProcessed(Durability.HUB_DEFAULT);
    } catch (MillraceException error) {
      LOG.warn("The last commit failed; what it was to cover is repeated", error);
    } finally {
      consumer.close();
    }
  }

  /** Commits what is about to go to another member, after the caller's own listener. */
  private final class CommittingListener implements ConsumerListener {
    private final ConsumerListener listener;

    CommittingListener(ConsumerListener listener) {
      this.listener = listener;
    }

    @Override
    public void onConnected() {
      listener.onConnected();
    }

    @Override
    public void onDisconnected(MillraceException error) {
      listener.onDisconnected(error);
    }

    @Override
    public void onAssigned(List<TopicPartition> partitions) {
      listener.onAssigned(partitions);
    }

    @Override
    public void onRevoking(List<TopicPartition> partitions, Duration timeLeft) {
      listener.onRevoking(partitions, timeLeft);
      nextCommit = System.nanoTime();
      commitInBackground();
    }

    @Override
    public void onLost(List<TopicPartition> partitions, LostCause cause) {
      listener.onLost(partitions, cause);
    }

    @Override
    public void onRepositioned(TopicPartition partition, long from, long to, RepositionCause cause) {
      listener.onRepositioned(partition, from, to, cause);
    }

    @Override
    public void onPartitionFailed(TopicPartition partition, MillraceException error) {
      listener.onPartitionFailed(partition, error);
    }

    @Override
    public void onCaughtUp(List<TopicPartition> partitions) {
      listener.onCaughtUp(partitions);
    }
  }
}
