package dev.millrace.client;

/**
 * A place in a partition to read from.
 *
 * @param offset the offset to read next
 * @param logEpoch of the last batch read before it: the hub refuses the position (LOG_EPOCH_CHANGED) if
 *     the log was replaced or cut below it since; null: unchecked
 */
public record Position(TopicPartition partition, long offset, Long logEpoch) {
  public static Position of(String topic, int partition, long offset) {
    return new Position(new TopicPartition(topic, partition), offset, null);
  }

  millrace.v1.Position toProto() {
    millrace.v1.Position.Builder out =
        millrace.v1.Position.newBuilder()
            .setTopic(partition.topic())
            .setPartition(partition.partition())
            .setOffset(offset);
    if (logEpoch != null) out.setLogEpoch(logEpoch);
    return out.build();
  }
}
