package dev.millrace.spring;

import dev.millrace.kafka.MillraceKafkaConsumer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.serialization.Deserializer;
import org.springframework.kafka.core.ConsumerPostProcessor;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;

/**
 * spring-kafka's own consumer factory, whose consumers read from a hub: everything but the making of a consumer
 * is inherited. Configured with the properties of a Kafka consumer; {@code bootstrap.servers} is the hub's
 * HOST:PORT. Safe for use by many threads, as soon as it is set up; a consumer belongs to one thread at a time
 * and to whoever had it created, who closes it.
 */
public class MillraceConsumerFactory<K, V> extends DefaultKafkaConsumerFactory<K, V> {
  private String name = "not.managed.by.Spring";
  private boolean configureDeserializers = true; // The superclass keeps its own to itself.

  /** Deserializers are those that the properties name. */
  public MillraceConsumerFactory(Map<String, Object> configs) {
    super(configs);
  }

  /**
   * A supplier, or what it gives, may be null: then the properties name that deserializer.
   *
   * @param configureDeserializers whether supplied deserializers get the properties by {@code configure}
   */
  public MillraceConsumerFactory(Map<String, Object> configs, Supplier<Deserializer<K>> keyDeserializer,
      Supplier<Deserializer<V>> valueDeserializer, boolean configureDeserializers) {
    super(configs, keyDeserializer, valueDeserializer, configureDeserializers);
    this.configureDeserializers = configureDeserializers;
  }

  @Override
  public void setBeanName(String name) {
    super.setBeanName(name);
    this.name = name;
  }

  @Override
  public void setConfigureDeserializers(boolean configureDeserializers) {
    super.setConfigureDeserializers(configureDeserializers);
    this.configureDeserializers = configureDeserializers;
  }

  /**
   * Overridden whole, though it does what the superclass does: that one warns that listeners are ignored for any
   * consumer which is not Kafka's.
   */
  @Override
  protected Consumer<K, V> createKafkaConsumer(Map<String, Object> configs) {
    checkBootstrap(configs);
    Consumer<K, V> consumer = createRawConsumer(configs);
    for (ConsumerPostProcessor<K, V> postProcessor : getPostProcessors()) {
      consumer = postProcessor.apply(consumer);
    }
    return consumer;
  }

  @Override
  protected Consumer<K, V> createRawConsumer(Map<String, Object> configs) {
    return new ListenedConsumer(configs);
  }

  private static <T> Deserializer<T> configured(Deserializer<T> deserializer, Map<String, Object> configs,
      boolean isKey) {
    deserializer.configure(configs, isKey);
    return deserializer;
  }

  private Deserializer<K> keyDeserializer(Map<String, Object> configs) {
    Deserializer<K> supplied = getKeyDeserializer();
    return supplied != null && configureDeserializers ? configured(supplied, configs, true) : supplied;
  }

  private Deserializer<V> valueDeserializer(Map<String, Object> configs) {
    Deserializer<V> supplied = getValueDeserializer();
    return supplied != null && configureDeserializers ? configured(supplied, configs, false) : supplied;
  }

  /** Tells the factory's listeners (Micrometer's is one) when it comes and goes. */
  private final class ListenedConsumer extends MillraceKafkaConsumer<K, V> {
    private final String id;
    private final AtomicBoolean removed = new AtomicBoolean();

    ListenedConsumer(Map<String, Object> configs) {
      super(configs, keyDeserializer(configs), valueDeserializer(configs));
      id = name + "." + clientId(configs);
      getListeners().forEach(listener -> listener.consumerAdded(id, this));
    }

    private String clientId(Map<String, Object> configs) {
      return metrics().keySet().stream().map(MetricName::tags).map(tags -> tags.get("client-id"))
          .findFirst().orElseGet(() -> String.valueOf(configs.get(ConsumerConfig.CLIENT_ID_CONFIG)));
    }

    @Override
    public void close() {
      super.close();
      tellRemoved();
    }

    @Override
    @SuppressWarnings("deprecation") // Of the interface, and still called.
    public void close(Duration timeout) {
      super.close(timeout);
      tellRemoved();
    }

    @Override
    public void close(CloseOptions options) {
      super.close(options);
      tellRemoved();
    }

    private void tellRemoved() {
      if (removed.compareAndSet(false, true)) { // One way of closing may call another.
        getListeners().forEach(listener -> listener.consumerRemoved(id, this));
      }
    }
  }
}
