package dev.millrace.spring.semantics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.spring.test.EmbeddedMillrace;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.DefaultAfterRollbackProcessor;
import org.springframework.kafka.transaction.KafkaTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;
import org.springframework.util.backoff.FixedBackOff;

/** Transactions are all or nothing, with a template, with Spring's transactions, and around a listener. */
@SpringBootTest(properties = {
    "spring.kafka.producer.transaction-id-prefix=transaction-test-",
    "spring.kafka.consumer.isolation-level=read_committed"})
@EmbeddedMillrace(topics = {"rolled-back", "committed", "also-committed", "mixed", "in", "out"})
class TransactionTest {
  static class Refused extends RuntimeException {}

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Application {
    final List<String> tries = new CopyOnWriteArrayList<>();
    final KafkaTemplate<String, String> template;

    Application(KafkaTemplate<String, String> template) {
      this.template = template;
    }

    @Bean
    DefaultAfterRollbackProcessor<Object, Object> afterRollback() {
      return new DefaultAfterRollbackProcessor<>(new FixedBackOff(0, 5));
    }

    /** Its first try of "twice" fails after it has sent. */
    @KafkaListener(topics = "in", groupId = "worker")
    void work(String value) {
      tries.add(value);
      template.send("out", "done: " + value);
      if (value.equals("twice") && tries.stream().filter("twice"::equals).count() == 1) {
        throw new Refused();
      }
    }
  }

  @Autowired Application application;
  @Autowired KafkaTemplate<String, String> template;
  @Autowired KafkaTransactionManager<String, String> transactions;
  @Autowired ConsumerFactory<String, String> consumers;

  @Test
  void whatIsRolledBackLeavesNothing() {
    assertThatThrownBy(() -> template.executeInTransaction(operations -> {
      operations.send("rolled-back", "never");
      operations.flush();
      throw new Refused();
    })).isInstanceOf(Refused.class);
    assertThat(StoredRecords.of(consumers, "rolled-back")).isEmpty();
  }

  @Test
  void whatIsCommittedIsThereInEveryTopic() {
    template.executeInTransaction(operations -> {
      operations.send("committed", "one");
      operations.send("also-committed", "two");
      assertThat(StoredRecords.of(consumers, "committed")).as("nobody sees it before").isEmpty();
      return null;
    });
    assertThat(StoredRecords.values(consumers, "committed")).containsExactly("one");
    assertThat(StoredRecords.values(consumers, "also-committed")).containsExactly("two");
  }

  @Test
  void aTransactionOfSpringsManagerIsCommittedOrRolledBack() {
    TransactionTemplate transaction = new TransactionTemplate(transactions);
    transaction.executeWithoutResult(status -> template.send("mixed", "kept"));
    transaction.executeWithoutResult(status -> {
      template.send("mixed", "dropped");
      status.setRollbackOnly();
    });
    assertThatThrownBy(() -> transaction.executeWithoutResult(status -> {
      template.send("mixed", "dropped as well");
      throw new Refused();
    })).isInstanceOf(Refused.class);
    transaction.executeWithoutResult(status -> template.send("mixed", "kept as well"));
    assertThat(StoredRecords.values(consumers, "mixed")).containsExactly("kept", "kept as well");
  }

  @Test
  void aListenersOutputAndOffsetAreOneTransaction() {
    template.executeInTransaction(operations -> {
      List.of("once", "twice", "last").forEach(value -> operations.send("in", value));
      return null;
    });
    await().untilAsserted(() -> assertThat(
        GroupOffsets.committed(consumers, "worker", new TopicPartition("in", 0))).isEqualTo(3));
    assertThat(application.tries).containsExactly("once", "twice", "twice", "last");
    assertThat(StoredRecords.values(consumers, "out"))
        .as("the failed try left nothing").containsExactly("done: once", "done: twice", "done: last");
  }
}
