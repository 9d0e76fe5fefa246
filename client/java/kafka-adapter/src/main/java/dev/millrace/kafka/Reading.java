package dev.millrace.kafka;

import dev.millrace.client.RecordDecoder;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * What a consumer reads, be it as a member of a group (subscribe) or by itself (assign). Throws {@link
 * dev.millrace.client.MillraceException} where the hub refuses.
 *
 * <p>Threads: one at a time, but wakeup.
 */
interface Reading {
  /** The partitions that are read. */
  Set<TopicPartition> assignment();

  Set<String> subscription();

  /** The next records; none after the timeout, after a wakeup, or when something else happened. */
  <T> List<T> poll(Duration timeout, int maxRecords, RecordDecoder<T> decoder);

  /** Makes a blocked poll return. */
  void wakeup();

  /** The next offset to be returned of a partition of the assignment. Waits for it. */
  long position(TopicPartition partition, Duration timeout);

  void seek(TopicPartition partition, long offset);

  void pause(Collection<TopicPartition> partitions);

  void resume(Collection<TopicPartition> partitions);

  Set<TopicPartition> paused();

  /** Records that are visible and not returned; null: not known yet. */
  Long lag(TopicPartition partition);

  /** What was returned and may be committed: the positions of the assignment, as far as they are known. */
  Map<TopicPartition, OffsetAndMetadata> positions();

  /** Commits, and waits for it. */
  void commit(Map<TopicPartition, OffsetAndMetadata> offsets, Duration timeout);

  /** Commits in the background, one after the other. */
  java.util.concurrent.CompletableFuture<Void> commitAsync(
      Map<TopicPartition, OffsetAndMetadata> offsets, Duration timeout);

  ConsumerGroupMetadata groupMetadata();

  /** Tells the rebalance listener that the assignment goes, as it is about to be closed. */
  void tellRevoked();

  /** Ends it. Commits nothing. */
  void close(boolean leave, Duration timeout);
}
