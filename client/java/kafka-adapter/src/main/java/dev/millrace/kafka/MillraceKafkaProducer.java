package dev.millrace.kafka;

import dev.millrace.client.Admin;
import dev.millrace.client.Connection;
import dev.millrace.client.Header;
import dev.millrace.client.MillraceException;
import dev.millrace.client.OutgoingRecord;
import dev.millrace.client.ProducerOptions;
import dev.millrace.client.ProducerStatistics;
import dev.millrace.client.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Partitioner;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.metrics.KafkaMetric;
import org.apache.kafka.common.serialization.Serializer;

/**
 * Kafka's {@code Producer} over a Millrace hub.
 *
 * <p>Settings keep their names and meaning; the README of the adapter lists what differs. It connects when
 * it is first used, so that making one never waits for a hub. Records are stored once, in order, over kills
 * of the hub, until {@code delivery.timeout.ms}.
 *
 * <p>With a {@code transactional.id}, records and offsets collect in memory and are stored by one call in
 * {@link #commitTransaction}: the future of a send is complete when the record is taken in, with offset -1.
 *
 * <p>Threads: any; transactions from one thread at a time. Callbacks run on a thread of the producer and must
 * not block.
 */
public class MillraceKafkaProducer<K, V> implements Producer<K, V> {
  private static final Duration CLOSE_TIMEOUT = Duration.ofMillis(Long.MAX_VALUE);
  private static final int NONE = -1;

  private final ProducerConfig config;
  private final Serializer<K> keySerializer;
  private final Serializer<V> valueSerializer;
  private final Connection connection;
  private final Topics topics;
  private final Placement placement;
  private final int maxRequestSize;
  private final ProducerOptions options;
  private final Transaction transaction; // Null: not transactional.
  private final ClientMetrics metrics;
  private final Map<String, TopicPartition[]> names = new java.util.concurrent.ConcurrentHashMap<>();

  private volatile dev.millrace.client.Producer producer; // Null until it is first used.
  private volatile boolean closed;

  /**
   * @param configs as for KafkaProducer; {@code bootstrap.servers} is the hub's address
   * @param keySerializer null: made from {@code key.serializer}
   * @param valueSerializer null: made from {@code value.serializer}
   * @throws org.apache.kafka.common.config.ConfigException where a setting is wrong, or asks for what the
   *     adapter cannot do and must not leave out, such as encryption
   */
  public MillraceKafkaProducer(
      Map<String, Object> configs, Serializer<K> keySerializer, Serializer<V> valueSerializer) {
    config = new ProducerConfig(withSerializers(configs, keySerializer, valueSerializer));
    Settings.tellWithoutEffect(config);
    this.keySerializer =
        keySerializer != null ? keySerializer : serializer(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, true);
    this.valueSerializer =
        valueSerializer != null ? valueSerializer : serializer(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, false);
    options = options(config);
    maxRequestSize = config.getInt(ProducerConfig.MAX_REQUEST_SIZE_CONFIG);
    String target = Settings.target(config);
    connection = Security.open(Security.of(config).connection(target, options.maxBlock()));
    topics = new Topics(new Admin(connection), target, Settings.millis(config, ProducerConfig.METADATA_MAX_AGE_CONFIG));
    placement =
        new Placement(
            topics,
            config.getConfiguredInstance(ProducerConfig.PARTITIONER_CLASS_CONFIG, Partitioner.class),
            config.getBoolean(ProducerConfig.PARTITIONER_IGNORE_KEYS_CONFIG),
            options.batchBytes());
    String id = config.getString(ProducerConfig.TRANSACTIONAL_ID_CONFIG);
    transaction = id == null ? null : new Transaction(id, options.durability(), options.maxBlock());
    metrics = ClientMetrics.ofProducer(Settings.clientId(config, "producer"), this::statistics);
  }

  private ProducerStatistics statistics() {
    dev.millrace.client.Producer open = producer;
    return open == null ? new ProducerStatistics(0, 0, 0, 0, 0, 0) : open.statistics();
  }

