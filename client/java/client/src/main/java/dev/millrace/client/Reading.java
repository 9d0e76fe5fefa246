package dev.millrace.client;

import java.util.ArrayDeque;
import millrace.v1.RecordBatch;

/**
 * One partition: how far the consumer has come in it, and what of it is received and not returned. Its
 * position outlives the stream: a new session is asked to go on behind the last record received.
 *
 * <p>Threads: one at a time.
 */
final class Reading {
  /** A batch of which records from {@code next} on are to be returned. */
  static final class Buffered {
    final RecordBatch batch;
    final long bytes;
    int next;

    Buffered(RecordBatch batch, int next) {
      this.batch = batch;
      this.next = next;
      bytes = batch.getSerializedSize();
    }

    int left() {
      return batch.getRecordsCount() - next;
    }
  }

  final TopicPartition partition;
  boolean known; // It has a position.
  boolean assigned; // The present session reads it.
  boolean failed; // It idles until a seek.
  boolean revoking; // It goes to another member.
  boolean released; // The hub was asked to take it, while revoking.
  boolean paused; // Nothing of it is returned.
  boolean held; // The hub was told to hold it.
  boolean caughtUp; // And the caller was told.

  long received; // Behind the last record that was buffered.
  Long receivedEpoch; // The log epoch that vouches for it; null: none does.
  long returned; // Behind the last record that poll returned.
  Long returnedEpoch;
  long processed; // Up to here the caller is done with what was returned.

  boolean moving; // The session reads elsewhere than at `received`: until a Seek is answered, nothing is taken.
  boolean movedByCaller; // The move was asked for, and is not only the resumption of an older session.
  Start moveTo; // Where the Seek leads instead of to `received`; null: there.
  long silentEpoch; // Of a Seek of our own, which the caller is not told of.
  long positionEpoch;
  long sessionStart; // Where the session would read without the Seek.

  long committed; // What the group has committed, as far as is known.
  long committedBefore; // The same when the session was asked for: it begins no earlier.
  long commitAsked; // The most that the hub was asked to commit, answered or not.

  long highWatermark;
  long moves; // How often the position was set anew, or lost.
  long toldMoves = -1; // As many the caller knows of; -1: of no position yet.

  final ArrayDeque<Buffered> buffer = new ArrayDeque<>();
  long bufferedBytes;
  boolean queued; // It waits for its turn to be returned.

  Reading(TopicPartition partition) {
    this.partition = partition;
  }

  /** Sets the position anew; what is buffered is void. */
  void moveTo(long offset, Long logEpoch) {
    known = true;
    failed = moving = movedByCaller = caughtUp = false;
    moveTo = null;
    received = returned = processed = offset;
    receivedEpoch = returnedEpoch = logEpoch;
    moves++;
  }

  void forget() {
    known = assigned = failed = revoking = released = moving = movedByCaller = held = paused = false;
    moveTo = null;
    commitAsked = 0;
    moves++;
  }

  /** The consumer is told of all that happened to the position. */
  void markTold() {
    toldMoves = moves;
  }

  boolean toldOfPosition() {
    return known && toldMoves == moves;
  }
}
