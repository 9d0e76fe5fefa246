package dev.millrace.spring.test;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.test.HubProcess;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.KafkaAdmin;
import org.springframework.kafka.core.KafkaTemplate;

@SpringBootTest(classes = EmbeddedMillraceTest.Application.class, properties = "millrace.target=not-this-one:1")
@EmbeddedMillrace(topics = {"orders", "payments"}, partitions = 3, flags = "--auto-create-topics=2")
class EmbeddedMillraceTest {

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Application {}

  @Autowired HubProcess hub;
  @Autowired KafkaAdmin admin;
  @Autowired KafkaTemplate<String, String> template;
  @Autowired ConsumerFactory<String, String> consumers;

  @Test
  void theApplicationIsConnectedToTheHub() throws Exception {
    assertThat(consumers.getConfigurationProperties().get("bootstrap.servers")).asString().contains(hub.target());
    assertThat(template.send("orders", "tea").get().getRecordMetadata().offset()).isZero();
  }

  @Test
  void theTopicsAreThere() {
    assertThat(admin.describeTopics("orders", "payments").values())
        .extracting(topic -> topic.partitions().size()).containsExactly(3, 3);
  }

  @Test
  void theHubHasItsFlags() throws Exception {
    template.send("made-by-sending", "tea").get();
    assertThat(admin.describeTopics("made-by-sending").get("made-by-sending").partitions()).hasSize(2);
  }

  @Nested
  class ATestWithinATest {
    @Autowired HubProcess sameHub;

    @Test
    void sharesItsHub() {
      assertThat(sameHub).isSameAs(hub);
    }
  }
}
