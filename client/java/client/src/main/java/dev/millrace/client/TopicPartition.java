package dev.millrace.client;

/** One partition of a topic, numbered from 0. */
public record TopicPartition(String topic, int partition) {
  static TopicPartition of(millrace.v1.TopicPartition partition) {
    return new TopicPartition(partition.getTopic(), partition.getPartition());
  }

  millrace.v1.TopicPartition toProto() {
    return millrace.v1.TopicPartition.newBuilder().setTopic(topic).setPartition(partition).build();
  }

  @Override
  public String toString() {
    return topic + "-" + partition;
  }
}
