package dev.millrace.kafka;

import dev.millrace.client.Connection;
import dev.millrace.client.MillraceException;
import dev.millrace.client.Reason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import millrace.v1.Topic;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigsOptions;
import org.apache.kafka.clients.admin.AlterConfigsResult;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.CreatePartitionsOptions;
import org.apache.kafka.clients.admin.CreatePartitionsResult;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.CreateTopicsResult;
import org.apache.kafka.clients.admin.CreateTopicsResult.TopicMetadataAndConfig;
import org.apache.kafka.clients.admin.DeleteTopicsOptions;
import org.apache.kafka.clients.admin.DeleteTopicsResult;
import org.apache.kafka.clients.admin.DescribeClusterOptions;
import org.apache.kafka.clients.admin.DescribeClusterResult;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.clients.admin.DescribeConfigsResult;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.DescribeTopicsResult;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.ListTopicsResult;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.admin.TopicListing;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicCollection.TopicNameCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidPartitionsException;

/**
 * Kafka's {@code Admin} over a Millrace hub: all that spring-kafka's KafkaAdmin calls, and what else a hub can
 * do. Everything else throws UnsupportedOperationException, see {@link UnsupportedAdmin}.
 *
 * <p>A call waits for the hub, up to {@code request.timeout.ms}: the futures of its result are complete. A
 * replication factor is not looked at; a topic has one replica.
 *
 * <p>Threads: any.
 */
public class MillraceKafkaAdmin extends UnsupportedAdmin {
  private final Connection connection;
  private final dev.millrace.client.Admin admin;
  private final Offsets offsets;
  private final Node node;

  /** @param configs as for Kafka's AdminClient; {@code bootstrap.servers} is the hub's address */
  public MillraceKafkaAdmin(Map<String, Object> configs) {
    AdminClientConfig config = new AdminClientConfig(configs);
    Settings.tellWithoutEffect(config);
    Duration timeout = Settings.millis(config, AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG);
    connection = Security.open(Security.of(config).connection(Settings.target(config), timeout));
    admin = new dev.millrace.client.Admin(connection);
    offsets = new Offsets(admin);
    node = Topics.node(connection.target());
  }

  private static <T> KafkaFuture<T> future(Supplier<T> call) {
    return AdminResults.future(
        () -> {
          try {
            return call.get();
          } catch (MillraceException error) {
            throw KafkaErrors.of(error);
          }
        });
  }

  private static KafkaFuture<Void> done(Runnable call) {
    return future(
        () -> {
          call.run();
          return null;
        });
  }

  // ---- Topics

  @Override
  public CreateTopicsResult createTopics(Collection<NewTopic> topics, CreateTopicsOptions options) {
    if (options.shouldValidateOnly()) throw new UnsupportedOperationException("A hub cannot validate without doing.");
    Map<String, KafkaFuture<TopicMetadataAndConfig>> created = new LinkedHashMap<>();
    for (NewTopic topic : topics) created.put(topic.name(), future(() -> create(topic)));
    return new AdminResults.Created(created);
  }

  private TopicMetadataAndConfig create(NewTopic topic) {
    Map<String, String> configs = topic.configs() == null ? Map.of() : topic.configs();
    int partitions =
        topic.replicasAssignments() != null ? topic.replicasAssignments().size() : Math.max(0, topic.numPartitions());
    Topic made = admin.createTopic(topic.name(), partitions, TopicConfigs.retention(configs));
    return new TopicMetadataAndConfig(Uuid.ZERO_UUID, made.getPartitionCount(), 1, TopicConfigs.of(made));
  }

  @Override
  public DeleteTopicsResult deleteTopics(TopicCollection topics, DeleteTopicsOptions options) {
    Map<String, KafkaFuture<Void>> deleted = new LinkedHashMap<>();
    for (String topic : names(topics)) deleted.put(topic, done(() -> admin.deleteTopic(topic)));
    return new AdminResults.Deleted(deleted);
  }

  @Override
  public ListTopicsResult listTopics(ListTopicsOptions options) {
    return AdminResults.topics(
        future(
            () -> {
              Map<String, TopicListing> topics = new LinkedHashMap<>();
              admin
                  .listTopics()
                  .forEach(
                      topic ->
                          topics.put(
                              topic.getName(), new TopicListing(topic.getName(), Uuid.ZERO_UUID, false)));
              return topics;
            }));
  }

  @Override
  public DescribeTopicsResult describeTopics(TopicCollection topics, DescribeTopicsOptions options) {
    Map<String, KafkaFuture<TopicDescription>> described = new LinkedHashMap<>();
    for (String topic : names(topics)) described.put(topic, future(() -> describe(topic)));
    return new AdminResults.Described(described);
  }

  private TopicDescription describe(String topic) {
    List<TopicPartitionInfo> partitions = new ArrayList<>();
    List<Node> nodes = List.of(node);
    int count = admin.describeTopic(topic).getTopic().getPartitionCount();
    for (int i = 0; i < count; i++) partitions.add(new TopicPartitionInfo(i, node, nodes, nodes));
    return new TopicDescription(topic, false, partitions);
  }

