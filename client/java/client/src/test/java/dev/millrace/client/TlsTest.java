package dev.millrace.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.test.AccessFile;
import dev.millrace.test.DevelopmentCa;
import dev.millrace.test.HubProcess;
import io.grpc.Status;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is refused for good is waited for without end here, so that it fails at once or never. */
@Timeout(120)
class TlsTest {
  private static final Duration FOR_EVER = Duration.ofHours(1);
  private static final Duration SHORT = Duration.ofMillis(300);

  @TempDir static Path directory;
  private static DevelopmentCa ca;
  private static DevelopmentCa another;
  private static HubProcess hub;

  @BeforeAll
  static void startHub() {
    ca = DevelopmentCa.make(directory.resolve("ca"), "billing", "stranger");
    another = DevelopmentCa.make(directory.resolve("another"), "billing");
    hub = HubProcess.start(ca.hubFlags());
  }

  @AfterAll
  static void stopHub() {
    hub.close();
  }

  private static TlsOptions trusting(DevelopmentCa authority) {
    return TlsOptions.ofFiles(authority.ca(), null, null);
  }

  private static Connection connect(HubProcess to, TlsOptions tls) {
    return Connection.to(ConnectionOptions.to(to.target()).withRequestTimeout(FOR_EVER).withTls(tls));
  }

  private static void assertRefused(HubProcess to, TlsOptions tls) {
    try (Connection connection = connect(to, tls)) {
      MillraceException refused = assertThrows(MillraceException.class, connection::hub);
      assertEquals(Reason.TLS_FAILED, refused.reason(), refused.toString());
      assertEquals(Status.Code.UNAUTHENTICATED, refused.code());
    }
  }

  @Test
  void itsAuthorityIsWhatAClientNeeds() throws Exception {
    try (Connection connection = connect(hub, trusting(ca));
        Producer producer = Producer.open(connection, ProducerOptions.defaults())) {
      new Admin(connection).createTopic("orders", 1, null);
      assertEquals(0, producer.send("orders", OutgoingRecord.of(null, "tea")).get().offset());
      assertEquals("tea", ProducerTest.readAll(connection, "orders").get(0).valueText());
    }
  }

  @Test
  void anotherAuthorityIsRefusedAtOnce() {
    assertRefused(hub, trusting(another));
    assertRefused(hub, TlsOptions.ofFiles(null, null, null)); // Those that this Java trusts.
  }

  @Test
  void aHubWithoutTlsIsRefusedAtOnce() {
    try (HubProcess plain = HubProcess.start()) {
      assertRefused(plain, trusting(ca));
    }
  }

  @Test
  void aClientWithoutTlsIsToldThatTheHubIsAway() {
    try (Connection connection = Connection.to(hub.target(), SHORT)) {
      MillraceException away = assertThrows(MillraceException.class, connection::hub);
      assertTrue(away.isTransient(), away.toString());
    }
  }

  @Test
  void theHubsNameIsChecked() {
    assertRefused(hub, trusting(ca).withServerName("elsewhere"));
    List<TlsOptions> good =
        List.of(
            trusting(ca).withServerName("localhost"),
            trusting(ca).withServerName("elsewhere").withoutHostCheck());
    for (TlsOptions tls : good) {
      try (Connection connection = connect(hub, tls)) {
        connection.hub();
      }
    }
  }

  @Test
  void filesThatCannotBeUsedAreNamedAtOnce() {
    Path missing = directory.resolve("missing.crt");
    assertTrue(unusable(missing, null, null).contains(missing.toString()));
    assertTrue(unusable(ca.key("hub"), null, null).contains(ca.key("hub").toString()));
    assertTrue(unusable(ca.ca(), ca.certificate("billing"), ca.ca()).contains(ca.ca().toString()));
    String pair = unusable(ca.ca(), ca.certificate("billing"), ca.key("stranger"));
    assertTrue(pair.startsWith("The key is not that of the certificate"), pair);
    assertTrue(pair.contains(ca.key("stranger").toString()), pair);
    assertEquals("A certificate and its key go together.", unusable(ca.ca(), ca.certificate("billing"), null));
  }

  private static String unusable(Path authority, Path certificate, Path key) {
    return assertThrows(
            IllegalArgumentException.class,
            () -> connect(hub, TlsOptions.ofFiles(authority, certificate, key)).close())
        .getMessage();
  }

