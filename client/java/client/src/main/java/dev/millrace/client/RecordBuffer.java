package dev.millrace.client;

import java.util.ArrayDeque;
import millrace.v1.RecordBatch;

/**
 * What is received and not returned, partitions taking turns. Paused partitions keep theirs, outside of
 * the count that bounds the reading ahead: the hub is told to send no more of them.
 *
 * <p>Threads: one at a time.
 */
final class RecordBuffer {
  /** Consecutive records that poll takes out. */
  record Portion(Reading reading, Reading.Buffered from, int first, int count, long moves) {}

  private final ArrayDeque<Reading> turns = new ArrayDeque<>();
  private long bytes; // Of the partitions that are not paused.

  long bytes() {
    return bytes;
  }

  void add(Reading reading, RecordBatch batch, int skip) {
    Reading.Buffered buffered = new Reading.Buffered(batch, skip);
    reading.buffer.add(buffered);
    count(reading, buffered.bytes);
    queue(reading);
  }

  /** Drops what is buffered of a partition. */
  void drop(Reading reading) {
    count(reading, -reading.bufferedBytes);
    reading.buffer.clear();
  }

  void pause(Reading reading, boolean paused) {
    if (reading.paused == paused) return;
    bytes += paused ? -reading.bufferedBytes : reading.bufferedBytes;
    reading.paused = paused;
    queue(reading);
  }

  /** Takes records out and moves the partition's position past them; null: there are none. */
  Portion take(int most) {
    for (Reading reading = turns.peek(); reading != null; reading = turns.peek()) {
      if (reading.paused || reading.buffer.isEmpty()) {
        turns.poll();
        reading.queued = false;
        continue;
      }
      Reading.Buffered head = reading.buffer.peek();
      Portion portion =
          new Portion(reading, head, head.next, Math.min(most, head.left()), reading.moves);
      advance(reading, head, head.next + portion.count);
      reading.markTold();
      if (head.left() == 0) {
        reading.buffer.poll();
        count(reading, -head.bytes);
        turns.add(turns.poll());
      }
      return portion;
    }
    return null;
  }

  /** Puts the records of a portion from {@code index} on back, unless the position was set anew since. */
  void putBack(Portion portion, int index) {
    Reading reading = portion.reading;
    if (reading.moves != portion.moves || reading.revoking) return;
    Reading.Buffered batch = portion.from;
    if (batch.left() == 0) {
      reading.buffer.addFirst(batch);
      count(reading, batch.bytes);
    }
    advance(reading, batch, index);
    queue(reading);
  }

  private static void advance(Reading reading, Reading.Buffered batch, int next) {
    batch.next = next;
    reading.returned = batch.batch.getBaseOffset() + next;
    reading.returnedEpoch = batch.batch.getLogEpoch() > 0 ? batch.batch.getLogEpoch() : null;
  }

  private void count(Reading reading, long change) {
    reading.bufferedBytes += change;
    if (!reading.paused) bytes += change;
  }

  private void queue(Reading reading) {
    if (reading.queued || reading.paused || reading.buffer.isEmpty()) return;
    reading.queued = true;
    turns.add(reading);
  }
}
