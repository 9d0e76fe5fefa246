package dev.millrace.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.spring.MillraceAdmin;
import dev.millrace.spring.MillraceConsumerFactory;
import dev.millrace.spring.MillraceProducerFactory;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.kafka.autoconfigure.KafkaAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.KafkaAdmin;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.core.ProducerFactory;

/** Applications that make their factories by hand. */
class ApplicationFactoriesTest {
  private final ApplicationContextRunner runner = new ApplicationContextRunner()
      .withConfiguration(AutoConfigurations.of(KafkaAutoConfiguration.class, MillraceAutoConfiguration.class))
      .withPropertyValues("millrace.target=hub:1234", "spring.kafka.bootstrap-servers=one:9092,two:9092");

  @Configuration
  static class HandMade {
    static final StringSerializer SERIALIZER = new StringSerializer();
    static final StringDeserializer DESERIALIZER = new StringDeserializer();

    @Bean
    ProducerFactory<String, String> producers() {
      DefaultKafkaProducerFactory<String, String> factory = new DefaultKafkaProducerFactory<>(
          Map.of("bootstrap.servers", "one:9092, two:9092", "linger.ms", 7), SERIALIZER, SERIALIZER);
      factory.setTransactionIdPrefix("tx-");
      factory.setPhysicalCloseTimeout(3);
      factory.setProducerPerThread(true);
      factory.addPostProcessor(producer -> producer);
      return factory;
    }

    @Bean
    ConsumerFactory<String, String> consumers() {
      return new DefaultKafkaConsumerFactory<>(
          Map.of("bootstrap.servers", List.of("two:9092", "one:9092"), "group.id", "mine"),
          DESERIALIZER, DESERIALIZER);
    }

    @Bean
    KafkaAdmin admin() {
      KafkaAdmin admin = new KafkaAdmin(Map.of("bootstrap.servers", "hub:1234"));
      admin.setOperationTimeout(7);
      return admin;
    }

    @Bean
    KafkaTemplate<String, String> template() {
      return new KafkaTemplate<>(producers());
    }
  }

  @Test
  void areOfTheHubWithAllTheirSettings() {
    runner.withUserConfiguration(HandMade.class).run(context -> {
      ProducerFactory<?, ?> producers = context.getBean(ProducerFactory.class);
      assertThat(producers).isExactlyInstanceOf(MillraceProducerFactory.class);
      assertThat(producers.getConfigurationProperties()).containsEntry("linger.ms", 7)
          .containsEntry("bootstrap.servers", "hub:1234");
      assertThat(producers.getTransactionIdPrefix()).isEqualTo("tx-");
      assertThat(producers.getPhysicalCloseTimeout()).isEqualTo(Duration.ofSeconds(3));
      assertThat(producers.isProducerPerThread()).isTrue();
      assertThat(producers.getPostProcessors()).hasSize(1);
      assertThat(producers.getKeySerializer()).isSameAs(HandMade.SERIALIZER);
      assertThat(context.getBean(KafkaTemplate.class).getProducerFactory())
          .as("also where a configuration calls its own method").isSameAs(producers);

      ConsumerFactory<?, ?> consumers = context.getBean(ConsumerFactory.class);
      assertThat(consumers).isExactlyInstanceOf(MillraceConsumerFactory.class);
      assertThat(consumers.getConfigurationProperties()).containsEntry("group.id", "mine")
          .containsEntry("bootstrap.servers", "hub:1234");
      assertThat(consumers.getValueDeserializer()).isSameAs(HandMade.DESERIALIZER);

      KafkaAdmin admin = context.getBean(KafkaAdmin.class);
      assertThat(admin).isExactlyInstanceOf(MillraceAdmin.class);
      assertThat(admin.getOperationTimeout()).isEqualTo(7);
      assertThat(admin.getConfigurationProperties()).containsEntry("bootstrap.servers", "hub:1234");
    });
  }

  @Test
  void ofAnotherKafkaStayAsTheyAre() {
    runner.withBean(DefaultKafkaProducerFactory.class,
            () -> new DefaultKafkaProducerFactory<>(Map.of("bootstrap.servers", "elsewhere:9092")))
        .withBean(DefaultKafkaConsumerFactory.class,
            () -> new DefaultKafkaConsumerFactory<>(Map.of("bootstrap.servers", "one:9092,elsewhere:9092")))
        .run(context -> {
          assertThat(context.getBean(ProducerFactory.class))
              .isExactlyInstanceOf(DefaultKafkaProducerFactory.class);
          assertThat(context.getBean(ConsumerFactory.class))
              .isExactlyInstanceOf(DefaultKafkaConsumerFactory.class);
        });
  }

  @Test
  void thatExtendKafkasStayAsTheyAre() {
    class Special extends DefaultKafkaProducerFactory<Object, Object> {
      Special() {
        super(Map.of("bootstrap.servers", "one:9092,two:9092"));
      }
    }
    runner.withBean(ProducerFactory.class, Special::new)
        .run(context -> assertThat(context.getBean(ProducerFactory.class)).isExactlyInstanceOf(Special.class));
  }

  @Test
  void stayAsTheyAreWhereTheStarterIsTurnedOff() {
    runner.withUserConfiguration(HandMade.class).withPropertyValues("millrace.enabled=false").run(context ->
        assertThat(context.getBean(ProducerFactory.class)).isExactlyInstanceOf(DefaultKafkaProducerFactory.class));
  }
}
