package dev.millrace.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.client.TlsOptions;
import dev.millrace.test.AccessFile;
import dev.millrace.test.DevelopmentCa;
import dev.millrace.test.HubProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import javax.security.auth.callback.Callback;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.SslAuthenticationException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerToken;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerTokenCallback;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Kafka's settings of security, and the hub's own, against a hub that asks for all of it. */
@Timeout(120)
class SecurityTest {
  private static final String LOGIN_MODULE =
      "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required principal=\"billing\";";

  @TempDir static Path directory;
  private static DevelopmentCa ca;
  private static Path tokenFile;
  private static HubProcess hub;
  private static HubClients clients;

  @BeforeAll
  static void startHub() throws IOException {
    ca = DevelopmentCa.make(directory.resolve("ca"), "billing");
    AccessFile access =
        new AccessFile(directory.resolve("access.json"), null, "billing", "ops")
            .write(
                """
                {"principals":["ops"],"rights":["administer"],"topics":["*"]}""",
                """
                {"principals":["billing"],"rights":["produce","consume","commit"],
                 "topics":["orders"],"groups":["billing"]}""");
    tokenFile = Files.writeString(directory.resolve("token"), AccessFile.tokenOf("billing"));
    hub = HubProcess.start(with(ca.hubFlags(), access.hubFlag()));
    clients = new HubClients(hub);
    Path ops = Files.writeString(directory.resolve("ops-token"), AccessFile.tokenOf("ops"));
    try (MillraceKafkaAdmin admin = new MillraceKafkaAdmin(clients.settings(trusting("millrace.token-file", ops)))) {
      admin.createTopics(List.of(new NewTopic("orders", 1, (short) 1))).all().get();
    } catch (InterruptedException | ExecutionException failed) {
      throw new AssertionError(failed);
    }
  }

  @AfterAll
  static void stopHub() {
    hub.close();
  }

  @SafeVarargs
  private static <T> T[] with(T[] some, T... more) {
    T[] all = Arrays.copyOf(some, some.length + more.length);
    System.arraycopy(more, 0, all, some.length, more.length);
    return all;
  }

  /** The hub's own way to say whom to trust, and more settings. */
  private static Object[] trusting(Object... more) {
    return with(new Object[] {"millrace.tls.ca", ca.ca().toString()}, more);
  }

  /** Sends one record with these settings, and waits for it. */
  private static void send(HubProcess to, String topic, Object... settings) throws Exception {
    try (MillraceKafkaProducer<String, String> producer = new HubClients(to).producer(settings)) {
      producer.send(new ProducerRecord<>(topic, "tea")).get();
    }
  }

  private static void send(Object... settings) throws Exception {
    send(hub, "orders", settings);
  }

  private static Throwable refusal(String topic, Object... settings) {
    return assertThrows(ExecutionException.class, () -> send(hub, topic, settings)).getCause();
  }

  private static String mistake(Object... settings) {
    return assertThrows(ConfigException.class, () -> clients.producer(settings).close()).getMessage();
  }

  // ---- Kafka's names for TLS

  @Test
  void anAuthorityIsAFileOrATextOfPem() throws Exception {
    send(
        "security.protocol", "SSL", "ssl.truststore.type", "PEM",
        "ssl.truststore.location", ca.ca().toString(), "millrace.token-file", tokenFile.toString());
    send(
        "security.protocol", "SASL_SSL", "ssl.truststore.type", "PEM",
        "ssl.truststore.certificates", Files.readString(ca.ca()), "millrace.token-file", tokenFile.toString());
  }

  @Test
  void aHubThatIsNotTrustedIsAnSslAuthenticationExceptionAtOnce() {
    Object[] strange = {"security.protocol", "SSL", "default.api.timeout.ms", 3_600_000, "max.block.ms", 3_600_000};
    assertInstanceOf(SslAuthenticationException.class, refusal("orders", strange)); // Java trusts it not.
    try (MillraceKafkaConsumer<String, String> consumer = clients.member("billing", strange)) {
      consumer.subscribe(List.of("orders"));
      assertThrows(SslAuthenticationException.class, () -> consumer.poll(Duration.ofHours(1)));
    }
  }

