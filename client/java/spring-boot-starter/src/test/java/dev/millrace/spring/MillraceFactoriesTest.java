package dev.millrace.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.ProducerFactory;

/** What the factories add to those of spring-kafka. Needs no hub: nothing connects before it is used. */
class MillraceFactoriesTest {
  private static final Map<String, Object> CONFIGS =
      Map.of("bootstrap.servers", "localhost:1", "client.id", "client");

  private static final class Noting extends StringDeserializer {
    private Map<String, ?> configs;

    @Override
    public void configure(Map<String, ?> configs, boolean isKey) {
      this.configs = configs;
    }
  }

  @Test
  void listenersAreToldOnceOfEachConsumer() {
    List<String> events = new ArrayList<>();
    MillraceConsumerFactory<String, String> factory =
        new MillraceConsumerFactory<>(CONFIGS, StringDeserializer::new, StringDeserializer::new, true);
    factory.setBeanName("factory");
    factory.addListener(new ConsumerFactory.Listener<>() {
      @Override
      public void consumerAdded(String id, Consumer<String, String> consumer) {
        events.add("added " + id);
      }

      @Override
      public void consumerRemoved(String id, Consumer<String, String> consumer) {
        events.add("removed " + id);
      }
    });
    Consumer<String, String> consumer = factory.createConsumer("group", null, "-1");
    assertThat(events).containsExactly("added factory.client-1");
    consumer.close();
    consumer.close();
    assertThat(events).containsExactly("added factory.client-1", "removed factory.client-1");
  }

  @Test
  void postProcessorsMayReplaceAClient() {
    MillraceConsumerFactory<String, String> consumers =
        new MillraceConsumerFactory<>(CONFIGS, StringDeserializer::new, StringDeserializer::new, true);
    List<Object> seen = new ArrayList<>();
    consumers.addPostProcessor(consumer -> {
      seen.add(consumer);
      return consumer;
    });
    try (Consumer<String, String> consumer = consumers.createConsumer()) {
      assertThat(seen).containsExactly(consumer);
    }
  }

  @Test
  void suppliedDeserializersAreConfiguredUnlessThatIsTurnedOff() {
    Noting key = new Noting();
    Noting value = new Noting();
    MillraceConsumerFactory<String, String> factory =
        new MillraceConsumerFactory<>(CONFIGS, () -> key, () -> value, true);
    factory.createConsumer("group", null).close();
    assertThat(key.configs.get("group.id")).isEqualTo("group");
    assertThat(value.configs.get("group.id")).isEqualTo("group");

    Noting untouched = new Noting();
    factory.setKeyDeserializer(untouched);
    factory.setConfigureDeserializers(false);
    factory.createConsumer().close();
    assertThat(untouched.configs).isNull();
  }

  @Test
  void aCopyOfAProducerFactoryIsOfTheHubToo() {
    MillraceProducerFactory<String, String> factory =
        new MillraceProducerFactory<>(CONFIGS, StringSerializer::new, StringSerializer::new, true);
    factory.setTransactionIdPrefix("tx-");
    factory.setPhysicalCloseTimeout(3);
    factory.addPostProcessor(producer -> producer);
    ProducerFactory<String, String> copy =
        factory.copyWithConfigurationOverride(Map.of("linger.ms", 7));
    assertThat(copy).isExactlyInstanceOf(MillraceProducerFactory.class);
    assertThat(copy.getConfigurationProperties()).containsEntry("linger.ms", 7)
        .containsEntry("bootstrap.servers", "localhost:1");
    assertThat(copy.getTransactionIdPrefix()).isEqualTo("tx-");
    assertThat(copy.getPhysicalCloseTimeout()).hasSeconds(3);
    assertThat(copy.getPostProcessors()).isEqualTo(factory.getPostProcessors());
  }

  @Test
  void producersAreMadeOnceAndListenersAreToldTheirNames() {
    List<String> added = new ArrayList<>();
    MillraceProducerFactory<String, String> factory =
        new MillraceProducerFactory<>(CONFIGS, StringSerializer::new, StringSerializer::new, true);
    factory.setBeanName("factory");
    factory.addListener(new ProducerFactory.Listener<>() {
      @Override
      public void producerAdded(String id, Producer<String, String> producer) {
        added.add(id);
      }
    });
    try (Producer<String, String> producer = factory.createProducer()) {
      assertThat(factory.createProducer()).isSameAs(producer);
      assertThat(added).containsExactly("factory.client-1");
    } finally {
      factory.destroy();
    }
  }
}
