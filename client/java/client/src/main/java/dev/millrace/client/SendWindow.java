package dev.millrace.client;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.List;
import millrace.v1.ProduceResponse;
import millrace.v1.ProduceStreamResponse;

/**
 * Which requests are on their way, under which numbers, and what must be sent again. This is where
 * "nothing lost, doubled or reordered" is decided; it knows neither streams nor threads.
 *
 * <p>The hub stores a producer's requests in the order of their numbers, without gaps, and each number
 * once. So:
 *
 * <ul>
 *   <li>What has no answer when a stream breaks is repeated under its own number: whatever was stored
 *       answers {@code duplicate}.
 *   <li>A refused request does not use up its number, and what was sent behind it answers SEQUENCE_GAP.
 *       Then nothing more is sent until everything on its way is answered (the window "settles"), and
 *       what was held up is sent again, in order, from the unused number on.
 *   <li>A request that may be stored under one number must never be sent under another. Where that would
 *       be needed (a stream broke just behind a refusal), the producer opens its next epoch: that fences
 *       what is still on its way and tells the last number stored.
 * </ul>
 *
 * <p>Threads: one at a time.
 */
final class SendWindow {
  private static final Duration USUAL_PAUSE = Duration.ofMillis(100);
  private static final long NONE = Long.MAX_VALUE;

  /** Told of each batch with its final result: an answer, or why there is none. */
  interface Settlement {
    void settled(ProduceBatch batch, ProduceResponse response, MillraceException error);
  }

  private final int maxRequests;
  private final boolean numbered;
  private final Settlement settlement;

  private final ArrayDeque<ProduceBatch> sent = new ArrayDeque<>();
  private final ArrayDeque<ProduceBatch> held = new ArrayDeque<>(); // To be sent again; only while settling.
  private ArrayDeque<ProduceBatch> repeats = new ArrayDeque<>(); // To be sent again before anything new.
  private long nextSequence = 1;
  private boolean settling;
  private long firstUnused = NONE; // The lowest number that an answer said is not used.
  private boolean needsEpoch;
  private Duration pause = Duration.ZERO;
  private MillraceException fenced;

  /** @param numbered requests carry sequences; otherwise nothing is ever repeated */
  SendWindow(int maxRequests, boolean numbered, Settlement settlement) {
    this.maxRequests = maxRequests;
    this.numbered = numbered;
    this.settlement = settlement;
  }

  /** An epoch was opened, the first one or because of {@link #needsEpoch}. */
  void onEpochOpened(long lastSequence) {
    needsEpoch = false;
    nextSequence = lastSequence + 1;
    for (ProduceBatch batch : repeats) {
      // What is stored is asked for again under its number; all that is not is free to move.
      if (batch.unsettled && batch.sequence <= lastSequence) continue;
      batch.sequence = nextSequence++;
      batch.unsettled = false;
    }
  }

  /** Whether a request may be sent now: there is room, and nothing to settle or to open first. */
  boolean canSend() {
    return fenced == null && !settling && !needsEpoch && sent.size() < maxRequests;
  }

  boolean hasRepeats() {
    return !repeats.isEmpty();
  }

  /** Takes a new batch in and numbers it for sending. */
  void send(ProduceBatch batch) {
    batch.sequence = nextSequence++;
    sent.add(batch);
  }

  /** The next batch to be sent again, under its number. */
  ProduceBatch sendRepeat() {
    ProduceBatch batch = repeats.poll();
    sent.add(batch);
    return batch;
  }

  /** The oldest request on its way was answered. */
  void onAnswer(ProduceStreamResponse answer) {
    ProduceBatch batch = sent.poll();
    if (batch == null) return; // An answer to nothing: the hub's mistake.
    if (answer.hasError()) {
      onRefusal(batch, MillraceException.of(answer.getError()));
    } else if (!batch.expired) {
      settlement.settled(batch, answer.getProduced(), null);
    }
    if (settling && sent.isEmpty()) finishSettling();
  }

