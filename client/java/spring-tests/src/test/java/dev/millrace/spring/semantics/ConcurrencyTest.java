package dev.millrace.spring.semantics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.spring.test.EmbeddedMillrace;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;

/** One listener of concurrency 3 over 6 partitions. */
@SpringBootTest
@EmbeddedMillrace(topics = "work", partitions = 6)
class ConcurrencyTest {
  private static final int PARTITIONS = 6;
  private static final int THREADS = 3;
  private static final int PER_PARTITION = 50;

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Application {
    final Map<Integer, List<String>> valuesOfPartition = new ConcurrentHashMap<>();
    final Map<Integer, Set<String>> threadsOfPartition = new ConcurrentHashMap<>();
    private final CyclicBarrier all = new CyclicBarrier(THREADS);
    private final ThreadLocal<Boolean> met = ThreadLocal.withInitial(() -> false);

    /** Goes on only when as many threads as it shall have are in it at once. */
    @KafkaListener(id = "workers", topics = "work", concurrency = "3")
    void work(ConsumerRecord<String, String> record) throws Exception {
      if (!met.get()) {
        all.await(30, TimeUnit.SECONDS);
        met.set(true);
      }
      valuesOfPartition.computeIfAbsent(record.partition(), key -> new CopyOnWriteArrayList<>())
          .add(record.value());
      threadsOfPartition.computeIfAbsent(record.partition(), key -> ConcurrentHashMap.newKeySet())
          .add(Thread.currentThread().getName());
    }
  }

  @Autowired Application application;
  @Autowired KafkaListenerEndpointRegistry registry;
  @Autowired KafkaTemplate<String, String> template;

  @Test
  void threeThreadsShareSixPartitionsAndKeepTheOrderOfEach() {
    var container = (ConcurrentMessageListenerContainer<?, ?>) registry.getListenerContainer("workers");
    await().untilAsserted(() -> assertThat(container.getContainers())
        .extracting(child -> child.getAssignedPartitions().size()).containsExactly(2, 2, 2));

    List<String> values = IntStream.range(0, PER_PARTITION).mapToObj(i -> "value " + i).toList();
    for (String value : values) {
      for (int partition = 0; partition < PARTITIONS; ++partition) {
        template.send("work", partition, null, value);
      }
    }
    await().until(() -> application.valuesOfPartition.values().stream().mapToInt(List::size).sum()
        >= PARTITIONS * PER_PARTITION);
    assertThat(application.valuesOfPartition).hasSize(PARTITIONS)
        .allSatisfy((partition, handled) -> assertThat(handled).isEqualTo(values));
    assertThat(application.threadsOfPartition.values()).as("a partition has one thread")
        .allSatisfy(threads -> assertThat(threads).hasSize(1));
    assertThat(application.threadsOfPartition.values().stream().distinct()).hasSize(THREADS);
  }
}
