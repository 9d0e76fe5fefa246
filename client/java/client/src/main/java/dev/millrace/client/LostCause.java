package dev.millrace.client;

/** Why partitions were lost. */
public enum LostCause {
  UNSPECIFIED,
  /** Given to another member after they were committed or released. */
  HANDED_OVER,
  /** The time to commit what is revoked passed. */
  REVOKE_TIMEOUT,
  UNCOMMITTED_TOO_LONG,
  TOPIC_DELETED,
  /** The topic is no longer part of the subscription. */
  UNSUBSCRIBED,
  /** Another member has them since the connection broke. */
  DISCONNECTED;

  static LostCause of(millrace.v1.LostCause cause) {
    return switch (cause) {
      case LOST_CAUSE_HANDED_OVER -> HANDED_OVER;
      case LOST_CAUSE_REVOKE_TIMEOUT -> REVOKE_TIMEOUT;
      case LOST_CAUSE_UNCOMMITTED_TOO_LONG -> UNCOMMITTED_TOO_LONG;
      case LOST_CAUSE_TOPIC_DELETED -> TOPIC_DELETED;
      case LOST_CAUSE_UNSUBSCRIBED -> UNSUBSCRIBED;
      default -> UNSPECIFIED;
    };
  }
}
