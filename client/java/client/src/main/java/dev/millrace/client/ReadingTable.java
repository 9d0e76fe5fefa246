package dev.millrace.client;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Consumer;
import millrace.v1.Assigned;
import millrace.v1.Assignment;
import millrace.v1.CaughtUp;
import millrace.v1.Heartbeat;
import millrace.v1.Lost;
import millrace.v1.PartitionError;
import millrace.v1.PartitionProgress;
import millrace.v1.RecordBatch;
import millrace.v1.Repositioned;
import millrace.v1.Revoking;

/**
 * What the consumer does with what the hub tells it. This is where "no record twice, none skipped" is
 * decided; it knows neither streams nor threads.
 *
 * <p>Threads: one at a time.
 */
final class ReadingTable {
  /** Something to tell the listener. Until then the caller does not know of the new positions. */
  record Event(Consumer<ConsumerListener> telling, List<Reading> moved) {
    void tell(ConsumerListener listener) {
      moved.forEach(Reading::markTold);
      telling.accept(listener);
    }
  }

  private final boolean inGroup;
  private final RecordBuffer buffer;
  private final TreeMap<String, TreeMap<Integer, Reading>> readings = new TreeMap<>();
  private final ArrayDeque<Event> events = new ArrayDeque<>();
  private boolean everAssigned;
  private boolean firstAssignedOfSession;
  private Long sessionLogEpoch;

  ReadingTable(boolean inGroup, RecordBuffer buffer) {
    this.inGroup = inGroup;
    this.buffer = buffer;
  }

  ArrayDeque<Event> events() {
    return events;
  }

  void tell(Consumer<ConsumerListener> telling, List<Reading> moved) {
    events.add(new Event(telling, moved));
  }

  Reading find(String topic, int partition) {
    TreeMap<Integer, Reading> ofTopic = readings.get(topic);
    return ofTopic == null ? null : ofTopic.get(partition);
  }

  Reading find(TopicPartition partition) {
    return find(partition.topic(), partition.partition());
  }

  List<Reading> all() {
    List<Reading> all = new ArrayList<>();
    readings.values().forEach(ofTopic -> all.addAll(ofTopic.values()));
    return all;
  }

  private Reading findOrAdd(String topic, int partition) {
    return readings
        .computeIfAbsent(topic, name -> new TreeMap<>())
        .computeIfAbsent(partition, number -> new Reading(new TopicPartition(topic, number)));
  }

  /** Whether a stream was once told what it reads. */
  boolean everAssigned() {
    return everAssigned;
  }

  boolean anyMoving() {
    return all().stream().anyMatch(reading -> reading.moving && reading.assigned);
  }

  /** A group's session has begun, and whether it has what the last one had is still to be heard. */
  boolean awaitsAssignment() {
    return inGroup && firstAssignedOfSession && all().stream().anyMatch(reading -> reading.known);
  }

  void onSubscribe() {
    for (Reading reading : all()) {
      reading.committedBefore = reading.committed;
      reading.movedByCaller = false; // The request says where it stands.
    }
  }

  void onSessionStarted(long logEpoch) {
    for (Reading reading : all()) {
      reading.assigned = reading.moving = reading.revoking = reading.released = reading.held = false;
      // After a kill the hub counts on from the last commit: what it numbers so is another position.
      reading.silentEpoch = 0;
    }
    firstAssignedOfSession = true;
    sessionLogEpoch = logEpoch > 0 ? logEpoch : null;
  }

  void onAssigned(Assigned frame) {
    List<Reading> assigned = new ArrayList<>();
    for (Assignment assignment : frame.getAssignmentsList()) {
      Reading reading = findOrAdd(assignment.getTopic(), assignment.getPartition());
      reading.assigned = true;
      reading.revoking = reading.released = reading.held = false;
      reading.positionEpoch = assignment.getPositionEpoch();
      reading.highWatermark = assignment.getHighWatermark();
      reading.sessionStart = assignment.getStartOffset();
      if (!reading.known || reading.failed) {
        // The session's log epoch vouches for what it was opened with. Later the hub may write under a
        // newer one, which a position must not be judged by.
        move(reading, assignment.getStartOffset(), firstAssignedOfSession ? sessionLogEpoch : null);
        reading.committed = assignment.getStartOffset();
        assigned.add(reading);
      } else if (inGroup) {
        resumeInGroup(reading, assignment.getStartOffset());
      } else {
        // The request said where to go on, but for a seek that came since; `repositioned` tells where
        // the hub could not.
        reading.moving = reading.movedByCaller;
      }
    }
    if (!assigned.isEmpty()) tell(listener -> listener.onAssigned(names(assigned)), assigned);
    onSettled();
    everAssigned = true;
  }

  /**
   * The hub begins at what the group committed; this consumer may have received more, or was sent back by
   * its own seek.
   */
  private void resumeInGroup(Reading reading, long start) {
    // A commit of our own may have been answered while the session was being opened, without yet being
    // where it begins.
    boolean ownCommitBetween = reading.committed != reading.committedBefore;
    // Or its answer was lost. What is beyond, another member has committed, who had the partition
    // meanwhile: what is buffered of it, and what was returned and not committed, is done.
    long ours = Math.max(Math.max(reading.committedBefore, reading.committed), reading.commitAsked);
    boolean othersAdvanced = start > ours;
    boolean wasReset = start < Math.min(reading.committedBefore, reading.committed);
    if ((othersAdvanced && start != reading.returned) || wasReset) {
      long from = reading.returned;
      move(reading, start, sessionLogEpoch);
      reading.committed = start;
      tellRepositioned(reading, from, start, RepositionCause.RESET);
      return;
    }
    if (!ownCommitBetween) reading.committed = start;
    reading.moving = start != reading.received;
  }

