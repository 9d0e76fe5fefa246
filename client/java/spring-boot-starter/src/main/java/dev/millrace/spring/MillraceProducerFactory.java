package dev.millrace.spring;

import dev.millrace.kafka.MillraceKafkaProducer;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serializer;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.kafka.core.ProducerPostProcessor;
import org.springframework.util.StringUtils;

/**
 * spring-kafka's own producer factory, whose producers speak to a hub: everything but the making of a producer
 * (caching, transactions, listeners, post-processors) is inherited. Configured with the properties of a Kafka
 * producer; {@code bootstrap.servers} is the hub's HOST:PORT. Safe for use by many threads; who makes one
 * without Spring's container calls {@link #destroy()}.
 */
public class MillraceProducerFactory<K, V> extends DefaultKafkaProducerFactory<K, V> {

  /** Serializers are those that the properties name. */
  public MillraceProducerFactory(Map<String, Object> configs) {
    super(configs);
  }

  /**
   * A supplier, or what it gives, may be null: then the properties name that serializer.
   *
   * @param configureSerializers whether supplied serializers get {@code configs} by {@code configure}
   */
  public MillraceProducerFactory(Map<String, Object> configs, Supplier<Serializer<K>> keySerializer,
      Supplier<Serializer<V>> valueSerializer, boolean configureSerializers) {
    super(configs, keySerializer, valueSerializer, configureSerializers);
  }

  @Override
  protected Producer<K, V> createRawProducer(Map<String, Object> configs) {
    Producer<K, V> producer = new MillraceKafkaProducer<>(configs, getKeySerializer(), getValueSerializer());
    for (ProducerPostProcessor<K, V> postProcessor : getPostProcessors()) {
      producer = postProcessor.apply(producer);
    }
    return producer;
  }

  /** As in the superclass, whose copies would be producers of Kafka. */
  @Override
  public ProducerFactory<K, V> copyWithConfigurationOverride(Map<String, Object> overrides) {
    Map<String, Object> configs = new HashMap<>(getConfigurationProperties());
    if (overrides != null) {
      configs.putAll(overrides);
    }
    if (StringUtils.hasText(getTransactionIdPrefix())) {
      configs.putIfAbsent(ProducerConfig.TRANSACTIONAL_ID_CONFIG, getTransactionIdPrefix());
    }
    MillraceProducerFactory<K, V> copy = new MillraceProducerFactory<>(configs, getKeySerializerSupplier(),
        getValueSerializerSupplier(), isConfigureSerializers());
    copy.setPhysicalCloseTimeout((int) getPhysicalCloseTimeout().toSeconds());
    copy.setProducerPerThread(isProducerPerThread());
    getPostProcessors().forEach(copy::addPostProcessor);
    getListeners().forEach(copy::addListener);
    return copy;
  }
}
