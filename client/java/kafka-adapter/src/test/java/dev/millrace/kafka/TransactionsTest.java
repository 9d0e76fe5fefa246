package dev.millrace.kafka;

import static dev.millrace.kafka.HubClients.take;
import static dev.millrace.kafka.HubClients.values;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.test.HubProcess;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class TransactionsTest {
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

  private static MillraceKafkaProducer<String, String> transactional(String id) {
    MillraceKafkaProducer<String, String> producer = clients.producer("transactional.id", id);
    producer.initTransactions();
    return producer;
  }

  private static long end(String topic) {
    TopicPartition partition = new TopicPartition(topic, 0);
    try (MillraceKafkaConsumer<String, String> consumer = clients.consumer()) {
      return consumer.endOffsets(List.of(partition)).get(partition);
    }
  }

  @Test
  void aSendIsCompleteAtOnceAndStoredByTheCommit() throws Exception {
    clients.createTopic("atomic-a", 1);
    clients.createTopic("atomic-b", 1);
    RecordMetadata[] told = new RecordMetadata[1];
    try (MillraceKafkaProducer<String, String> producer = transactional("atomic")) {
      producer.beginTransaction();
      Future<RecordMetadata> sent =
          producer.send(new ProducerRecord<>("atomic-a", "k", "1"), (metadata, error) -> told[0] = metadata);
      producer.send(new ProducerRecord<>("atomic-b", "k", "2"));
      assertTrue(sent.isDone());
      assertEquals(-1, sent.get().offset());
      assertEquals(0, told[0].partition());
      assertEquals(0, end("atomic-a"));
      producer.commitTransaction();
      assertEquals(1, end("atomic-a"));
      assertEquals(1, end("atomic-b"));
      producer.beginTransaction();
      producer.send(new ProducerRecord<>("atomic-a", "k", "3"));
      producer.commitTransaction();
      assertEquals(2, end("atomic-a"));
    }
  }

  @Test
  void anAbortLeavesNothing() {
    clients.createTopic("aborted", 1);
    try (MillraceKafkaProducer<String, String> producer = transactional("aborts")) {
      producer.beginTransaction();
      producer.send(new ProducerRecord<>("aborted", "gone"));
      producer.abortTransaction();
      producer.beginTransaction();
      producer.send(new ProducerRecord<>("aborted", "kept"));
      producer.commitTransaction();
    }
    try (MillraceKafkaConsumer<String, String> consumer = clients.member("aborted")) {
      consumer.subscribe(List.of("aborted"));
      assertEquals(List.of("kept"), values(take(consumer, 1)));
      assertEquals(1, end("aborted"));
    }
  }

  @Test
  void offsetsAreCommittedWithTheRecordsOrNotAtAll() {
    clients.createTopic("in", 1);
    clients.createTopic("out", 1);
    clients.fill("in", 0, 3);
    TopicPartition in = new TopicPartition("in", 0);
    try (MillraceKafkaConsumer<String, String> consumer = clients.member("pipe");
        MillraceKafkaProducer<String, String> producer = transactional("pipe")) {
      consumer.subscribe(List.of("in"));
      take(consumer, 3);
      producer.beginTransaction();
      producer.send(new ProducerRecord<>("out", "first"));
      producer.sendOffsetsToTransaction(Map.of(in, new OffsetAndMetadata(2)), consumer.groupMetadata());
      producer.abortTransaction();
      assertEquals(0, committed(consumer, in)); // Where the group began.
      producer.beginTransaction();
      producer.send(new ProducerRecord<>("out", "second"));
      producer.sendOffsetsToTransaction(Map.of(in, new OffsetAndMetadata(3)), consumer.groupMetadata());
      producer.commitTransaction();
      assertEquals(3, committed(consumer, in));
      assertEquals(1, end("out"));
    }
  }

  private static long committed(MillraceKafkaConsumer<String, String> consumer, TopicPartition partition) {
    return consumer.committed(Set.of(partition)).get(partition).offset();
  }

  @Test
  void aMemberThatHasLostItsPartitionStoresNothing() {
    clients.createTopic("from", 1);
    clients.createTopic("to", 1);
    clients.fill("from", 0, 1);
    TopicPartition from = new TopicPartition("from", 0);
    try (MillraceKafkaProducer<String, String> producer = transactional("stale")) {
      ConsumerGroupMetadata stale;
      try (MillraceKafkaConsumer<String, String> consumer = clients.member("fenced")) {
        consumer.subscribe(List.of("from"));
        take(consumer, 1);
        stale = consumer.groupMetadata();
      }
      try (MillraceKafkaConsumer<String, String> next = clients.member("fenced")) {
        next.subscribe(List.of("from"));
        take(next, 1);
        producer.beginTransaction();
        producer.send(new ProducerRecord<>("to", "never"));
        producer.sendOffsetsToTransaction(Map.of(from, new OffsetAndMetadata(1)), stale);
        assertThrows(CommitFailedException.class, producer::commitTransaction);
        producer.abortTransaction();
        assertEquals(0, end("to"));
      }
      producer.beginTransaction();
      producer.send(new ProducerRecord<>("to", "later"));
      producer.commitTransaction();
      assertEquals(1, end("to"));
    }
  }

  @Test
  void aNewProducerOfTheSameIdFencesTheOneBefore() {
    clients.createTopic("ids", 1);
    try (MillraceKafkaProducer<String, String> first = transactional("one")) {
      first.beginTransaction();
      first.send(new ProducerRecord<>("ids", "old"));
      try (MillraceKafkaProducer<String, String> second = transactional("one")) {
        assertThrows(ProducerFencedException.class, first::commitTransaction);
        assertThrows(ProducerFencedException.class, first::beginTransaction);
        second.beginTransaction();
        second.send(new ProducerRecord<>("ids", "new"));
        second.commitTransaction();
      }
    }
    assertEquals(1, end("ids"));
  }

  @Test
  void aTransactionThatIsTooLargeIsAClearError() {
    clients.createTopic("huge", 1);
    try (MillraceKafkaProducer<String, String> producer = transactional("huge")) {
      producer.beginTransaction();
      String value = "x".repeat(900_000);
      for (int i = 0; i < 4; i++) producer.send(new ProducerRecord<>("huge", value));
      Future<RecordMetadata> beyond = producer.send(new ProducerRecord<>("huge", value));
      ExecutionException failed = assertThrows(ExecutionException.class, beyond::get);
      assertInstanceOf(RecordTooLargeException.class, failed.getCause());
      assertTrue(failed.getCause().getMessage().contains("transaction is one request"), failed.getMessage());
      assertThrows(KafkaException.class, producer::commitTransaction);
      producer.abortTransaction();
      assertEquals(0, end("huge"));
      producer.beginTransaction();
      producer.send(new ProducerRecord<>("huge", value));
      producer.commitTransaction();
      assertEquals(1, end("huge"));
    }
  }

  @Test
  void aRecordThatCannotBeTakenInLeavesOnlyAnAbort() {
    clients.createTopic("partly", 1);
    try (MillraceKafkaProducer<String, String> producer = transactional("partly")) {
      producer.beginTransaction();
      producer.send(new ProducerRecord<>("partly", "v"));
      Future<RecordMetadata> lost = producer.send(new ProducerRecord<>("not-there", "v"));
      assertInstanceOf(
          UnknownTopicOrPartitionException.class, assertThrows(ExecutionException.class, lost::get).getCause());
      assertThrows(KafkaException.class, producer::commitTransaction);
      producer.abortTransaction();
    }
    assertEquals(0, end("partly"));
  }

  @Test
  void callsOutOfTurnAreRefused() {
    clients.createTopic("turns", 1);
    try (MillraceKafkaProducer<String, String> plain = clients.producer();
        MillraceKafkaProducer<String, String> producer = clients.producer("transactional.id", "turns")) {
      assertThrows(IllegalStateException.class, plain::beginTransaction);
      assertThrows(IllegalStateException.class, producer::beginTransaction);
      producer.initTransactions();
      assertThrows(IllegalStateException.class, producer::commitTransaction);
      assertThrows(IllegalStateException.class, () -> producer.send(new ProducerRecord<>("turns", "v")));
      producer.beginTransaction();
      assertThrows(IllegalStateException.class, producer::beginTransaction);
      producer.commitTransaction();
    }
  }

  /** The hub is killed before the commit: it is asked again under the same number, and stored once. */
  @Test
  void aCommitIsRepeatedOverAKillOfTheHub() throws Exception {
    try (HubProcess killed = HubProcess.start()) {
      HubClients at = new HubClients(killed);
      at.createTopic("repeated", 1);
      try (MillraceKafkaProducer<String, String> producer = at.producer("transactional.id", "repeats")) {
        producer.initTransactions();
        for (int round = 0; round < 3; round++) {
          producer.beginTransaction();
          producer.send(new ProducerRecord<>("repeated", String.valueOf(round)));
          killed.kill();
          Thread restart = new Thread(killed::restart);
          restart.start();
          producer.commitTransaction();
          restart.join();
        }
      }
      try (MillraceKafkaConsumer<String, String> consumer = at.member("repeated")) {
        consumer.subscribe(List.of("repeated"));
        assertEquals(List.of("0", "1", "2"), values(take(consumer, 3)));
      }
    }
  }
}
