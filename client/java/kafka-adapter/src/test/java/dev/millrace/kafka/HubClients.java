package dev.millrace.kafka;

import dev.millrace.test.HubProcess;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Makes the adapter's clients for a hub, of texts, with the settings that a test adds. */
final class HubClients {
  static final Duration PATIENCE = Duration.ofSeconds(30);

  private final HubProcess hub;

  HubClients(HubProcess hub) {
    this.hub = hub;
  }

  Map<String, Object> settings(Object... more) {
    Map<String, Object> settings = new HashMap<>();
    settings.put("bootstrap.servers", hub.target());
    for (int i = 0; i < more.length; i += 2) settings.put((String) more[i], more[i + 1]);
    return settings;
  }

  MillraceKafkaProducer<String, String> producer(Object... more) {
    return new MillraceKafkaProducer<>(settings(more), new StringSerializer(), new StringSerializer());
  }

  MillraceKafkaConsumer<String, String> consumer(Object... more) {
    return new MillraceKafkaConsumer<>(settings(more), new StringDeserializer(), new StringDeserializer());
  }

  /** A member that reads from the beginning and commits by hand. */
  MillraceKafkaConsumer<String, String> member(String group, Object... more) {
    Map<String, Object> settings = settings(more);
    settings.put("group.id", group);
    settings.putIfAbsent("auto.offset.reset", "earliest");
    settings.putIfAbsent("enable.auto.commit", "false");
    return new MillraceKafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
  }

  void createTopic(String topic, int partitions) {
    try (MillraceKafkaAdmin admin = new MillraceKafkaAdmin(settings())) {
      admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1))).all().get();
    } catch (Exception error) {
      throw new AssertionError(error);
    }
  }

  /** Stores values 0 to count-1 in one partition. */
  void fill(String topic, int partition, int count) {
    try (MillraceKafkaProducer<String, String> producer = producer()) {
      for (int i = 0; i < count; i++) producer.send(new ProducerRecord<>(topic, partition, null, String.valueOf(i)));
    }
  }

  /** Polls until so many records came. */
  static List<ConsumerRecord<String, String>> take(Consumer<String, String> consumer, int count) {
    List<ConsumerRecord<String, String>> records = new ArrayList<>();
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (records.size() < count) {
      if (System.nanoTime() > deadline) throw new AssertionError("Only " + records.size() + " of " + count + " came.");
      consumer.poll(Duration.ofMillis(200)).forEach(records::add);
    }
    return records;
  }

  static List<String> values(List<ConsumerRecord<String, String>> records) {
    return records.stream().map(ConsumerRecord::value).toList();
  }

  /** Polls until something has happened; what comes meanwhile must be nothing. */
  static void pollUntil(Consumer<String, String> consumer, BooleanSupplier happened) {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!happened.getAsBoolean()) {
      if (System.nanoTime() > deadline) throw new AssertionError("It did not happen.");
      if (!consumer.poll(Duration.ofMillis(50)).isEmpty()) throw new AssertionError("A record came.");
    }
  }
}
