package dev.millrace.spring.semantics;

import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.springframework.kafka.core.ConsumerFactory;

/** How far a group is, asked by a consumer that is no member of it. */
final class GroupOffsets {
  private GroupOffsets() {}

  /** The next offset that the group would read; 0 where it has none. */
  static long committed(ConsumerFactory<?, ?> consumers, String group, TopicPartition partition) {
    try (Consumer<?, ?> consumer = consumers.createConsumer(group, "onlooker")) {
      Map<TopicPartition, OffsetAndMetadata> offsets = consumer.committed(Set.of(partition));
      return offsets.get(partition) == null ? 0 : offsets.get(partition).offset();
    }
  }
}
