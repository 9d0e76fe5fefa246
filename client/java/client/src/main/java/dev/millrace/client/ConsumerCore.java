package dev.millrace.client;

import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import millrace.v1.Ending;
import millrace.v1.EndingReason;
import millrace.v1.RecordBatch;
import millrace.v1.SessionStarted;
import millrace.v1.SubscribeRequest;
import millrace.v1.SubscribeResponse;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A consumer's stream and its buffer: one thread receives, reconnects and tells the hub what it has to know
 * ({@link SessionCalls}); the caller takes records and events out.
 *
 * <p>Threads: any. One lock guards everything; calls to the hub and to the caller's code are made without
 * it. The thread is the executor of the stream, so that nothing of gRPC calls in here while the lock is held.
 */
final class ConsumerCore implements Executor, SubscribeStream.Listener {
  private static final Logger LOG = LoggerFactory.getLogger(Consumer.class);

  /** A hub that keeps its word is never silent for one interval. */
  private static final int SILENT_INTERVALS = 3;

  /**
   * With a buffer that stays full for so long, the hub is told to hold all partitions and reading goes on,
   * so that a revocation is heard that lies behind records.
   */
  private static final long SLOW_NANOS = Duration.ofMillis(200).toNanos();

  /** Frames asked for and not received, so that the next one is on its way while one is taken in. */
  private static final int REQUESTED_FRAMES = 2;

  /** When nothing of what was read can be read any more, until a seek: how often that is looked at. */
  private static final long NOTHING_TO_READ_NANOS = Duration.ofMillis(200).toNanos();

  /** The session as calls to the hub name it. */
  record Session(String id, Member member) {}

  final Connection connection;
  final ReentrantLock lock = new ReentrantLock();
  final Condition changed = lock.newCondition(); // For callers.
  private final Condition work = lock.newCondition(); // For the thread.
  private final ArrayDeque<Runnable> tasks = new ArrayDeque<>(); // What the stream has to tell.
  final RecordBuffer buffer = new RecordBuffer();
  final ReadingTable readings;
  private final SessionCalls calls;

  private ConsumerOptions options;
  private SubscribeStream stream; // Null: none.
  private int requested; // Frames asked for and not received.
  private Session session; // Null: there is none now.
  private String lastMemberId = "";
  private Ending ending;
  private boolean silent; // The hub was, for too long.
  private long heardAt;
  private long connectAt = System.nanoTime();
  private final Backoff backoff = new Backoff();
  private MillraceException lastError;
  private MillraceException fatal; // Poll answers it when everything before is returned.
  private long fullSince = Long.MAX_VALUE;
  private boolean holdAll; // The buffer is full for long: the hub shall send nothing.
  private boolean ended;
  private boolean woken;
  private boolean closed;
  private final Thread thread = new Thread(this::run, "millrace-consumer");

  ConsumerCore(Connection connection, ConsumerOptions options) {
    this.connection = connection;
    this.options = options;
    readings = new ReadingTable(options.inGroup(), buffer);
    calls = new SessionCalls(this);
    thread.setDaemon(true);
    thread.start();
  }

  // ---- Subscribing

  private void subscribe() {
    SubscribeRequest request = Subscriptions.request(options, lastMemberId, readings);
    if (request.getTopicsCount() == 0 && request.getPositionsCount() == 0) {
      connectAt = System.nanoTime() + NOTHING_TO_READ_NANOS;
      return;
    }
    readings.onSubscribe();
    ending = null;
    silent = false;
    requested = 0;
    stream = SubscribeStream.open(connection, this, request, this);
    readOn();
  }

  /** Asks for frames while there is room for them. */
  void readOn() {
    boolean full = buffer.bytes() >= options.prefetchBytes();
    if (!full) fullSince = Long.MAX_VALUE;
    else if (fullSince == Long.MAX_VALUE) fullSince = System.nanoTime();
    if (stream == null || (full && !holdAll)) return;
    if (requested == 0) heardAt = System.nanoTime();
    if (requested < REQUESTED_FRAMES) stream.request(REQUESTED_FRAMES - requested);
    requested = REQUESTED_FRAMES;
  }

  void breakOff(String why) {
    if (stream != null) stream.cancel(why);
  }

