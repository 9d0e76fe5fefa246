package dev.millrace.client;

import com.google.protobuf.Timestamp;
import java.time.Duration;
import java.time.Instant;

/** Times as the contract's messages have them, and as Java does. */
final class Times {
  private Times() {}

  static Duration toDuration(com.google.protobuf.Duration duration) {
    return Duration.ofSeconds(duration.getSeconds(), duration.getNanos());
  }

  static com.google.protobuf.Duration toProto(Duration duration) {
    return com.google.protobuf.Duration.newBuilder()
        .setSeconds(duration.getSeconds())
        .setNanos(duration.getNano())
        .build();
  }

  static Instant toInstant(Timestamp timestamp) {
    return Instant.ofEpochSecond(timestamp.getSeconds(), timestamp.getNanos());
  }

  static Timestamp toProto(Instant instant) {
    return Timestamp.newBuilder().setSeconds(instant.getEpochSecond()).setNanos(instant.getNano()).build();
  }

  /** A moment of {@link System#nanoTime} so far away, held within what can be compared. */
  static long nanosFromNow(Duration wait) {
    long most = Long.MAX_VALUE / 4;
    long nanos = wait.compareTo(Duration.ofNanos(most)) > 0 ? most : wait.toNanos();
    return System.nanoTime() + nanos;
  }
}
