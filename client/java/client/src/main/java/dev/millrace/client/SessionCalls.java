package dev.millrace.client;

import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import millrace.v1.CommitOffsetRequest;
import millrace.v1.PausePartitionsRequest;
import millrace.v1.ResumePartitionsRequest;
import millrace.v1.SeekRequest;
import millrace.v1.SeekResponse;
import millrace.v1.SeekResult;
import millrace.v1.SeekTarget;
import millrace.v1.UpdateSubscriptionRequest;

/**
 * What a consumer's thread tells the hub about the open session, so that it becomes what the caller wants:
 * where partitions shall be read, which to hold, which to take back, which topics to read. What fails on the
 * way is told again, or to the next session.
 *
 * <p>Threads: all methods with the consumer's lock held, which is given away for calls; {@link #leave} and
 * {@link #close} without.
 */
final class SessionCalls {
  private static final long RETRY_NANOS = Duration.ofMillis(100).toNanos();
  private static final Duration LEAVE_TIMEOUT = Duration.ofSeconds(2);

  private final ConsumerCore core;
  private boolean due;
  private long dueAt = System.nanoTime();
  private boolean topicsChanged;

  SessionCalls(ConsumerCore core) {
    this.core = core;
  }

  /** Something may have to be told. */
  void becomeDue() {
    due = true;
    core.wakeThread();
  }

  void topicsChanged() {
    topicsChanged = true;
    becomeDue();
  }

  long untilDue(long now) {
    return due ? Math.max(0, dueAt - now) : Long.MAX_VALUE;
  }

  /** Tells what is due; whether there was anything. */
  boolean doDue(ConsumerCore.Session session, long now) {
    if (untilDue(now) > 0) return false;
    due = false;
    boolean told = updateTopics(session) && seek(session) && hold(session) && release(session);
    if (!told) {
      due = true;
      dueAt = System.nanoTime() + RETRY_NANOS;
    }
    core.changed.signalAll();
    return true;
  }

  // ---- Topics

  private boolean updateTopics(ConsumerCore.Session session) {
    if (!topicsChanged) return true;
    topicsChanged = false;
    UpdateSubscriptionRequest request =
        UpdateSubscriptionRequest.newBuilder()
            .setSessionId(session.id())
            .addAllTopics(core.options().topics())
            .build();
    MillraceException[] error = new MillraceException[1];
    unlocked(error, () -> core.connection.events().updateSubscription(request));
    if (error[0] == null || isOfThePast(session, error[0])) return true;
    if (!error[0].isTransient()) {
      core.fail(error[0]);
      return true;
    }
    topicsChanged = true;
    return false;
  }

  // ---- Seek

  private boolean seek(ConsumerCore.Session session) {
    SeekRequest.Builder request = SeekRequest.newBuilder().setSessionId(session.id());
    List<Reading> moving = new ArrayList<>();
    List<Long> moves = new ArrayList<>();
    for (Reading reading : core.readings.all()) {
      if (!reading.moving || !reading.assigned || reading.revoking) continue;
      moving.add(reading);
      moves.add(reading.moves);
      request.addTargets(target(reading));
    }
    if (moving.isEmpty()) return true;
    MillraceException[] error = new MillraceException[1];
    SeekResponse response = unlocked(error, () -> core.connection.events().seek(request.build()));
    if (core.session() != session) return true; // The next session begins anew.
    if (error[0] != null || response.getResultsCount() != moving.size()) return false;
    boolean settled = true;
    for (int i = 0; i < moving.size(); i++) {
      Reading reading = moving.get(i);
      // A frame was quicker, or the caller has moved it again.
      if (!reading.moving || reading.moves != moves.get(i)) settled &= !reading.moving;
      else settled &= onSought(reading, response.getResults(i));
    }
    return settled;
  }

  private static SeekTarget target(Reading reading) {
    SeekTarget.Builder target =
        SeekTarget.newBuilder()
            .setTopic(reading.partition.topic())
            .setPartition(reading.partition.partition());
    if (reading.moveTo != null) return target.setStart(reading.moveTo.toProto()).build();
    target.setOffset(reading.received);
    if (reading.receivedEpoch != null) target.setLogEpoch(reading.receivedEpoch);
    return target.build();
  }

  /** Whether the partition is where it shall be, or fails. */
  private boolean onSought(Reading reading, SeekResult result) {
    if (result.hasError()) return onSeekRefused(reading, MillraceException.of(result.getError()));
    reading.positionEpoch = Math.max(reading.positionEpoch, result.getPositionEpoch());
    reading.silentEpoch = result.getPositionEpoch();
    if (reading.moveTo == null) {
      ReadingTable.settleMove(reading);
      return true;
    }
    long from = reading.received;
    core.readings.move(reading, result.getOffset(), null);
    core.readings.tellRepositioned(reading, from, result.getOffset(), RepositionCause.OUT_OF_RANGE);
    return true;
  }

