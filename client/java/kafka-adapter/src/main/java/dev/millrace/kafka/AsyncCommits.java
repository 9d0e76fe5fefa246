package dev.millrace.kafka;

import dev.millrace.client.MillraceException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetCommitCallback;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;

/** Commits that go on in the background. Their callbacks are called in order, on the consumer's thread. */
final class AsyncCommits {
  private record Underway(
      CompletableFuture<Void> done, Map<TopicPartition, OffsetAndMetadata> offsets, OffsetCommitCallback callback) {}

  private final ArrayDeque<Underway> underway = new ArrayDeque<>();

  void add(
      CompletableFuture<Void> done, Map<TopicPartition, OffsetAndMetadata> offsets, OffsetCommitCallback callback) {
    underway.add(new Underway(done, offsets, callback));
  }

  /** Calls back for what has ended. */
  void callBack() {
    while (!underway.isEmpty() && underway.peek().done.isDone()) callBack(underway.poll());
  }

  private static void callBack(Underway commit) {
    Exception error = null;
    try {
      commit.done.join();
    } catch (CompletionException failed) {
      Throwable cause = failed.getCause();
      error = cause instanceof MillraceException known ? KafkaErrors.of(known) : (Exception) cause;
    }
    commit.callback.onComplete(commit.offsets, error);
  }

  /** Waits until all have ended, or the time is over, and calls back. */
  void settle(Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    for (Underway commit : underway) {
      try {
        commit.done.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
      } catch (ExecutionException | TimeoutException told) {
        // Its callback is told, or nobody is.
      } catch (InterruptedException interrupted) {
        throw new InterruptException(interrupted);
      }
    }
    callBack();
  }
}
