package dev.millrace.client;

import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import millrace.v1.GroupCommit;
import millrace.v1.OpenProducerRequest;
import millrace.v1.OpenProducerResponse;
import millrace.v1.ProducerSequence;
import millrace.v1.TransactRequest;
import millrace.v1.TransactResponse;

/**
 * Read-process-write, exactly once: what is written and how far a group has come are stored in one atomic
 * write, or neither is. One transaction after another, each repeated under its number until it is
 * answered.
 *
 * <p>Threads: any; transactions wait for each other.
 */
public final class Transactor {
  private final Connection connection;
  private final Durability durability;
  private final Duration timeout;
  private String producerId;
  private long epoch;
  private long lastSequence;
  private TransactRequest inDoubt; // Without an answer: it is stored or not, and nothing else may come before it.
  private MillraceException fenced;

  private Transactor(Connection connection, String producerId, Durability durability, Duration timeout) {
    this.connection = connection;
    this.producerId = producerId;
    this.durability = durability;
    this.timeout = timeout;
  }

  /**
   * Opens the producer's next epoch, which fences whoever used the name before; waits for a hub that is
   * away up to {@code timeout}.
   *
   * @param producerId a stable name, so that a transaction of before a crash is settled; empty: made up
   * @param timeout for each call, attempts while the hub is away included
   * @throws MillraceException INVALID_NAME, UNSUPPORTED_BY_ENGINE, UNAVAILABLE
   */
  public static Transactor open(
      Connection connection, String producerId, Durability durability, Duration timeout) {
    Transactor transactor = new Transactor(connection, producerId, durability, timeout);
    transactor.openEpoch();
    return transactor;
  }

  private void openEpoch() {
    OpenProducerRequest request = OpenProducerRequest.newBuilder().setProducerId(producerId).build();
    OpenProducerResponse opened = connection.call(() -> connection.events().openProducer(request), timeout);
    producerId = opened.getProducerId();
    epoch = opened.getEpoch();
    lastSequence = opened.getLastSequence();
  }

  /**
   * Stores all of it or nothing. Where both are empty nothing is asked.
   *
   * @param member who commits; null: no offsets
   * @throws MillraceException MEMBER_FENCED, SUPERSEDED: the group goes on elsewhere and nothing was
   *     stored; PRODUCER_FENCED: final; what Produce and CommitOffset answer. UNAVAILABLE after the
   *     timeout: it is {@linkplain #inDoubt in doubt}
   */
  public synchronized TransactResponse transact(
      List<Append> appends, Member member, List<OffsetCommit> offsets) {
    if (fenced != null) throw fenced.again();
    if (inDoubt != null) {
      throw new IllegalStateException("A transaction is in doubt: settle it first.");
    }
    TransactRequest.Builder request = TransactRequest.newBuilder().setDurability(durability.toProto());
    for (Append append : appends) {
      if (!append.records().isEmpty()) request.addAppends(Messages.produceRequest(append));
    }
    if (member != null && !offsets.isEmpty()) request.setCommit(commit(member, offsets));
    if (request.getAppendsCount() == 0 && !request.hasCommit()) return TransactResponse.getDefaultInstance();
    return store(request.build());
  }

  /** Whether a transaction had no answer in time: it may be stored or not, until {@link #settle} knows. */
  public synchronized boolean inDoubt() {
    return inDoubt != null;
  }

  /** Asks again for the transaction that is in doubt, and gives its answer, see {@link #transact}. */
  public synchronized TransactResponse settle() {
    if (inDoubt == null) throw new IllegalStateException("No transaction is in doubt.");
    return store(inDoubt);
  }

  public synchronized String producerId() {
    return producerId;
  }

  private static GroupCommit commit(Member member, List<OffsetCommit> offsets) {
    GroupCommit.Builder commit =
        GroupCommit.newBuilder()
            .setGroup(member.group())
            .setMemberId(member.memberId())
            .setMemberEpoch(member.memberEpoch());
    offsets.forEach(offset -> commit.addOffsets(offset.toProto()));
    return commit.build();
  }

  /** Repeats the request under one sequence until it has an answer. */
  private TransactResponse store(TransactRequest request) {
    long deadline = Times.nanosFromNow(timeout);
    Backoff backoff = new Backoff();
    boolean unsettled = inDoubt != null;
    while (true) {
      try {
        TransactResponse response = connection.events().transact(numbered(request));
        lastSequence++;
        inDoubt = null;
        return response;
      } catch (StatusRuntimeException failed) {
        MillraceException error = MillraceException.of(failed);
        if (error.isTransient()) {
          unsettled = true;
          Duration wait = Connection.longer(backoff.next(), error.retryAfter().orElse(Duration.ZERO));
          if (System.nanoTime() + wait.toNanos() - deadline < 0 && sleep(wait)) {
            connection.reconnect();
            continue;
          }
          inDoubt = request;
          throw error;
        }
        if (error.is(Reason.SEQUENCE_GAP) && takeExpected(error)) continue;
        if (error.is(Reason.PRODUCER_UNKNOWN) && !unsettled) {
          openEpoch();
          continue;
        }
        inDoubt = null;
        if (error.is(Reason.PRODUCER_FENCED) || error.is(Reason.PRODUCER_UNKNOWN)) fenced = error;
        throw error;
      }
    }
  }

  private TransactRequest numbered(TransactRequest request) {
    return request.toBuilder()
        .setSequence(
            ProducerSequence.newBuilder()
                .setProducerId(producerId)
                .setEpoch(epoch)
                .setSequence(lastSequence + 1))
        .build();
  }

  /** The hub has fewer transactions than it answered for: it lost buffered ones in a power cut. */
  private boolean takeExpected(MillraceException error) {
    long expected = error.number("expected_sequence", -1);
    if (expected < 1 || expected > lastSequence) return false;
    lastSequence = expected - 1;
    return true;
  }

  private static boolean sleep(Duration wait) {
    try {
      TimeUnit.NANOSECONDS.sleep(wait.toNanos());
      return true;
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
