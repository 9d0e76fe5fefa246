package dev.millrace.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.test.HubProcess;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import millrace.v1.CommittedOffset;
import millrace.v1.TransactResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class ConsumerTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private static HubProcess hub;
  private static Connection connection;
  private static Admin admin;

  @BeforeAll
  static void startHub() {
    hub = HubProcess.start();
    connection = Connection.to(hub.target());
    admin = new Admin(connection);
  }

  @AfterAll
  static void stopHub() {
    connection.close();
    hub.close();
  }

  private static void fill(Connection to, String topic, int partition, int from, int end) {
    try (Producer producer = Producer.open(to, ProducerOptions.defaults())) {
      for (int i = from; i < end; i++) {
        producer.send(topic, partition, OutgoingRecord.of(null, String.valueOf(i)), null);
      }
    }
  }

  private static TopicPartition filled(String topic, int count) {
    admin.createTopic(topic, 1, null);
    fill(connection, topic, 0, 0, count);
    return new TopicPartition(topic, 0);
  }

  private static List<String> take(Consumer consumer, int count) {
    List<String> values = new ArrayList<>();
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (values.size() < count) {
      if (System.nanoTime() > deadline) throw new AssertionError("Only " + values.size() + " of " + count + " came.");
      List<ReceivedRecord> records = consumer.poll(Duration.ofSeconds(1), count - values.size(), ReceivedRecord::of);
      records.forEach(record -> values.add(record.valueText()));
    }
    return values;
  }

  private static void pollUntil(Consumer consumer, BooleanSupplier happened) {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!happened.getAsBoolean()) {
      if (System.nanoTime() > deadline) throw new AssertionError("It did not happen.");
      consumer.poll(Duration.ofMillis(20));
    }
  }

  private static List<String> numbers(int from, int end) {
    return IntStream.range(from, end).mapToObj(String::valueOf).toList();
  }

  private static Consumer fromTheStart(Connection to, String topic) {
    return Consumer.open(to, ConsumerOptions.ofTopics(topic).withStart(Start.EARLIEST, OutOfRange.FAIL));
  }

  @Test
  void anIndependentReaderBeginsAtTheEndUnlessItSaysElse() {
    filled("from", 3);
    List<TopicPartition> assigned = new ArrayList<>();
    ConsumerListener listener = new ConsumerListener() {
      @Override
      public void onAssigned(List<TopicPartition> partitions) {
        assigned.addAll(partitions);
      }
    };
    try (Consumer latest = Consumer.open(connection, ConsumerOptions.ofTopics("from"), listener);
        Consumer earliest = fromTheStart(connection, "from");
        Consumer placed = Consumer.open(connection, ConsumerOptions.ofPositions(List.of(Position.of("from", 0, 2))))) {
      pollUntil(latest, () -> !assigned.isEmpty());
      fill(connection, "from", 0, 3, 5);
      assertEquals(numbers(3, 5), take(latest, 2));
      assertEquals(numbers(0, 5), take(earliest, 5));
      assertEquals(numbers(2, 5), take(placed, 3));
    }
  }

  @Test
  void anIndependentReaderGoesOnOverKillsOfTheHub() {
    try (HubProcess killed = HubProcess.start();
        Connection to = Connection.to(killed.target())) {
      new Admin(to).createTopic("cut", 1, null);
      try (Consumer consumer = fromTheStart(to, "cut")) {
        for (int round = 0; round < 4; round++) {
          fill(to, "cut", 0, 100 * round, 100 * round + 100);
          assertEquals(numbers(100 * round, 100 * round + 100), take(consumer, 100));
          killed.kill();
          killed.restart();
        }
      }
    }
  }

  @Test
  void aMissingTopicIsToldByPoll() {
    try (Consumer consumer = Consumer.open(connection, ConsumerOptions.ofTopics("missing"))) {
      MillraceException refused = assertThrows(MillraceException.class, () -> consumer.poll(PATIENCE));
      assertTrue(refused.is(Reason.TOPIC_NOT_FOUND));
      assertEquals("missing", refused.metadata().get("topic"));
    }
  }

  @Test
  void aPositionOutOfRangeFailsItsPartitionUntilASeek() {
    TopicPartition partition = filled("bounds", 3);
    List<MillraceException> failures = new ArrayList<>();
    ConsumerListener listener = new ConsumerListener() {
      @Override
      public void onPartitionFailed(TopicPartition failed, MillraceException error) {
        failures.add(error);
      }
    };
    ConsumerOptions options = ConsumerOptions.ofTopics("bounds").withStart(Start.EARLIEST, OutOfRange.FAIL);
    try (Consumer consumer = Consumer.open(connection, options, listener)) {
      take(consumer, 3);
      consumer.seek(partition, 99);
      pollUntil(consumer, () -> !failures.isEmpty());
      assertTrue(failures.get(0).is(Reason.OFFSET_OUT_OF_RANGE));
      consumer.seek(partition, 1);
      assertEquals(numbers(1, 3), take(consumer, 2));
    }
  }

  @Test
  void whatADecoderRefusesStaysTheNextRecord() {
    TopicPartition partition = filled("decoded", 5);
    try (Consumer consumer = fromTheStart(connection, "decoded")) {
      RecordDecoder<String> decoder = (batch, index) -> {
        String value = batch.getRecords(index).getValue().toStringUtf8();
        if (value.equals("3")) throw new IllegalArgumentException("not 3");
        return value;
      };
      List<String> values = new ArrayList<>();
      while (values.size() < 3) values.addAll(consumer.poll(PATIENCE, 100, decoder));
      assertEquals(numbers(0, 3), values);
      for (int i = 0; i < 2; i++) {
        assertThrows(IllegalArgumentException.class, () -> consumer.poll(PATIENCE, 100, decoder));
        assertEquals(3, consumer.position(partition).orElseThrow().offset());
      }
      assertEquals(numbers(3, 5), take(consumer, 2));
    }
  }

  @Test
  void endAtCurrentEndsBehindWhatWasThere() {
    filled("ends", 10);
    ConsumerOptions options =
        ConsumerOptions.ofTopics("ends").withStart(Start.EARLIEST, OutOfRange.FAIL).withEndAtCurrent(true);
    try (Consumer consumer = Consumer.open(connection, options)) {
      assertFalse(consumer.ended());
      List<ReceivedRecord> all = new ArrayList<>();
      while (!consumer.ended()) all.addAll(consumer.poll(PATIENCE));
      assertEquals(10, all.size());
      assertTrue(consumer.poll(Duration.ZERO).isEmpty());
    }
  }

  @Test
  void aClosedConsumerSaysSo() {
    filled("shut", 1);
    Consumer consumer = fromTheStart(connection, "shut");
    consumer.close();
    consumer.close();
    MillraceException refused = assertThrows(MillraceException.class, () -> consumer.poll(PATIENCE));
    assertTrue(refused.is(Reason.CLOSED));
  }

  @Test
  void aGroupConsumerCommitsWhatIsProcessedAndNothingElse() {
    TopicPartition partition = filled("processed", 10);
    ConsumerOptions options = ConsumerOptions.ofGroup("careful", "processed");
    GroupConsumer crashing =
        GroupConsumer.open(connection, options, ConsumerListener.NONE, Duration.ofMillis(1));
    List<String> processed = take(crashing.consumer(), 4);
    assertEquals(numbers(0, 4), processed);
    assertEquals(numbers(4, 10), crashing.poll(PATIENCE).stream().map(ReceivedRecord::valueText).toList());
    crashing.commit(); // Of what the last poll returned, nothing is processed.
    assertEquals(4, committed("careful", partition));
    crashing.consumer().close();
    try (GroupConsumer next = GroupConsumer.open(connection, options)) {
      List<String> again = new ArrayList<>();
      while (again.size() < 6) next.poll(PATIENCE).forEach(record -> again.add(record.valueText()));
      assertEquals(numbers(4, 10), again);
    }
    assertEquals(10, committed("careful", partition)); // By close.
  }

  private static long committed(String group, TopicPartition partition) {
    CommittedOffset offset = admin.committedOffsets(group, List.of(partition)).get(partition);
    return offset == null ? -1 : offset.getNextOffset();
  }

  private static GroupConsumer joining(ConsumerOptions options) {
    return GroupConsumer.open(connection, options, ConsumerListener.NONE, Duration.ofMillis(50));
  }

  private static void note(GroupConsumer consumer, Duration timeout, List<String> seen) {
    consumer.poll(timeout).forEach(record -> seen.add(record.partition() + "/" + record.offset()));
  }

  @Test
  void membersShareAndHandOverWithoutRepeatingARecord() {
    admin.createTopic("split", 4, null);
    for (int i = 0; i < 4; i++) fill(connection, "split", i, 0, 50);
    ConsumerOptions options = ConsumerOptions.ofGroup("splitters", "split");
    List<String> seen = new ArrayList<>();
    try (GroupConsumer first = joining(options)) {
      while (seen.isEmpty()) note(first, PATIENCE, seen);
      try (GroupConsumer second = joining(options)) {
        while (second.consumer().positions().size() < 2) {
          for (GroupConsumer each : List.of(first, second)) {
            note(each, Duration.ofMillis(20), seen);
          }
        }
      }
      while (seen.size() < 200) {
        note(first, Duration.ofSeconds(1), seen);
      }
    }
    assertEquals(200, seen.stream().distinct().count());
    assertEquals(200, seen.size());
  }

  @Test
  void aTransactionStoresRecordsAndOffsetsTogether() {
    TopicPartition in = filled("tx-in", 2);
    admin.createTopic("tx-out", 1, null);
    Transactor transactor = Transactor.open(connection, "mover", Durability.HUB_DEFAULT, PATIENCE);
    try (Consumer consumer = Consumer.open(connection, ConsumerOptions.ofGroup("movers", "tx-in"))) {
      take(consumer, 2);
      List<Append> appends = List.of(new Append("tx-out", 0, List.of(OutgoingRecord.of("k", "sum"))));
      TransactResponse stored =
          transactor.transact(appends, consumer.member().orElseThrow(), List.of(new OffsetCommit(in, 2)));
      assertEquals(0, stored.getAppended(0).getAppended(0).getBaseOffset());
      assertEquals(2, committed("movers", in));
      // Fenced: neither is stored.
      MillraceException refused =
          assertThrows(
              MillraceException.class,
              () -> transactor.transact(appends, new Member("movers", "nobody", 1), List.of(new OffsetCommit(in, 1))));
      assertTrue(refused.is(Reason.MEMBER_FENCED));
      assertEquals(1, ProducerTest.readAll(connection, "tx-out").size());
      assertEquals(2, committed("movers", in));
    }
  }
}
