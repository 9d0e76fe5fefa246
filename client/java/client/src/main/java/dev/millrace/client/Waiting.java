package dev.millrace.client;

import java.util.concurrent.locks.Condition;
import java.util.function.BooleanSupplier;

/** Waits for conditions, with their lock held. An interruption ends the wait and stays set. */
final class Waiting {
  private Waiting() {}

  /** Until the condition is signalled, or by chance; false after the deadline or an interruption. */
  static boolean once(Condition changed, long deadline) {
    long left = deadline - System.nanoTime();
    if (left <= 0) return false;
    try {
      changed.awaitNanos(left);
      return true;
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** Until it is done; whether it is. */
  static boolean until(BooleanSupplier done, Condition changed, long deadline) {
    while (!done.getAsBoolean()) {
      if (!once(changed, deadline)) return done.getAsBoolean();
    }
    return true;
  }
}