  @Test
  void withoutEndpointIdentificationAnyNameOfTheAuthorityWill() throws Exception {
    TlsOptions elsewhere = TlsOptions.ofFiles(ca.ca(), null, null).withServerName("elsewhere");
    Object[] settings = {"millrace.tls.options", elsewhere, "millrace.token-file", tokenFile.toString()};
    assertInstanceOf(SslAuthenticationException.class, refusal("orders", settings));
    send(with(settings, "ssl.endpoint.identification.algorithm", ""));
  }

  @Test
  void whatCannotBeHonouredIsRefusedWithTheReason() {
    assertTrue(mistake("security.protocol", "SSL", "ssl.cipher.suites", "TLS_AES_128_GCM_SHA256").contains("gRPC"));
    assertTrue(mistake(trusting("security.protocol", "PLAINTEXT")).contains("millrace.tls"));
    assertTrue(mistake(trusting("ssl.truststore.location", "trust.jks")).contains("give one of them"));
    assertTrue(mistake(trusting("millrace.tls.options", "strict")).contains("give one of them"));
    assertTrue(mistake("millrace.tls.options", "strict").contains("TlsOptions"));
    assertTrue(mistake(trusting("millrace.tls.key", ca.key("billing").toString())).contains("go together"));
    assertTrue(mistake("millrace.tls.ca", "missing.crt").contains("missing.crt"));
    assertTrue(
        mistake("security.protocol", "SSL", "ssl.truststore.location", "missing.jks", "ssl.truststore.password", "x")
            .contains("missing.jks"));
    assertTrue(mistake(trusting("millrace.token-file", "missing-token")).contains("missing-token"));
    for (String mechanism : List.of("PLAIN", "SCRAM-SHA-512", "GSSAPI")) {
      String said = mistake("security.protocol", "SASL_SSL", "sasl.mechanism", mechanism);
      assertTrue(said.contains("OAUTHBEARER") && said.contains("millrace.token-file"), said);
    }
    assertTrue(
        mistake("security.protocol", "SASL_SSL", "sasl.mechanism", "OAUTHBEARER").contains("callback.handler"));
  }

  // ---- Tokens

  /** What an application has to get its tokens from wherever they come from. */
  public static final class Login implements AuthenticateCallbackHandler {
    private static final AtomicInteger LOGINS = new AtomicInteger();
    private static final AtomicInteger CLOSES = new AtomicInteger();
    private static volatile long lifetimeMs = Duration.ofHours(1).toMillis();
    private String principal;

    @Override
    public void configure(Map<String, ?> configs, String mechanism, List<AppConfigurationEntry> entries) {
      principal = (String) entries.get(0).getOptions().get("principal");
    }

    @Override
    public void handle(Callback[] callbacks) {
      LOGINS.incrementAndGet();
      ((OAuthBearerTokenCallback) callbacks[0]).token(new Token(principal, System.currentTimeMillis() + lifetimeMs));
    }

    @Override
    public void close() {
      CLOSES.incrementAndGet();
    }
  }

  private record Token(String principalName, long lifetimeMs) implements OAuthBearerToken {
    @Override
    public String value() {
      return AccessFile.tokenOf(principalName);
    }

    @Override
    public Set<String> scope() {
      return Set.of();
    }

    @Override
    public Long startTimeMs() {
      return null;
    }
  }

  private static Object[] login() {
    return trusting(
        "security.protocol", "SASL_SSL", "sasl.mechanism", "OAUTHBEARER", "sasl.jaas.config", LOGIN_MODULE,
        "sasl.login.callback.handler.class", Login.class.getName());
  }

  @Test
  void kafkasOwnLoginGetsTheTokenOnceForAsLongAsItLasts() throws Exception {
    int before = Login.LOGINS.get();
    send(login()); // Several calls and a stream.
    assertEquals(1, Login.LOGINS.get() - before);
    Login.lifetimeMs = 0;
    try {
      send(login());
    } finally {
      Login.lifetimeMs = Duration.ofHours(1).toMillis();
    }
    assertTrue(Login.LOGINS.get() - before > 2, "a token that is over is got anew for every call");
  }

