package dev.millrace.kafka;

import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.config.ConfigResource;

/** An {@code Admin} over a hub. */
public class MillraceKafkaAdmin extends UnsupportedAdmin {
  public MillraceKafkaAdmin(Map<String, Object> configs) {}
  public CreateTopicsResult createTopics(Collection<NewTopic> t, CreateTopicsOptions o) { throw new UnsupportedOperationException(); }
  public DeleteTopicsResult deleteTopics(TopicCollection t, DeleteTopicsOptions o) { throw new UnsupportedOperationException(); }
  public ListTopicsResult listTopics(ListTopicsOptions o) { throw new UnsupportedOperationException(); }
  public DescribeTopicsResult describeTopics(TopicCollection t, DescribeTopicsOptions o) { throw new UnsupportedOperationException(); }
  public DescribeClusterResult describeCluster(DescribeClusterOptions o) { throw new UnsupportedOperationException(); }
  public DescribeConfigsResult describeConfigs(Collection<ConfigResource> r, DescribeConfigsOptions o) { throw new UnsupportedOperationException(); }
  public AlterConfigsResult incrementalAlterConfigs(Map<ConfigResource, Collection<AlterConfigOp>> c, AlterConfigsOptions o) { throw new UnsupportedOperationException(); }
  public CreatePartitionsResult createPartitions(Map<String, NewPartitions> n, CreatePartitionsOptions o) { throw new UnsupportedOperationException(); }
  public ListOffsetsResult listOffsets(Map<TopicPartition, OffsetSpec> t, ListOffsetsOptions o) { throw new UnsupportedOperationException(); }
  public Map<MetricName, ? extends Metric> metrics() { return Map.of(); }
  public void close(Duration timeout) {}
}
