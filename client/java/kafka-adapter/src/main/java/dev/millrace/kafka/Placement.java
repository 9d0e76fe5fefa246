package dev.millrace.kafka;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import org.apache.kafka.clients.producer.Partitioner;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.utils.Utils;

/**
 * Chooses a record's partition as Kafka's producer does: the one that the record names, else the
 * application's Partitioner, else murmur2 of the key. Records without a key stay together in one partition
 * until it got {@code batch.size} bytes, then in another.
 *
 * <p>Threads: any.
 */
final class Placement implements AutoCloseable {
  private static final class Sticky {
    int partition = -1;
    long bytes;
  }

  private final Topics topics;
  private final Partitioner partitioner; // Null: Kafka's default.
  private final boolean ignoreKeys;
  private final long stickyBytes;
  private final Map<String, Sticky> sticky = new ConcurrentHashMap<>();

  Placement(Topics topics, Partitioner partitioner, boolean ignoreKeys, long stickyBytes) {
    this.topics = topics;
    this.partitioner = partitioner;
    this.ignoreKeys = ignoreKeys;
    this.stickyBytes = stickyBytes;
  }

  int place(ProducerRecord<?, ?> record, byte[] key, byte[] value) {
    if (record.partition() != null) return record.partition();
    String topic = record.topic();
    if (partitioner != null) {
      int chosen = partitioner.partition(topic, record.key(), key, record.value(), value, topics.cluster(topic));
      if (chosen >= 0) return chosen;
      throw new IllegalArgumentException("The partitioner chose partition " + chosen + "; there are none below 0.");
    }
    int count = topics.count(topic);
    if (key != null && !ignoreKeys) return Utils.toPositive(Utils.murmur2(key)) % count;
    return stick(topic, count, value == null ? 0 : value.length);
  }

  private int stick(String topic, int count, int bytes) {
    Sticky at = sticky.computeIfAbsent(topic, name -> new Sticky());
    synchronized (at) {
      if (at.partition < 0 || at.partition >= count || at.bytes >= stickyBytes) {
        at.partition = another(at.partition, count);
        at.bytes = 0;
      }
      at.bytes += bytes;
      return at.partition;
    }
  }

  private static int another(int than, int count) {
    if (than < 0 || than >= count || count == 1) return ThreadLocalRandom.current().nextInt(count);
    return (than + 1 + ThreadLocalRandom.current().nextInt(count - 1)) % count;
  }

  @Override
  public void close() {
    if (partitioner != null) partitioner.close();
  }
}