  @Override
  public void onFrame(SubscribeStream from, SubscribeResponse frame) {
    lock.lock();
    try {
      if (stream != from || closed) return;
      requested--;
      heardAt = System.nanoTime();
      onFrame(frame);
      readOn();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void onEnded(SubscribeStream from, MillraceException error, boolean orderly) {
    lock.lock();
    try {
      if (stream == from) onStreamEnded(error, orderly);
    } finally {
      lock.unlock();
    }
  }

  // ---- Frames

  private void onFrame(SubscribeResponse frame) {
    switch (frame.getFrameCase()) {
      case SESSION_STARTED -> onSessionStarted(frame.getSessionStarted());
      case BATCHES -> {
        for (RecordBatch batch : frame.getBatches().getBatchesList()) readings.onBatch(batch);
      }
      case ASSIGNED -> readings.onAssigned(frame.getAssigned());
      case REVOKING -> readings.onRevoking(frame.getRevoking());
      case LOST -> readings.onLost(frame.getLost());
      case REPOSITIONED -> readings.onRepositioned(frame.getRepositioned());
      case PARTITION_ERROR -> readings.onPartitionError(frame.getPartitionError());
      case CAUGHT_UP -> readings.onCaughtUp(frame.getCaughtUp());
      case HEARTBEAT -> readings.onHeartbeat(frame.getHeartbeat());
      case ENDING -> ending = frame.getEnding();
      default -> LOG.debug("A frame that this client does not know was passed over");
    }
    if (frame.getFrameCase() != SubscribeResponse.FrameCase.BATCHES) calls.becomeDue();
  }

  private void onSessionStarted(SessionStarted started) {
    session =
        new Session(
            started.getSessionId(),
            new Member(options.group(), started.getMemberId(), started.getMemberEpoch()));
    lastMemberId = started.getMemberId();
    holdAll = false;
    backoff.reset();
    readings.onSessionStarted(started.getLogEpoch());
    readings.tell(ConsumerListener::onConnected, List.of());
  }

  // ---- The end of a stream

  private void onStreamEnded(MillraceException error, boolean ok) {
    stream = null;
    boolean wasConnected = session != null;
    session = null;
    if (!closed) {
      if (ending != null) onEnding(error, ok);
      else if (silent) onBroken(unavailable("The hub fell silent."));
      else onBroken(ok ? unavailable("The hub ended the stream.") : error);
      if (wasConnected && !isOver()) {
        MillraceException why = lastError;
        readings.tell(listener -> listener.onDisconnected(why), List.of());
      }
    }
    changed.signalAll();
  }

  private static MillraceException unavailable(String message) {
    return new MillraceException(Status.Code.UNAVAILABLE, "", message);
  }

  private void onEnding(MillraceException error, boolean ok) {
    lastError = ok ? Subscriptions.errorOf(ending) : error;
    if (ending.getReason() == EndingReason.ENDING_REASON_END_REACHED) {
      ended = true;
    } else if (ending.getRetry()) {
      connectAfter(ending.hasRetryAfter() ? Times.toDuration(ending.getRetryAfter()) : Duration.ZERO);
    } else {
      fatal = lastError;
    }
  }

  private void onBroken(MillraceException error) {
    lastError = error;
    boolean resumes = readings.everAssigned();
    boolean ofAPosition = !error.isTransient() && !error.isRefusal();
    if (resumes && ofAPosition && readings.onResumeRefused(error)) {
      // One partition cannot go on where this consumer stands: the others can.
      connectAt = System.nanoTime();
      return;
    }
    // Of a connection that broke the hub may not know yet that it did.
    boolean passing =
        error.isTransient()
            || (resumes
                && (error.is(Reason.GROUP_HAS_MEMBERS) || error.code() == Status.Code.RESOURCE_EXHAUSTED));
    if (passing) connectAfter(error.retryAfter().orElse(Duration.ZERO));
    else fatal = error;
  }

  private void connectAfter(Duration asked) {
    connectAt = System.nanoTime() + Connection.longer(asked, backoff.next()).toNanos();
  }

  // ---- The thread

  @Override
  public void execute(Runnable task) {
    lock.lock();
    try {
      tasks.add(task);
      work.signal();
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    lock.lock();
    try {
      while (!closed || stream != null) {
        if (doDueWork()) continue;
        if (tasks.isEmpty()) work.awaitNanos(Math.max(1, untilWork()));
      }
    } catch (InterruptedException | RuntimeException unexpected) {
      LOG.error("The thread of a consumer broke, and its consumer ends", unexpected);
      fail(new MillraceException(Status.Code.INTERNAL, "", "The consumer's thread broke: " + unexpected));
    } finally {
      lock.unlock();
    }
  }

  /** Whether there was anything to do. The lock is held, and given away for calls. */
  private boolean doDueWork() {
    Runnable task = tasks.poll();
    if (task != null) {
      lock.unlock();
      try {
        task.run();
      } finally {
        lock.lock();
      }
      return true;
    }
    if (closed) return false;
    long now = System.nanoTime();
    if (untilSilent(now) <= 0) {
      silent = true;
      breakOff("The hub fell silent.");
      return true;
    }
    if (stream == null && !isOver() && now - connectAt >= 0) {
      subscribe();
      return true;
    }
    holdWhileSlow(now);
    return session != null && calls.doDue(session, now);
  }

  private void holdWhileSlow(long now) {
    boolean slow = fullSince != Long.MAX_VALUE && now - fullSince >= SLOW_NANOS;
    boolean hold = slow || (holdAll && buffer.bytes() * 2 > options.prefetchBytes());
    if (hold == holdAll) return;
    holdAll = hold;
    calls.becomeDue();
    readOn();
  }

  private long untilSilent(long now) {
    // While the buffer is full nothing is asked for, and nothing can be heard.
    if (stream == null || requested == 0 || silent) return Long.MAX_VALUE;
    return heardAt + SILENT_INTERVALS * options.heartbeatInterval().toNanos() - now;
  }

  private long untilWork() {
    if (closed) return Long.MAX_VALUE; // Until the stream says that it has ended.
    long now = System.nanoTime();
    long wait = untilSilent(now);
    if (stream == null && !isOver()) wait = Math.min(wait, connectAt - now);
    if (session != null) wait = Math.min(wait, calls.untilDue(now));
    if (!holdAll && fullSince != Long.MAX_VALUE) wait = Math.min(wait, fullSince + SLOW_NANOS - now);
    return wait;
  }

  // ---- What the caller takes out

  <T> List<T> poll(Duration timeout, int maxRecords, RecordDecoder<T> decoder, ConsumerListener listener) {
    long deadline = Times.nanosFromNow(timeout);
    List<T> records = new ArrayList<>();
    boolean told = false;
    lock.lock();
    try {
      while (true) {
        if (closed) throw MillraceException.closed("consumer");
        if (!readings.events().isEmpty()) {
          if (!records.isEmpty()) return records;
          ReadingTable.Event event = readings.events().poll();
          unlocked(() -> event.tell(listener));
          told = true;
          continue;
        }
        RecordBuffer.Portion portion = buffer.take(maxRecords - records.size());
        if (portion != null) {
          afterTaking();
          if (!decode(portion, decoder, records) || records.size() >= maxRecords) return records;
          continue;
        }
        if (!records.isEmpty()) return records;
        if (fatal != null) throw tellFatal();
        if (woken || told || ended) {
          woken = false;
          return records;
        }
        if (!Waiting.once(changed, deadline)) return records;
      }
    } finally {
      lock.unlock();
    }
  }

  /** Who polls again after a refusal asks the hub again: rights and tokens may have come. */
  private MillraceException tellFatal() {
    MillraceException told = fatal.again();
    if (fatal.isRefusal()) {
      fatal = null;
      connectAfter(Duration.ZERO);
      work.signal();
    }
    return told;
  }

  private void afterTaking() {
    // Half empty before the hub may send again, so that it is not woken for every batch.
    if (buffer.bytes() * 2 > options.prefetchBytes() || fullSince == Long.MAX_VALUE && requested > 0) return;
    readOn();
    if (holdAll) work.signal();
  }

  /** Whether all records could be decoded. What cannot be stays the next to be returned. */
  private <T> boolean decode(RecordBuffer.Portion portion, RecordDecoder<T> decoder, List<T> records) {
    lock.unlock();
    int index = portion.first();
    int end = portion.first() + portion.count();
    RuntimeException failed = null;
    try {
      RecordBatch batch = portion.from().batch;
      for (; index < end; index++) records.add(decoder.decode(batch, index));
    } catch (RuntimeException thrown) {
      failed = thrown;
    } finally {
      lock.lock();
    }
    if (failed == null) return true;
    buffer.putBack(portion, index);
    if (records.isEmpty()) throw failed;
    return false;
  }

  private void unlocked(Runnable action) {
    lock.unlock();
    try {
      action.run();
    } finally {
      lock.lock();
    }
  }

  /** Waits with the lock held; whether it is done by then. */
  boolean await(BooleanSupplier done, long deadline) {
    return Waiting.until(done, changed, deadline);
  }

  void wakeup() {
    lock.lock();
    try {
      woken = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  // ---- For the calls

  /** The session once it stands where it shall; throws where none comes. */
  Session awaitSession(long deadline) {
    await(
        () -> isOver() || (session != null && !readings.anyMoving() && !readings.awaitsAssignment()), deadline);
    if (closed) throw MillraceException.closed("consumer");
    if (fatal != null) throw fatal.again();
    if (session == null && !ended) {
      throw lastError != null
          ? lastError.again()
          : new MillraceException(Status.Code.DEADLINE_EXCEEDED, "", "The hub does not answer.");
    }
    if (session == null) throw MillraceException.closed("subscription");
    return session;
  }

  Session session() {
    return session;
  }

  ConsumerOptions options() {
    return options;
  }

  boolean holdAll() {
    return holdAll;
  }

  boolean isOver() {
    return closed || ended || fatal != null;
  }

  boolean isClosed() {
    return closed;
  }

  boolean isEnded() {
    return ended && readings.events().isEmpty() && buffer.bytes() == 0;
  }

  void fail(MillraceException error) {
    if (fatal == null) fatal = error;
    changed.signalAll();
  }

  SessionCalls calls() {
    return calls;
  }

  void wakeThread() {
    work.signal();
  }

  void replaceTopics(List<String> topics) {
    options = options.withTopics(topics);
  }

  /** Ends the subscription; a member that leaves gives its partitions to the others at once. */
  void close(boolean leave, Duration timeout) {
    lock.lock();
    Session last = session;
    boolean first = !closed;
    closed = true;
    changed.signalAll();
    lock.unlock();
    if (first && leave && options.inGroup() && last != null) calls.leave(last.member(), timeout);
    lock.lock();
    try {
      breakOff("The consumer is closed.");
      work.signal();
    } finally {
      lock.unlock();
    }
    try {
      if (Thread.currentThread() != thread) thread.join();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
    calls.close();
  }
}
