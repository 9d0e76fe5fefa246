package dev.millrace.spring.semantics;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.spring.test.EmbeddedMillrace;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.ConcurrentKafkaListenerContainerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.adapter.RecordFilterStrategy;
import org.springframework.kafka.requestreply.ReplyingKafkaTemplate;
import org.springframework.kafka.support.KafkaHeaders;
import org.springframework.messaging.handler.annotation.Header;
import org.springframework.messaging.handler.annotation.Payload;
import org.springframework.messaging.handler.annotation.SendTo;

/** The kinds of listeners, and what a record brings along: record, batch, filtered, forwarding, replying. */
@SpringBootTest(properties = "spring.kafka.listener.async-acks=false")
@EmbeddedMillrace(topics = {"records", "batches", "forwarded", "requests", "replies"}, partitions = 2)
class ListenerTest {
  record Received(String key, String value, int partition, long offset, long timestamp, String trace) {}

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Application {
    final List<Received> records = new CopyOnWriteArrayList<>();
    final List<List<ConsumerRecord<String, String>>> batches = new CopyOnWriteArrayList<>();
    final List<String> filtered = new CopyOnWriteArrayList<>();
    final List<String> forwarded = new CopyOnWriteArrayList<>();

    @Bean
    static RecordFilterStrategy<String, String> withoutNoise() {
      return record -> "noise".equals(record.value());
    }

    @KafkaListener(topics = "records", groupId = "records")
    @SendTo("forwarded")
    String record(@Payload(required = false) String value,
        @Header(name = KafkaHeaders.RECEIVED_KEY, required = false) String key,
        @Header(KafkaHeaders.RECEIVED_PARTITION) int partition, @Header(KafkaHeaders.OFFSET) long offset,
        @Header(KafkaHeaders.RECEIVED_TIMESTAMP) long timestamp,
        @Header(name = "trace", required = false) String trace) {
      records.add(new Received(key, value, partition, offset, timestamp, trace));
      return value == null ? "tombstone of " + key : value;
    }

    @KafkaListener(topics = "forwarded", groupId = "forwarded")
    void forwarded(String value) {
      forwarded.add(value);
    }

    @KafkaListener(topics = "batches", groupId = "batches", batch = "true")
    void batch(List<ConsumerRecord<String, String>> records) {
      batches.add(records);
    }

    @KafkaListener(topics = "batches", groupId = "filtered", filter = "withoutNoise")
    void filtered(String value) {
      filtered.add(value);
    }

    @KafkaListener(topics = "requests", groupId = "requests")
    @SendTo // Where the request says.
    String answer(String question) {
      return "answer to " + question;
    }
  }

  @Autowired Application application;
  @Autowired KafkaTemplate<String, String> template;
  @Autowired ProducerFactory<String, String> producers;
  @Autowired ConcurrentKafkaListenerContainerFactory<String, String> containers;

  @Test
  void aRecordBringsKeyHeadersPlaceAndTime() throws Exception {
    ProducerRecord<String, String> sent = new ProducerRecord<>("records", 1, 1_700_000_000_123L, "key", "value");
    sent.headers().add("trace", "abc".getBytes(UTF_8));
    RecordMetadata stored = template.send(sent).get().getRecordMetadata();
    RecordMetadata tombstone = template.send("records", 0, "gone", null).get().getRecordMetadata();

    await().until(() -> application.records.size() == 2);
    assertThat(application.records).contains(
        new Received("key", "value", 1, stored.offset(), 1_700_000_000_123L, "abc"));
    assertThat(application.records).filteredOn(received -> received.value() == null).singleElement()
        .satisfies(received -> {
          assertThat(received.key()).isEqualTo("gone");
          assertThat(received.offset()).isEqualTo(tombstone.offset());
        });
    await().until(() -> application.forwarded.size() == 2);
    assertThat(application.forwarded).containsExactlyInAnyOrder("value", "tombstone of gone");
  }

  @Test
  void aBatchListenerGetsManyAtOnceAndAFilterTakesSomeAway() {
    List<String> values = IntStream.range(0, 100).mapToObj(i -> i % 10 == 0 ? "noise" : "value " + i).toList();
    values.forEach(value -> template.send("batches", 0, null, value));
    await().until(() -> application.batches.stream().mapToInt(List::size).sum() == values.size());
    assertThat(application.batches.stream().flatMap(List::stream).map(ConsumerRecord::value)).isEqualTo(values);
    assertThat(application.batches.size()).as("calls for 100 records").isLessThan(values.size());

    List<String> kept = values.stream().filter(value -> !value.equals("noise")).toList();
    await().untilAsserted(() -> assertThat(application.filtered).isEqualTo(kept));
  }

  @Test
  void aRequestGetsItsReply() throws Exception {
    ConcurrentMessageListenerContainer<String, String> replies = containers.createContainer("replies");
    replies.getContainerProperties().setGroupId("replies");
    ReplyingKafkaTemplate<String, String, String> asking = new ReplyingKafkaTemplate<>(producers, replies);
    asking.afterPropertiesSet();
    asking.start();
    try {
      asking.waitForAssignment(Duration.ofSeconds(30));
      assertThat(asking.sendAndReceive(new ProducerRecord<>("requests", "one")).get().value())
          .isEqualTo("answer to one");
      assertThat(asking.sendAndReceive(new ProducerRecord<>("requests", "two")).get().value())
          .isEqualTo("answer to two");
    } finally {
      asking.destroy();
    }
  }
}
