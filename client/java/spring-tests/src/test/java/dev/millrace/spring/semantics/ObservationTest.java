package dev.millrace.spring.semantics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.spring.test.EmbeddedMillrace;
import dev.millrace.test.HubProcess;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.health.actuate.endpoint.HealthDescriptor;
import org.springframework.boot.health.actuate.endpoint.HealthEndpoint;
import org.springframework.boot.health.actuate.endpoint.IndicatedHealthDescriptor;
import org.springframework.boot.health.contributor.Status;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.core.KafkaTemplate;

/** What Actuator shows: whether the hub answers, and the meters that an application with Kafka has. */
@SpringBootTest(properties = {"management.endpoint.health.show-details=always", "spring.application.name=app"})
@EmbeddedMillrace(topics = "work")
class ObservationTest {
  private static final int RECORDS = 20;

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Application {
    final List<String> handled = new CopyOnWriteArrayList<>();

    @KafkaListener(id = "worker", topics = "work")
    void work(String value) {
      handled.add(value);
    }
  }

  @Autowired Application application;
  @Autowired KafkaTemplate<String, String> template;
  @Autowired MeterRegistry meters;
  @Autowired HealthEndpoint health;
  @Autowired HubProcess hub;

  @Test
  void healthTellsWhereTheHubIsAndWhetherItAnswers() {
    HealthDescriptor descriptor = health.healthForPath("millrace");
    assertThat(descriptor.getStatus()).isEqualTo(Status.UP);
    assertThat(((IndicatedHealthDescriptor) descriptor).getDetails())
        .containsEntry("target", hub.target()).containsKeys("version", "engine");
  }

  @Test
  void metersCountWhatIsSentAndRead() throws Exception {
    for (int i = 0; i < RECORDS; ++i) {
      template.send("work", "value " + i).get();
    }
    await().until(() -> application.handled.size() == RECORDS);
    assertThat(meters.get("spring.kafka.template").timer().count()).as("spring-kafka's own").isEqualTo(RECORDS);
    await().untilAsserted(() ->
        assertThat(meters.get("spring.kafka.listener").timer().count()).isEqualTo(RECORDS));
    await().untilAsserted(() -> {
      assertThat(meters.get("kafka.producer.record.send.total").functionCounter().count()).isEqualTo(RECORDS);
      assertThat(meters.get("kafka.consumer.fetch.manager.records.consumed.total").functionCounter().count())
          .isEqualTo(RECORDS);
    });
    assertThat(meters.get("kafka.producer.record.send.total").functionCounter().getId().getTag("client.id"))
        .isEqualTo("app-producer-1");
  }
}
