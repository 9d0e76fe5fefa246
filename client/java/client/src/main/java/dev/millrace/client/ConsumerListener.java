package dev.millrace.client;

import java.time.Duration;
import java.util.List;

/**
 * Told of what happens to a consumer beside its records: from inside poll, on the polling thread, before
 * any later record is returned. It may call any method of the consumer but poll and close; what it throws,
 * poll throws.
 */
public interface ConsumerListener {
  /** Listens to nothing. */
  ConsumerListener NONE = new ConsumerListener() {};

  /** The stream is open, for the first time or again. */
  default void onConnected() {}

  /** The stream is broken; the consumer is trying to come back. */
  default void onDisconnected(MillraceException error) {}

  /** Partitions that this consumer reads from now on. */
  default void onAssigned(List<TopicPartition> partitions) {}

  /**
   * Partitions that are about to go to another member: no more records of them are returned. Commit what
   * was processed, or release them; when the time is over they are lost.
   */
  default void onRevoking(List<TopicPartition> partitions, Duration timeLeft) {}

  /** Partitions that this consumer no longer reads; commits for them are refused. */
  default void onLost(List<TopicPartition> partitions, LostCause cause) {}

  /** A partition goes on at another offset, though nobody here called seek. */
  default void onRepositioned(TopicPartition partition, long from, long to, RepositionCause cause) {}

  /** A partition cannot go on and idles until a seek; all others go on. */
  default void onPartitionFailed(TopicPartition partition, MillraceException error) {}

  /** Everything that these partitions held when they were assigned has been received. */
  default void onCaughtUp(List<TopicPartition> partitions) {}
}
