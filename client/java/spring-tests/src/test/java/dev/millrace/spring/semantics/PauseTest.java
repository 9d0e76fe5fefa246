package dev.millrace.spring.semantics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.spring.test.EmbeddedMillrace;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.event.EventListener;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.event.ListenerContainerIdleEvent;
import org.springframework.kafka.listener.MessageListenerContainer;

/** Pausing a container from outside, and single partitions by the consumer from within a listener. */
@SpringBootTest(properties = {
    "spring.kafka.listener.idle-event-interval=50ms", "spring.kafka.listener.poll-timeout=50ms"})
@EmbeddedMillrace(topics = {"paused-outside", "paused-inside"}, partitions = 2)
class PauseTest {
  private static final TopicPartition FIRST = new TopicPartition("paused-inside", 0);

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Application {
    final List<String> outside = new CopyOnWriteArrayList<>();
    final List<String> inside = new CopyOnWriteArrayList<>();
    final AtomicBoolean mayResume = new AtomicBoolean();
    final AtomicInteger idleEvents = new AtomicInteger();

    @KafkaListener(id = "outside", topics = "paused-outside")
    void outside(String value) {
      outside.add(value);
    }

    /** Pauses partition 0 with its first record. */
    @KafkaListener(id = "inside", topics = "paused-inside")
    void inside(ConsumerRecord<String, String> record, Consumer<?, ?> consumer) {
      inside.add(record.partition() + " " + record.value());
      if (record.value().equals("pause")) {
        consumer.pause(List.of(FIRST));
      }
    }

    /** On the consumer's thread. Comes while a container polls and gets nothing. */
    @EventListener
    void idle(ListenerContainerIdleEvent event) {
      idleEvents.incrementAndGet();
      if (event.getListenerId().startsWith("inside") && mayResume.get()) {
        event.getConsumer().resume(event.getConsumer().paused());
      }
    }
  }

  @Autowired Application application;
  @Autowired KafkaTemplate<String, String> template;
  @Autowired KafkaListenerEndpointRegistry registry;

  @Test
  void aPausedContainerPollsAndGetsNothingUntilItIsResumed() throws Exception {
    MessageListenerContainer container = registry.getListenerContainer("outside");
    template.send("paused-outside", 0, null, "before").get();
    await().until(() -> application.outside.contains("before"));

    container.pause();
    await().until(container::isContainerPaused);
    template.send("paused-outside", 0, null, "while paused").get();
    template.send("paused-outside", 1, null, "while paused as well").get();
    awaitIdleEvents();
    assertThat(application.outside).containsExactly("before");

    container.resume();
    await().until(() -> application.outside.size() == 3);
    assertThat(application.outside)
        .containsExactlyInAnyOrder("before", "while paused", "while paused as well");
  }

  @Test
  void aPausedPartitionWaitsAndTheOtherGoesOn() throws Exception {
    template.send("paused-inside", 0, null, "pause").get();
    await().until(() -> application.inside.contains("0 pause"));
    template.send("paused-inside", 0, null, "waits").get();
    template.send("paused-inside", 1, null, "goes on").get();
    await().until(() -> application.inside.contains("1 goes on"));
    awaitIdleEvents();
    assertThat(application.inside).containsExactly("0 pause", "1 goes on");

    application.mayResume.set(true);
    await().until(() -> application.inside.contains("0 waits"));
    assertThat(application.inside).containsExactly("0 pause", "1 goes on", "0 waits");
  }

  /** Each container has polled several times since. */
  private void awaitIdleEvents() {
    int before = application.idleEvents.get();
    await().until(() -> application.idleEvents.get() >= before + 8);
  }
}
