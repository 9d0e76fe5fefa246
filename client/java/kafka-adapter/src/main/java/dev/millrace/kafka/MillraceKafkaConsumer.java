package dev.millrace.kafka;

import java.lang.Long;
import java.lang.String;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.consumer.OffsetCommitCallback;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.metrics.KafkaMetric;
import org.apache.kafka.common.serialization.Deserializer;

public class MillraceKafkaConsumer<K, V> implements Consumer<K, V> {
  public MillraceKafkaConsumer(
      Map<String, Object> configs, Deserializer<K> keyDeserializer, Deserializer<V> valueDeserializer) {}

  @Override
  public Set<TopicPartition> assignment() {
    throw new UnsupportedOperationException();
  }

  @Override
  public Set<String> subscription() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void subscribe(Collection<String> a0) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void subscribe(Collection<String> a0, ConsumerRebalanceListener a1) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void assign(Collection<TopicPartition> a0) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void subscribe(Pattern a0, ConsumerRebalanceListener a1) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void subscribe(Pattern a0) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void subscribe(SubscriptionPattern a0, ConsumerRebalanceListener a1) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void subscribe(SubscriptionPattern a0) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void unsubscribe() {
    throw new UnsupportedOperationException();
  }

  @Override
  public ConsumerRecords<K, V> poll(Duration a0) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void commitSync() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void commitSync(Duration a0) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void commitSync(Map<TopicPartition, OffsetAndMetadata> a0) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void commitSync(Map<TopicPartition, OffsetAndMetadata> a0, Duration a1) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void commitAsync() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void commitAsync(OffsetCommitCallback a0) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void commitAsync(Map<TopicPartition, OffsetAndMetadata> a0, OffsetCommitCallback a1) {
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
  public void seek(TopicPartition a0, long a1) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void seek(TopicPartition a0, OffsetAndMetadata a1) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void seekToBeginning(Collection<TopicPartition> a0) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void seekToEnd(Collection<TopicPartition> a0) {
    throw new UnsupportedOperationException();
  }

  @Override
  public long position(TopicPartition a0) {
    throw new UnsupportedOperationException();
  }

  @Override
  public long position(TopicPartition a0, Duration a1) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Map<TopicPartition, OffsetAndMetadata> committed(Set<TopicPartition> a0) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Map<TopicPartition, OffsetAndMetadata> committed(Set<TopicPartition> a0, Duration a1) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Uuid clientInstanceId(Duration a0) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Map<MetricName, ? extends Metric> metrics() {
    throw new UnsupportedOperationException();
  }

  @Override
  public List<PartitionInfo> partitionsFor(String a0) {
    throw new UnsupportedOperationException();
  }

  @Override
  public List<PartitionInfo> partitionsFor(String a0, Duration a1) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Map<String, List<PartitionInfo>> listTopics() {
    throw new UnsupportedOperationException();
  }

  @Override
  public Map<String, List<PartitionInfo>> listTopics(Duration a0) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Set<TopicPartition> paused() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void pause(Collection<TopicPartition> a0) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void resume(Collection<TopicPartition> a0) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Map<TopicPartition, OffsetAndTimestamp> offsetsForTimes(Map<TopicPartition, Long> a0) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Map<TopicPartition, OffsetAndTimestamp> offsetsForTimes(Map<TopicPartition, Long> a0, Duration a1) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Map<TopicPartition, Long> beginningOffsets(Collection<TopicPartition> a0) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Map<TopicPartition, Long> beginningOffsets(Collection<TopicPartition> a0, Duration a1) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Map<TopicPartition, Long> endOffsets(Collection<TopicPartition> a0) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Map<TopicPartition, Long> endOffsets(Collection<TopicPartition> a0, Duration a1) {
    throw new UnsupportedOperationException();
  }

  @Override
  public OptionalLong currentLag(TopicPartition a0) {
    throw new UnsupportedOperationException();
  }

  @Override
  public ConsumerGroupMetadata groupMetadata() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void enforceRebalance() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void enforceRebalance(String a0) {
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

  @Override
  public void close(CloseOptions a0) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void wakeup() {
    throw new UnsupportedOperationException();
  }
}
