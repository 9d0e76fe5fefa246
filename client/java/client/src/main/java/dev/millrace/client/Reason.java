package dev.millrace.client;

/** The reasons that a program is most likely to act on; the repository's README lists all of them. */
public final class Reason {
  public static final String TOPIC_NOT_FOUND = "TOPIC_NOT_FOUND";
  public static final String TOPIC_EXISTS = "TOPIC_EXISTS";
  public static final String PARTITION_OUT_OF_RANGE = "PARTITION_OUT_OF_RANGE";
  public static final String OFFSET_OUT_OF_RANGE = "OFFSET_OUT_OF_RANGE";
  public static final String LOG_EPOCH_CHANGED = "LOG_EPOCH_CHANGED";
  public static final String INVALID_NAME = "INVALID_NAME";
  public static final String INVALID_CONFIG = "INVALID_CONFIG";
  public static final String RECORD_TOO_LARGE = "RECORD_TOO_LARGE";
  public static final String BATCH_TOO_LARGE = "BATCH_TOO_LARGE";
  public static final String METADATA_TOO_LARGE = "METADATA_TOO_LARGE";
  public static final String LIMIT_EXCEEDED = "LIMIT_EXCEEDED";
  public static final String GROUP_NOT_FOUND = "GROUP_NOT_FOUND";
  public static final String GROUP_HAS_MEMBERS = "GROUP_HAS_MEMBERS";
  public static final String MEMBER_FENCED = "MEMBER_FENCED";
  public static final String INSTANCE_REPLACED = "INSTANCE_REPLACED";
  public static final String SUPERSEDED = "SUPERSEDED";
  public static final String SESSION_NOT_FOUND = "SESSION_NOT_FOUND";
  public static final String PARTITION_NOT_ASSIGNED = "PARTITION_NOT_ASSIGNED";
  public static final String PRODUCER_FENCED = "PRODUCER_FENCED";
  public static final String PRODUCER_UNKNOWN = "PRODUCER_UNKNOWN";
  public static final String SEQUENCE_GAP = "SEQUENCE_GAP";
  public static final String DISK_FULL = "DISK_FULL";
  public static final String DATA_LOSS = "DATA_LOSS";
  public static final String DRAINING = "DRAINING";
  public static final String UNAUTHENTICATED = "UNAUTHENTICATED";
  public static final String PERMISSION_DENIED = "PERMISSION_DENIED";
  public static final String QUOTA_EXCEEDED = "QUOTA_EXCEEDED";

  /**
   * This library's own: the hub's certificate is not trusted, or it speaks no TLS. Final, as UNAUTHENTICATED,
   * while the hub has never answered; later it passes, as UNAVAILABLE. A hub that does not take this client's
   * certificate does not say so: it is UNAVAILABLE, without a reason.
   */
  public static final String TLS_FAILED = "TLS_FAILED";

  /** This library's own: the record was not answered within the delivery timeout; it may be stored. */
  public static final String DELIVERY_TIMEOUT = "DELIVERY_TIMEOUT";

  /** This library's own: too much is sent and not answered. */
  public static final String BUFFER_FULL = "BUFFER_FULL";

  /** This library's own: the object was closed. */
  public static final String CLOSED = "CLOSED";

  private Reason() {}
}