  @Test
  void aCertificateSaysWhoTheClientIs() {
    AccessFile access =
        new AccessFile(directory.resolve("access.json"), null)
            .write("{\"principals\":[\"billing\"],\"rights\":[\"administer\"],\"topics\":[\"orders\"]}");
    String[] flags =
        Stream.concat(
                Stream.of(ca.hubFlags()), Stream.of("--tls-client-ca=" + ca.ca(), access.hubFlag()))
            .toArray(String[]::new);
    try (HubProcess asking = HubProcess.start(flags)) {
      try (Connection billing = connect(asking, shown("billing"))) {
        new Admin(billing).createTopic("orders", 1, null);
      }
      try (Connection stranger = connect(asking, shown("stranger"))) {
        MillraceException refused =
            assertThrows(MillraceException.class, () -> new Admin(stranger).createTopic("orders", 1, null));
        assertTrue(refused.is(Reason.PERMISSION_DENIED), refused.toString());
      }
      assertAway(asking, TlsOptions.ofFiles(ca.ca(), another.certificate("billing"), another.key("billing")));
      assertAway(asking, trusting(ca));
    }
  }

  /** With TLS 1.3 the hub looks at a client's certificate last, and closes without a word. */
  private static void assertAway(HubProcess to, TlsOptions tls) {
    ConnectionOptions options = ConnectionOptions.to(to.target()).withRequestTimeout(SHORT).withTls(tls);
    try (Connection connection = Connection.to(options)) {
      MillraceException away = assertThrows(MillraceException.class, connection::hub);
      assertTrue(away.isTransient(), away.toString());
    }
  }

  private static TlsOptions shown(String client) {
    return TlsOptions.ofFiles(ca.ca(), ca.certificate(client), ca.key(client));
  }

  /** The hub has its certificate of a new authority before the client has heard of that. */
  @Test
  void anAuthorityThatIsReplacedIsTakenWhileRecordsWait() throws Exception {
    DevelopmentCa old = DevelopmentCa.make(directory.resolve("old"));
    try (HubProcess other = HubProcess.start(old.hubFlags());
        Connection connection = connect(other, trusting(old));
        Producer producer = Producer.open(connection, ProducerOptions.defaults())) {
      new Admin(connection).createTopic("kept", 1, null);
      producer.send("kept", OutgoingRecord.of(null, "0")).get();
      other.kill();
      DevelopmentCa.replace(another.key("hub"), old.key("hub"));
      DevelopmentCa.replace(another.certificate("hub"), old.certificate("hub"));
      other.restart();
      List<CompletableFuture<Delivery>> waiting = new ArrayList<>();
      for (int i = 1; i < 100; i++) waiting.add(producer.send("kept", OutgoingRecord.of(null, String.valueOf(i))));
      try (Connection early = connect(other, trusting(old))) {
        assertThrows(MillraceException.class, early::hub); // So nobody is let in yet.
      }
      DevelopmentCa.replace(another.ca(), old.ca());
      for (int i = 1; i < 100; i++) assertEquals(i, waiting.get(i - 1).get().offset());
      assertEquals(100, ProducerTest.readAll(connection, "kept").size());
    }
  }

  /** What is half replaced is not shown: the new certificate beside the old key. */
  @Test
  void aClientsPairIsTakenOnceItIsWhole() throws Exception {
    Path certificate = directory.resolve("client.crt");
    Path key = directory.resolve("client.key");
    DevelopmentCa.replace(ca.certificate("billing"), certificate);
    DevelopmentCa.replace(ca.key("billing"), key);
    PemFiles files = new PemFiles(ca.ca(), certificate, key);
    Object before = files.version();
    files.read().requirePair(files);
    DevelopmentCa.replace(ca.certificate("stranger"), certificate);
    Object half = files.version();
    assertNotEquals(before, half);
    assertThrows(GeneralSecurityException.class, () -> files.read().requirePair(files));
    DevelopmentCa.replace(ca.key("stranger"), key);
    assertNotEquals(half, files.version());
    assertEquals(
        "CN=stranger", files.read().requirePair(files).chain().get(0).getSubjectX500Principal().getName());
  }
}
