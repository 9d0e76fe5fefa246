package dev.millrace.spring.semantics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.spring.test.EmbeddedMillrace;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.core.ProducerFactory;

/** Messages as large as a hub takes them, and larger; transactions that are too large. */
@SpringBootTest(properties = "spring.kafka.producer.properties[max.request.size]=33554432")
@EmbeddedMillrace(topics = {"large", "transactions"})
class LargeMessageTest {
  private static final String LARGE = "x".repeat(1_000_000);
  private static final String TOO_LARGE = "x".repeat(1_100_000); // A hub takes 1 MiB.
  private static final int TOO_MANY_LARGE = 8; // A hub takes 4 MiB in one request.

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Application {
    final List<String> received = new CopyOnWriteArrayList<>();

    @KafkaListener(topics = "large", groupId = "group")
    void receive(String value) {
      received.add(value);
    }
  }

  @Autowired Application application;
  @Autowired KafkaTemplate<String, String> template;
  @Autowired ProducerFactory<String, String> producers;
  @Autowired ConsumerFactory<String, String> consumers;

  @Test
  void aLargeMessageArrivesAndALargerOneIsRefused() throws Exception {
    template.send("large", LARGE).get();
    assertThatThrownBy(() -> template.send("large", TOO_LARGE).get()).satisfies(error ->
        assertThat(Causes.of(error)).hasAtLeastOneElementOfType(RecordTooLargeException.class));
    template.send("large", "small").get();
    await().until(() -> application.received.size() == 2);
    assertThat(application.received).containsExactly(LARGE, "small");
  }

  @Test
  void aTransactionThatIsTooLargeFailsAndLeavesNothing() {
    KafkaTemplate<String, String> transactional =
        new KafkaTemplate<>(producers, Map.of(ProducerConfig.TRANSACTIONAL_ID_CONFIG, "large-"));
    assertThatThrownBy(() -> transactional.executeInTransaction(operations -> {
      for (int i = 0; i < TOO_MANY_LARGE; ++i) {
        operations.send("transactions", LARGE);
      }
      return null;
    })).satisfies(error -> assertThat(Causes.of(error)).hasAtLeastOneElementOfType(RecordTooLargeException.class));
    assertThat(StoredRecords.of(consumers, "transactions")).isEmpty();

    transactional.executeInTransaction(operations -> operations.send("transactions", "small"));
    assertThat(StoredRecords.values(consumers, "transactions")).as("the next one succeeds").containsExactly("small");
  }
}