  private static Map<String, Object> withSerializers(
      Map<String, Object> configs, Serializer<?> key, Serializer<?> value) {
    Map<String, Object> all = new HashMap<>(configs);
    if (key != null) all.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, key.getClass());
    if (value != null) all.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, value.getClass());
    return all;
  }

  @SuppressWarnings("unchecked")
  private <T> Serializer<T> serializer(String setting, boolean isKey) {
    Serializer<T> made = config.getConfiguredInstance(setting, Serializer.class);
    made.configure(config.originals(), isKey);
    return made;
  }

  /** Kafka's settings, but for its small defaults of batch.size and in-flight requests. */
  private static ProducerOptions options(ProducerConfig config) {
    ProducerOptions defaults = ProducerOptions.defaults();
    Map<String, Object> given = config.originals();
    int batchBytes =
        given.containsKey(ProducerConfig.BATCH_SIZE_CONFIG)
            ? Math.max(1, config.getInt(ProducerConfig.BATCH_SIZE_CONFIG))
            : defaults.batchBytes();
    int inFlight =
        given.containsKey(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION)
            ? config.getInt(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION)
            : defaults.maxInFlightRequests();
    return defaults
        .withIdempotent(config.getBoolean(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG))
        .withDurability(Settings.durability(config))
        .withBatching(Settings.millis(config, ProducerConfig.LINGER_MS_CONFIG), batchBytes)
        .withMaxInFlightRequests(inFlight)
        .withBuffer(
            config.getLong(ProducerConfig.BUFFER_MEMORY_CONFIG),
            Settings.millis(config, ProducerConfig.MAX_BLOCK_MS_CONFIG))
        .withDeliveryTimeout(Settings.millis(config, ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG));
  }

  // ---- Sending

  @Override
  public Future<RecordMetadata> send(ProducerRecord<K, V> record) {
    return send(record, null);
  }

  @Override
  public Future<RecordMetadata> send(ProducerRecord<K, V> record, Callback callback) {
    requireOpen();
    long timestamp = record.timestamp() != null ? record.timestamp() : System.currentTimeMillis();
    byte[] key = serialize(record, keySerializer, record.key(), "key");
    byte[] value = serialize(record, valueSerializer, record.value(), "value");
    if (record.headers() instanceof RecordHeaders headers) headers.setReadOnly();
    int keySize = key == null ? NONE : key.length;
    int valueSize = value == null ? NONE : value.length;
    TopicPartition partition = null;
    try {
      partition = name(record.topic(), placement.place(record, key, value));
      int size = Math.max(0, keySize) + Math.max(0, valueSize) + headerBytes(record);
      if (size > maxRequestSize) {
        throw new RecordTooLargeException(
            "The record of " + size + " bytes is larger than max.request.size, " + maxRequestSize + ".");
      }
      OutgoingRecord outgoing =
          new OutgoingRecord(key, value, headers(record), Instant.ofEpochMilli(timestamp));
      SendFuture future = future(partition, timestamp, keySize, valueSize, callback);
      if (transaction == null) {
        producer().send(partition.topic(), partition.partition(), outgoing, future);
      } else {
        addToTransaction(partition, outgoing, size);
        future.buffered();
      }
      return future;
    } catch (MillraceException error) {
      return failed(record, partition, callback, KafkaErrors.ofRecord(error));
    } catch (ApiException error) {
      return failed(record, partition, callback, error);
    }
  }

  private SendFuture future(TopicPartition partition, long timestamp, int keySize, int valueSize, Callback callback) {
    return new SendFuture(partition, timestamp, keySize, valueSize, callback, error -> {
      // The topic was deleted, or made anew with other partitions.
      if (error.is(Reason.TOPIC_NOT_FOUND) || error.is(Reason.PARTITION_OUT_OF_RANGE)) topics.forget(partition.topic());
    });
  }

  private synchronized void addToTransaction(TopicPartition partition, OutgoingRecord record, int size) {
    transaction.add(partition, record, size);
  }

  private Future<RecordMetadata> failed(
      ProducerRecord<K, V> record, TopicPartition partition, Callback callback, ApiException error) {
    if (closed) throw new KafkaException("The producer was closed while send waited.", error);
    if (transaction != null) {
      synchronized (this) {
        transaction.abortOnly(error);
      }
    }
    TopicPartition where =
        partition != null
            ? partition
            : new TopicPartition(record.topic(), record.partition() == null ? NONE : record.partition());
    SendFuture future = new SendFuture(where, NONE, NONE, NONE, callback, ignored -> {});
    future.fail(error);
    return future;
  }

  private <T> byte[] serialize(ProducerRecord<K, V> record, Serializer<T> serializer, T object, String what) {
    try {
      return serializer.serialize(record.topic(), record.headers(), object);
    } catch (ClassCastException mismatch) {
      throw new SerializationException(
          "The " + what + " is a " + object.getClass().getName() + ", which " + serializer.getClass().getName()
              + " does not serialize.",
          mismatch);
    }
  }

  private static List<Header> headers(ProducerRecord<?, ?> record) {
    List<Header> headers = List.of();
    for (org.apache.kafka.common.header.Header header : record.headers()) {
      if (headers.isEmpty()) headers = new ArrayList<>();
      headers.add(new Header(header.key(), header.value()));
    }
    return headers;
  }

  private static int headerBytes(ProducerRecord<?, ?> record) {
    int bytes = 0;
    for (org.apache.kafka.common.header.Header header : record.headers()) {
      bytes += header.key().length() + (header.value() == null ? 0 : header.value().length);
    }
    return bytes;
  }

  /** One object for each partition, since every record names one. */
  private TopicPartition name(String topic, int partition) {
    TopicPartition[] ofTopic = names.get(topic);
    if (ofTopic == null || ofTopic.length <= partition) {
      ofTopic = new TopicPartition[partition + 1];
      for (int i = 0; i <= partition; i++) ofTopic[i] = new TopicPartition(topic, i);
      names.put(topic, ofTopic);
    }
    return ofTopic[partition];
  }

  private dev.millrace.client.Producer producer() {
    dev.millrace.client.Producer open = producer;
    return open != null ? open : openProducer();
  }

  private synchronized dev.millrace.client.Producer openProducer() {
    requireOpen();
    if (producer == null) producer = dev.millrace.client.Producer.open(connection, options);
    return producer;
  }

  private void requireOpen() {
    if (closed) throw new IllegalStateException("Cannot perform operation after producer has been closed");
  }

  @Override
  public void flush() {
    requireOpen();
    dev.millrace.client.Producer open = producer;
    // Every record is answered, or expires.
    if (open != null) open.flush(Duration.ofMillis(Long.MAX_VALUE));
  }

  @Override
  public List<PartitionInfo> partitionsFor(String topic) {
    requireOpen();
    try {
      return topics.partitions(topic);
    } catch (MillraceException error) {
      throw KafkaErrors.of(error);
    }
  }

  // ---- Transactions

  @Override
  public synchronized void initTransactions() {
    transactional().init(connection);
  }

  @Override
  public synchronized void beginTransaction() {
    transactional().begin();
  }

  @Override
  public synchronized void sendOffsetsToTransaction(
      Map<TopicPartition, OffsetAndMetadata> offsets, ConsumerGroupMetadata groupMetadata) {
    transactional().sendOffsets(offsets, groupMetadata);
  }

  @Override
  public synchronized void commitTransaction() {
    transactional().commit();
  }

  @Override
  public synchronized void abortTransaction() {
    transactional().abort();
  }

  private Transaction transactional() {
    requireOpen();
    if (transaction != null) return transaction;
    throw new IllegalStateException("Transactions need a transactional.id in the producer's configuration.");
  }

  // ---- The rest

  /** What this producer counts, under the names that Kafka's has. */
  @Override
  public Map<MetricName, ? extends Metric> metrics() {
    return metrics.all();
  }

  @Override
  public Uuid clientInstanceId(Duration timeout) {
    throw new UnsupportedOperationException("A Millrace hub takes no metrics from its clients (KIP-714).");
  }

  @Override
  public void registerMetricForSubscription(KafkaMetric metric) {
    throw new UnsupportedOperationException("A Millrace hub takes no metrics from its clients (KIP-714).");
  }

  @Override
  public void unregisterMetricFromSubscription(KafkaMetric metric) {
    throw new UnsupportedOperationException("A Millrace hub takes no metrics from its clients (KIP-714).");
  }

  @Override
  public void close() {
    close(CLOSE_TIMEOUT);
  }

  @Override
  public void close(Duration timeout) {
    if (timeout.isNegative()) throw new IllegalArgumentException("The timeout cannot be negative.");
    dev.millrace.client.Producer open;
    synchronized (this) {
      if (closed) return;
      closed = true;
      open = producer;
    }
    if (open != null) open.close(timeout);
    connection.close();
    placement.close();
    metrics.close();
    keySerializer.close();
    valueSerializer.close();
  }
}
