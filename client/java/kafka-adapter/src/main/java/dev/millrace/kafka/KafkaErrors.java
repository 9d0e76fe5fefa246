package dev.millrace.kafka;

import dev.millrace.client.MillraceException;
import dev.millrace.client.Reason;
import java.time.Duration;
import java.util.Set;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.producer.BufferExhaustedException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.ClusterAuthorizationException;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.OffsetMetadataTooLarge;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.SslAuthenticationException;
import org.apache.kafka.common.errors.ThrottlingQuotaExceededException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** What the hub's errors are in Kafka's terms, so that code that tells them apart goes on doing so. */
final class KafkaErrors {
  private KafkaErrors() {}

  /** Of a consumer's or an admin's call, or a producer's record. */
  static KafkaException of(MillraceException error) {
    String message = error.getMessage();
    return switch (error.reason()) {
      case Reason.TOPIC_NOT_FOUND, Reason.PARTITION_OUT_OF_RANGE ->
          caused(new UnknownTopicOrPartitionException(message), error);
      case Reason.TOPIC_EXISTS -> caused(new TopicExistsException(message), error);
      case Reason.INVALID_NAME -> new InvalidTopicException(message, error);
      case Reason.INVALID_CONFIG -> new InvalidConfigurationException(message, error);
      case Reason.RECORD_TOO_LARGE, Reason.BATCH_TOO_LARGE -> new RecordTooLargeException(message, error);
      case Reason.METADATA_TOO_LARGE -> new OffsetMetadataTooLarge(message, error);
      case Reason.LIMIT_EXCEEDED -> new PolicyViolationException(message, error);
      case Reason.GROUP_NOT_FOUND -> new GroupIdNotFoundException(message);
      case Reason.PRODUCER_FENCED -> caused(new ProducerFencedException(message), error);
      case Reason.BUFFER_FULL -> caused(new BufferExhaustedException(message), error);
      case Reason.DELIVERY_TIMEOUT, Reason.DRAINING -> new TimeoutException(message, error);
      case Reason.DISK_FULL -> new KafkaStorageException(message, error);
      case Reason.DATA_LOSS -> new CorruptRecordException(message, error);
      case Reason.MEMBER_FENCED, Reason.SUPERSEDED, Reason.GROUP_HAS_MEMBERS ->
          caused(new CommitFailedException(message), error);
      case Reason.INSTANCE_REPLACED -> new FencedInstanceIdException(message, error);
      case Reason.TLS_FAILED -> new SslAuthenticationException(message, error);
      case Reason.UNAUTHENTICATED -> new SaslAuthenticationException(message, error);
      case Reason.PERMISSION_DENIED -> caused(notAllowed(error), error);
      case Reason.QUOTA_EXCEEDED -> caused(new ThrottlingQuotaExceededException(waitMs(error), message), error);
      default -> error.isTransient() ? new TimeoutException(message, error) : new KafkaException(message, error);
    };
  }

  /** Of a record: what ends in a failed future is an ApiException. */
  static ApiException ofRecord(MillraceException error) {
    KafkaException known = of(error);
    return known instanceof ApiException api ? api : new ApiException(known.getMessage(), error);
  }

  /** The hub says on what: a topic, a group, or neither. */
  private static AuthorizationException notAllowed(MillraceException error) {
    String topic = error.metadata().get("topic");
    if (topic != null) return new TopicAuthorizationException(error.getMessage(), Set.of(topic));
    String group = error.metadata().get("group");
    if (group != null) return new GroupAuthorizationException(error.getMessage(), group);
    return new ClusterAuthorizationException(error.getMessage());
  }

  private static int waitMs(MillraceException error) {
    return (int) Math.min(Integer.MAX_VALUE, error.retryAfter().orElse(Duration.ZERO).toMillis());
  }

  private static <E extends KafkaException> E caused(E error, MillraceException cause) {
    error.initCause(cause);
    return error;
  }
}