  private void onRefusal(ProduceBatch batch, MillraceException error) {
    if (!numbered) {
      settlement.settled(batch, null, error);
      return;
    }
    if (error.is(Reason.PRODUCER_FENCED)) {
      fenced = error;
      giveUp(batch, error);
      return;
    }
    settling = true;
    boolean gap = error.is(Reason.SEQUENCE_GAP);
    boolean unknown = error.is(Reason.PRODUCER_UNKNOWN);
    if (unknown) needsEpoch = true;
    if (gap) firstUnused = Math.min(firstUnused, error.number("expected_sequence", batch.sequence));
    if (!unknown) firstUnused = Math.min(firstUnused, batch.sequence);
    boolean again = gap || unknown || error.isTransient();
    if (again && !batch.expired) {
      if (!gap && !unknown) {
        pause = Connection.longer(pause, error.retryAfter().orElse(USUAL_PAUSE));
        // A log that failed may hold the request all the same.
        if (error.code() != io.grpc.Status.Code.RESOURCE_EXHAUSTED) batch.unsettled = true;
      }
      held.add(batch);
      return;
    }
    // Refused for good. If an earlier attempt may have been stored, its number is in doubt.
    if (batch.unsettled) needsEpoch = true;
    giveUp(batch, error);
  }

  private void finishSettling() {
    settling = false;
    held.addAll(repeats);
    repeats = new ArrayDeque<>(held);
    held.clear();
    long unused = firstUnused;
    firstUnused = NONE;
    if (!needsEpoch && unused != NONE) renumber(unused);
  }

  /** Numbers the repeats from {@code sequence} on, unless that needs a new epoch. */
  private void renumber(long sequence) {
    long number = sequence;
    for (ProduceBatch batch : repeats) {
      if (batch.unsettled && batch.sequence != number) needsEpoch = true;
      number++;
    }
    if (needsEpoch) return;
    number = sequence;
    for (ProduceBatch batch : repeats) batch.sequence = number++;
    nextSequence = number;
  }

  /** The stream broke with this error: what is on its way has no answer. */
  void onStreamBroken(MillraceException error) {
    if (!numbered) {
      failAll(error);
      return;
    }
    for (ProduceBatch batch : sent) {
      batch.unsettled = true;
      if (batch.expired) needsEpoch = true; // Its number would be missing.
      else held.add(batch);
    }
    sent.clear();
    finishSettling();
  }

  /** Gives up the records of batches that are older than this. */
  void expireOlderThan(long ageNanos, long now, MillraceException error) {
    int onTheirWay = sent.size();
    for (int i = 0; i < onTheirWay; i++) {
      ProduceBatch batch = sent.poll();
      boolean old = !batch.expired && now - batch.createdNanos > ageNanos;
      sent.add(old ? batch.placeholder() : batch); // Its number stays until it is answered.
      if (old) settlement.settled(batch, null, error);
    }
    for (ArrayDeque<ProduceBatch> batches : List.of(held, repeats)) {
      for (Iterator<ProduceBatch> it = batches.iterator(); it.hasNext(); ) {
        ProduceBatch batch = it.next();
        if (now - batch.createdNanos <= ageNanos) continue;
        needsEpoch = true;
        it.remove();
        settlement.settled(batch, null, error);
      }
    }
  }

  /** Gives up everything. */
  void failAll(MillraceException error) {
    if (!isEmpty() && numbered) needsEpoch = true;
    for (ArrayDeque<ProduceBatch> batches : List.of(held, sent, repeats)) {
      batches.forEach(batch -> giveUp(batch, error));
      batches.clear();
    }
    settling = false;
    firstUnused = NONE;
  }

  private void giveUp(ProduceBatch batch, MillraceException error) {
    if (!batch.expired) settlement.settled(batch, null, error);
  }

  /** Another producer of this name was opened: nothing more is sent. */
  void onFenced(MillraceException error) {
    fenced = error;
  }

  /** An epoch must be opened before anything more is sent. */
  boolean needsEpoch() {
    return needsEpoch && sent.isEmpty();
  }

  /** How long to wait before repeating, as the hub asked. Resets it. */
  Duration takePause() {
    Duration wait = pause;
    pause = Duration.ZERO;
    return wait;
  }

  /** Not null: this producer is fenced, for good. */
  MillraceException fenced() {
    return fenced;
  }

  boolean isEmpty() {
    return sent.isEmpty() && repeats.isEmpty() && held.isEmpty();
  }

  /** The age of the oldest batch that is not given up; -1: there is none. */
  long oldestAge(long now) {
    long[] age = {-1};
    for (ArrayDeque<ProduceBatch> batches : List.of(held, sent, repeats)) {
      for (ProduceBatch batch : batches) {
        if (!batch.expired) age[0] = Math.max(age[0], now - batch.createdNanos);
      }
    }
    return age[0];
  }
}
