package dev.millrace.client;

import millrace.v1.OutOfRangePolicy;

/** What to do where a position lies outside the offsets that a partition has. */
public enum OutOfRange {
  /** Tell ({@link ConsumerListener#onPartitionFailed}), and idle until a seek; all others go on. */
  FAIL(OutOfRangePolicy.OUT_OF_RANGE_POLICY_FAIL),
  /** Go on at the first record still kept, and tell. */
  EARLIEST(OutOfRangePolicy.OUT_OF_RANGE_POLICY_EARLIEST),
  /** Go on after the last record, and tell. */
  LATEST(OutOfRangePolicy.OUT_OF_RANGE_POLICY_LATEST);

  private final OutOfRangePolicy message;

  OutOfRange(OutOfRangePolicy message) {
    this.message = message;
  }

  OutOfRangePolicy toProto() {
    return message;
  }
}
