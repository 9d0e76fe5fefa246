package dev.millrace.spring.semantics;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.springframework.kafka.core.ConsumerFactory;

/** What the hub holds, read without a group. */
final class StoredRecords {
  private StoredRecords() {}

  /** All records of a topic, partition by partition, as of now. */
  static <K, V> List<ConsumerRecord<K, V>> of(ConsumerFactory<K, V> consumers, String topic) {
    try (Consumer<K, V> consumer = consumers.createConsumer(null, "onlooker")) {
      List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
          .map(partition -> new TopicPartition(topic, partition.partition())).toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      List<ConsumerRecord<K, V>> records = new ArrayList<>();
      while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
        consumer.poll(Duration.ofMillis(100)).forEach(records::add);
      }
      return records;
    }
  }

  static <K, V> List<V> values(ConsumerFactory<K, V> consumers, String topic) {
    return of(consumers, topic).stream().map(ConsumerRecord::value).toList();
  }
}
