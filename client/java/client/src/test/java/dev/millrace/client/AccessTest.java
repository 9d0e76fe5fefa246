package dev.millrace.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.test.AccessFile;
import dev.millrace.test.HubProcess;
import dev.millrace.test.TokenIssuer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A hub that asks who calls. What is final is waited for without end, so that it fails at once or never. */
@Timeout(120)
class AccessTest {
  private static final Duration FOR_EVER = Duration.ofHours(1);
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final String OPS =
      """
      {"principals":["ops"],"rights":["administer","produce","consume","commit"],"topics":["*"],"groups":["*"]}""";
  private static final String TEAM =
      """
      {"principals":["team"],"rights":["produce","consume","commit"],"topics":["orders","long"],"groups":["billing"]}""";
  private static final String TEAM_ELSEWHERE =
      """
      {"principals":["team"],"rights":["inspect"],"topics":["elsewhere"]}""";

  @TempDir static Path directory;
  private static TokenIssuer issuer;
  private static AccessFile access;
  private static HubProcess hub;
  private static Connection ops;

  @BeforeAll
  static void startHub() {
    issuer = new TokenIssuer(directory.resolve("keys.json"));
    access = new AccessFile(directory.resolve("access.json"), issuer, "ops", "team").write(OPS, TEAM);
    hub = HubProcess.start(access.hubFlag());
    ops = connect(() -> AccessFile.tokenOf("ops"));
    for (String topic : List.of("orders", "long", "secret")) new Admin(ops).createTopic(topic, 1, null);
  }

  @AfterAll
  static void stopHub() {
    ops.close();
    hub.close();
  }

  private static Connection connect(TokenSource token) {
    return Connection.to(ConnectionOptions.to(hub.target()).withRequestTimeout(FOR_EVER).withToken(token));
  }

  private static Connection asTeam() {
    return connect(() -> AccessFile.tokenOf("team"));
  }

  @Test
  void whoSaysNothingOrSomethingWrongIsRefusedAtOnce() {
    try (Connection nobody = Connection.to(hub.target(), FOR_EVER);
        Connection wrong = connect(() -> "no such token")) {
      for (Connection connection : List.of(nobody, wrong)) {
        MillraceException refused = assertThrows(MillraceException.class, connection::hub);
        assertTrue(refused.is(Reason.UNAUTHENTICATED), refused.toString());
      }
    }
  }

  @Test
  void aTokenFileIsReadAnewForEveryCallAndWaitedFor() throws Exception {
    Path file = directory.resolve("late-token");
    try (Connection connection = connect(TokenSource.ofFile(file))) {
      CompletableFuture<Void> asked = CompletableFuture.runAsync(connection::hub);
      AccessFile.replace(file, " \n"); // A file that is being written.
      AccessFile.replace(file, AccessFile.tokenOf("team") + "\n");
      asked.get();
      AccessFile.replace(file, "no such token");
      assertTrue(assertThrows(MillraceException.class, connection::hub).is(Reason.UNAUTHENTICATED));
    }
    try (Connection hasty =
        Connection.to(
            ConnectionOptions.to(hub.target())
                .withRequestTimeout(Duration.ofSeconds(2))
                .withToken(TokenSource.ofFile(directory.resolve("missing"))))) {
      MillraceException unread = assertThrows(MillraceException.class, hasty::hub);
      assertTrue(unread.getMessage().contains("missing"), unread.toString());
    }
  }

  @Test
  void aRecordThatMayNotBeWrittenFailsAloneAndTheOthersGoOn() throws Exception {
    try (Connection team = asTeam(); Producer producer = Producer.open(team, ProducerOptions.defaults())) {
      CompletableFuture<Delivery> refused = producer.send("secret", OutgoingRecord.of(null, "x"));
      CompletableFuture<Delivery> missing = producer.send("not-there", OutgoingRecord.of(null, "x"));
      CompletableFuture<Delivery> stored = producer.send("orders", OutgoingRecord.of(null, "y"));
      assertEquals("secret", refusalOf(refused).metadata().get("topic"));
      assertEquals("not-there", refusalOf(missing).metadata().get("topic"));
      stored.get();
    }
  }

  private static MillraceException refusalOf(CompletableFuture<Delivery> sent) {
    ExecutionException failed = assertThrows(ExecutionException.class, sent::get);
    MillraceException refused = assertInstanceOf(MillraceException.class, failed.getCause());
    assertTrue(refused.is(Reason.PERMISSION_DENIED), refused.toString());
    return refused;
  }

