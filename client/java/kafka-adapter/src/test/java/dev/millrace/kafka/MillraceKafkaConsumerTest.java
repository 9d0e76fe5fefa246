package dev.millrace.kafka;

import static dev.millrace.kafka.HubClients.pollUntil;
import static dev.millrace.kafka.HubClients.take;
import static dev.millrace.kafka.HubClients.values;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.test.HubProcess;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.ConcurrentModificationException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.NoOffsetForPartitionException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidGroupIdException;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.IntegerDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class MillraceKafkaConsumerTest {
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

  private static List<String> numbers(int from, int to) {
    return IntStream.range(from, to).mapToObj(String::valueOf).toList();
  }

  private static TopicPartition filled(String topic, int count) {
    clients.createTopic(topic, 1);
    clients.fill(topic, 0, count);
    return new TopicPartition(topic, 0);
  }

  @Test
  void aGroupGoesOnWhereItCommitted() {
    TopicPartition partition = filled("committed", 10);
    try (MillraceKafkaConsumer<String, String> first = clients.member("resume", "max.poll.records", 4)) {
      first.subscribe(List.of("committed"));
      assertEquals(numbers(0, 4), values(take(first, 4)));
      first.commitSync();
      assertEquals(4, first.committed(Set.of(partition)).get(partition).offset());
      assertEquals(numbers(4, 8), values(take(first, 4)));
    }
    try (MillraceKafkaConsumer<String, String> second = clients.member("resume")) {
      second.subscribe(List.of("committed"));
      assertEquals(numbers(4, 10), values(take(second, 6)));
    }
  }

  @Test
  void whatIsProcessedIsCommittedAutomatically() {
    TopicPartition partition = filled("automatic", 5);
    try (MillraceKafkaConsumer<String, String> consumer =
        clients.member("auto", "enable.auto.commit", "true", "auto.commit.interval.ms", 50)) {
      consumer.subscribe(List.of("automatic"));
      take(consumer, 5);
      pollUntil(consumer, () -> {
        OffsetAndMetadata committed = consumer.committed(Set.of(partition)).get(partition);
        return committed != null && committed.offset() == 5;
      });
    }
  }

  @Test
  void closeCommitsAutomatically() {
    filled("at-close", 5);
    try (MillraceKafkaConsumer<String, String> consumer = clients.member("closing", "enable.auto.commit", "true")) {
      consumer.subscribe(List.of("at-close"));
      take(consumer, 5);
    }
    try (MillraceKafkaConsumer<String, String> consumer = clients.member("closing")) {
      TopicPartition partition = new TopicPartition("at-close", 0);
      assertEquals(5, consumer.committed(Set.of(partition)).get(partition).offset());
    }
  }

  @Test
  void commitAsyncCallsBackInOrderOnThePollingThread() {
    TopicPartition partition = filled("async", 3);
    List<Long> told = new ArrayList<>();
    List<Thread> threads = new ArrayList<>();
    try (MillraceKafkaConsumer<String, String> consumer = clients.member("async")) {
      consumer.subscribe(List.of("async"));
      take(consumer, 3);
      for (long offset = 1; offset <= 3; offset++) {
        consumer.commitAsync(Map.of(partition, new OffsetAndMetadata(offset, "m" + offset)), (offsets, error) -> {
          assertNull(error);
          told.add(offsets.get(partition).offset());
          threads.add(Thread.currentThread());
        });
      }
      consumer.commitSync(Map.of(partition, new OffsetAndMetadata(3, "last")));
      assertEquals(List.of(1L, 2L, 3L), told);
      assertEquals(Set.of(Thread.currentThread()), Set.copyOf(threads));
    }
  }

  @Test
  void theMetadataOfACommitIsFoundAgain() {
    TopicPartition partition = filled("annotated", 1);
    TopicPartition other = new TopicPartition("annotated", 0);
    try (MillraceKafkaConsumer<String, String> consumer = clients.member("notes")) {
      assertNull(consumer.committed(Set.of(other)).get(other));
      consumer.subscribe(List.of("annotated"));
      take(consumer, 1);
      consumer.commitSync(Map.of(partition, new OffsetAndMetadata(1, "done")));
      assertEquals("done", consumer.committed(Set.of(partition)).get(partition).metadata());
    }
  }

  @Test
  void latestBeginsBehindWhatIsThere() throws Exception {
    filled("latest", 5);
    try (MillraceKafkaConsumer<String, String> consumer = clients.member("end", "auto.offset.reset", "latest")) {
      consumer.subscribe(List.of("latest"));
      pollUntil(consumer, () -> !consumer.assignment().isEmpty());
      try (MillraceKafkaProducer<String, String> producer = clients.producer()) {
        producer.send(new ProducerRecord<>("latest", "new")).get();
      }
      assertEquals(List.of("new"), values(take(consumer, 1)));
    }
  }

  @Test
  void withoutAResetPolicyAGroupThatBeginsNowhereIsAnError() {
    TopicPartition partition = filled("strict", 2);
    try (MillraceKafkaConsumer<String, String> consumer = clients.member("none", "auto.offset.reset", "none")) {
      consumer.subscribe(List.of("strict"));
      NoOffsetForPartitionException error =
          assertThrows(NoOffsetForPartitionException.class, () -> consumer.poll(Duration.ofSeconds(5)));
      assertEquals(Set.of(partition), error.partitions());
    }
  }

  @Test
  void withoutAResetPolicyAPositionOutOfRangeIsAnError() {
    TopicPartition partition = filled("range", 2);
    try (MillraceKafkaConsumer<String, String> consumer = clients.consumer("auto.offset.reset", "none")) {
      consumer.assign(List.of(partition));
      consumer.seek(partition, 0);
      take(consumer, 2);
      consumer.seek(partition, 99);
      OffsetOutOfRangeException error =
          assertThrows(OffsetOutOfRangeException.class, () -> take(consumer, 1));
      assertEquals(Map.of(partition, 99L), error.offsetOutOfRangePartitions());
      consumer.seek(partition, 1);
      assertEquals(List.of("1"), values(take(consumer, 1)));
    }
  }

  @Test
  void aPartitionThatFailsCostsTheOthersNoRecord() {
    clients.createTopic("half", 2);
    clients.fill("half", 1, 50);
    TopicPartition beyond = new TopicPartition("half", 0);
    TopicPartition whole = new TopicPartition("half", 1);
    try (MillraceKafkaConsumer<String, String> consumer =
        clients.consumer("auto.offset.reset", "none", "max.poll.records", 5, "heartbeat.interval.ms", 1)) {
      consumer.assign(List.of(beyond, whole));
      consumer.seek(beyond, 0);
      consumer.seek(whole, 0);
      List<String> read = new ArrayList<>(values(take(consumer, 5)));
      consumer.seek(beyond, 99);
      int failures = 0;
      while (read.size() < 50 || failures == 0) {
        try {
          consumer.poll(Duration.ofSeconds(1)).forEach(record -> read.add(record.value()));
        } catch (OffsetOutOfRangeException error) {
          assertEquals(Set.of(beyond), error.partitions());
          failures++;
        }
      }
      assertEquals(numbers(0, 50), read);
      assertEquals(1, failures);
    }
  }

  @Test
  void aPositionOutOfRangeIsResetAsThePolicySays() {
    TopicPartition partition = filled("reset", 3);
    try (MillraceKafkaConsumer<String, String> consumer = clients.consumer("auto.offset.reset", "earliest")) {
      consumer.assign(List.of(partition));
      take(consumer, 3);
      consumer.seek(partition, 99);
      assertEquals(numbers(0, 3), values(take(consumer, 3)));
    }
  }

  @Test
  void seekGoesBackAndForthAndDropsWhatWasReadAhead() {
    TopicPartition partition = filled("seek", 100);
    try (MillraceKafkaConsumer<String, String> consumer = clients.member("seeks", "max.poll.records", 10)) {
      consumer.subscribe(List.of("seek"));
      take(consumer, 10);
      consumer.seek(partition, 50);
      assertEquals(50, consumer.position(partition));
      assertEquals(numbers(50, 60), values(take(consumer, 10)));
      consumer.seek(partition, 3);
      consumer.seek(partition, 7);
      assertEquals(numbers(7, 17), values(take(consumer, 10)));
      consumer.seekToBeginning(List.of(partition));
      assertEquals(numbers(0, 10), values(take(consumer, 10)));
      consumer.seekToEnd(List.of());
      assertEquals(100, consumer.position(partition));
      consumer.commitSync();
      assertEquals(100, consumer.committed(Set.of(partition)).get(partition).offset());
      consumer.seek(partition, 20);
      take(consumer, 10);
      consumer.commitSync(); // Back, since the seek.
      assertEquals(30, consumer.committed(Set.of(partition)).get(partition).offset());
      assertThrows(IllegalStateException.class, () -> consumer.seek(new TopicPartition("seek", 1), 0));
    }
  }

  @Test
  void offsetsAreFoundByTime() throws Exception {
    TopicPartition partition = filled("timed", 3);
    long between = Instant.now().toEpochMilli() + 1;
    while (System.currentTimeMillis() <= between) Thread.onSpinWait();
    clients.fill("timed", 0, 2);
    try (MillraceKafkaConsumer<String, String> consumer = clients.consumer()) {
      assertEquals(Map.of(partition, 0L), consumer.beginningOffsets(List.of(partition)));
      assertEquals(Map.of(partition, 5L), consumer.endOffsets(List.of(partition)));
      assertEquals(3, consumer.offsetsForTimes(Map.of(partition, between)).get(partition).offset());
      Map<TopicPartition, Long> future = Map.of(partition, between + 3_600_000);
      assertNull(consumer.offsetsForTimes(future).get(partition));
      assertTrue(consumer.offsetsForTimes(future).containsKey(partition));
    }
  }

  @Test
  void pausedPartitionsAreSilentAndTheOthersGoOn() {
    clients.createTopic("paused", 2);
    TopicPartition held = new TopicPartition("paused", 0);
    clients.fill("paused", 0, 10);
    clients.fill("paused", 1, 10);
    try (MillraceKafkaConsumer<String, String> consumer = clients.member("pauses", "max.poll.records", 1)) {
      consumer.subscribe(List.of("paused"));
      List<ConsumerRecord<String, String>> seen = new ArrayList<>(take(consumer, 1));
      consumer.pause(List.of(held));
      assertEquals(Set.of(held), consumer.paused());
      long before = seen.stream().filter(record -> record.partition() == 0).count();
      while (seen.stream().filter(record -> record.partition() == 1).count() < 10) seen.addAll(take(consumer, 1));
      assertEquals(before, seen.stream().filter(record -> record.partition() == 0).count());
      assertTrue(consumer.poll(Duration.ofMillis(100)).isEmpty());
      consumer.resume(List.of(held));
      seen.addAll(take(consumer, 10 - (int) before));
      assertEquals(
          numbers(0, 10), values(seen.stream().filter(record -> record.partition() == 0).toList()));
      assertEquals(Set.of(), consumer.paused());
    }
  }

  @Test
  void assignReadsExactlyThesePartitionsAndKeepsTheirPositions() {
    clients.createTopic("assigned", 3);
    for (int i = 0; i < 3; i++) clients.fill("assigned", i, 4);
    TopicPartition first = new TopicPartition("assigned", 0);
    TopicPartition last = new TopicPartition("assigned", 2);
    try (MillraceKafkaConsumer<String, String> consumer = clients.member("none-yet", "max.poll.records", 2)) {
      consumer.assign(List.of(first));
      assertEquals(numbers(0, 2), values(take(consumer, 2)));
      consumer.assign(List.of(first, last));
      Map<Integer, List<String>> read = new HashMap<>();
      for (ConsumerRecord<String, String> record : take(consumer, 6)) {
        read.computeIfAbsent(record.partition(), any -> new ArrayList<>()).add(record.value());
      }
      assertEquals(Map.of(0, numbers(2, 4), 2, numbers(0, 4)), read);
      assertEquals(4, consumer.position(first));
      assertThrows(IllegalStateException.class, () -> consumer.subscribe(List.of("assigned")));
    }
  }

  @Test
  void assignWithAGroupBeginsAtItsCommitsAndCommits() {
    TopicPartition partition = filled("by-hand", 6);
    try (MillraceKafkaConsumer<String, String> consumer = clients.member("by-hand")) {
      consumer.assign(List.of(partition));
      take(consumer, 6);
      consumer.commitSync(Map.of(partition, new OffsetAndMetadata(4)));
    }
    try (MillraceKafkaConsumer<String, String> consumer = clients.member("by-hand")) {
      consumer.assign(List.of(partition));
      assertEquals(4, consumer.position(partition));
      assertEquals(numbers(4, 6), values(take(consumer, 2)));
    }
  }

  @Test
  void aTopicMayComeLaterThanItsSubscribers() {
    try (MillraceKafkaConsumer<String, String> member = clients.member("early");
        MillraceKafkaConsumer<String, String> reader = clients.consumer("auto.offset.reset", "earliest")) {
      member.subscribe(List.of("late-topic"));
      reader.assign(List.of(new TopicPartition("late-topic", 0)));
      assertTrue(member.poll(Duration.ofMillis(50)).isEmpty());
      assertTrue(reader.poll(Duration.ofMillis(50)).isEmpty());
      filled("late-topic", 3);
      assertEquals(numbers(0, 3), values(take(member, 3)));
      assertEquals(numbers(0, 3), values(take(reader, 3)));
    }
  }

  @Test
  void aPatternFindsTopicsThatComeLater() {
    filled("match-a", 1);
    filled("other-a", 1);
    try (MillraceKafkaConsumer<String, String> consumer = clients.member("matches", "metadata.max.age.ms", 50)) {
      consumer.subscribe(Pattern.compile("match-.*"));
      assertEquals("match-a", take(consumer, 1).get(0).topic());
      filled("match-b", 1);
      assertEquals("match-b", take(consumer, 1).get(0).topic());
      assertEquals(Set.of("match-a", "match-b"), consumer.subscription());
    }
  }

  @Test
  void anotherSubscriptionLeavesTheTopicsThatStayUndisturbed() {
    filled("stays", 2);
    filled("comes", 2);
    try (MillraceKafkaConsumer<String, String> consumer = clients.member("changes")) {
      consumer.subscribe(List.of("stays"));
      take(consumer, 2);
      consumer.subscribe(List.of("stays", "comes"));
      assertTrue(take(consumer, 2).stream().allMatch(record -> record.topic().equals("comes")));
      consumer.subscribe(List.of("comes"));
      pollUntil(consumer, () -> consumer.assignment().equals(Set.of(new TopicPartition("comes", 0))));
      consumer.unsubscribe();
      assertEquals(Set.of(), consumer.subscription());
      assertThrows(IllegalStateException.class, () -> consumer.poll(Duration.ZERO));
    }
  }

  @Test
  void aRecordThatCannotBeReadIsToldAgainUntilSeekLeadsPastIt() {
    clients.createTopic("poison", 1);
    TopicPartition partition = new TopicPartition("poison", 0);
    try (MillraceKafkaProducer<String, String> producer = clients.producer()) {
      for (String value : List.of("\0\0\0\1", "\0\0\0\2", "bad", "\0\0\0\4")) {
        producer.send(new ProducerRecord<>("poison", "k", value));
      }
    }
    try (MillraceKafkaConsumer<String, Integer> consumer =
        new MillraceKafkaConsumer<>(
            clients.settings("group.id", "poisoned", "auto.offset.reset", "earliest"),
            new StringDeserializer(),
            new IntegerDeserializer())) {
      consumer.subscribe(List.of("poison"));
      ConsumerRecords<String, Integer> good = ConsumerRecords.empty();
      while (good.isEmpty()) good = consumer.poll(Duration.ofSeconds(1));
      assertEquals(2, good.count());
      for (int i = 0; i < 2; i++) {
        RecordDeserializationException error =
            assertThrows(RecordDeserializationException.class, () -> consumer.poll(Duration.ofSeconds(5)));
        assertEquals(2, error.offset());
        assertEquals(partition, error.topicPartition());
        assertEquals("bad", valueOf(error));
        assertEquals(2, consumer.position(partition));
      }
      consumer.seek(partition, 3);
      ConsumerRecords<String, Integer> rest = ConsumerRecords.empty();
      while (rest.isEmpty()) rest = consumer.poll(Duration.ofSeconds(1));
      assertEquals(4, rest.iterator().next().value());
    }
  }

  private static String valueOf(RecordDeserializationException error) {
    byte[] bytes = new byte[error.valueBuffer().remaining()];
    error.valueBuffer().duplicate().get(bytes);
    return new String(bytes);
  }

  @Test
  void wakeupMakesPollThrowOnce() throws Exception {
    filled("woken", 0);
    try (MillraceKafkaConsumer<String, String> consumer = clients.member("wakes")) {
      consumer.subscribe(List.of("woken"));
      consumer.wakeup();
      assertThrows(WakeupException.class, () -> consumer.poll(Duration.ofSeconds(60)));
      assertTrue(consumer.poll(Duration.ofMillis(10)).isEmpty());
      CountDownLatch polling = new CountDownLatch(1);
      CompletableFuture<Void> waking = CompletableFuture.runAsync(() -> {
        await(polling);
        consumer.wakeup();
      });
      polling.countDown();
      assertThrows(WakeupException.class, () -> consumer.poll(Duration.ofSeconds(60)));
      waking.get();
    }
  }

  @Test
  void aSecondThreadIsRefused() throws Exception {
    filled("guarded", 0);
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch refused = new CountDownLatch(1);
    try (MillraceKafkaConsumer<String, String> consumer = clients.member("guarded")) {
      consumer.subscribe(List.of("guarded"), new ConsumerRebalanceListener() {
        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {}

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
          inside.countDown();
          await(refused);
        }
      });
      CompletableFuture<Void> polling = CompletableFuture.runAsync(() -> pollUntil(consumer, () -> inside.getCount() == 0));
      await(inside);
      assertThrows(ConcurrentModificationException.class, consumer::paused);
      assertThrows(ConcurrentModificationException.class, consumer::close);
      refused.countDown();
      polling.get();
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      assertTrue(latch.await(30, TimeUnit.SECONDS));
    } catch (InterruptedException interrupted) {
      throw new AssertionError(interrupted);
    }
  }

  @Test
  void groupAndPartitionsAreDescribed() {
    filled("looked-at", 2);
    TopicPartition partition = new TopicPartition("looked-at", 0);
    try (MillraceKafkaConsumer<String, String> consumer = clients.member("described", "max.poll.records", 1)) {
      assertEquals(1, consumer.partitionsFor("looked-at").size());
      assertEquals(List.of(), consumer.partitionsFor("no-such"));
      assertTrue(consumer.listTopics().containsKey("looked-at"));
      consumer.subscribe(List.of("looked-at"));
      take(consumer, 1);
      assertEquals("described", consumer.groupMetadata().groupId());
      assertFalse(consumer.groupMetadata().memberId().isEmpty());
      assertEquals(1, consumer.currentLag(partition).getAsLong());
      assertThrows(UnsupportedOperationException.class, consumer::enforceRebalance);
    }
  }

  @Test
  void subscribingNeedsAGroup() {
    try (MillraceKafkaConsumer<String, String> consumer = clients.consumer()) {
      assertThrows(InvalidGroupIdException.class, () -> consumer.subscribe(List.of("any")));
      assertThrows(IllegalStateException.class, () -> consumer.poll(Duration.ZERO));
    }
  }
}
