package dev.millrace.spring.semantics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.test.AccessFile;
import dev.millrace.test.DevelopmentCa;
import dev.millrace.test.HubProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.SslAuthenticationException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.health.actuate.endpoint.HealthEndpoint;
import org.springframework.boot.health.contributor.Status;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.event.EventListener;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.event.ConsumerStoppedEvent;

/** A hub with TLS that asks who calls: by the starter's own properties, and by those that Boot has for Kafka. */
@Timeout(120)
class SecuredHubTest {
  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Application {
    final List<String> handled = new CopyOnWriteArrayList<>();
    final List<ConsumerStoppedEvent.Reason> stopped = new CopyOnWriteArrayList<>();

    @KafkaListener(topics = "${app.topic:orders}", groupId = "${app.group}")
    void work(String value) {
      handled.add(value);
    }

    @EventListener
    void stopped(ConsumerStoppedEvent event) {
      stopped.add(event.getReason());
    }
  }

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @TempDir static Path directory;
  private static DevelopmentCa ca;
  private static Path token;
  private static HubProcess hub;

  @BeforeAll
  static void startHub() throws IOException {
    ca = DevelopmentCa.make(directory.resolve("ca"));
    token = Files.writeString(directory.resolve("token"), AccessFile.tokenOf("app"));
    AccessFile access =
        new AccessFile(directory.resolve("access.json"), null, "app").write("""
            {"principals":["app"],"rights":["produce","consume","commit"],"topics":["orders"],"groups":["app-*"]}""");
    List<String> flags = new ArrayList<>(List.of(ca.hubFlags()));
    flags.addAll(List.of(access.hubFlag(), "--auto-create-topics=1"));
    hub = HubProcess.start(flags.toArray(String[]::new));
  }

  @AfterAll
  static void stopHub() {
    hub.close();
  }

  /** Each application is a group of its own, so that it handles everything. */
  private static ConfigurableApplicationContext start(String group, String... more) {
    List<String> arguments = new ArrayList<>(List.of("--millrace.target=" + hub.target(), "--app.group=" + group));
    arguments.addAll(List.of(more));
    return new SpringApplicationBuilder(Application.class).web(WebApplicationType.NONE)
        .run(arguments.toArray(String[]::new));
  }

  private static String ownCa() {
    return "--millrace.tls.ca=" + ca.ca();
  }

  private static String ownToken() {
    return "--millrace.token-file=" + token;
  }

  @SuppressWarnings("unchecked")
  private static KafkaTemplate<String, String> template(ConfigurableApplicationContext context) {
    return context.getBean(KafkaTemplate.class);
  }

  private static void assertWorks(ConfigurableApplicationContext context, String value) throws Exception {
    template(context).send("orders", value).get();
    await().until(() -> context.getBean(Application.class).handled.contains(value));
    assertThat(health(context)).isEqualTo(Status.UP);
  }

  private static Status health(ConfigurableApplicationContext context) {
    return context.getBean(HealthEndpoint.class).healthForPath("millrace").getStatus();
  }

  @Test
  void theStartersOwnPropertiesAreEnough() throws Exception {
    try (ConfigurableApplicationContext context = start("app-own", ownCa(), ownToken())) {
      assertWorks(context, "own");
    }
  }

  @Test
  void kafkasStoresKeepTheirMeaning() throws Exception {
    try (ConfigurableApplicationContext context = start("app-stores", ownToken(),
        "--spring.kafka.security.protocol=SASL_SSL", "--spring.kafka.ssl.trust-store-type=PEM",
        "--spring.kafka.ssl.trust-store-location=file:" + ca.ca())) {
      assertWorks(context, "stores");
    }
  }

  @Test
  void anSslBundleKeepsItsMeaning() throws Exception {
    try (ConfigurableApplicationContext context = start("app-bundle", ownToken(),
        "--spring.kafka.security.protocol=SSL", "--spring.kafka.ssl.bundle=hub",
        "--spring.ssl.bundle.pem.hub.truststore.certificate=file:" + ca.ca())) {
      assertWorks(context, "bundle");
    }
  }

  /** What the bundle trusts at first is not the hub; then its file is replaced under the application. */
  @Test
  void aBundleThatIsReloadedIsTakenByWhatIsOpen() throws Exception {
    Path trusted = directory.resolve("reloaded.crt");
    DevelopmentCa.replace(DevelopmentCa.make(directory.resolve("another")).ca(), trusted);
    try (ConfigurableApplicationContext context = start("app-reload", ownToken(),
        "--spring.kafka.security.protocol=SSL", "--spring.kafka.ssl.bundle=hub",
        "--spring.ssl.bundle.pem.hub.truststore.certificate=file:" + trusted,
        "--spring.ssl.bundle.pem.hub.reload-on-update=true",
        "--spring.ssl.bundle.watch.file.quiet-period=50ms")) {
      assertThatThrownBy(() -> template(context).send("orders", "x").get()).satisfies(error ->
          assertThat(Causes.of(error)).hasAtLeastOneElementOfType(SslAuthenticationException.class));
      assertThat(health(context)).isEqualTo(Status.DOWN);
      DevelopmentCa.replace(ca.ca(), trusted);
      await().atMost(PATIENCE).until(() -> health(context).equals(Status.UP));
      await().atMost(PATIENCE).ignoreExceptions() // Its connection looks for itself.
          .untilAsserted(() -> template(context).send("orders", "reloaded").get());
    }
  }

  @Test
  void whatIsRefusedIsToldInKafkasTermsAndStopsAListener() {
    try (ConfigurableApplicationContext context =
        start("app-refused", ownCa(), ownToken(), "--app.topic=secret")) {
      assertThatThrownBy(() -> template(context).send("secret", "x").get()).satisfies(error ->
          assertThat(Causes.of(error)).hasAtLeastOneElementOfType(TopicAuthorizationException.class));
      await().until(() -> context.getBean(Application.class).stopped
          .contains(ConsumerStoppedEvent.Reason.AUTH));
    }
  }

  @Test
  void whoIsNotKnownOrNotTrustedIsToldSo() {
    try (ConfigurableApplicationContext context = start("app-nobody", ownCa())) {
      assertThatThrownBy(() -> template(context).send("orders", "x").get()).satisfies(error ->
          assertThat(Causes.of(error)).hasAtLeastOneElementOfType(SaslAuthenticationException.class));
      await().until(() -> context.getBean(Application.class).stopped
          .contains(ConsumerStoppedEvent.Reason.AUTH));
    }
    try (ConfigurableApplicationContext context =
        start("app-strange", ownToken(), "--spring.kafka.security.protocol=SSL")) {
      assertThatThrownBy(() -> template(context).send("orders", "x").get()).satisfies(error ->
          assertThat(Causes.of(error)).hasAtLeastOneElementOfType(SslAuthenticationException.class));
    }
  }
}
