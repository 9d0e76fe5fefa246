package dev.millrace.spring.semantics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.spring.test.EmbeddedMillrace;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.event.EventListener;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.event.ConsumerStartedEvent;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;

/**
 * A listener takes far longer than {@code max.poll.interval.ms}, behind which Kafka would evict it, while another
 * member waits for work: it keeps its partition, and its record is handled once.
 */
@SpringBootTest(properties = {
    "spring.kafka.consumer.max-poll-records=1",
    "spring.kafka.consumer.properties[max.poll.interval.ms]=50"})
@EmbeddedMillrace(topics = "work")
class SlowListenerTest {
  private static final Duration TWENTY_POLL_INTERVALS = Duration.ofSeconds(1);

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Application {
    final List<String> handled = new CopyOnWriteArrayList<>();
    final CountDownLatch done = new CountDownLatch(1);
    final CountDownLatch started = new CountDownLatch(2);

    @KafkaListener(id = "slow", groupId = "workers", topics = "work")
    void slow(String value) throws InterruptedException {
      handled.add(value);
      done.await();
    }

    @KafkaListener(id = "other", groupId = "workers", topics = "work", autoStartup = "false")
    void other(String value) {
      handled.add("other: " + value);
    }

    @EventListener
    void started(ConsumerStartedEvent event) {
      started.countDown();
    }
  }

  @Autowired Application application;
  @Autowired KafkaTemplate<String, String> template;
  @Autowired ConsumerFactory<String, String> consumers;
  @Autowired KafkaListenerEndpointRegistry registry;

  @Test
  void aSlowListenerIsNotEvicted() throws Exception {
    template.send("work", "slow one").get();
    template.send("work", "next").get();
    await().until(() -> application.handled.contains("slow one"));
    registry.getListenerContainer("other").start();
    application.started.await();
    Instant enough = Instant.now().plus(TWENTY_POLL_INTERVALS);
    await().until(() -> Instant.now().isAfter(enough)); // That nothing happens has no event.
    assertThat(application.handled).containsExactly("slow one");

    application.done.countDown();
    await().untilAsserted(() -> assertThat(
        GroupOffsets.committed(consumers, "workers", new TopicPartition("work", 0))).isEqualTo(2));
    assertThat(application.handled.get(0)).isEqualTo("slow one");
    assertThat(application.handled.get(1)).as("it keeps its partition, or gives it up after a commit")
        .isIn("next", "other: next");
    assertThat(application.handled).hasSize(2);
  }
}
