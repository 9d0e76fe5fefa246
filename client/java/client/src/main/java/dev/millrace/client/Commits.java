package dev.millrace.client;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import millrace.v1.CommitOffsetRequest;
import millrace.v1.CommitOffsetResponse;

/**
 * What a consumer commits for its group: asked again while the hub is away, as the session that there is
 * then.
 *
 * <p>Threads: any; takes the consumer's lock.
 */
final class Commits {
  /** How often a commit is tried again that the hub says is not this session's to make. */
  private static final int STALE_ANSWERS = 4;

  private final ConsumerCore core;

  Commits(ConsumerCore core) {
    this.core = core;
  }

  static CommitOffsetRequest.Builder request(Member member, Durability durability) {
    return CommitOffsetRequest.newBuilder()
        .setGroup(member.group())
        .setMemberId(member.memberId())
        .setMemberEpoch(member.memberEpoch())
        .setDurability(durability.toProto());
  }

  /** Commits these offsets; one result each, in order. */
  List<CommitResult> commit(List<OffsetCommit> offsets, Durability durability, Duration timeout) {
    // The positions that the caller knows of. Once there is another one, an offset is not asked for: it
    // would move back what another member, or a reset, has made of the partition meanwhile. The hub could
    // not tell, for after a kill it numbers positions anew.
    Map<TopicPartition, Long> knownMoves = new HashMap<>();
    core.lock.lock();
    try {
      for (OffsetCommit offset : offsets) {
        Reading reading = core.readings.find(offset.partition());
        if (reading != null && reading.toldMoves >= 0) knownMoves.put(offset.partition(), reading.toldMoves);
      }
    } finally {
      core.lock.unlock();
    }
    boolean[] asked = new boolean[offsets.size()];
    CommitOffsetResponse response =
        ask(
            request -> {
              for (int i = 0; i < asked.length; i++) asked[i] = fill(offsets.get(i), knownMoves, request);
            },
            durability,
            timeout);
    List<CommitResult> results = new ArrayList<>();
    int answered = 0;
    for (int i = 0; i < asked.length; i++) {
      if (asked[i]) results.add(CommitResult.of(response.getResults(answered++)));
      else results.add(new CommitResult(offsets.get(i).partition(), -1, superseded(offsets.get(i).partition())));
    }
    return results;
  }

  private boolean fill(
      OffsetCommit offset, Map<TopicPartition, Long> knownMoves, CommitOffsetRequest.Builder request) {
    Reading reading = core.readings.find(offset.partition());
    Long moves = knownMoves.get(offset.partition());
    if (reading != null && moves != null && !(reading.known && reading.moves == moves)) return false;
    millrace.v1.OffsetCommit.Builder out = offset.toProto();
    if (reading != null && reading.known) {
      reading.commitAsked = Math.max(reading.commitAsked, offset.nextOffset());
      out.setPositionEpoch(reading.positionEpoch);
    }
    request.addOffsets(out);
    return true;
  }

  private static MillraceException superseded(TopicPartition partition) {
    return new MillraceException(
        Status.Code.ABORTED,
        Reason.SUPERSEDED,
        partition + " went to another member, or to another position.",
        Map.of("topic", partition.topic()),
        null,
        null);
  }

  /** Commits what poll returned, or of that only what is processed; throws the first entry's error. */
  void commitPlaces(boolean processedOnly, Durability durability, Duration timeout) {
    CommitOffsetResponse response =
        ask(request -> fillPlaces(processedOnly, request), durability, timeout);
    for (millrace.v1.CommitResult result : response.getResultsList()) {
      if (result.hasError()) throw MillraceException.of(result.getError());
    }
  }

  private void fillPlaces(boolean processedOnly, CommitOffsetRequest.Builder request) {
    for (Reading reading : core.readings.all()) {
      if (!reading.known || reading.failed) continue;
      long place = processedOnly ? reading.processed : reading.returned;
      if (place != reading.committed) {
        request.addOffsets(new OffsetCommit(reading.partition, place).toProto().setPositionEpoch(reading.positionEpoch));
        reading.commitAsked = Math.max(reading.commitAsked, place);
      }
      if (reading.revoking && place == reading.returned) request.addReleased(reading.partition.toProto());
    }
  }

  /** Gives partitions up at once. */
  void release(Collection<TopicPartition> partitions, Duration timeout) {
    Map<Reading, Long> moves = new HashMap<>();
    core.lock.lock();
    try {
      for (TopicPartition partition : partitions) {
        Reading reading = core.readings.find(partition);
        if (reading != null && reading.known) moves.put(reading, reading.moves);
      }
    } finally {
      core.lock.unlock();
    }
    ask(
        request -> partitions.forEach(partition -> request.addReleased(partition.toProto())),
        Durability.HUB_DEFAULT,
        timeout);
    core.lock.lock();
    try {
      moves.forEach(
          (reading, before) -> {
            if (reading.moves != before) return; // A frame was quicker, and perhaps it is back already.
            core.buffer.drop(reading);
            reading.forget();
            reading.markTold();
          });
    } finally {
      core.lock.unlock();
    }
  }

  private CommitOffsetResponse ask(
      Consumer<CommitOffsetRequest.Builder> fill, Durability durability, Duration timeout) {
    if (!core.options().inGroup()) {
      throw new IllegalStateException("An independent reader has nothing to commit.");
    }
    long deadline = Times.nanosFromNow(timeout);
    Backoff backoff = new Backoff();
    int staleAnswers = 0;
    while (true) {
      core.lock.lock();
      try {
        ConsumerCore.Session session = core.awaitSession(deadline);
        CommitOffsetRequest.Builder request = request(session.member(), durability);
        fill.accept(request);
        if (request.getOffsetsCount() == 0 && request.getReleasedCount() == 0) {
          return CommitOffsetResponse.getDefaultInstance();
        }
        MillraceException error = null;
        CommitOffsetResponse response = null;
        core.lock.unlock();
        try {
          response = core.connection.events().commitOffset(request.build());
        } catch (StatusRuntimeException failed) {
          error = MillraceException.of(failed);
        } finally {
          core.lock.lock();
        }
        boolean sessionChanged = core.session() != session;
        // Of a session that just ended, or a partition that was just lost, the frame may still be on its
        // way: it changes what there is to commit.
        boolean stale =
            error == null && isStale(response) && (sessionChanged || ++staleAnswers <= STALE_ANSWERS);
        if (error == null && !stale) return applied(response);
        if (error != null && !error.isTransient() && !sessionChanged) throw error;
        long againAt = System.nanoTime() + backoff.next().toNanos();
        if (againAt - deadline >= 0 && error != null) throw error;
        if (againAt - deadline >= 0) return applied(response);
        core.await(core::isClosed, againAt);
      } finally {
        core.lock.unlock();
      }
    }
  }

  /** Whether an entry was refused because the session or position it names is no longer the present one. */
  private static boolean isStale(CommitOffsetResponse response) {
    return response.getResultsList().stream()
        .map(result -> result.getError().getReason())
        .anyMatch(reason -> reason.equals(Reason.MEMBER_FENCED) || reason.equals(Reason.SUPERSEDED));
  }

  private CommitOffsetResponse applied(CommitOffsetResponse response) {
    for (millrace.v1.CommitResult result : response.getResultsList()) {
      Reading reading = core.readings.find(result.getTopic(), result.getPartition());
      if (reading == null || result.hasError()) continue;
      reading.committed = result.getCommittedNextOffset();
    }
    core.calls().becomeDue(); // There may be something to give up now.
    return response;
  }
}