  @Override
  public CreatePartitionsResult createPartitions(Map<String, NewPartitions> topics, CreatePartitionsOptions options) {
    if (options.validateOnly()) throw new UnsupportedOperationException("A hub cannot validate without doing.");
    Map<String, KafkaFuture<Void>> grown = new LinkedHashMap<>();
    topics.forEach((topic, wanted) -> grown.put(topic, done(() -> grow(topic, wanted.totalCount()))));
    return AdminResults.partitions(grown);
  }

  private void grow(String topic, int count) {
    try {
      admin.growTopic(topic, count);
    } catch (MillraceException error) {
      if (!error.is(Reason.INVALID_CONFIG)) throw error;
      throw new InvalidPartitionsException(error.getMessage(), error);
    }
  }

  private static Collection<String> names(TopicCollection topics) {
    if (topics instanceof TopicNameCollection named) return named.topicNames();
    throw new UnsupportedOperationException("A hub knows topics by their names, and gives them no ids.");
  }

  // ---- Settings of topics

  @Override
  public DescribeConfigsResult describeConfigs(Collection<ConfigResource> resources, DescribeConfigsOptions options) {
    Map<ConfigResource, KafkaFuture<Config>> configs = new LinkedHashMap<>();
    for (ConfigResource resource : resources) {
      configs.put(
          resource, future(() -> TopicConfigs.of(admin.describeTopic(requireTopic(resource)).getTopic())));
    }
    return new AdminResults.Configs(configs);
  }

  @Override
  public AlterConfigsResult incrementalAlterConfigs(
      Map<ConfigResource, Collection<AlterConfigOp>> resources, AlterConfigsOptions options) {
    if (options.shouldValidateOnly()) throw new UnsupportedOperationException("A hub cannot validate without doing.");
    Map<ConfigResource, KafkaFuture<Void>> altered = new LinkedHashMap<>();
    resources.forEach(
        (resource, changes) -> altered.put(resource, done(() -> alter(requireTopic(resource), changes))));
    return AdminResults.altered(altered);
  }

  private void alter(String topic, Collection<AlterConfigOp> changes) {
    Map<String, String> values = new HashMap<>();
    for (AlterConfigOp change : changes) {
      ConfigEntry entry = change.configEntry();
      switch (change.opType()) {
        case SET -> {
          TopicConfigs.check(entry.name(), entry.value());
          values.put(entry.name(), entry.value());
        }
        case DELETE -> values.put(entry.name(), "-1"); // A topic's own limit goes: there is no other.
        default ->
            throw new UnsupportedOperationException(
                change.opType() + " is for lists, of which a topic has none.");
      }
    }
    Duration age = TopicConfigs.age(values.get(org.apache.kafka.common.config.TopicConfig.RETENTION_MS_CONFIG));
    Long bytes = TopicConfigs.bytes(values.get(org.apache.kafka.common.config.TopicConfig.RETENTION_BYTES_CONFIG));
    if (age != null || bytes != null) admin.updateRetention(topic, age, bytes);
  }

  private static String requireTopic(ConfigResource resource) {
    if (resource.type() == ConfigResource.Type.TOPIC) return resource.name();
    throw new UnsupportedOperationException("A hub is configured by its flags; only topics are by their settings.");
  }

  // ---- The hub, and offsets

  @Override
  public DescribeClusterResult describeCluster(DescribeClusterOptions options) {
    KafkaFuture<String> id = future(() -> admin.hub().getHubId());
    return AdminResults.cluster(id.thenApply(any -> node), id);
  }

  @Override
  public ListOffsetsResult listOffsets(Map<TopicPartition, OffsetSpec> partitions, ListOffsetsOptions options) {
    Map<TopicPartition, KafkaFuture<ListOffsetsResultInfo>> found = new LinkedHashMap<>();
    partitions.forEach((partition, spec) -> found.put(partition, future(() -> offset(partition, spec))));
    return new ListOffsetsResult(found);
  }

  private ListOffsetsResultInfo offset(TopicPartition partition, OffsetSpec spec) {
    List<TopicPartition> one = List.of(partition);
    if (spec instanceof OffsetSpec.EarliestSpec) return info(offsets.earliest(one).get(partition));
    if (spec instanceof OffsetSpec.LatestSpec) return info(offsets.latest(one).get(partition));
    if (spec instanceof OffsetSpec.TimestampSpec) {
      throw new UnsupportedOperationException("Ask a consumer's offsetsForTimes: OffsetSpec keeps its time to itself.");
    }
    throw new UnsupportedOperationException("A hub knows the earliest and the latest offset, and those at a time.");
  }

  private static ListOffsetsResultInfo info(long offset) {
    return new ListOffsetsResultInfo(offset, -1, java.util.Optional.empty());
  }

  /** None: an admin counts nothing. */
  @Override
  public Map<MetricName, ? extends Metric> metrics() {
    return Map.of();
  }

  @Override
  public void close(Duration timeout) {
    connection.close();
  }
}
