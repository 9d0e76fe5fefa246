package com.example.tutorial;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.KafkaAdmin;
import org.springframework.kafka.core.KafkaTemplate;

/** The tutorial's sources, unchanged, are an application of Kafka where the starter is not there. Needs no broker. */
@SpringBootTest(
    webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT,
    properties = {"spring.kafka.listener.auto-startup=false", "spring.kafka.admin.auto-create=false"})
class PlainKafkaTest {
  @Autowired KafkaTemplate<String, String> template;
  @Autowired KafkaAdmin admin;
  @Autowired KafkaListenerEndpointRegistry listeners;

  @Test
  void nothingOfMillraceIsThere() {
    assertThatThrownBy(() -> Class.forName("dev.millrace.spring.boot.MillraceAutoConfiguration"))
        .isInstanceOf(ClassNotFoundException.class);
  }

  @Test
  void whatTheApplicationUsesIsKafkas() {
    assertThat(template.getProducerFactory()).isExactlyInstanceOf(DefaultKafkaProducerFactory.class);
    assertThat(admin).isExactlyInstanceOf(KafkaAdmin.class);
    assertThat(listeners.getListenerContainers()).singleElement().satisfies(container -> {
      assertThat(container.getGroupId()).isEqualTo("my-group");
      assertThat(container.getContainerProperties().getTopics()).containsExactly("my-topic");
    });
  }

  @Test
  void itsConsumersAreKafkas(@Autowired ConsumerFactory<String, String> consumers) {
    assertThat(consumers).isExactlyInstanceOf(DefaultKafkaConsumerFactory.class);
    assertThat(consumers.getConfigurationProperties()).containsEntry("auto.offset.reset", "earliest");
  }
}
