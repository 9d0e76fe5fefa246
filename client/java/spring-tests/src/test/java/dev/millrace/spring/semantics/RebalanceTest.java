package dev.millrace.spring.semantics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.spring.test.EmbeddedMillrace;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.MessageListenerContainer;

/** Members join and leave while a record is being handled: it is handled once, and nothing is lost. */
@SpringBootTest(properties = "spring.kafka.consumer.max-poll-records=1")
@EmbeddedMillrace(topics = "work", partitions = 2)
class RebalanceTest {

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Application {
    final List<String> handled = new CopyOnWriteArrayList<>();
    final CountDownLatch goOn = new CountDownLatch(1);

    @KafkaListener(id = "first", groupId = "workers", topics = "work")
    void first(String value) throws InterruptedException {
      handled.add(value);
      if (value.equals("long")) {
        goOn.await();
      }
    }

    @KafkaListener(id = "second", groupId = "workers", topics = "work", autoStartup = "false")
    void second(String value) {
      handled.add(value);
    }
  }

  @Autowired Application application;
  @Autowired KafkaTemplate<String, String> template;
  @Autowired ConsumerFactory<String, String> consumers;
  @Autowired KafkaListenerEndpointRegistry registry;

  @Test
  void aRebalanceDuringProcessingHandlesNothingTwice() throws Exception {
    MessageListenerContainer first = registry.getListenerContainer("first");
    MessageListenerContainer second = registry.getListenerContainer("second");
    template.send("work", 0, null, "long").get();
    await().until(() -> application.handled.contains("long"));

    second.start();
    template.send("work", 0, null, "behind it").get();
    template.send("work", 1, null, "beside it").get();
    application.goOn.countDown();
    await().untilAsserted(() -> {
      assertThat(first.getAssignedPartitions()).hasSize(1);
      assertThat(second.getAssignedPartitions()).hasSize(1);
    });
    awaitCommitted(2, 1);

    first.stop(); // While it polls.
    template.send("work", 0, null, "after").get();
    template.send("work", 1, null, "after as well").get();
    awaitCommitted(3, 2);
    assertThat(second.getAssignedPartitions()).hasSize(2);
    assertThat(application.handled)
        .containsExactlyInAnyOrder("long", "behind it", "beside it", "after", "after as well");
  }

  private void awaitCommitted(long... offsets) {
    for (int partition = 0; partition < offsets.length; ++partition) {
      TopicPartition of = new TopicPartition("work", partition);
      long offset = offsets[partition];
      await().untilAsserted(() ->
          assertThat(GroupOffsets.committed(consumers, "workers", of)).isEqualTo(offset));
    }
  }
}
