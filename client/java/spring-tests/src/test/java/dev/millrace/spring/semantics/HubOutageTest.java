package dev.millrace.spring.semantics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.test.HubProcess;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.NewTopic;
import org.junit.jupiter.api.Test;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.health.actuate.endpoint.HealthEndpoint;
import org.springframework.boot.health.contributor.Status;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.TopicBuilder;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.KafkaAdmin;
import org.springframework.kafka.core.KafkaTemplate;

/** The hub is down when the application starts, and is killed while it works. */
class HubOutageTest {
  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Application {
    final Set<String> handled = ConcurrentHashMap.newKeySet();

    @Bean
    NewTopic work() {
      return TopicBuilder.name("work").partitions(2).build();
    }

    @KafkaListener(topics = "work", groupId = "workers")
    void work(String value) {
      handled.add(value);
    }
  }

  @Test
  void anApplicationStartsBeforeItsHubAndOutlivesItsRestart() throws Exception {
    try (HubProcess hub = HubProcess.prepare().reservePorts();
        ConfigurableApplicationContext context = start(hub)) {
      Application application = context.getBean(Application.class);
      KafkaTemplate<String, String> template = template(context);
      assertThat(health(context)).isEqualTo(Status.DOWN);

      hub.restart();
      await().until(() -> context.getBean(KafkaAdmin.class).initialize());
      template.send("work", "first").get();
      await().until(() -> application.handled.contains("first"));
      assertThat(health(context)).isEqualTo(Status.UP);

      List<CompletableFuture<?>> sent = new ArrayList<>();
      send(template, 0, 100, sent);
      hub.kill();
      send(template, 100, 200, sent);
      hub.restart();
      send(template, 200, 300, sent);
      CompletableFuture.allOf(sent.toArray(CompletableFuture[]::new)).get();

      Set<String> expected = IntStream.range(0, 300).mapToObj(i -> "value " + i).collect(Collectors.toSet());
      expected.add("first");
      await().untilAsserted(() -> assertThat(application.handled).isEqualTo(expected));
      assertThat(stored(context)).as("each once, though some were sent again")
          .containsExactlyInAnyOrderElementsOf(expected);
    }
  }

  private static ConfigurableApplicationContext start(HubProcess hub) {
    return new SpringApplicationBuilder(Application.class).web(WebApplicationType.NONE).run(
        "--millrace.target=" + hub.target(),
        "--spring.kafka.admin.operation-timeout=1s", // Then it gives up making topics, and starts.
        "--spring.kafka.admin.properties[default.api.timeout.ms]=1000",
        "--spring.kafka.admin.properties[request.timeout.ms]=1000");
  }

  private static void send(KafkaTemplate<String, String> template, int from, int to,
      List<CompletableFuture<?>> sent) {
    IntStream.range(from, to).forEach(i -> sent.add(template.send("work", "value " + i)));
  }

  private static Status health(ConfigurableApplicationContext context) {
    return context.getBean(HealthEndpoint.class).healthForPath("millrace").getStatus();
  }

  @SuppressWarnings("unchecked")
  private static KafkaTemplate<String, String> template(ConfigurableApplicationContext context) {
    return context.getBean(KafkaTemplate.class);
  }

  @SuppressWarnings("unchecked")
  private static List<String> stored(ConfigurableApplicationContext context) {
    ConsumerFactory<String, String> consumers = context.getBean(ConsumerFactory.class);
    return StoredRecords.values(consumers, "work");
  }
}
