package dev.millrace.client;

/**
 * What became of one commit.
 *
 * @param committedOffset what is committed now; -1 with an error
 * @param error why it was refused: MEMBER_FENCED, SUPERSEDED, TOPIC_NOT_FOUND, …; null: it was stored
 */
public record CommitResult(TopicPartition partition, long committedOffset, MillraceException error) {
  static CommitResult of(millrace.v1.CommitResult result) {
    return new CommitResult(
        new TopicPartition(result.getTopic(), result.getPartition()),
        result.hasError() ? -1 : result.getCommittedNextOffset(),
        result.hasError() ? MillraceException.of(result.getError()) : null);
  }
}
