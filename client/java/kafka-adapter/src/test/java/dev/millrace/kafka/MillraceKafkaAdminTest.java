package dev.millrace.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.test.HubProcess;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class MillraceKafkaAdminTest {
  private static HubProcess hub;
  private static HubClients clients;
  private static MillraceKafkaAdmin admin;

  @BeforeAll
  static void startHub() {
    hub = HubProcess.start();
    clients = new HubClients(hub);
    admin = new MillraceKafkaAdmin(clients.settings());
  }

  @AfterAll
  static void stopHub() {
    admin.close();
    hub.close();
  }

  private static Throwable failure(KafkaFuture<?> future) {
    return assertThrows(ExecutionException.class, future::get).getCause();
  }

  @Test
  void topicsAreCreatedListedDescribedAndDeleted() throws Exception {
    var created = admin.createTopics(List.of(new NewTopic("made", 3, (short) 3)));
    created.all().get();
    assertEquals(3, created.numPartitions("made").get());
    assertTrue(admin.listTopics().names().get().contains("made"));
    assertEquals(3, admin.describeTopics(List.of("made")).allTopicNames().get().get("made").partitions().size());
    assertInstanceOf(
        TopicExistsException.class, failure(admin.createTopics(List.of(new NewTopic("made", 1, (short) 1))).all()));
    admin.deleteTopics(List.of("made")).all().get();
    assertInstanceOf(
        UnknownTopicOrPartitionException.class,
        failure(admin.describeTopics(List.of("made")).topicNameValues().get("made")));
    assertInstanceOf(
        InvalidTopicException.class, failure(admin.createTopics(List.of(new NewTopic("a b", 1, (short) 1))).all()));
  }

  @Test
  void topicsGrowAndDoNotShrink() throws Exception {
    clients.createTopic("grows", 1);
    admin.createPartitions(Map.of("grows", NewPartitions.increaseTo(4))).all().get();
    assertEquals(4, admin.describeTopics(List.of("grows")).allTopicNames().get().get("grows").partitions().size());
    assertInstanceOf(
        InvalidPartitionsException.class,
        failure(admin.createPartitions(Map.of("grows", NewPartitions.increaseTo(2))).all()));
  }

  @Test
  void retentionIsSetReadAndChanged() throws Exception {
    ConfigResource kept = new ConfigResource(ConfigResource.Type.TOPIC, "kept");
    NewTopic topic = new NewTopic("kept", 1, (short) 1).configs(Map.of("retention.ms", "60000"));
    admin.createTopics(List.of(topic)).all().get();
    Config config = admin.describeConfigs(List.of(kept)).all().get().get(kept);
    assertEquals("60000", config.get("retention.ms").value());
    assertEquals("-1", config.get("retention.bytes").value());
    admin.incrementalAlterConfigs(
            Map.of(
                kept,
                List.of(
                    new AlterConfigOp(new ConfigEntry("retention.ms", "-1"), AlterConfigOp.OpType.SET),
                    new AlterConfigOp(new ConfigEntry("retention.bytes", "1000"), AlterConfigOp.OpType.SET))))
        .all()
        .get();
    config = admin.describeConfigs(List.of(kept)).all().get().get(kept);
    assertEquals("-1", config.get("retention.ms").value());
    assertEquals("1000", config.get("retention.bytes").value());
  }

  @Test
  void compactionIsRefusedAndNotLeftOut() {
    NewTopic topic = new NewTopic("compact", 1, (short) 1).configs(Map.of("cleanup.policy", "compact"));
    assertInstanceOf(InvalidConfigurationException.class, failure(admin.createTopics(List.of(topic)).all()));
  }

  @Test
  void theHubIsAClusterOfOneNode() throws Exception {
    assertFalse(admin.describeCluster().clusterId().get().isEmpty());
    assertEquals(1, admin.describeCluster().nodes().get().size());
    assertEquals(hub.target(), admin.describeCluster().controller().get().host() + ":"
        + admin.describeCluster().controller().get().port());
  }

  @Test
  void offsetsAreFound() throws Exception {
    clients.createTopic("offsets", 1);
    clients.fill("offsets", 0, 5);
    TopicPartition partition = new TopicPartition("offsets", 0);
    assertEquals(
        5, admin.listOffsets(Map.of(partition, OffsetSpec.latest())).partitionResult(partition).get().offset());
    assertEquals(
        0, admin.listOffsets(Map.of(partition, OffsetSpec.earliest())).partitionResult(partition).get().offset());
  }

  @Test
  void whatAHubCannotDoIsRefusedWithTheReason() {
    UnsupportedOperationException refused =
        assertThrows(UnsupportedOperationException.class, () -> admin.describeProducers(List.of()));
    assertTrue(refused.getMessage().contains("describeProducers"), refused.getMessage());
    ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, "0");
    assertInstanceOf(
        UnsupportedOperationException.class, failure(admin.describeConfigs(List.of(broker)).all()));
  }

  @Test
  void aHubThatIsDownFailsTheFutures() {
    try (HubProcess away = HubProcess.prepare().reservePorts();
        MillraceKafkaAdmin lost =
            new MillraceKafkaAdmin(
                new HubClients(away).settings("request.timeout.ms", 200, "default.api.timeout.ms", 200))) {
      assertInstanceOf(TimeoutException.class, failure(lost.describeCluster().clusterId()));
      assertInstanceOf(TimeoutException.class, failure(lost.describeTopics(List.of("any")).allTopicNames()));
    }
  }
}
