package dev.millrace.client;

/**
 * How far a group has come in a partition.
 *
 * @param nextOffset the offset to read next: one past the last processed record
 * @param metadata anything the consumer wants to find again; empty: nothing
 */
public record OffsetCommit(TopicPartition partition, long nextOffset, String metadata) {
  public OffsetCommit(TopicPartition partition, long nextOffset) {
    this(partition, nextOffset, "");
  }

  millrace.v1.OffsetCommit.Builder toProto() {
    return millrace.v1.OffsetCommit.newBuilder()
        .setTopic(partition.topic())
        .setPartition(partition.partition())
        .setNextOffset(nextOffset)
        .setMetadata(metadata);
  }
}
