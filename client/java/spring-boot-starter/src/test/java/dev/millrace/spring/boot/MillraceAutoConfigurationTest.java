package dev.millrace.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.spring.MillraceAdmin;
import dev.millrace.spring.MillraceConsumerFactory;
import dev.millrace.spring.MillraceProducerFactory;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.kafka.autoconfigure.DefaultKafkaConsumerFactoryCustomizer;
import org.springframework.boot.kafka.autoconfigure.DefaultKafkaProducerFactoryCustomizer;
import org.springframework.boot.kafka.autoconfigure.KafkaAutoConfiguration;
import org.springframework.boot.kafka.autoconfigure.KafkaConnectionDetails;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.config.ConcurrentKafkaListenerContainerFactory;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.KafkaAdmin;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.kafka.listener.ContainerProperties.AckMode;
import org.springframework.kafka.transaction.KafkaTransactionManager;

/** Which beans there are, and what configures them. Needs no hub. */
class MillraceAutoConfigurationTest {
  private final ApplicationContextRunner runner = new ApplicationContextRunner().withConfiguration(
      AutoConfigurations.of(KafkaAutoConfiguration.class, MillraceAutoConfiguration.class,
          MillraceHealthAutoConfiguration.class));

  @Test
  void theFactoriesAndTheAdminAreOfTheHubAndTheRestIsBoots() {
    runner.run(context -> {
      assertThat(context).getBean(ProducerFactory.class).isExactlyInstanceOf(MillraceProducerFactory.class);
      assertThat(context).getBean(ConsumerFactory.class).isExactlyInstanceOf(MillraceConsumerFactory.class);
      assertThat(context).getBean(KafkaAdmin.class).isExactlyInstanceOf(MillraceAdmin.class);
      assertThat(context).getBean(KafkaTemplate.class).isExactlyInstanceOf(KafkaTemplate.class);
      assertThat(context.getBean(KafkaTemplate.class).getProducerFactory())
          .isSameAs(context.getBean(ProducerFactory.class));
      assertThat(context.getBean(ConcurrentKafkaListenerContainerFactory.class).getConsumerFactory())
          .isSameAs(context.getBean(ConsumerFactory.class));
    });
  }

  @Test
  void theTargetTakesThePlaceOfBootstrapServersEverywhere() {
    runner.withPropertyValues("millrace.target=hub:1234", "spring.kafka.bootstrap-servers=kafka:9092",
        "spring.kafka.consumer.bootstrap-servers=kafka:9093").run(context -> {
          List<String> hub = List.of("hub:1234");
          assertThat(context.getBean(ProducerFactory.class).getConfigurationProperties())
              .containsEntry("bootstrap.servers", hub);
          assertThat(context.getBean(ConsumerFactory.class).getConfigurationProperties())
              .containsEntry("bootstrap.servers", hub);
          assertThat(context.getBean(KafkaAdmin.class).getConfigurationProperties())
              .containsEntry("bootstrap.servers", hub);
          assertThat(context.getBean(KafkaConnectionDetails.class).getBootstrapServers()).isEqualTo(hub);
        });
  }

  @Test
  void theTargetHasADefault() {
    runner.run(context -> assertThat(context.getBean(MillraceConnectionDetails.class).getTarget())
        .isEqualTo("localhost:9640"));
  }

  @Test
  void connectionDetailsWinOverTheProperty() {
    runner.withPropertyValues("millrace.target=hub:1234")
        .withBean("details", MillraceConnectionDetails.class, () -> () -> "service:5678")
        .run(context -> assertThat(context.getBean(ProducerFactory.class).getConfigurationProperties())
            .containsEntry("bootstrap.servers", List.of("service:5678")));
  }