  private boolean onSeekRefused(Reading reading, MillraceException error) {
    if (error.is(Reason.PARTITION_NOT_ASSIGNED)) return false; // A frame will say so.
    OutOfRange policy = core.options().onOutOfRange();
    if (error.is(Reason.OFFSET_OUT_OF_RANGE) && policy != OutOfRange.FAIL && reading.moveTo == null) {
      reading.moveTo = policy == OutOfRange.EARLIEST ? Start.EARLIEST : Start.LATEST;
      return false;
    }
    if (!reading.movedByCaller && core.options().inGroup() && reading.received != reading.sessionStart) {
      // The log no longer holds the position: the group's own is all there is.
      long from = reading.returned;
      core.readings.move(reading, reading.sessionStart, null);
      reading.committed = reading.sessionStart;
      reading.moving = true;
      core.readings.tellRepositioned(reading, from, reading.sessionStart, RepositionCause.LOG_REPLACED);
      return false;
    }
    core.readings.fail(reading, error);
    return true;
  }

  // ---- Holding

  private boolean hold(ConsumerCore.Session session) {
    PausePartitionsRequest.Builder pause = PausePartitionsRequest.newBuilder().setSessionId(session.id());
    ResumePartitionsRequest.Builder resume = ResumePartitionsRequest.newBuilder().setSessionId(session.id());
    List<Reading> changed = new ArrayList<>();
    for (Reading reading : core.readings.all()) {
      boolean wanted = reading.paused || core.holdAll();
      if (!reading.assigned || reading.revoking || reading.held == wanted) continue;
      if (wanted) pause.addPartitions(reading.partition.toProto());
      else resume.addPartitions(reading.partition.toProto());
      reading.held = wanted;
      changed.add(reading);
    }
    if (changed.isEmpty()) return true;
    MillraceException[] error = new MillraceException[1];
    unlocked(
        error,
        () -> {
          if (pause.getPartitionsCount() > 0) core.connection.events().pausePartitions(pause.build());
          if (resume.getPartitionsCount() > 0) core.connection.events().resumePartitions(resume.build());
          return null;
        });
    if (error[0] == null || isOfThePast(session, error[0])) return true;
    changed.forEach(reading -> reading.held = !reading.held);
    return false;
  }

  // ---- Giving up

  /**
   * Gives up revoked partitions of which nothing is left to be processed or committed, so that nobody waits
   * for a commit that will not come.
   */
  private boolean release(ConsumerCore.Session session) {
    if (!core.options().releaseIdle() || !core.options().inGroup()) return true;
    CommitOffsetRequest.Builder request = Commits.request(session.member(), Durability.HUB_DEFAULT);
    List<Reading> released = new ArrayList<>();
    for (Reading reading : core.readings.all()) {
      boolean idle = reading.known && reading.revoking && reading.returned == reading.committed;
      if (!idle || reading.released) continue;
      reading.released = true;
      released.add(reading);
      request.addReleased(reading.partition.toProto());
    }
    if (released.isEmpty()) return true;
    MillraceException[] error = new MillraceException[1];
    unlocked(error, () -> core.connection.events().commitOffset(request.build()));
    if (error[0] == null || isOfThePast(session, error[0])) return true;
    released.forEach(reading -> reading.released = false);
    return false;
  }

  /** Leaves the group. If the hub does not hear it, it will see the stream end. */
  void leave(Member member, Duration timeout) {
    long millis = Math.min(timeout.toMillis(), LEAVE_TIMEOUT.toMillis());
    if (millis <= 0) return;
    try {
      core.connection
          .events()
          .withDeadlineAfter(millis, TimeUnit.MILLISECONDS)
          .commitOffset(Commits.request(member, Durability.HUB_DEFAULT).setLeave(true).build());
    } catch (StatusRuntimeException unheard) {
      org.slf4j.LoggerFactory.getLogger(Consumer.class).debug("The hub did not hear that a member leaves", unheard);
    }
  }

  /** Nothing more is told. */
  void close() {
    core.lock.lock();
    due = false;
    core.lock.unlock();
  }

  private boolean isOfThePast(ConsumerCore.Session session, MillraceException error) {
    return core.session() != session || error.is(Reason.SESSION_NOT_FOUND);
  }

  private <T> T unlocked(MillraceException[] error, Supplier<T> call) {
    core.lock.unlock();
    try {
      return call.get();
    } catch (StatusRuntimeException failed) {
      error[0] = MillraceException.of(failed);
      return null;
    } finally {
      core.lock.lock();
    }
  }
}
