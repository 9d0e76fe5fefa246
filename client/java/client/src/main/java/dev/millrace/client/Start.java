package dev.millrace.client;

import java.time.Instant;
import millrace.v1.StartPosition;

/** Where to begin in a partition that has no position yet. */
public final class Start {
  /** At the first record still kept. */
  public static final Start EARLIEST = new Start(StartPosition.newBuilder().setEarliest(true).build());

  /** After the last record that is visible now. */
  public static final Start LATEST = new Start(StartPosition.newBuilder().setLatest(true).build());

  private final StartPosition message;

  private Start(StartPosition message) {
    this.message = message;
  }

  /** At the first record that the hub stored at this time or later. */
  public static Start at(Instant time) {
    return new Start(StartPosition.newBuilder().setTime(Times.toProto(time)).build());
  }

  StartPosition toProto() {
    return message;
  }
}