  @Test
  void propertiesOfKafkaKeepTheirMeaning() {
    runner.withPropertyValues(
        "spring.kafka.client-id=app",
        "spring.kafka.consumer.group-id=my-group",
        "spring.kafka.consumer.auto-offset-reset=earliest",
        "spring.kafka.consumer.max-poll-records=7",
        "spring.kafka.producer.value-serializer=" + ByteArraySerializer.class.getName(),
        "spring.kafka.producer.transaction-id-prefix=tx-",
        "spring.kafka.listener.ack-mode=record",
        "spring.kafka.listener.concurrency=3",
        "spring.kafka.template.default-topic=orders",
        "spring.kafka.admin.fail-fast=true",
        "spring.kafka.admin.operation-timeout=7s").run(context -> {
          assertThat(context.getBean(ConsumerFactory.class).getConfigurationProperties())
              .containsEntry(ConsumerConfig.GROUP_ID_CONFIG, "my-group")
              .containsEntry(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest")
              .containsEntry(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 7)
              .containsEntry(ConsumerConfig.CLIENT_ID_CONFIG, "app");
          ProducerFactory<?, ?> producers = context.getBean(ProducerFactory.class);
          assertThat(producers.getConfigurationProperties())
              .containsEntry(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
          assertThat(producers.getTransactionIdPrefix()).isEqualTo("tx-");
          assertThat(context).hasSingleBean(KafkaTransactionManager.class);
          assertThat(context.getBean(KafkaTemplate.class).getDefaultTopic()).isEqualTo("orders");
          assertThat(context.getBean(ConcurrentKafkaListenerContainerFactory.class).getContainerProperties()
              .getAckMode()).isEqualTo(AckMode.RECORD);
          assertThat(context.getBean(KafkaAdmin.class).getOperationTimeout()).isEqualTo(7);
        });
  }

  @Test
  void customizersOfBootsFactoriesAreApplied() {
    runner.withBean(DefaultKafkaProducerFactoryCustomizer.class,
            () -> factory -> factory.setPhysicalCloseTimeout(3))
        .withBean(DefaultKafkaConsumerFactoryCustomizer.class,
            () -> factory -> factory.updateConfigs(Map.of("custom", "yes")))
        .run(context -> {
          assertThat(context.getBean(ProducerFactory.class).getPhysicalCloseTimeout())
              .isEqualTo(Duration.ofSeconds(3));
          assertThat(context.getBean(ConsumerFactory.class).getConfigurationProperties())
              .containsEntry("custom", "yes");
        });
  }

  @Test
  void anApplicationsOwnBeansWin() {
    runner.withBean(ProducerFactory.class, () -> new DefaultKafkaProducerFactory<>(Map.of()))
        .withBean(ConsumerFactory.class, () -> new DefaultKafkaConsumerFactory<>(Map.of()))
        .withBean(KafkaAdmin.class, () -> new KafkaAdmin(Map.of()))
        .run(context -> {
          assertThat(context).hasSingleBean(ProducerFactory.class).hasSingleBean(ConsumerFactory.class)
              .hasSingleBean(KafkaAdmin.class).doesNotHaveBean(MillraceProducerFactory.class)
              .doesNotHaveBean(MillraceConsumerFactory.class).doesNotHaveBean(MillraceAdmin.class);
        });
  }

  @Test
  void turnedOffEverythingIsKafkas() {
    runner.withPropertyValues("millrace.enabled=false").run(context -> {
      assertThat(context).getBean(ProducerFactory.class).isExactlyInstanceOf(DefaultKafkaProducerFactory.class);
      assertThat(context).getBean(ConsumerFactory.class).isExactlyInstanceOf(DefaultKafkaConsumerFactory.class);
      assertThat(context).getBean(KafkaAdmin.class).isExactlyInstanceOf(KafkaAdmin.class);
      assertThat(context).doesNotHaveBean(MillraceHealthIndicator.class);
    });
  }

  @Test
  void healthIsThereUnlessItIsTurnedOff() {
    runner.run(context -> assertThat(context).hasSingleBean(MillraceHealthIndicator.class));
    runner.withPropertyValues("management.health.millrace.enabled=false")
        .run(context -> assertThat(context).doesNotHaveBean(MillraceHealthIndicator.class));
  }

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Application {}

  @Test
  void anApplicationFindsAllOfItByItself() {
    new ApplicationContextRunner().withUserConfiguration(Application.class).run(context ->
        assertThat(context).hasSingleBean(MillraceProducerFactory.class)
            .hasSingleBean(MillraceHealthIndicator.class));
  }
}
