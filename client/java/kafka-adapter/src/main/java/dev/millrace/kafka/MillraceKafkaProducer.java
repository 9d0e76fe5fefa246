package dev.millrace.kafka;

import java.lang.String;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.metrics.KafkaMetric;
import org.apache.kafka.common.serialization.Serializer;

public class MillraceKafkaProducer<K, V> implements Producer<K, V> {
  public MillraceKafkaProducer(
      Map<String, Object> configs, Serializer<K> keySerializer, Serializer<V> valueSerializer) {}

  @Override
  public void initTransactions() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void beginTransaction() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void sendOffsetsToTransaction(Map<TopicPartition, OffsetAndMetadata> a0, ConsumerGroupMetadata a1) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void commitTransaction() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void abortTransaction() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void registerMetricForSubscription(KafkaMetric a0) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void unregisterMetricFromSubscription(KafkaMetric a0) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Future<RecordMetadata> send(ProducerRecord<K, V> a0) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Future<RecordMetadata> send(ProducerRecord<K, V> a0, Callback a1) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void flush() {
    throw new UnsupportedOperationException();
  }

  @Override
  public List<PartitionInfo> partitionsFor(String a0) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Map<MetricName, ? extends Metric> metrics() {
    throw new UnsupportedOperationException();
  }

  @Override
  public Uuid clientInstanceId(Duration a0) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close(Duration a0) {
    throw new UnsupportedOperationException();
  }
}
