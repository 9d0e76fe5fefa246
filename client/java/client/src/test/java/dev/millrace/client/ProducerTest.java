package dev.millrace.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.test.HubProcess;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class ProducerTest {
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

  private static Producer open(ProducerOptions options) {
    return Producer.open(connection, options);
  }

  static List<ReceivedRecord> readAll(Connection connection, String topic) {
    List<ReceivedRecord> all = new ArrayList<>();
    ConsumerOptions options =
        ConsumerOptions.ofTopics(topic).withStart(Start.EARLIEST, OutOfRange.FAIL).withEndAtCurrent(true);
    try (Consumer consumer = Consumer.open(connection, options)) {
      while (!consumer.ended()) all.addAll(consumer.poll(Duration.ofSeconds(10)));
    }
    return all;
  }

  @Test
  void recordsKeepTheirOrderAndTellTheirOffsets() throws Exception {
    admin.createTopic("ordered", 1, null);
    List<CompletableFuture<Delivery>> sent = new ArrayList<>();
    try (Producer producer = open(ProducerOptions.defaults())) {
      for (int i = 0; i < 5_000; i++) sent.add(producer.send("ordered", OutgoingRecord.of(null, "v" + i)));
    }
    for (int i = 0; i < 5_000; i++) assertEquals(new Delivery(0, i), sent.get(i).get(1, TimeUnit.SECONDS));
    List<ReceivedRecord> all = readAll(connection, "ordered");
    assertEquals(5_000, all.size());
    for (int i = 0; i < 5_000; i++) assertEquals("v" + i, all.get(i).valueText());
  }

  @Test
  void everyPartOfARecordArrivesAsItWasSent() throws Exception {
    admin.createTopic("parts", 1, null);
    Instant time = Instant.ofEpochSecond(1_700_000_000, 123_456_789);
    List<Header> headers =
        List.of(new Header("a", new byte[] {1, 2}), new Header("a", null), new Header("ä", new byte[0]));
    try (Producer producer = open(ProducerOptions.defaults())) {
      producer.send("parts", new OutgoingRecord(new byte[0], null, headers, time)).get();
      producer.send("parts", new OutgoingRecord(null, new byte[0], List.of(), Instant.ofEpochMilli(-1))).get();
    }
    List<ReceivedRecord> all = readAll(connection, "parts");
    assertEquals(0, all.get(0).key().length);
    assertEquals(null, all.get(0).value());
    assertEquals(time, all.get(0).eventTime());
    assertEquals(3, all.get(0).headers().size());
    assertEquals(null, all.get(0).headers().get(1).value());
    assertEquals("ä", all.get(0).headers().get(2).name());
    assertEquals(null, all.get(1).key());
    assertEquals(0, all.get(1).value().length);
    assertEquals(Instant.ofEpochMilli(-1), all.get(1).eventTime());
  }

  @Test
  void aRefusedRequestFailsItsOwnRecordsOnly() throws Exception {
    admin.createTopic("there", 1, null);
    try (Producer producer = open(ProducerOptions.defaults())) {
      CompletableFuture<Delivery> lost = producer.send("missing", OutgoingRecord.of(null, "x"));
      List<CompletableFuture<Delivery>> kept = new ArrayList<>();
      for (int i = 0; i < 100; i++) kept.add(producer.send("there", OutgoingRecord.of(null, "y" + i)));
      ExecutionException failed = assertThrows(ExecutionException.class, lost::get);
      assertTrue(assertInstanceOf(MillraceException.class, failed.getCause()).is(Reason.TOPIC_NOT_FOUND));
      for (int i = 0; i < 100; i++) assertEquals(i, kept.get(i).get().offset());
    }
  }

  @Test
  void aRecordOverTheLimitIsRefusedAtOnce() {
    admin.createTopic("large", 1, null);
    try (Producer producer = open(ProducerOptions.defaults())) {
      OutgoingRecord record = OutgoingRecord.of(null, new byte[2 << 20]);
      MillraceException refused = assertThrows(MillraceException.class, () -> producer.send("large", record));
      assertTrue(refused.is(Reason.RECORD_TOO_LARGE));
      producer.send("large", OutgoingRecord.of(null, new byte[1_000_000])).join();
    }
    assertEquals(1, readAll(connection, "large").size());
  }

  @Test
  void aProducerOfTheSameNameFencesTheOneBefore() {
    admin.createTopic("fenced", 1, null);
    try (Producer first = open(ProducerOptions.defaults().withProducerId("twin"));
        Producer second = open(ProducerOptions.defaults().withProducerId("twin"))) {
      CompletableFuture<Delivery> refused = first.send("fenced", OutgoingRecord.of(null, "old"));
      ExecutionException failed = assertThrows(ExecutionException.class, refused::get);
      assertTrue(((MillraceException) failed.getCause()).is(Reason.PRODUCER_FENCED));
      second.send("fenced", OutgoingRecord.of(null, "new")).join();
      assertThrows(MillraceException.class, () -> first.send("fenced", OutgoingRecord.of(null, "again")));
    }
  }

  @Test
  void aClosedProducerTakesNothing() {
    Producer producer = open(ProducerOptions.defaults());
    producer.close();
    MillraceException refused =
        assertThrows(MillraceException.class, () -> producer.send("any", OutgoingRecord.of(null, "x")));
    assertTrue(refused.is(Reason.CLOSED));
    assertTrue(producer.close(Duration.ZERO));
  }

  @Test
  void whatIsSentWhileTheHubIsAwayFailsAfterTheDeliveryTimeout() {
    try (HubProcess other = HubProcess.start()) {
      try (Connection to = Connection.to(other.target());
          Producer producer =
              Producer.open(to, ProducerOptions.defaults().withDeliveryTimeout(Duration.ofMillis(300)))) {
        other.kill();
        CompletableFuture<Delivery> late = producer.send("any", OutgoingRecord.of(null, "x"));
        ExecutionException failed = assertThrows(ExecutionException.class, late::get);
        assertTrue(((MillraceException) failed.getCause()).is(Reason.DELIVERY_TIMEOUT));
        assertTrue(producer.flush(Duration.ofSeconds(10)));
      }
    }
  }

  @Test
  void aFullBufferRefusesAfterItsTime() {
    try (HubProcess other = HubProcess.start()) {
      ProducerOptions small = ProducerOptions.defaults().withBuffer(1_000, Duration.ofMillis(50));
      try (Connection to = Connection.to(other.target()); Producer producer = Producer.open(to, small)) {
        other.kill();
        producer.send("any", OutgoingRecord.of(null, new byte[900]));
        MillraceException refused =
            assertThrows(MillraceException.class, () -> producer.send("any", OutgoingRecord.of(null, new byte[900])));
        assertTrue(refused.is(Reason.BUFFER_FULL));
        assertFalse(producer.close(Duration.ZERO));
      }
    }
  }

  /** Kills the hub in the middle of sending, again and again: every record is there once and in order. */
  @Test
  void killsOfTheHubLoseDoubleAndReorderNothing() throws Exception {
    try (HubProcess other = HubProcess.start();
        Connection to = Connection.to(other.target())) {
      new Admin(to).createTopic("kept", 1, null);
      List<CompletableFuture<Delivery>> sent = new ArrayList<>();
      ProducerOptions small = ProducerOptions.defaults().withBatching(Duration.ofMillis(1), 2_000);
      try (Producer producer = Producer.open(to, small)) {
        for (int kill = 0; kill < 5; kill++) {
          for (int i = 0; i < 4_000; i++) {
            sent.add(producer.send("kept", OutgoingRecord.of(null, String.valueOf(sent.size()))));
          }
          sent.get(sent.size() - 3_000).get();
          other.kill();
          other.restart();
        }
        assertTrue(producer.flush(Duration.ofSeconds(60)));
        assertTrue(producer.statistics().requestsRepeated() > 0, producer.statistics().toString());
      }
      List<ReceivedRecord> all = readAll(to, "kept");
      assertEquals(sent.size(), all.size());
      for (int i = 0; i < all.size(); i++) {
        assertEquals(String.valueOf(i), all.get(i).valueText());
        assertEquals(i, sent.get(i).get().offset());
      }
    }
  }
}
