package dev.millrace.client;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/** Waits between attempts: each about twice as long as the one before. Threads: one at a time. */
final class Backoff {
  private static final long FIRST_MS = 50;
  private static final long MOST_MS = 2_000;

  private int attempts;

  /** The next wait, with a quarter of chance so that many clients do not come at once. */
  Duration next() {
    long wait = Math.min(MOST_MS, FIRST_MS << Math.min(attempts++, 10));
    return Duration.ofMillis(wait * 3 / 4 + ThreadLocalRandom.current().nextLong(wait / 2 + 1));
  }

  /** The attempt succeeded: begin anew. */
  void reset() {
    attempts = 0;
  }
}