  /** The hub had its say about the session; a member that was assigned nothing has nothing. */
  private void onSettled() {
    boolean first = firstAssignedOfSession;
    firstAssignedOfSession = false;
    if (!first || !inGroup) return;
    List<Reading> gone = all().stream().filter(reading -> reading.known && !reading.assigned).toList();
    lose(gone, LostCause.DISCONNECTED);
  }

  private void lose(List<Reading> gone, LostCause cause) {
    for (Reading reading : gone) {
      buffer.drop(reading);
      reading.forget();
    }
    if (!gone.isEmpty()) tell(listener -> listener.onLost(names(gone), cause), gone);
  }

  void onRevoking(Revoking frame) {
    List<Reading> revoking = found(frame.getPartitionsList());
    for (Reading reading : revoking) {
      reading.revoking = true;
      reading.received = reading.returned;
      reading.receivedEpoch = reading.returnedEpoch;
      buffer.drop(reading);
    }
    tell(listener -> listener.onRevoking(names(revoking), Times.toDuration(frame.getTimeLeft())), List.of());
  }

  void onLost(Lost frame) {
    lose(found(frame.getPartitionsList()), LostCause.of(frame.getCause()));
  }

  void onRepositioned(Repositioned frame) {
    Reading reading = find(frame.getTopic(), frame.getPartition());
    long epoch = frame.getPositionEpoch();
    if (reading == null || epoch < reading.positionEpoch || epoch == reading.silentEpoch) return;
    RepositionCause cause = RepositionCause.of(frame.getCause());
    boolean alreadyThere = reading.received == frame.getToOffset();
    boolean newer = epoch > reading.positionEpoch;
    reading.positionEpoch = epoch;
    if (reading.moving && cause == RepositionCause.SEEK) {
      // A Seek of our own, perhaps not yet the last one.
      if (alreadyThere && reading.moveTo == null) settleMove(reading);
      return;
    }
    if (newer || !alreadyThere) move(reading, frame.getToOffset(), null);
    if (cause == RepositionCause.RESET) reading.committed = frame.getToOffset();
    tellRepositioned(reading, frame.getFromOffset(), frame.getToOffset(), cause);
  }

  /** The session reads where it shall. */
  static void settleMove(Reading reading) {
    reading.moving = reading.movedByCaller = false;
    reading.moveTo = null;
  }

  void onPartitionError(PartitionError frame) {
    Reading reading = findOrAdd(frame.getTopic(), frame.getPartition());
    fail(reading, MillraceException.of(frame.getError()));
  }

  void fail(Reading reading, MillraceException error) {
    reading.failed = true;
    settleMove(reading);
    tell(listener -> listener.onPartitionFailed(reading.partition, error), List.of());
  }

  /** The hub refused to go on because of one partition or topic, which the error names. */
  boolean onResumeRefused(MillraceException error) {
    String topic = error.metadata().get("topic");
    long partition = error.number("partition", -1);
    List<Reading> refused =
        all().stream()
            .filter(reading -> reading.known && !reading.failed && reading.partition.topic().equals(topic))
            .filter(reading -> partition < 0 || reading.partition.partition() == partition)
            .toList();
    refused.forEach(reading -> fail(reading, error));
    return !refused.isEmpty();
  }

  void onCaughtUp(CaughtUp frame) {
    List<Reading> caughtUp = new ArrayList<>();
    for (Reading reading : found(frame.getPartitionsList())) {
      // A session that only resumes an earlier one says it again.
      if (reading.moving || reading.caughtUp) continue;
      reading.caughtUp = true;
      caughtUp.add(reading);
    }
    if (!caughtUp.isEmpty()) tell(listener -> listener.onCaughtUp(names(caughtUp)), List.of());
  }

  void onHeartbeat(Heartbeat frame) {
    onSettled();
    for (PartitionProgress progress : frame.getChangedList()) {
      Reading reading = find(progress.getTopic(), progress.getPartition());
      if (reading != null) reading.highWatermark = progress.getHighWatermark();
    }
  }

  void onBatch(RecordBatch batch) {
    Reading reading = find(batch.getTopic(), batch.getPartition());
    if (reading == null || !reading.assigned || reading.revoking || reading.moving) return;
    if (batch.getPositionEpoch() < reading.positionEpoch) return;
    if (batch.getPositionEpoch() > reading.positionEpoch) {
      reading.positionEpoch = batch.getPositionEpoch();
      move(reading, batch.getBaseOffset(), null);
    }
    reading.highWatermark = Math.max(reading.highWatermark, batch.getHighWatermark());
    long skip = Math.max(0, reading.received - batch.getBaseOffset());
    if (skip >= batch.getRecordsCount()) return;
    reading.received = batch.getBaseOffset() + batch.getRecordsCount();
    reading.receivedEpoch = batch.getLogEpoch() > 0 ? batch.getLogEpoch() : null;
    buffer.add(reading, batch, (int) skip);
  }

  /** Sets a position anew and drops what is buffered of the old one. */
  void move(Reading reading, long offset, Long logEpoch) {
    buffer.drop(reading);
    reading.moveTo(offset, logEpoch);
  }

  void tellRepositioned(Reading reading, long from, long to, RepositionCause cause) {
    tell(listener -> listener.onRepositioned(reading.partition, from, to, cause), List.of(reading));
  }

  private List<Reading> found(Collection<millrace.v1.TopicPartition> partitions) {
    List<Reading> found = new ArrayList<>();
    for (millrace.v1.TopicPartition partition : partitions) {
      Reading reading = find(partition.getTopic(), partition.getPartition());
      if (reading != null) found.add(reading);
    }
    return found;
  }

  private static List<TopicPartition> names(List<Reading> readings) {
    return readings.stream().map(reading -> reading.partition).toList();
  }
}
