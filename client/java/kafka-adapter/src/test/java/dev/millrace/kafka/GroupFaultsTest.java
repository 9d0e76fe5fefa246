package dev.millrace.kafka;

import static dev.millrace.kafka.HubClients.pollUntil;
import static dev.millrace.kafka.HubClients.take;
import static dev.millrace.kafka.HubClients.values;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.test.HubProcess;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.WakeupException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Members that come, go, are slow and are cut off. */
@Timeout(120)
class GroupFaultsTest {
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

  /** Notes what it is told, and on which thread. */
  private static final class Notes implements ConsumerRebalanceListener {
    final List<String> told = new ArrayList<>();
    final Set<Thread> threads = new HashSet<>();
    Runnable onRevoked = () -> {};

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
      note("revoked", partitions);
      onRevoked.run();
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
      note("assigned", partitions);
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> partitions) {
      note("lost", partitions);
    }

    private void note(String what, Collection<TopicPartition> partitions) {
      told.add(what + " " + partitions.size());
      threads.add(Thread.currentThread());
    }
  }

  private static List<String> numbers(int from, int to) {
    return IntStream.range(from, to).mapToObj(String::valueOf).toList();
  }

  @Test
  void partitionsGoToANewMemberAfterTheOldOneHasCommitted() {
    clients.createTopic("shared", 2);
    clients.fill("shared", 0, 10);
    clients.fill("shared", 1, 10);
    Notes notes = new Notes();
    try (MillraceKafkaConsumer<String, String> first = clients.member("sharing", "max.poll.records", 5);
        MillraceKafkaConsumer<String, String> second = clients.member("sharing")) {
      notes.onRevoked = first::commitSync; // As Spring's containers do.
      first.subscribe(List.of("shared"), notes);
      List<ConsumerRecord<String, String>> all = new ArrayList<>(take(first, 5));
      assertEquals(2, first.assignment().size());
      second.subscribe(List.of("shared"));
      List<ConsumerRecord<String, String>> others = new ArrayList<>();
      while (second.assignment().isEmpty()) {
        others.addAll(poll(second));
        all.addAll(poll(first));
      }
      while (all.size() + others.size() < 20) {
        others.addAll(poll(second));
        all.addAll(poll(first));
      }
      assertEquals(List.of("assigned 2", "revoked 1"), notes.told);
      assertEquals(Set.of(Thread.currentThread()), notes.threads);
      assertEquals(1, first.assignment().size());
      // Each record once, in order: what the first had processed was committed before it went on.
      Set<String> seen = new HashSet<>();
      all.addAll(others);
      all.forEach(record -> assertTrue(seen.add(record.partition() + "/" + record.offset()), "twice: " + record));
    }
    assertEquals(List.of("assigned 2", "revoked 1", "revoked 1"), notes.told); // At close.
  }

  private static List<ConsumerRecord<String, String>> poll(MillraceKafkaConsumer<String, String> consumer) {
    List<ConsumerRecord<String, String>> records = new ArrayList<>();
    consumer.poll(Duration.ofMillis(20)).forEach(records::add);
    return records;
  }

  /** A revocation lies behind more records than a slow member's buffer takes; it is heard all the same. */
  @Test
  void aSlowListenerKeepsItsPartitionsAndHearsOfARevocationBehindAFullBuffer() throws Exception {
    clients.createTopic("slow", 2);
    try (MillraceKafkaProducer<String, String> producer = clients.producer()) {
      String value = "x".repeat(10_000);
      for (int i = 0; i < 2_000; i++) producer.send(new ProducerRecord<>("slow", i % 2, null, value));
    }
    Object[] small = {
      "max.poll.records", 1, "fetch.max.bytes", 50_000, "max.partition.fetch.bytes", 20_000, "max.poll.interval.ms", 60_000
    };
    Notes notes = new Notes();
    try (MillraceKafkaConsumer<String, String> slow = clients.member("patient", small)) {
      slow.subscribe(List.of("slow"), notes);
      List<ConsumerRecord<String, String>> first = take(slow, 1);
      assertEquals(2, slow.assignment().size());
      // While it works on one record, somebody else joins: nothing is taken away before the next poll.
      CountDownLatch joined = new CountDownLatch(1);
      CompletableFuture<Void> other = CompletableFuture.runAsync(() -> {
        try (MillraceKafkaConsumer<String, String> quick = clients.member("patient", small)) {
          quick.subscribe(List.of("slow"));
          assertTrue(quick.poll(Duration.ofSeconds(1)).isEmpty(), "was given a partition of the slow member's");
          joined.countDown();
          take(quick, 10);
        }
      });
      assertTrue(joined.await(60, TimeUnit.SECONDS));
      ConsumerRecord<String, String> record = first.get(0);
      TopicPartition partition = new TopicPartition(record.topic(), record.partition());
      slow.commitSync(Map.of(partition, new OffsetAndMetadata(record.offset() + 1)));
      int polls = 0;
      while (!notes.told.contains("revoked 1")) {
        slow.poll(Duration.ofSeconds(1));
        assertTrue(++polls < 10, "the revocation was heard only after all that was read ahead");
      }
      other.get(60, TimeUnit.SECONDS);
    }
  }

  @Test
  void aMemberThatDoesNotPollLosesWhatItMustGiveUpAfterMaxPollInterval() {
    clients.createTopic("hung", 2);
    clients.fill("hung", 0, 1);
    clients.fill("hung", 1, 1);
    Notes notes = new Notes();
    try (MillraceKafkaConsumer<String, String> hung = clients.member("hanging", "max.poll.interval.ms", 300);
        MillraceKafkaConsumer<String, String> other = clients.member("hanging")) {
      hung.subscribe(List.of("hung"), notes);
      List<ConsumerRecord<String, String>> held = take(hung, 2);
      other.subscribe(List.of("hung"));
      TopicPartition taken = new TopicPartition("hung", take(other, 1).get(0).partition());
      ConsumerRecord<String, String> late =
          held.stream().filter(record -> record.partition() == taken.partition()).findFirst().orElseThrow();
      CommitFailedException refused =
          assertThrows(
              CommitFailedException.class,
              () -> hung.commitSync(Map.of(taken, new OffsetAndMetadata(late.offset() + 1)), Duration.ofSeconds(2)));
      assertTrue(refused.getMessage().contains("MEMBER_FENCED") || refused.getMessage().contains("SUPERSEDED"));
      pollUntil(hung, () -> hung.assignment().size() == 1);
    }
  }

  @Test
  void aStaticMemberFindsItsPartitionsWhenItComesBackAndFencesItsDouble() {
    clients.createTopic("static", 4);
    try (MillraceKafkaConsumer<String, String> other = clients.member("static", "group.instance.id", "b")) {
      Set<TopicPartition> mine;
      MillraceKafkaConsumer<String, String> first = clients.member("static", "group.instance.id", "a");
      first.subscribe(List.of("static"));
      pollUntil(first, () -> first.assignment().size() == 4);
      other.subscribe(List.of("static"));
      while (first.assignment().size() > 2 || other.assignment().size() < 2) {
        first.poll(Duration.ofMillis(20));
        other.poll(Duration.ofMillis(20));
      }
      mine = first.assignment();
      first.close(); // A static member does not leave.
      try (MillraceKafkaConsumer<String, String> second = clients.member("static", "group.instance.id", "a")) {
        second.subscribe(List.of("static"));
        pollUntil(second, () -> second.assignment().size() == 2);
        assertEquals(mine, second.assignment());
        try (MillraceKafkaConsumer<String, String> twin = clients.member("static", "group.instance.id", "a")) {
          twin.subscribe(List.of("static"));
          pollUntil(twin, () -> !twin.assignment().isEmpty());
          assertThrows(FencedInstanceIdException.class, () -> second.poll(Duration.ofSeconds(30)));
        }
      }
    }
  }

  @Test
  void aListenerThatThrowsFailsThePollAndNotTheMember() {
    clients.createTopic("throws", 1);
    clients.fill("throws", 0, 1);
    try (MillraceKafkaConsumer<String, String> consumer = clients.member("throwing")) {
      consumer.subscribe(List.of("throws"), new ConsumerRebalanceListener() {
        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {}

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
          throw new IllegalArgumentException("mine");
        }
      });
      KafkaException error = assertThrows(KafkaException.class, () -> consumer.poll(Duration.ofSeconds(30)));
      assertEquals("mine", error.getCause().getMessage());
      assertEquals(1, take(consumer, 1).size());
    }
  }

  @Test
  void closeEndsAPollThatWaits() throws Exception {
    clients.createTopic("closing", 1);
    MillraceKafkaConsumer<String, String> consumer = clients.member("closer");
    consumer.subscribe(List.of("closing"));
    CompletableFuture<Void> polling = CompletableFuture.runAsync(() -> {
      try {
        consumer.poll(Duration.ofMinutes(5));
      } catch (WakeupException asked) {
        consumer.close();
      }
    });
    consumer.wakeup(); // How Kafka's consumers are closed from elsewhere.
    polling.get(30, TimeUnit.SECONDS);
    consumer.close();
    assertThrows(IllegalStateException.class, () -> consumer.poll(Duration.ZERO));
  }

  /** Kills the hub under a member, again and again: it goes on where it was, without seeing a record twice. */
  @Test
  void aMemberGoesOnOverKillsOfTheHub() {
    try (HubProcess killed = HubProcess.start()) {
      HubClients at = new HubClients(killed);
      at.createTopic("survives", 2);
      Notes notes = new Notes();
      try (MillraceKafkaConsumer<String, String> consumer = at.member("survivors", "max.poll.records", 50)) {
        consumer.subscribe(List.of("survives"), notes);
        List<ConsumerRecord<String, String>> all = new ArrayList<>();
        for (int round = 0; round < 4; round++) {
          at.fill("survives", 0, 200);
          all.addAll(take(consumer, 200));
          if (round % 2 == 0) consumer.commitSync();
          killed.kill();
          assertTrue(consumer.poll(Duration.ofMillis(50)).isEmpty());
          killed.restart();
        }
        assertEquals(
            IntStream.range(0, 800).mapToObj(Long::valueOf).map(String::valueOf).toList(),
            all.stream().map(record -> String.valueOf(record.offset())).toList());
        consumer.commitSync();
        TopicPartition partition = new TopicPartition("survives", 0);
        assertEquals(800, consumer.committed(Set.of(partition)).get(partition).offset());
        assertEquals(List.of("assigned 2"), notes.told);
      }
    }
  }

  @Test
  void aConsumerWaitsForAHubThatIsNotThereYet() {
    try (HubProcess late = HubProcess.prepare().reservePorts()) {
      HubClients at = new HubClients(late);
      try (MillraceKafkaConsumer<String, String> consumer = at.member("waiting")) {
        consumer.subscribe(List.of("later"));
        assertTrue(consumer.poll(Duration.ofMillis(200)).isEmpty());
        late.restart();
        at.createTopic("later", 1);
        at.fill("later", 0, 3);
        assertEquals(numbers(0, 3), values(take(consumer, 3)));
      }
    }
  }

  @Test
  void aConsumerOfAHubThatIsGoneCloses() {
    HubProcess gone = HubProcess.start();
    HubClients at = new HubClients(gone);
    at.createTopic("gone", 1);
    at.fill("gone", 0, 2);
    MillraceKafkaConsumer<String, String> consumer = at.member("leavers", "enable.auto.commit", "true");
    consumer.subscribe(List.of("gone"));
    take(consumer, 2);
    gone.close();
    consumer.close(Duration.ofMillis(300));
    assertThrows(IllegalStateException.class, () -> consumer.poll(Duration.ZERO));
  }
}
