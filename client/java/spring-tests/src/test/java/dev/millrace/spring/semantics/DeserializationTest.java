package dev.millrace.spring.semantics;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.spring.MillraceConsumerFactory;
import dev.millrace.spring.test.EmbeddedMillrace;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.KafkaOperations;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.kafka.listener.DeadLetterPublishingRecoverer;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.support.KafkaHeaders;

/** A value that is no JSON goes to the dead-letter topic as the bytes that it is; its neighbours are handled. */
@SpringBootTest(properties = {
    "spring.kafka.producer.value-serializer=org.springframework.kafka.support.serializer.JacksonJsonSerializer",
    "spring.kafka.consumer.value-deserializer="
        + "org.springframework.kafka.support.serializer.ErrorHandlingDeserializer",
    "spring.kafka.consumer.properties[spring.deserializer.value.delegate.class]="
        + "org.springframework.kafka.support.serializer.JacksonJsonDeserializer",
    "spring.kafka.consumer.properties[spring.json.trusted.packages]=dev.millrace.spring.semantics"})
@EmbeddedMillrace(topics = {"orders", "orders-dlt"})
class DeserializationTest {
  record Order(int id, String item) {}

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Application {
    final List<Order> orders = new CopyOnWriteArrayList<>();

    /** The same factory with another serializer, as for any Kafka. */
    @Bean
    KafkaTemplate<String, byte[]> bytesTemplate(ProducerFactory<String, byte[]> producers) {
      return new KafkaTemplate<>(producers,
          Map.of(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class));
    }

    @Bean
    KafkaTemplate<String, Object> jsonTemplate(ProducerFactory<String, Object> producers) {
      return new KafkaTemplate<>(producers);
    }

    @Bean
    DefaultErrorHandler errorHandler(KafkaTemplate<String, byte[]> bytesTemplate,
        KafkaTemplate<String, Object> jsonTemplate) {
      Map<Class<?>, KafkaOperations<?, ?>> templates = new LinkedHashMap<>();
      templates.put(byte[].class, bytesTemplate);
      templates.put(Object.class, jsonTemplate);
      return new DefaultErrorHandler(new DeadLetterPublishingRecoverer(templates));
    }

    @KafkaListener(topics = "orders", groupId = "orders")
    void handle(Order order) {
      orders.add(order);
    }
  }

  @Autowired Application application;
  @Autowired KafkaTemplate<String, byte[]> bytesTemplate;
  @Autowired KafkaTemplate<String, Object> jsonTemplate;
  @Autowired ConsumerFactory<String, Object> consumers;

  @Test
  void poisonBytesAreSetAside() throws Exception {
    jsonTemplate.send("orders", "1", new Order(1, "tea")).get();
    bytesTemplate.send("orders", "2", "{nonsense".getBytes(UTF_8)).get();
    jsonTemplate.send("orders", "3", new Order(3, "milk")).get();

    await().until(() -> application.orders.size() == 2);
    assertThat(application.orders).containsExactly(new Order(1, "tea"), new Order(3, "milk"));
    await().untilAsserted(() -> assertThat(
        GroupOffsets.committed(consumers, "orders", new TopicPartition("orders", 0))).isEqualTo(3));

    ConsumerFactory<String, byte[]> raw = new MillraceConsumerFactory<>(consumers.getConfigurationProperties(),
        StringDeserializer::new, ByteArrayDeserializer::new, true);
    List<ConsumerRecord<String, byte[]>> dead = StoredRecords.of(raw, "orders-dlt");
    assertThat(dead).hasSize(1);
    assertThat(dead.get(0).key()).isEqualTo("2");
    assertThat(dead.get(0).value()).asString(UTF_8).isEqualTo("{nonsense");
    assertThat(new String(dead.get(0).headers().lastHeader(KafkaHeaders.DLT_EXCEPTION_FQCN).value(), UTF_8))
        .contains("DeserializationException");
  }
}
