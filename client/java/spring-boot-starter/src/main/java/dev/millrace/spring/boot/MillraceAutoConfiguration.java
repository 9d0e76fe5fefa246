package dev.millrace.spring.boot;

import dev.millrace.spring.MillraceAdmin;
import dev.millrace.spring.MillraceConsumerFactory;
import dev.millrace.spring.MillraceProducerFactory;
import java.time.Duration;
import java.util.List;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.context.properties.PropertyMapper;
import org.springframework.boot.kafka.autoconfigure.DefaultKafkaConsumerFactoryCustomizer;
import org.springframework.boot.kafka.autoconfigure.DefaultKafkaProducerFactoryCustomizer;
import org.springframework.boot.kafka.autoconfigure.KafkaAutoConfiguration;
import org.springframework.boot.kafka.autoconfigure.KafkaConnectionDetails;
import org.springframework.boot.kafka.autoconfigure.KafkaProperties;
import org.springframework.boot.ssl.SslBundles;
import org.springframework.context.annotation.Bean;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.KafkaAdmin;
import org.springframework.kafka.core.ProducerFactory;

/**
 * START HERE. Comes before Boot's configuration of Kafka and defines the three beans in which that speaks to a
 * broker: the producer factory, the consumer factory and the admin. Boot's own then stand back, and everything
 * on top of them (KafkaTemplate, listener containers, retry topics, transactions, metrics) is Boot's and
 * spring-kafka's, configured by {@code spring.kafka.*}. An application's own beans of these types win; where they
 * are Kafka's they are made the hub's, see {@link ApplicationFactories}.
 */
@AutoConfiguration(before = KafkaAutoConfiguration.class)
@ConditionalOnBooleanProperty(name = "millrace.enabled", matchIfMissing = true)
@EnableConfigurationProperties({MillraceProperties.class, KafkaProperties.class})
public final class MillraceAutoConfiguration {

  @Bean
  @ConditionalOnMissingBean
  MillraceConnectionDetails millraceConnectionDetails(MillraceProperties properties) {
    return properties::getTarget;
  }

  /** For whatever asks Boot where its broker is. */
  @Bean
  @ConditionalOnMissingBean
  KafkaConnectionDetails millraceKafkaConnectionDetails(MillraceConnectionDetails hub) {
    return () -> List.of(hub.getTarget());
  }

  @Bean
  HubConfigs millraceHubConfigs(KafkaProperties kafka, MillraceProperties properties, MillraceConnectionDetails hub,
      ObjectProvider<SslBundles> bundles) {
    return new HubConfigs(kafka, properties, hub, bundles.getIfAvailable());
  }

  @Bean
  @ConditionalOnMissingBean(ProducerFactory.class)
  MillraceProducerFactory<?, ?> kafkaProducerFactory(KafkaProperties kafka, HubConfigs configs,
      ObjectProvider<DefaultKafkaProducerFactoryCustomizer> customizers) {
    MillraceProducerFactory<?, ?> factory = new MillraceProducerFactory<>(configs.producer());
    PropertyMapper.get().from(kafka.getProducer()::getTransactionIdPrefix).to(factory::setTransactionIdPrefix);
    customizers.orderedStream().forEach(customizer -> customizer.customize(factory));
    return factory;
  }

  @Bean
  @ConditionalOnMissingBean(ConsumerFactory.class)
  MillraceConsumerFactory<?, ?> kafkaConsumerFactory(HubConfigs configs,
      ObjectProvider<DefaultKafkaConsumerFactoryCustomizer> customizers) {
    MillraceConsumerFactory<?, ?> factory = new MillraceConsumerFactory<>(configs.consumer());
    customizers.orderedStream().forEach(customizer -> customizer.customize(factory));
    return factory;
  }

  @Bean
  @ConditionalOnMissingBean(KafkaAdmin.class)
  MillraceAdmin kafkaAdmin(KafkaProperties kafka, HubConfigs configs) {
    MillraceAdmin admin = new MillraceAdmin(configs.admin());
    KafkaProperties.Admin properties = kafka.getAdmin();
    PropertyMapper map = PropertyMapper.get();
    map.from(properties::getCloseTimeout).as(Duration::toSeconds).as(Math::toIntExact).to(admin::setCloseTimeout);
    map.from(properties::getOperationTimeout).as(Duration::toSeconds).as(Math::toIntExact)
        .to(admin::setOperationTimeout);
    admin.setFatalIfBrokerNotAvailable(properties.isFailFast());
    admin.setModifyTopicConfigs(properties.isModifyTopicConfigs());
    admin.setAutoCreate(properties.isAutoCreate());
    return admin;
  }

  /** Static and with providers, so that it is made before all beans that it looks at, and makes none itself. */
  @Bean
  static ApplicationFactories millraceApplicationFactories(ObjectProvider<KafkaProperties> kafka,
      ObjectProvider<MillraceConnectionDetails> hub, ObjectProvider<HubConfigs> configs) {
    return new ApplicationFactories(kafka, hub, configs);
  }
}