  @Test
  void aReaderThatLosesItsRightIsToldAndGoesOnWhereItWasOnceItHasItAgain() throws Exception {
    List<String> read = new ArrayList<>();
    try (Connection team = asTeam();
        Producer producer = Producer.open(ops, ProducerOptions.defaults());
        Consumer consumer = Consumer.open(team, ConsumerOptions.ofGroup("billing", "long"))) {
      send(producer, "long", 0, 50);
      readUpTo(consumer, 50, read);
      access.write(OPS, TEAM_ELSEWHERE);
      MillraceException refused = assertThrows(MillraceException.class, () -> pollFor(consumer, FOR_EVER));
      assertTrue(refused.is(Reason.PERMISSION_DENIED), refused.toString());
      send(producer, "long", 50, 100);
      access.write(OPS, TEAM);
      readUpTo(consumer, 100, read);
      consumer.commit();
    } finally {
      access.write(OPS, TEAM);
    }
    assertEquals(IntStream.range(0, 100).mapToObj(String::valueOf).toList(), read);
  }

  private static void pollFor(Consumer consumer, Duration time) {
    long end = System.nanoTime() + time.toNanos();
    while (System.nanoTime() - end < 0) consumer.poll(Duration.ofMillis(100));
  }

  private static void send(Producer producer, String topic, int from, int end) {
    List<CompletableFuture<Delivery>> sent = new ArrayList<>();
    for (int i = from; i < end; i++) sent.add(producer.send(topic, OutgoingRecord.of(null, String.valueOf(i))));
    sent.forEach(CompletableFuture::join);
  }

  /** Polls again where it is refused, as whoever waits for a right does. */
  private static void readUpTo(Consumer consumer, int count, List<String> read) {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (read.size() < count) {
      assertTrue(System.nanoTime() - deadline < 0, "only " + read.size() + " came");
      try {
        consumer.poll(Duration.ofMillis(100)).forEach(record -> read.add(record.valueText()));
      } catch (MillraceException refused) {
        assertTrue(refused.is(Reason.PERMISSION_DENIED), refused.toString());
      }
    }
  }

  /** Streams end with the token that opened them, and go on with what the file holds by then. */
  @Test
  void tokensThatExpireUnderAProducerAndAReaderLoseAndRepeatNothing() throws Exception {
    Path file = directory.resolve("token");
    Duration lifetime = Duration.ofSeconds(4);
    Runnable renew = () -> AccessFile.replace(file, issuer.token("team", lifetime));
    renew.run();
    ScheduledExecutorService renewing = Executors.newSingleThreadScheduledExecutor();
    renewing.scheduleWithFixedDelay(renew, 500, 500, TimeUnit.MILLISECONDS);
    AtomicInteger ends = new AtomicInteger();
    ConsumerListener counting = new ConsumerListener() {
      @Override
      public void onDisconnected(MillraceException error) {
        ends.incrementAndGet();
      }
    };
    List<CompletableFuture<Delivery>> sent = new ArrayList<>();
    List<String> read = new ArrayList<>();
    ConsumerOptions fromTheStart = ConsumerOptions.ofTopics("orders").withStart(Start.EARLIEST, OutOfRange.FAIL);
    try (Connection team = connect(TokenSource.ofFile(file));
        Producer producer = Producer.open(team, ProducerOptions.defaults());
        Consumer consumer = Consumer.open(team, fromTheStart, counting)) {
      while (producer.statistics().reconnects() < 2 || ends.get() < 2) {
        sent.add(producer.send("orders", OutgoingRecord.of("expiry", String.valueOf(sent.size()))));
        takeInto(consumer, read);
      }
      for (CompletableFuture<Delivery> each : sent) each.get();
      while (read.size() < sent.size()) takeInto(consumer, read);
    } finally {
      renewing.shutdownNow();
      renewing.awaitTermination(10, TimeUnit.SECONDS);
      Files.deleteIfExists(file);
    }
    assertEquals(IntStream.range(0, sent.size()).mapToObj(String::valueOf).toList(), read);
  }

  /** Other tests write to the topic as well, without a key. */
  private static void takeInto(Consumer consumer, List<String> read) {
    for (ReceivedRecord record : consumer.poll(Duration.ofMillis(1))) {
      if (record.key() != null) read.add(record.valueText());
    }
  }
}
