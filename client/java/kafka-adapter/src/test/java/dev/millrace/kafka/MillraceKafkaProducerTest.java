package dev.millrace.kafka;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.test.HubProcess;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.Partitioner;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.utils.Utils;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class MillraceKafkaProducerTest {
  private static HubProcess hub;
  private static HubClients clients;

  @BeforeAll
  static void startHub() {
    hub = HubProcess.start();
    clients = new HubClients(hub);
  }

  @AfterAll
  static void stopHub() {
    hub.close();
  }

  private static List<ConsumerRecord<String, String>> readAll(String topic, int count) {
    try (MillraceKafkaConsumer<String, String> consumer = clients.member("reads-" + topic)) {
      consumer.subscribe(List.of(topic));
      return HubClients.take(consumer, count);
    }
  }

  @Test
  void aSendTellsWhereTheRecordIsStored() throws Exception {
    clients.createTopic("metadata", 2);
    try (MillraceKafkaProducer<String, String> producer = clients.producer()) {
      producer.send(new ProducerRecord<>("metadata", 1, 1_234L, "k", "first")).get();
      RecordMetadata metadata = producer.send(new ProducerRecord<>("metadata", 1, 5_678L, "key", "value")).get();
      assertEquals("metadata", metadata.topic());
      assertEquals(1, metadata.partition());
      assertEquals(1, metadata.offset());
      assertEquals(5_678, metadata.timestamp());
      assertEquals(3, metadata.serializedKeySize());
      assertEquals(5, metadata.serializedValueSize());
    }
  }

  @Test
  void headersTimestampsAndTombstonesArriveAsSent() {
    clients.createTopic("whole", 1);
    try (MillraceKafkaProducer<String, String> producer = clients.producer()) {
      Long time = 1_700_000_000_123L;
      ProducerRecord<String, String> record = new ProducerRecord<>("whole", 0, time, "k", (String) null);
      record.headers().add("a", new byte[] {1}).add("a", new byte[0]).add("b", null);
      producer.send(record);
      producer.send(new ProducerRecord<>("whole", "no key"));
    }
    List<ConsumerRecord<String, String>> records = readAll("whole", 2);
    ConsumerRecord<String, String> first = records.get(0);
    assertEquals("k", first.key());
    assertNull(first.value());
    assertEquals(1_700_000_000_123L, first.timestamp());
    assertEquals(TimestampType.CREATE_TIME, first.timestampType());
    Header[] headers = first.headers().toArray();
    assertEquals(3, headers.length);
    assertArrayEquals(new byte[] {1}, headers[0].value());
    assertArrayEquals(new byte[0], headers[1].value());
    assertNull(headers[2].value());
    assertNull(records.get(1).key());
    assertTrue(records.get(1).timestamp() > 1_700_000_000_123L);
  }

  @Test
  void keysGoWhereKafkaPutsThem() throws Exception {
    clients.createTopic("placed", 7);
    try (MillraceKafkaProducer<String, String> producer = clients.producer()) {
      for (int i = 0; i < 100; i++) {
        String key = "key-" + i;
        int expected = Utils.toPositive(Utils.murmur2(key.getBytes())) % 7;
        assertEquals(expected, producer.send(new ProducerRecord<>("placed", key, "v")).get().partition());
      }
    }
  }

  @Test
  void recordsWithoutAKeySpreadOverAllPartitions() throws Exception {
    clients.createTopic("spread", 3);
    Set<Integer> used = new TreeSet<>();
    try (MillraceKafkaProducer<String, String> producer = clients.producer("batch.size", 1_000)) {
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      for (int i = 0; i < 1_000; i++) sent.add(producer.send(new ProducerRecord<>("spread", "x".repeat(50))));
      for (Future<RecordMetadata> each : sent) used.add(each.get().partition());
    }
    assertEquals(Set.of(0, 1, 2), used);
  }

  /** Puts everything into the last partition. */
  public static final class LastPartition implements Partitioner {
    @Override
    public int partition(String topic, Object key, byte[] keyBytes, Object value, byte[] valueBytes, Cluster cluster) {
      return cluster.partitionCountForTopic(topic) - 1;
    }

    @Override
    public void close() {}

    @Override
    public void configure(Map<String, ?> configs) {}
  }

  @Test
  void anApplicationsPartitionerIsAsked() throws Exception {
    clients.createTopic("chosen", 4);
    try (MillraceKafkaProducer<String, String> producer =
        clients.producer("partitioner.class", LastPartition.class.getName())) {
      assertEquals(3, producer.send(new ProducerRecord<>("chosen", "k", "v")).get().partition());
    }
  }

  @Test
  void callbacksComeInOrderAndBeforeTheFuture() throws Exception {
    clients.createTopic("called", 1);
    List<Long> offsets = new ArrayList<>();
    CountDownLatch all = new CountDownLatch(500);
    try (MillraceKafkaProducer<String, String> producer = clients.producer()) {
      for (int i = 0; i < 500; i++) {
        producer.send(new ProducerRecord<>("called", "v"), (metadata, error) -> {
          offsets.add(metadata.offset());
          all.countDown();
        });
      }
      assertTrue(all.await(30, TimeUnit.SECONDS));
    }
    for (int i = 0; i < 500; i++) assertEquals(i, offsets.get(i));
  }

  @Test
  void anUnknownTopicFailsAtOnceAndSaysWhatToDo() {
    Exception[] told = new Exception[1];
    try (MillraceKafkaProducer<String, String> producer = clients.producer()) {
      Future<RecordMetadata> sent =
          producer.send(new ProducerRecord<>("nowhere", "v"), (metadata, error) -> told[0] = error);
      ExecutionException failed = assertThrows(ExecutionException.class, sent::get);
      assertInstanceOf(UnknownTopicOrPartitionException.class, failed.getCause());
      assertTrue(failed.getCause().getMessage().contains("--auto-create-topics"), failed.getCause().getMessage());
      assertInstanceOf(UnknownTopicOrPartitionException.class, told[0]);
      assertThrows(UnknownTopicOrPartitionException.class, () -> producer.partitionsFor("nowhere"));
    }
  }

  @Test
  void aPartitionThatDoesNotExistFailsTheRecord() {
    clients.createTopic("narrow", 1);
    try (MillraceKafkaProducer<String, String> producer = clients.producer()) {
      Future<RecordMetadata> sent = producer.send(new ProducerRecord<>("narrow", 5, "k", "v"));
      ExecutionException failed = assertThrows(ExecutionException.class, sent::get);
      assertInstanceOf(UnknownTopicOrPartitionException.class, failed.getCause());
    }
  }

  @Test
  void aTopicIsCreatedByItsFirstRecordWhereTheHubDoesSo() throws Exception {
    try (HubProcess creating = HubProcess.start("--auto-create-topics=3");
        MillraceKafkaProducer<String, String> producer = new HubClients(creating).producer()) {
      assertEquals(3, producer.partitionsFor("fresh").size());
      int expected = Utils.toPositive(Utils.murmur2("k".getBytes())) % 3;
      RecordMetadata metadata = producer.send(new ProducerRecord<>("fresh", "k", "v")).get();
      assertEquals(new TopicPartition("fresh", expected), new TopicPartition(metadata.topic(), metadata.partition()));
      assertEquals(0, metadata.offset());
    }
  }

  @Test
  void aRecordOverTheLimitsFails() throws Exception {
    clients.createTopic("heavy", 1);
    try (MillraceKafkaProducer<String, String> producer = clients.producer("max.request.size", 4 << 20)) {
      Future<RecordMetadata> large = producer.send(new ProducerRecord<>("heavy", "x".repeat(2 << 20)));
      assertInstanceOf(
          RecordTooLargeException.class, assertThrows(ExecutionException.class, large::get).getCause());
      producer.send(new ProducerRecord<>("heavy", "x".repeat(1_000_000))).get();
    }
    try (MillraceKafkaProducer<String, String> producer = clients.producer("max.request.size", 100)) {
      Future<RecordMetadata> large = producer.send(new ProducerRecord<>("heavy", "x".repeat(101)));
      assertInstanceOf(
          RecordTooLargeException.class, assertThrows(ExecutionException.class, large::get).getCause());
    }
  }

  @Test
  void largeRecordsArriveWhole() {
    clients.createTopic("megabytes", 1);
    String value = "0123456789".repeat(100_000);
    try (MillraceKafkaProducer<String, String> producer = clients.producer("max.request.size", 2 << 20)) {
      for (int i = 0; i < 20; i++) producer.send(new ProducerRecord<>("megabytes", i + value));
    }
    List<String> values = HubClients.values(readAll("megabytes", 20));
    for (int i = 0; i < 20; i++) assertEquals(i + value, values.get(i));
  }

  @Test
  void aHubThatIsDownFailsTheFutureAfterMaxBlock() {
    try (HubProcess away = HubProcess.prepare().reservePorts();
        MillraceKafkaProducer<String, String> producer = new HubClients(away).producer("max.block.ms", 300)) {
      Future<RecordMetadata> sent = producer.send(new ProducerRecord<>("any", "v"));
      assertInstanceOf(TimeoutException.class, assertThrows(ExecutionException.class, sent::get).getCause());
    }
  }

  @Test
  void aHubThatComesUpLaterIsWaitedFor() throws Exception {
    try (HubProcess late = HubProcess.prepare("--auto-create-topics=1").reservePorts();
        MillraceKafkaProducer<String, String> producer = new HubClients(late).producer()) {
      Thread start = new Thread(late::restart);
      start.start();
      assertEquals(0, producer.send(new ProducerRecord<>("later", "v")).get().offset());
      start.join();
    }
  }

  @Test
  void killsOfTheHubLoseDoubleAndReorderNothing() throws Exception {
    try (HubProcess killed = HubProcess.start()) {
      HubClients at = new HubClients(killed);
      at.createTopic("kept", 1);
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      try (MillraceKafkaProducer<String, String> producer = at.producer("batch.size", 2_000)) {
        for (int kill = 0; kill < 3; kill++) {
          for (int i = 0; i < 2_000; i++) {
            sent.add(producer.send(new ProducerRecord<>("kept", String.valueOf(sent.size()))));
          }
          sent.get(sent.size() - 1_500).get();
          killed.kill();
          killed.restart();
        }
        producer.flush();
      }
      for (int i = 0; i < sent.size(); i++) assertEquals(i, sent.get(i).get().offset());
      try (MillraceKafkaConsumer<String, String> consumer = at.member("judge")) {
        consumer.subscribe(List.of("kept"));
        List<String> values = HubClients.values(HubClients.take(consumer, sent.size()));
        for (int i = 0; i < sent.size(); i++) assertEquals(String.valueOf(i), values.get(i));
      }
    }
  }

  @Test
  void whatTheAdapterMustNotLeaveOutIsRefused() {
    assertThrows(ConfigException.class, () -> clients.producer("bootstrap.servers", "a:1,b:2"));
    assertThrows(ConfigException.class, () -> clients.producer("linger.ms", "soon"));
    assertThrows(ConfigException.class, () -> clients.producer("millrace.durability", "perhaps"));
  }

  @Test
  void aClosedProducerRefusesToSend() {
    MillraceKafkaProducer<String, String> producer = clients.producer();
    producer.close();
    producer.close();
    assertThrows(IllegalStateException.class, () -> producer.send(new ProducerRecord<>("any", "v")));
  }

  @Test
  void partitionsForNamesTheHubAsTheirLeader() {
    clients.createTopic("described", 2);
    try (MillraceKafkaProducer<String, String> producer = clients.producer()) {
      Set<String> leaders =
          producer.partitionsFor("described").stream()
              .map(partition -> partition.leader().host() + ":" + partition.leader().port())
              .collect(Collectors.toSet());
      assertEquals(Set.of(hub.target()), leaders);
    }
  }
}
