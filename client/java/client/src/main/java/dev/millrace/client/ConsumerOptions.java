package dev.millrace.client;

import java.time.Duration;
import java.util.List;

/**
 * What a consumer reads and how; {@link #ofTopics}, {@link #ofGroup}, {@link #ofPositions} and the {@code
 * with…} methods make one. Immutable.
 *
 * @param topics read in all their partitions
 * @param group empty: an independent reader
 * @param positions read these partitions from these offsets; not with a group
 * @param start null: latest without a group, earliest with one
 * @param instanceId a stable name of this member, such as its pod's; empty: none
 * @param allowMissingTopics wait for topics that do not exist, instead of being refused
 * @param endAtCurrent see {@link Consumer#ended}
 * @param maxBatchBytes the most bytes of one frame
 * @param prefetchBytes how much is read ahead; a frame or two may go beyond it
 * @param revokeTimeout how long a revoked partition may take to be committed or released; null: 5 min
 * @param heartbeatInterval the longest silence of the hub; after three of them the connection counts as
 *     broken
 * @param releaseIdle gives revoked partitions up by itself once everything returned of them is committed
 */
public record ConsumerOptions(
    List<String> topics,
    String group,
    List<Position> positions,
    Start start,
    OutOfRange onOutOfRange,
    String instanceId,
    boolean allowMissingTopics,
    boolean endAtCurrent,
    int maxBatchBytes,
    long prefetchBytes,
    Duration revokeTimeout,
    Duration heartbeatInterval,
    boolean releaseIdle) {

  public ConsumerOptions {
    topics = List.copyOf(topics);
    positions = List.copyOf(positions);
  }

  /** An independent reader of all partitions. */
  public static ConsumerOptions ofTopics(String... topics) {
    return ofGroup("", topics);
  }

  /** A member of a group. */
  public static ConsumerOptions ofGroup(String group, String... topics) {
    return new ConsumerOptions(
        List.of(topics), group, List.of(), null, OutOfRange.FAIL, "", false, false, 1 << 20, 8L << 20,
        null, Duration.ofSeconds(10), true);
  }

  /** An independent reader of exactly these partitions. */
  public static ConsumerOptions ofPositions(List<Position> positions) {
    ConsumerOptions none = ofTopics();
    return new ConsumerOptions(
        none.topics, none.group, positions, none.start, none.onOutOfRange, none.instanceId,
        none.allowMissingTopics, none.endAtCurrent, none.maxBatchBytes, none.prefetchBytes,
        none.revokeTimeout, none.heartbeatInterval, none.releaseIdle);
  }

  public ConsumerOptions withStart(Start where, OutOfRange otherwise) {
    return new ConsumerOptions(
        topics, group, positions, where, otherwise, instanceId, allowMissingTopics, endAtCurrent,
        maxBatchBytes, prefetchBytes, revokeTimeout, heartbeatInterval, releaseIdle);
  }

  public ConsumerOptions withInstanceId(String id) {
    return new ConsumerOptions(
        topics, group, positions, start, onOutOfRange, id, allowMissingTopics, endAtCurrent,
        maxBatchBytes, prefetchBytes, revokeTimeout, heartbeatInterval, releaseIdle);
  }

  public ConsumerOptions withAllowMissingTopics(boolean allow) {
    return new ConsumerOptions(
        topics, group, positions, start, onOutOfRange, instanceId, allow, endAtCurrent,
        maxBatchBytes, prefetchBytes, revokeTimeout, heartbeatInterval, releaseIdle);
  }

  public ConsumerOptions withEndAtCurrent(boolean end) {
    return new ConsumerOptions(
        topics, group, positions, start, onOutOfRange, instanceId, allowMissingTopics, end,
        maxBatchBytes, prefetchBytes, revokeTimeout, heartbeatInterval, releaseIdle);
  }

  public ConsumerOptions withBuffer(int batchBytes, long newPrefetchBytes) {
    return new ConsumerOptions(
        topics, group, positions, start, onOutOfRange, instanceId, allowMissingTopics, endAtCurrent,
        batchBytes, newPrefetchBytes, revokeTimeout, heartbeatInterval, releaseIdle);
  }

  public ConsumerOptions withRevocation(Duration timeout, boolean idleAtOnce) {
    return new ConsumerOptions(
        topics, group, positions, start, onOutOfRange, instanceId, allowMissingTopics, endAtCurrent,
        maxBatchBytes, prefetchBytes, timeout, heartbeatInterval, idleAtOnce);
  }

  public ConsumerOptions withHeartbeatInterval(Duration interval) {
    return new ConsumerOptions(
        topics, group, positions, start, onOutOfRange, instanceId, allowMissingTopics, endAtCurrent,
        maxBatchBytes, prefetchBytes, revokeTimeout, interval, releaseIdle);
  }

  ConsumerOptions withTopics(List<String> newTopics) {
    return new ConsumerOptions(
        newTopics, group, positions, start, onOutOfRange, instanceId, allowMissingTopics, endAtCurrent,
        maxBatchBytes, prefetchBytes, revokeTimeout, heartbeatInterval, releaseIdle);
  }

  boolean inGroup() {
    return !group.isEmpty();
  }
}
