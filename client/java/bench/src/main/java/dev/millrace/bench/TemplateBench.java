package dev.millrace.bench;

import dev.millrace.kafka.MillraceKafkaAdmin;
import dev.millrace.kafka.MillraceKafkaProducer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.KafkaTemplate;

/**
 * How many records a second one thread sends with KafkaTemplate: the same code over a Millrace hub and over a Kafka
 * broker.
 *
 * <pre>TemplateBench millrace|kafka HOST:PORT [SETTING=VALUE]...</pre>
 *
 * <p>Prints a line of JSON: records answered a second, from the first send to the last answer, after a warm-up.
 */
public final class TemplateBench {
  private static final String TOPIC = "template-bench";
  private static final int PARTITIONS = 6;
  private static final int VALUE_BYTES = 100;
  private static final long WARM_UP_SECONDS = 5;
  private static final long MEASURED_SECONDS = 15;

  private TemplateBench() {}

  /** Spring's factory, which makes the adapter's producers. */
  private static final class HubProducerFactory extends DefaultKafkaProducerFactory<byte[], byte[]> {
    HubProducerFactory(Map<String, Object> settings) {
      super(settings);
    }

    @Override
    protected Producer<byte[], byte[]> createRawProducer(Map<String, Object> settings) {
      return new MillraceKafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }
  }

  public static void main(String[] arguments) throws Exception {
    boolean hub = arguments[0].equals("millrace");
    Map<String, Object> settings = new HashMap<>();
    settings.put("bootstrap.servers", arguments[1]);
    try (Admin admin = hub ? new MillraceKafkaAdmin(settings) : Admin.create(settings)) {
      admin.createTopics(List.of(new NewTopic(TOPIC, PARTITIONS, (short) 1))).all().get();
    }
    settings.put("key.serializer", ByteArraySerializer.class);
    settings.put("value.serializer", ByteArraySerializer.class);
    for (String setting : List.of(arguments).subList(2, arguments.length)) {
      settings.put(setting.split("=", 2)[0], setting.split("=", 2)[1]);
    }
    DefaultKafkaProducerFactory<byte[], byte[]> factory =
        hub ? new HubProducerFactory(settings) : new DefaultKafkaProducerFactory<>(settings);
    KafkaTemplate<byte[], byte[]> template = new KafkaTemplate<>(factory);
    send(template, WARM_UP_SECONDS);
    System.out.println("{\"records_per_second\": " + send(template, MEASURED_SECONDS) + "}");
    factory.destroy();
  }

  /** Records answered a second; throws where one failed. */
  private static long send(KafkaTemplate<byte[], byte[]> template, long seconds) {
    LongAdder stored = new LongAdder();
    LongAdder failed = new LongAdder();
    byte[] value = new byte[VALUE_BYTES];
    long begun = System.nanoTime();
    long end = begun + TimeUnit.SECONDS.toNanos(seconds);
    while (System.nanoTime() < end) {
      for (int i = 0; i < 100; i++) {
        template.send(TOPIC, value).whenComplete((result, error) -> (error == null ? stored : failed).increment());
      }
    }
    template.flush();
    double took = (System.nanoTime() - begun) / 1e9;
    if (failed.sum() > 0) throw new IllegalStateException(failed.sum() + " records failed");
    return Math.round(stored.sum() / took);
  }
}
