package dev.millrace.kafka;

import dev.millrace.client.Admin;
import dev.millrace.client.CommitResult;
import dev.millrace.client.MillraceException;
import dev.millrace.client.OffsetCommit;
import dev.millrace.client.TopicPartition;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import millrace.v1.CommittedOffset;
import millrace.v1.PartitionOffsets;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Asks the hub for offsets, in Kafka's terms. Throws {@link MillraceException}. Threads: any. */
final class Offsets {
  private final Admin admin;

  Offsets(Admin admin) {
    this.admin = admin;
  }

  static TopicPartition of(org.apache.kafka.common.TopicPartition partition) {
    return new TopicPartition(partition.topic(), partition.partition());
  }

  static org.apache.kafka.common.TopicPartition of(TopicPartition partition) {
    return new org.apache.kafka.common.TopicPartition(partition.topic(), partition.partition());
  }

  static List<TopicPartition> ofAll(Collection<org.apache.kafka.common.TopicPartition> partitions) {
    return partitions.stream().map(Offsets::of).toList();
  }

  static OffsetCommit commit(org.apache.kafka.common.TopicPartition partition, OffsetAndMetadata offset) {
    return new OffsetCommit(of(partition), offset.offset(), offset.metadata());
  }

  static List<OffsetCommit> commits(Map<org.apache.kafka.common.TopicPartition, OffsetAndMetadata> offsets) {
    return offsets.entrySet().stream().map(entry -> commit(entry.getKey(), entry.getValue())).toList();
  }

  /** Throws the first error. */
  static void requireStored(List<CommitResult> results) {
    for (CommitResult result : results) {
      if (result.error() != null) throw result.error();
    }
  }

  Map<org.apache.kafka.common.TopicPartition, Long> earliest(
      Collection<org.apache.kafka.common.TopicPartition> partitions) {
    return list(partitions, null, PartitionOffsets::getEarliestOffset);
  }

  Map<org.apache.kafka.common.TopicPartition, Long> latest(
      Collection<org.apache.kafka.common.TopicPartition> partitions) {
    return list(partitions, null, PartitionOffsets::getLatestOffset);
  }

  /** The offset of the first record that the hub stored at this time or later, or the end. */
  Map<org.apache.kafka.common.TopicPartition, Long> at(
      Collection<org.apache.kafka.common.TopicPartition> partitions, Instant time) {
    return list(partitions, time, PartitionOffsets::getOffsetAtTime);
  }

  /** As Kafka does, with null where all records are older. */
  Map<org.apache.kafka.common.TopicPartition, OffsetAndTimestamp> forTimes(
      Map<org.apache.kafka.common.TopicPartition, Long> times) {
    Map<org.apache.kafka.common.TopicPartition, OffsetAndTimestamp> found = new HashMap<>();
    for (Long time : new TreeSet<>(times.values())) {
      if (time < 0) throw new IllegalArgumentException("The target time cannot be negative: " + time);
      List<org.apache.kafka.common.TopicPartition> same =
          times.keySet().stream().filter(partition -> times.get(partition).equals(time)).toList();
      Map<org.apache.kafka.common.TopicPartition, PartitionOffsets> offsets =
          list(same, Instant.ofEpochMilli(time), Function.identity());
      offsets.forEach(
          (partition, at) -> {
            boolean none = at.getOffsetAtTime() >= at.getLatestOffset();
            found.put(partition, none ? null : new OffsetAndTimestamp(at.getOffsetAtTime(), time));
          });
    }
    return found;
  }

  private <T> Map<org.apache.kafka.common.TopicPartition, T> list(
      Collection<org.apache.kafka.common.TopicPartition> partitions,
      Instant time,
      Function<PartitionOffsets, T> value) {
    Map<String, Set<Integer>> byTopic = new LinkedHashMap<>();
    for (org.apache.kafka.common.TopicPartition partition : partitions) {
      byTopic.computeIfAbsent(partition.topic(), topic -> new TreeSet<>()).add(partition.partition());
    }
    Map<org.apache.kafka.common.TopicPartition, T> found = new HashMap<>();
    byTopic.forEach(
        (topic, wanted) -> {
          List<PartitionOffsets> all = admin.listOffsets(topic, time);
          for (int partition : wanted) {
            if (partition >= all.size()) {
              throw new UnknownTopicOrPartitionException("There is no partition " + partition + " of " + topic + ".");
            }
            found.put(new org.apache.kafka.common.TopicPartition(topic, partition), value.apply(all.get(partition)));
          }
        });
    return found;
  }

  /** What a group has committed; null where nothing is. */
  Map<org.apache.kafka.common.TopicPartition, OffsetAndMetadata> committed(
      String group, Collection<org.apache.kafka.common.TopicPartition> partitions) {
    Map<org.apache.kafka.common.TopicPartition, OffsetAndMetadata> result = new HashMap<>();
    if (partitions.isEmpty()) return result;
    Map<TopicPartition, CommittedOffset> committed = admin.committedOffsets(group, ofAll(partitions));
    for (org.apache.kafka.common.TopicPartition partition : partitions) {
      CommittedOffset offset = committed.get(of(partition));
      result.put(
          partition,
          offset == null
              ? null
              : new OffsetAndMetadata(offset.getNextOffset(), Optional.empty(), offset.getMetadata()));
    }
    return result;
  }

  /** All partitions of these topics; those of topics that do not exist are missing. */
  List<org.apache.kafka.common.TopicPartition> partitionsOf(Collection<String> topics) {
    List<org.apache.kafka.common.TopicPartition> all = new ArrayList<>();
    admin
        .describeTopics(topics)
        .forEach(
            topic -> {
              for (int i = 0; i < topic.getTopic().getPartitionCount(); i++) {
                all.add(new org.apache.kafka.common.TopicPartition(topic.getTopic().getName(), i));
              }
            });
    return all;
  }
}
