package dev.millrace.spring.semantics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.spring.test.EmbeddedMillrace;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.admin.NewTopic;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.BackOff;
import org.springframework.kafka.annotation.DltHandler;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.annotation.RetryableTopic;
import org.springframework.kafka.config.TopicBuilder;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.support.KafkaHeaders;
import org.springframework.messaging.handler.annotation.Header;

/** {@code @RetryableTopic}: what fails is tried again from topics of its own, and delays nothing behind it. */
@SpringBootTest
@EmbeddedMillrace // Which makes no topics by itself: the application's start makes them all.
class RetryableTopicTest {
  record Try(String topic, String value) {}

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Application {
    final List<Try> tries = new CopyOnWriteArrayList<>();
    final List<Try> dead = new CopyOnWriteArrayList<>();

    @Bean
    NewTopic orders() {
      return TopicBuilder.name("orders").partitions(1).build();
    }

    @RetryableTopic(attempts = "3", backOff = @BackOff(delay = 100, multiplier = 2))
    @KafkaListener(topics = "orders", groupId = "orders")
    void handle(String value, @Header(KafkaHeaders.RECEIVED_TOPIC) String topic) {
      tries.add(new Try(topic, value));
      if (value.equals("poison") || (value.equals("flaky") && topic.equals("orders"))) {
        throw new IllegalStateException("not now");
      }
    }

    @DltHandler
    void giveUp(String value, @Header(KafkaHeaders.RECEIVED_TOPIC) String topic) {
      dead.add(new Try(topic, value));
    }
  }

  @Autowired Application application;
  @Autowired KafkaTemplate<String, String> template;
  @Autowired ConsumerFactory<String, String> consumers;

  @Test
  void aFailedRecordGoesFromTopicToTopicAndAtLastToTheHandlerOfTheDead() throws Exception {
    for (String value : List.of("poison", "flaky", "fine")) {
      template.send("orders", value).get();
    }
    await().until(() -> !application.dead.isEmpty());
    await().until(() -> application.tries.contains(new Try("orders-retry-100", "flaky")));

    assertThat(application.tries).filteredOn(tried -> tried.value().equals("poison"))
        .extracting(Try::topic).containsExactly("orders", "orders-retry-100", "orders-retry-200");
    assertThat(application.dead).containsExactly(new Try("orders-dlt", "poison"));
    assertThat(application.tries).filteredOn(tried -> tried.value().equals("flaky"))
        .extracting(Try::topic).containsExactly("orders", "orders-retry-100");
    assertThat(application.tries).filteredOn(tried -> tried.value().equals("fine")).hasSize(1);
    assertThat(application.tries.indexOf(new Try("orders", "fine")))
        .as("what is behind it does not wait for the last try")
        .isLessThan(application.tries.indexOf(new Try("orders-retry-200", "poison")));
    assertThat(StoredRecords.values(consumers, "orders-dlt")).containsExactly("poison");
  }
}
