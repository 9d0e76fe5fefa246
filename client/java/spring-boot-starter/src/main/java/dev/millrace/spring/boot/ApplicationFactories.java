package dev.millrace.spring.boot;

import dev.millrace.spring.MillraceAdmin;
import dev.millrace.spring.MillraceConsumerFactory;
import dev.millrace.spring.MillraceProducerFactory;
import java.lang.reflect.Field;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.CommonClientConfigs;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.boot.kafka.autoconfigure.KafkaProperties;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.KafkaAdmin;
import org.springframework.kafka.core.KafkaResourceFactory;
import org.springframework.util.ReflectionUtils;

/**
 * Lets applications be that make their factories by hand, {@code new DefaultKafkaProducerFactory<>(…)}: a factory
 * or admin which is configured for the application's Kafka ({@code spring.kafka.bootstrap-servers}) or for the hub
 * is replaced by one of the hub, of the same settings. What is configured for another Kafka stays as it is.
 */
final class ApplicationFactories implements BeanPostProcessor {
  private static final Logger log = LoggerFactory.getLogger(ApplicationFactories.class);

  private final ObjectProvider<KafkaProperties> kafka;
  private final ObjectProvider<MillraceConnectionDetails> hub;
  private final ObjectProvider<HubConfigs> ours;

  ApplicationFactories(ObjectProvider<KafkaProperties> kafka, ObjectProvider<MillraceConnectionDetails> hub,
      ObjectProvider<HubConfigs> ours) {
    this.kafka = kafka;
    this.hub = hub;
    this.ours = ours;
  }

  @Override
  public Object postProcessAfterInitialization(Object bean, String name) {
    if (isKafkas(bean, DefaultKafkaProducerFactory.class)) {
      return replace((DefaultKafkaProducerFactory<?, ?>) bean, name);
    }
    if (isKafkas(bean, DefaultKafkaConsumerFactory.class)) {
      return replace((DefaultKafkaConsumerFactory<?, ?>) bean, name);
    }
    return isKafkas(bean, KafkaAdmin.class) ? replace((KafkaAdmin) bean, name) : bean;
  }

  /** A subclass may do anything; ours are such. */
  private static boolean isKafkas(Object bean, Class<?> type) {
    return bean.getClass() == type;
  }

  private <K, V> Object replace(DefaultKafkaProducerFactory<K, V> original, String name) {
    Map<String, Object> configs = original.getConfigurationProperties();
    if (!isOfThisApplication(configs, name)) {
      return original;
    }
    MillraceProducerFactory<K, V> factory = copyState(original, new MillraceProducerFactory<>(withOwn(configs)));
    original.getListeners().forEach(factory::addListener);
    original.getPostProcessors().forEach(factory::addPostProcessor);
    return factory;
  }

  private <K, V> Object replace(DefaultKafkaConsumerFactory<K, V> original, String name) {
    Map<String, Object> configs = original.getConfigurationProperties();
    if (!isOfThisApplication(configs, name)) {
      return original;
    }
    MillraceConsumerFactory<K, V> factory = copyState(original, new MillraceConsumerFactory<>(withOwn(configs)));
    factory.setBeanName(name);
    factory.setConfigureDeserializers(configuresDeserializers(original));
    original.getListeners().forEach(factory::addListener);
    original.getPostProcessors().forEach(factory::addPostProcessor);
    return factory;
  }

  private Object replace(KafkaAdmin original, String name) {
    Map<String, Object> configs = original.getConfigurationProperties();
    return isOfThisApplication(configs, name) ? copyState(original, new MillraceAdmin(withOwn(configs))) : original;
  }

  private boolean isOfThisApplication(Map<String, Object> configs, String name) {
    String target = hub.getObject().getTarget();
    Set<String> servers = servers(configs.get(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG));
    if (!servers.equals(Set.of(target))
        && !servers.equals(Set.copyOf(kafka.getObject().getBootstrapServers()))) {
      return false;
    }
    log.info("Bean '{}', configured for {}, speaks to the hub at {}", name, servers, target);
    return true;
  }

  private Map<String, Object> withOwn(Map<String, Object> configs) {
    Map<String, Object> all = new HashMap<>(configs);
    ours.getObject().addOwn(all);
    return all;
  }

  /** The property is a text with commas or a list of texts. */
  private static Set<String> servers(Object configured) {
    Stream<?> parts = configured instanceof Collection<?> many ? many.stream() : Stream.ofNullable(configured);
    return parts.flatMap(part -> Stream.of(part.toString().split(","))).map(String::strip)
        .collect(Collectors.toSet());
  }

  /** All settings but the final fields: maps and lists, which are handed over by what is public. */
  private <T extends KafkaResourceFactory> T copyState(KafkaResourceFactory original, T copy) {
    ReflectionUtils.shallowCopyFieldState(original, copy);
    copy.setBootstrapServersSupplier(hub.getObject()::getTarget);
    return copy;
  }

  private static boolean configuresDeserializers(DefaultKafkaConsumerFactory<?, ?> factory) {
    Field field = ReflectionUtils.findField(DefaultKafkaConsumerFactory.class, "configureDeserializers");
    ReflectionUtils.makeAccessible(field);
    return Boolean.TRUE.equals(ReflectionUtils.getField(field, factory));
  }
}
