package dev.millrace.client;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import millrace.v1.CommitOffsetRequest;
import millrace.v1.CommittedOffset;
import millrace.v1.CreateTopicRequest;
import millrace.v1.DeleteGroupRequest;
import millrace.v1.DeleteTopicRequest;
import millrace.v1.DescribeTopicsRequest;
import millrace.v1.GetCommittedOffsetsRequest;
import millrace.v1.GetGroupRequest;
import millrace.v1.Group;
import millrace.v1.HubInfo;
import millrace.v1.ListOffsetsRequest;
import millrace.v1.ListTopicsRequest;
import millrace.v1.ListTopicsResponse;
import millrace.v1.PartitionOffsets;
import millrace.v1.RetentionPolicy;
import millrace.v1.Topic;
import millrace.v1.TopicDescription;
import millrace.v1.UpdateTopicRequest;

/**
 * Looks at topics, groups and offsets, and changes them. What it answers are the contract's own messages.
 *
 * <p>Every method waits for a hub that is away, up to the connection's request timeout, and throws {@link
 * MillraceException} with the reasons that the contract names for the call. Threads: any.
 */
public final class Admin {
  private final Connection connection;

  public Admin(Connection connection) {
    this.connection = connection;
  }

  public HubInfo hub() {
    return connection.hub();
  }

  /**
   * Creates a topic.
   *
   * @param partitions 0: as many as the hub gives by itself, 1
   * @param retention null: as the hub is configured
   */
  public Topic createTopic(String topic, int partitions, RetentionPolicy retention) {
    CreateTopicRequest.Builder request = CreateTopicRequest.newBuilder().setTopic(topic);
    if (partitions > 0) request.setPartitionCount(partitions);
    if (retention != null) request.setRetention(retention);
    return connection.call(() -> connection.topics().createTopic(request.build())).getTopic();
  }

  /** Grows a topic to so many partitions. */
  public Topic growTopic(String topic, int partitions) {
    UpdateTopicRequest request =
        UpdateTopicRequest.newBuilder().setTopic(topic).setPartitionCount(partitions).build();
    return connection.call(() -> connection.topics().updateTopic(request)).getTopic();
  }

  /**
   * Sets how long a topic's records are kept.
   *
   * @param maxAge null: unchanged; zero: no limit
   * @param maxPartitionBytes null: unchanged; 0: no limit
   */
  public Topic updateRetention(String topic, Duration maxAge, Long maxPartitionBytes) {
    UpdateTopicRequest.Builder request = UpdateTopicRequest.newBuilder().setTopic(topic);
    if (maxAge != null) request.setRetentionMaxAge(Times.toProto(maxAge));
    if (maxPartitionBytes != null) request.setRetentionMaxPartitionBytes(maxPartitionBytes);
    return connection.call(() -> connection.topics().updateTopic(request.build())).getTopic();
  }

  public void deleteTopic(String topic) {
    DeleteTopicRequest request = DeleteTopicRequest.newBuilder().setTopic(topic).build();
    connection.call(() -> connection.topics().deleteTopic(request));
  }

  /** All topics, by name. */
  public List<Topic> listTopics() {
    List<Topic> topics = new ArrayList<>();
    String token = "";
    do {
      ListTopicsRequest request = ListTopicsRequest.newBuilder().setPageToken(token).build();
      ListTopicsResponse page = connection.call(() -> connection.topics().listTopics(request));
      topics.addAll(page.getTopicsList());
      token = page.getNextPageToken();
    } while (!token.isEmpty());
    return topics;
  }

  /** One description for each name, in order; what cannot be described has an error in its place. */
  public List<TopicDescription> describeTopics(Collection<String> topics) {
    if (topics.isEmpty()) return List.of();
    DescribeTopicsRequest request = DescribeTopicsRequest.newBuilder().addAllTopics(topics).build();
    return connection.call(() -> connection.topics().describeTopics(request)).getTopicsList();
  }

  /** A topic; TOPIC_NOT_FOUND. */
  public TopicDescription describeTopic(String topic) {
    TopicDescription description = describeTopics(List.of(topic)).get(0);
    if (description.hasError()) throw MillraceException.of(description.getError());
    return description;
  }

  /** Earliest and latest offsets of all partitions of a topic; with a time, also the first not before it. */
  public List<PartitionOffsets> listOffsets(String topic, Instant time) {
    ListOffsetsRequest.Builder request = ListOffsetsRequest.newBuilder().setTopic(topic);
    if (time != null) request.setTime(Times.toProto(time));
    return connection.call(() -> connection.events().listOffsets(request.build())).getPartitionsList();
  }

  /** What a group committed; a partition without a commit is missing. */
  public Map<TopicPartition, CommittedOffset> committedOffsets(String group, Collection<TopicPartition> of) {
    GetCommittedOffsetsRequest.Builder request = GetCommittedOffsetsRequest.newBuilder().setGroup(group);
    of.forEach(partition -> request.addPartitions(partition.toProto()));
    Map<TopicPartition, CommittedOffset> committed = new LinkedHashMap<>();
    connection
        .call(() -> connection.events().getCommittedOffsets(request.build()))
        .getOffsetsList()
        .forEach(
            offset -> {
              if (!offset.hasNextOffset()) return;
              committed.put(new TopicPartition(offset.getTopic(), offset.getPartition()), offset);
            });
    return committed;
  }

  /**
   * Commits for a group from outside, which replaces what is there. GROUP_HAS_MEMBERS while it has some.
   */
  public List<CommitResult> commitOffsets(String group, List<OffsetCommit> offsets) {
    CommitOffsetRequest.Builder request = CommitOffsetRequest.newBuilder().setGroup(group);
    offsets.forEach(offset -> request.addOffsets(offset.toProto()));
    return connection.call(() -> connection.events().commitOffset(request.build())).getResultsList().stream()
        .map(CommitResult::of)
        .toList();
  }

  /** A group; GROUP_NOT_FOUND. */
  public Group describeGroup(String group) {
    GetGroupRequest request = GetGroupRequest.newBuilder().setGroup(group).build();
    return connection.call(() -> connection.groups().getGroup(request)).getGroup();
  }

  /** Deletes a group and its offsets; GROUP_HAS_MEMBERS while it has some. */
  public void deleteGroup(String group) {
    DeleteGroupRequest request = DeleteGroupRequest.newBuilder().setGroup(group).build();
    connection.call(() -> connection.groups().deleteGroup(request));
  }
}
