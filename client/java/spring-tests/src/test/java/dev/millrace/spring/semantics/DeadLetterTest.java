package dev.millrace.spring.semantics;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.spring.test.EmbeddedMillrace;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Headers;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.BatchListenerFailedException;
import org.springframework.kafka.listener.DeadLetterPublishingRecoverer;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.support.KafkaHeaders;
import org.springframework.util.backoff.FixedBackOff;

/** A record that cannot be handled is tried again with a backoff, then goes to a dead-letter topic. */
@SpringBootTest
@EmbeddedMillrace(topics = {"payments", "payments-dlt", "batches", "batches-dlt"}, partitions = 2)
class DeadLetterTest {
  private static final long BACKOFF_MS = 50;
  private static final int RETRIES = 2;

  static class Poison extends RuntimeException {
    Poison(String message) {
      super(message);
    }
  }

  static class Hopeless extends RuntimeException {}

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Application {
    final List<String> handled = new CopyOnWriteArrayList<>();
    final List<Long> poisonedAtNanos = new CopyOnWriteArrayList<>();
    final List<List<String>> batches = new CopyOnWriteArrayList<>();

    @Bean
    DefaultErrorHandler errorHandler(KafkaTemplate<?, ?> template) {
      DefaultErrorHandler handler = new DefaultErrorHandler(
          new DeadLetterPublishingRecoverer(template), new FixedBackOff(BACKOFF_MS, RETRIES));
      handler.addNotRetryableExceptions(Hopeless.class);
      return handler;
    }

    @KafkaListener(topics = "payments", groupId = "payments")
    void handle(String value) {
      handled.add(value);
      if (value.equals("poison")) {
        poisonedAtNanos.add(System.nanoTime());
        throw new Poison("cannot be paid");
      }
      if (value.equals("hopeless")) {
        throw new Hopeless();
      }
    }

    @KafkaListener(topics = "batches", groupId = "batches", batch = "true")
    void handleBatch(List<String> values) {
      batches.add(values);
      if (values.contains("poison")) {
        throw new BatchListenerFailedException("not this one", values.indexOf("poison"));
      }
    }
  }

  @Autowired Application application;
  @Autowired KafkaTemplate<String, String> template;
  @Autowired ConsumerFactory<String, String> consumers;

  @Test
  void poisonIsRetriedThenSetAsideAndTheRestGoesOn() throws Exception {
    template.send("payments", 1, "k1", "first").get();
    ProducerRecord<String, String> poison = new ProducerRecord<>("payments", 1, "k2", "poison");
    poison.headers().add("trace", "abc".getBytes(UTF_8));
    template.send(poison).get();
    template.send("payments", 1, "k3", "hopeless").get();
    template.send("payments", 1, "k4", "last").get();

    await().until(() -> application.handled.contains("last"));
    assertThat(application.handled)
        .as("in order, the poison once and twice again, the hopeless never again")
        .containsExactly("first", "poison", "poison", "poison", "hopeless", "last");
    assertThat(application.poisonedAtNanos.get(RETRIES) - application.poisonedAtNanos.get(0))
        .as("between its tries lies the backoff").isGreaterThanOrEqualTo(RETRIES * BACKOFF_MS * 1_000_000);
    await().untilAsserted(() -> assertThat(
        GroupOffsets.committed(consumers, "payments", new TopicPartition("payments", 1))).isEqualTo(4));

    List<ConsumerRecord<String, String>> dead = StoredRecords.of(consumers, "payments-dlt");
    assertThat(dead).extracting(ConsumerRecord::value).containsExactly("poison", "hopeless");
    assertIsPoison(dead.get(0));
    assertThat(text(dead.get(1).headers(), KafkaHeaders.DLT_EXCEPTION_CAUSE_FQCN))
        .isEqualTo(Hopeless.class.getName());
  }

  private static void assertIsPoison(ConsumerRecord<String, String> record) {
    assertThat(record.key()).isEqualTo("k2");
    assertThat(record.partition()).as("the partition that it came from").isEqualTo(1);
    Headers headers = record.headers();
    assertThat(text(headers, "trace")).as("its own header").isEqualTo("abc");
    assertThat(text(headers, KafkaHeaders.DLT_ORIGINAL_TOPIC)).isEqualTo("payments");
    assertThat(bytes(headers, KafkaHeaders.DLT_ORIGINAL_PARTITION).getInt()).isEqualTo(1);
    assertThat(bytes(headers, KafkaHeaders.DLT_ORIGINAL_OFFSET).getLong()).isEqualTo(1);
    assertThat(bytes(headers, KafkaHeaders.DLT_ORIGINAL_TIMESTAMP).getLong()).isPositive();
    assertThat(text(headers, KafkaHeaders.DLT_ORIGINAL_TIMESTAMP_TYPE)).isIn("CreateTime", "LogAppendTime");
    assertThat(text(headers, KafkaHeaders.DLT_ORIGINAL_CONSUMER_GROUP)).isEqualTo("payments");
    assertThat(text(headers, KafkaHeaders.DLT_EXCEPTION_FQCN)).contains("ListenerExecutionFailedException");
    assertThat(text(headers, KafkaHeaders.DLT_EXCEPTION_CAUSE_FQCN)).isEqualTo(Poison.class.getName());
    assertThat(text(headers, KafkaHeaders.DLT_EXCEPTION_MESSAGE)).contains("cannot be paid");
    assertThat(text(headers, KafkaHeaders.DLT_EXCEPTION_STACKTRACE)).contains("Application.handle");
  }

  @Test
  void ofABatchOnlyTheFailedRecordIsSetAside() throws Exception {
    for (String value : List.of("a", "b", "poison", "c")) {
      template.send("batches", 0, null, value).get();
    }
    await().until(() -> application.batches.stream().anyMatch(batch -> batch.contains("c"))
        && !StoredRecords.of(consumers, "batches-dlt").isEmpty());
    await().untilAsserted(() -> assertThat(
        GroupOffsets.committed(consumers, "batches", new TopicPartition("batches", 0))).isEqualTo(4));
    assertThat(StoredRecords.values(consumers, "batches-dlt")).containsExactly("poison");
    assertThat(application.batches.stream().filter(batch -> batch.contains("poison")))
        .as("tries of the poison").hasSize(1 + RETRIES);
    assertThat(application.batches.stream().filter(batch -> batch.contains("a")))
        .as("what came before it was committed").hasSize(1);
    assertThat(application.batches.get(application.batches.size() - 1)).containsExactly("c");
  }

  private static String text(Headers headers, String name) {
    return new String(headers.lastHeader(name).value(), UTF_8);
  }

  private static ByteBuffer bytes(Headers headers, String name) {
    return ByteBuffer.wrap(headers.lastHeader(name).value());
  }
}
