package dev.millrace.spring.semantics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.spring.test.EmbeddedMillrace;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.TopicBuilder;
import org.springframework.kafka.core.KafkaAdmin;
import org.springframework.kafka.core.KafkaTemplate;

/** Listeners that start before their topics, by name and by pattern, on a hub that makes no topics by itself. */
@SpringBootTest(properties = {
    "spring.kafka.consumer.properties[metadata.max.age.ms]=200",
    "spring.kafka.producer.properties[max.block.ms]=500"})
@EmbeddedMillrace
class LateTopicTest {

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Application {
    final List<String> named = new CopyOnWriteArrayList<>();
    final List<String> matched = new CopyOnWriteArrayList<>();

    @KafkaListener(topics = "late", groupId = "named")
    void named(String value) {
      named.add(value);
    }

    @KafkaListener(topicPattern = "events\\..*", groupId = "matched")
    void matched(String value) {
      matched.add(value);
    }
  }

  @Autowired Application application;
  @Autowired KafkaAdmin admin;
  @Autowired KafkaTemplate<String, String> template;

  @Test
  void aListenerReadsItsTopicOnceThereIsOne() throws Exception {
    create("late");
    template.send("late", "first").get();
    await().until(() -> application.named.contains("first"));
  }

  @Test
  void aPatternFindsTopicsThatComeLater() throws Exception {
    create("events.one");
    template.send("events.one", "of one").get();
    await().until(() -> application.matched.contains("of one"));
    create("events.two", "other");
    template.send("other", "of none").get();
    template.send("events.two", "of two").get();
    await().until(() -> application.matched.contains("of two"));
    assertThat(application.matched).containsExactly("of one", "of two");
  }

  @Test
  void sendingToATopicThatIsNotThereFails() {
    assertThatThrownBy(() -> template.send("nowhere", "lost").get())
        .hasStackTraceContaining("nowhere")
        .satisfies(error -> assertThat(Causes.of(error))
            .hasAtLeastOneElementOfType(UnknownTopicOrPartitionException.class));
  }

  private void create(String... names) {
    for (String name : names) {
      admin.createOrModifyTopics(TopicBuilder.name(name).partitions(1).build());
    }
  }
}
