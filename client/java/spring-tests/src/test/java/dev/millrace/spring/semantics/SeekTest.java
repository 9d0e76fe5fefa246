package dev.millrace.spring.semantics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.spring.test.EmbeddedMillrace;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.AbstractConsumerSeekAware;

/** A listener that seeks: while it runs, and when it is given its partitions. */
@SpringBootTest
@EmbeddedMillrace(topics = "history")
class SeekTest {

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Application {
    @Bean
    Reader reader() {
      return new Reader();
    }
  }

  static class Reader extends AbstractConsumerSeekAware {
    final BlockingQueue<String> values = new LinkedBlockingQueue<>();
    volatile BiConsumer<TopicPartition, ConsumerSeekCallback> onAssigned = (partition, callback) -> {};

    @KafkaListener(id = "reader", topics = "history")
    void read(String value) {
      values.add(value);
    }

    void seekTo(long offset) {
      getTopicsAndCallbacks().forEach((partition, callbacks) ->
          callbacks.forEach(callback -> callback.seek(partition.topic(), partition.partition(), offset)));
    }

    @Override
    public void onPartitionsAssigned(Map<TopicPartition, Long> assigned, ConsumerSeekCallback callback) {
      super.onPartitionsAssigned(assigned, callback);
      assigned.keySet().forEach(partition -> onAssigned.accept(partition, callback));
    }
  }

  @Autowired Reader reader;
  @Autowired KafkaTemplate<String, String> template;
  @Autowired KafkaListenerEndpointRegistry registry;

  @Test
  void goesWhereItSeeks() throws Exception {
    send("a", "b");
    long between = laterThanNow();
    send("c", "d");
    assertNext("a", "b", "c", "d");

    reader.seekToBeginning();
    assertNext("a", "b", "c", "d");

    reader.seekToTimestamp(between);
    assertNext("c", "d");

    reader.seekTo(1);
    assertNext("b", "c", "d");

    restartWith((partition, callback) -> callback.seekToBeginning(List.of(partition)));
    assertNext("a", "b", "c", "d");

    registry.getListenerContainer("reader").stop();
    send("missed");
    restartWith((partition, callback) -> callback.seekToEnd(List.of(partition)));
    await().until(() -> !registry.getListenerContainer("reader").getAssignedPartitions().isEmpty());
    assertThat(sendUntilOneIsRead()).isEqualTo("after");

    restartWith((partition, callback) -> callback.seekToTimestamp(partition.topic(), partition.partition(), between));
    assertNext("c", "d", "missed");
  }

  /** The seek to the end happens with the listener's next poll, so that what is sent before is not read. */
  private String sendUntilOneIsRead() throws Exception {
    String read;
    do {
      send("after");
      read = reader.values.poll(50, TimeUnit.MILLISECONDS);
    } while (read == null);
    return read;
  }

  private void restartWith(BiConsumer<TopicPartition, Reader.ConsumerSeekCallback> onAssigned) {
    registry.getListenerContainer("reader").stop();
    reader.values.clear();
    reader.onAssigned = onAssigned;
    registry.getListenerContainer("reader").start();
  }

  private void send(String... values) throws Exception {
    for (String value : values) {
      template.send("history", value).get();
    }
  }

  /** A time behind all that was sent and not behind what will be. */
  private static long laterThanNow() {
    long now = System.currentTimeMillis();
    await().pollInSameThread().until(() -> System.currentTimeMillis() > now);
    return now + 1;
  }

  private void assertNext(String... values) throws InterruptedException {
    for (String value : values) {
      assertThat(reader.values.poll(30, TimeUnit.SECONDS)).isEqualTo(value);
    }
  }
}