  @Test
  void theLoginIsClosedWithItsClient() {
    int before = Login.CLOSES.get();
    MillraceKafkaProducer<String, String> producer = clients.producer(login());
    assertEquals(0, Login.CLOSES.get() - before);
    producer.close();
    assertEquals(1, Login.CLOSES.get() - before);
    clients.consumer(login()).close();
    assertEquals(2, Login.CLOSES.get() - before);
    MillraceKafkaAdmin admin = new MillraceKafkaAdmin(clients.settings(login()));
    admin.close();
    admin.close();
    assertEquals(3, Login.CLOSES.get() - before);
    mistake(with(login(), "millrace.tls.ca", "missing.crt"));
    assertEquals(4, Login.CLOSES.get() - before);
  }

  @Test
  void aTokenGoesInClearToThisMachineAndElsewhereOnlyWithSaslPlaintext() throws Exception {
    AccessFile access =
        new AccessFile(directory.resolve("clear.json"), null, "billing")
            .write("{\"principals\":[\"billing\"],\"rights\":[\"administer\",\"produce\"],\"topics\":[\"orders\"]}");
    Object[] token = {"millrace.token-file", tokenFile.toString()};
    try (HubProcess clear = HubProcess.start(access.hubFlag(), "--auto-create-topics=1")) {
      send(clear, "orders", token);
      send(clear, "orders", with(token, "security.protocol", "SASL_PLAINTEXT"));
    }
    Object[] elsewhere = with(token, "bootstrap.servers", "hub.example:9640");
    assertTrue(mistake(elsewhere).contains("use SSL or SASL_SSL, or allow it with SASL_PLAINTEXT"));
    clients.producer(with(elsewhere, "security.protocol", "SASL_PLAINTEXT")).close();
    clients.producer(with(elsewhere, "security.protocol", "SSL")).close();
  }

  // ---- Errors

  @Test
  void whoIsNotKnownIsASaslAuthenticationExceptionAtOnce() throws Exception {
    Path wrong = Files.writeString(directory.resolve("wrong"), "no such token");
    Object[] nobody = trusting("max.block.ms", 3_600_000);
    assertInstanceOf(SaslAuthenticationException.class, refusal("orders", nobody));
    assertInstanceOf(
        SaslAuthenticationException.class, refusal("orders", trusting("millrace.token-file", wrong.toString())));
  }

  @Test
  void whatIsNotAllowedNamesTheTopicOrTheGroup() {
    Object[] billing = trusting("millrace.token-file", tokenFile.toString());
    TopicAuthorizationException topic =
        assertInstanceOf(TopicAuthorizationException.class, refusal("secret", billing));
    assertEquals(Set.of("secret"), topic.unauthorizedTopics());
    try (MillraceKafkaConsumer<String, String> consumer = clients.member("billing", billing)) {
      consumer.subscribe(List.of("secret"));
      TopicAuthorizationException refused =
          assertThrows(TopicAuthorizationException.class, () -> consumer.poll(Duration.ofHours(1)));
      assertEquals(Set.of("secret"), refused.unauthorizedTopics());
    }
    try (MillraceKafkaConsumer<String, String> consumer = clients.member("others", billing)) {
      consumer.subscribe(List.of("orders"));
      GroupAuthorizationException refused =
          assertThrows(GroupAuthorizationException.class, () -> consumer.poll(Duration.ofHours(1)));
      assertEquals("others", refused.groupId());
    }
    try (MillraceKafkaAdmin admin = new MillraceKafkaAdmin(clients.settings(billing))) {
      ExecutionException refused =
          assertThrows(
              ExecutionException.class,
              () -> admin.createTopics(List.of(new NewTopic("mine", 1, (short) 1))).all().get());
      assertInstanceOf(TopicAuthorizationException.class, refused.getCause());
    }
  }
}
