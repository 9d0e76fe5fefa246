package dev.millrace.client;

import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import millrace.v1.HubInfo;
import millrace.v1.Limits;
import millrace.v1.OpenProducerRequest;
import millrace.v1.OpenProducerResponse;
import millrace.v1.ProduceResponse;
import millrace.v1.ProduceStreamResponse;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The producer's parts at work together: callers add records and send what is full; one thread does
 * everything else (lingering, answers, callbacks, reconnecting, expiring). It is also the executor of the
 * stream, so that nothing of gRPC calls in here while the lock is held.
 *
 * <p>Threads: any. One lock guards everything; callbacks and calls to the hub are made without it.
 */
final class ProducerCore implements Executor, ProduceStream.Listener {
  static final Logger LOG = LoggerFactory.getLogger(Producer.class);
  private static final int REQUEST_OVERHEAD_BYTES = 1 << 10; // Names, numbers and frames around the records.
  private static final int CALLBACK_BYTES = 64;

  private final Connection connection;
  private final ProducerOptions options;
  private final Limits limits;
  private final boolean numbered;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition work = lock.newCondition(); // For the thread.
  private final Condition changed = lock.newCondition(); // For callers: room, flushed, closed.
  private final ArrayDeque<Runnable> tasks = new ArrayDeque<>(); // What the stream has to tell.
  private final Accumulator accumulator;
  private final SendWindow window;
  private final LinkedHashSet<Long> unsettledIds = new LinkedHashSet<>(); // Callbacks have not all run.
  private List<Settled> settled = new ArrayList<>(); // To be told by the thread, in order.
  private long bufferedBytes;
  private String producerId;
  private long epoch;

  private ProduceStream stream; // Null: none.
  private final Backoff backoff = new Backoff();
  private long connectAt = System.nanoTime();
  private long pauseUntil = System.nanoTime();
  private long awakeAt = Long.MAX_VALUE; // When the sleeping thread wakes by itself.
  private boolean closed; // No more records are taken in.
  private boolean stopping;
  private final Thread thread = new Thread(this::run, "millrace-producer");

  private long delivered;
  private long failed;
  private long requestsSent;
  private long requestsRepeated;
  private long duplicates;
  private long reconnects;

  private record Settled(ProduceBatch batch, ProduceResponse response, MillraceException error) {}

  /** Opens the first epoch; waits for the hub. */
  ProducerCore(Connection connection, ProducerOptions options) {
    this.connection = connection;
    this.options = options;
    HubInfo hub = connection.hub();
    limits = hub.getLimits();
    numbered = options.idempotent() && hub.getCapabilities().getProducerSequences();
    int mostBytes = bounded(Integer.MAX_VALUE, limits.getMaxRequestBytes()) - REQUEST_OVERHEAD_BYTES;
    accumulator =
        new Accumulator(
            Math.max(1, Math.min(options.batchBytes(), mostBytes)),
            bounded(options.batchRecords(), limits.getMaxRequestRecords()),
            options.linger().toNanos());
    window =
        new SendWindow(
            bounded(options.maxInFlightRequests(), limits.getProducerWindow()),
            numbered,
            (batch, response, error) -> settled.add(new Settled(batch, response, error)));
    producerId = options.producerId();
    if (numbered) {
      OpenProducerResponse opened = connection.call(() -> callOpenProducer(producerId));
      producerId = opened.getProducerId();
      epoch = opened.getEpoch();
      window.onEpochOpened(opened.getLastSequence());
    }
    thread.setDaemon(true);
    thread.start();
  }

  private static int bounded(int wanted, long limit) {
    return (int) Math.max(1, limit > 0 ? Math.min(wanted, limit) : wanted);
  }

  // ---- Taking records in

  void send(String topic, int partition, OutgoingRecord record, SendCallback callback) {
    int size = RecordEncoder.size(record);
    judge(record, size);
    long charged = RecordEncoder.entrySize(size) + CALLBACK_BYTES;
    lock.lock();
    try {
      awaitRoom(charged);
      bufferedBytes += charged;
      long lastBegun = accumulator.lastId();
      long filledBefore = accumulator.filled();
      ProduceBatch batch =
          accumulator.add(topic, partition, record, size, callback, System.nanoTime());
      boolean began = accumulator.lastId() != lastBegun;
      if (began) unsettledIds.add(batch.id);
      if (began || accumulator.filled() != filledBefore) {
        pump();
        wakeThread();
      }
    } finally {
      lock.unlock();
    }
  }

  private void judge(OutgoingRecord record, int size) {
    boolean fits =
        within(size, limits.getMaxRecordBytes())
            && (record.key() == null || within(record.key().length, limits.getMaxKeyBytes()))
            && within(record.headers().size(), limits.getMaxRecordHeaders());
    if (fits) return;
    throw new MillraceException(
        Status.Code.INVALID_ARGUMENT,
        Reason.RECORD_TOO_LARGE,
        "The record of " + size + " bytes, its key or the number of its headers is over the hub's limit ("
            + limits.getMaxRecordBytes() + " bytes, key " + limits.getMaxKeyBytes() + ", headers "
            + limits.getMaxRecordHeaders() + ").");
  }

  private static boolean within(long value, long limit) {
    return limit <= 0 || value <= limit;
  }

  private MillraceException whyRefused() {
    if (window.fenced() != null) return window.fenced().again();
    return closed ? MillraceException.closed("producer") : null;
  }

  private boolean hasRoom(long bytes) {
    return bufferedBytes == 0 || bufferedBytes + bytes <= options.maxBufferedBytes();
  }

  private void awaitRoom(long bytes) {
    if (!hasRoom(bytes)) {
      if (Thread.currentThread() == thread
          || !await(() -> hasRoom(bytes) || whyRefused() != null, options.maxBlock())) {
        throw new MillraceException(
            Status.Code.RESOURCE_EXHAUSTED,
            Reason.BUFFER_FULL,
            options.maxBufferedBytes() + " bytes are sent and not answered.");
      }
    }
    MillraceException refused = whyRefused();
    if (refused != null) throw refused;
  }

  private boolean await(BooleanSupplier done, Duration timeout) {
    return Waiting.until(done, changed, Times.nanosFromNow(timeout));
  }

  // ---- The stream

  @Override
  public void onAnswer(ProduceStream from, ProduceStreamResponse answer) {
    lock.lock();
    try {
      if (stream == from) onAnswer(answer);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void onEnded(ProduceStream ended, MillraceException error) {
    lock.lock();
    try {
      if (stream == ended) onStreamEnded(error);
    } finally {
      lock.unlock();
    }
  }

  private void onAnswer(ProduceStreamResponse answer) {
    backoff.reset();
    if (answer.getProduced().getDuplicate()) duplicates++;
    window.onAnswer(answer);
    pauseUntil = Math.max(pauseUntil, System.nanoTime() + window.takePause().toNanos());
    if (window.fenced() != null) failEverything(window.fenced());
    pump();
  }

  private void onStreamEnded(MillraceException error) {
    stream = null;
    LOG.debug("The stream to {} ended", connection.target(), error);
    window.onStreamBroken(error);
    // What the hub refuses as a whole it would refuse again.
    if (!error.isTransient() && !closed) failEverything(error);
    Duration wait = Connection.longer(backoff.next(), error.retryAfter().orElse(Duration.ZERO));
    connectAt = System.nanoTime() + wait.toNanos();
    changed.signalAll();
  }

  /** Sends what may be sent now. */
  private void pump() {
    while (stream != null && window.canSend()) {
      long now = System.nanoTime();
      if (now - pauseUntil < 0) return;
      if (window.hasRepeats()) {
        requestsRepeated++;
        write(window.sendRepeat());
        continue;
      }
      ProduceBatch batch = accumulator.takeNext(now);
      if (batch == null) return;
      window.send(batch);
      write(batch);
    }
  }

  private void write(ProduceBatch batch) {
    requestsSent++;
    stream.write(batch.toFrame(producerId, numbered ? epoch : 0, options.durability()));
  }

  private void failEverything(MillraceException error) {
    window.failAll(error);
    long everything = -1;
    for (ProduceBatch batch : accumulator.takeOlderThan(everything, System.nanoTime())) {
      settled.add(new Settled(batch, null, error));
    }
    changed.signalAll();
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
      while (!stopping || !settled.isEmpty() || stream != null) {
        if (!doDueWork()) sleep();
      }
    } catch (RuntimeException unexpected) {
      LOG.error("The thread of a producer broke, and its producer ends", unexpected);
      end(new MillraceException(Status.Code.INTERNAL, "", "The producer's thread broke: " + unexpected));
    } finally {
      lock.unlock();
    }
  }

  /** Gives up everything, and tells so: nobody else will. */
  private void end(MillraceException error) {
    closed = stopping = true;
    if (stream != null) stream.cancel();
    failEverything(error);
    deliverSettled();
  }

  /** Whether there was anything to do. The lock is held, and given away for calls and callbacks. */
  private boolean doDueWork() {
    Runnable task = tasks.poll();
    if (task != null) {
      unlocked(task);
      return true;
    }
    if (!settled.isEmpty()) {
      deliverSettled();
      return true;
    }
    if (stopping) return false;
    long now = System.nanoTime();
    expireOld(now);
    boolean mayConnect = now - connectAt >= 0 && window.fenced() == null;
    if (mayConnect && window.needsEpoch()) {
      openNextEpoch();
      return true;
    }
    if (mayConnect && stream == null) {
      if (requestsSent > 0) reconnects++;
      stream = ProduceStream.open(connection, this, this);
    }
    pump();
    return !settled.isEmpty();
  }

  private void sleep() {
    long now = System.nanoTime();
    long wait = stopping ? Long.MAX_VALUE : untilWork(now);
    if (wait <= 0 || !tasks.isEmpty()) return;
    awakeAt = wait == Long.MAX_VALUE ? Long.MAX_VALUE : now + wait;
    try {
      work.awaitNanos(wait);
    } catch (InterruptedException ignored) {
      // Nobody but this class has a reason to wake the thread.
    }
    awakeAt = Long.MIN_VALUE;
  }

  /** Wakes the thread if it sleeps for too long. */
  private void wakeThread() {
    if (awakeAt == Long.MIN_VALUE) return;
    long now = System.nanoTime();
    long wait = untilWork(now);
    if (wait == Long.MAX_VALUE) return;
    if (awakeAt == Long.MAX_VALUE || now + wait - awakeAt < 0) work.signal();
  }

  private long untilWork(long now) {
    if (!settled.isEmpty()) return 0;
    long wait = Long.MAX_VALUE;
    long oldest = Math.max(window.oldestAge(now), accumulator.oldestAge(now));
    if (oldest >= 0) wait = Math.max(0, options.deliveryTimeout().toNanos() - oldest + 1);
    if (window.fenced() == null && (window.needsEpoch() || stream == null)) {
      wait = Math.min(wait, Math.max(0, connectAt - now));
    }
    // When the window is full, an answer is what moves things on.
    if (stream != null && window.canSend()) {
      long due = window.hasRepeats() ? 0 : accumulator.untilDue(now);
      wait = Math.min(wait, Math.max(due, pauseUntil - now));
    }
    return wait;
  }

  private void unlocked(Runnable action) {
    lock.unlock();
    try {
      action.run();
    } finally {
      lock.lock();
    }
  }

  private void deliverSettled() {
    List<Settled> told = settled;
    settled = new ArrayList<>();
    unlocked(() -> told.forEach(ProducerCore::deliver));
    for (Settled each : told) {
      ProduceBatch batch = each.batch;
      unsettledIds.remove(batch.id);
      bufferedBytes -= batch.size() + (long) CALLBACK_BYTES * batch.count();
      if (each.error == null) delivered += batch.count();
      else failed += batch.count();
      accumulator.recycle(batch);
    }
    changed.signalAll();
  }

  private static void deliver(Settled each) {
    if (each.error == null) each.batch.complete(each.response);
    else each.batch.fail(each.error);
  }

  private void expireOld(long now) {
    long most = options.deliveryTimeout().toNanos();
    if (Math.max(window.oldestAge(now), accumulator.oldestAge(now)) <= most) return;
    MillraceException error =
        new MillraceException(
            Status.Code.DEADLINE_EXCEEDED,
            Reason.DELIVERY_TIMEOUT,
            "The record was not delivered within " + options.deliveryTimeout().toMillis() + " ms.");
    window.expireOlderThan(most, now, error);
    for (ProduceBatch batch : accumulator.takeOlderThan(most, now)) {
      settled.add(new Settled(batch, null, error));
    }
  }

  private OpenProducerResponse callOpenProducer(String id) {
    return connection.events().openProducer(OpenProducerRequest.newBuilder().setProducerId(id).build());
  }

  private void openNextEpoch() {
    OpenProducerResponse[] opened = new OpenProducerResponse[1];
    MillraceException[] error = new MillraceException[1];
    unlocked(
        () -> {
          try {
            connection.reconnect();
            opened[0] = callOpenProducer(producerId);
          } catch (RuntimeException thrown) {
            error[0] = MillraceException.of(thrown);
          }
        });
    if (stopping) return;
    if (error[0] != null) {
      if (!error[0].isTransient()) failEverything(error[0]);
      connectAt = System.nanoTime() + backoff.next().toNanos();
      return;
    }
    // A producer that the hub had forgotten begins again at its first epoch.
    boolean forgotten = opened[0].getLastSequence() == 0;
    if (opened[0].getEpoch() != epoch + 1 && !forgotten) {
      window.onFenced(
          new MillraceException(
              Status.Code.FAILED_PRECONDITION, Reason.PRODUCER_FENCED, "Another producer of this name was opened."));
      failEverything(window.fenced());
      return;
    }
    epoch = opened[0].getEpoch();
    window.onEpochOpened(opened[0].getLastSequence());
  }

  // ---- Callers that wait

  boolean flush(Duration timeout) {
    lock.lock();
    try {
      long lastId = accumulator.lastId();
      accumulator.makeAllDue();
      pump();
      wakeThread();
      return await(() -> unsettledIds.isEmpty() || unsettledIds.iterator().next() > lastId, timeout);
    } finally {
      lock.unlock();
    }
  }

  boolean close(Duration timeout) {
    lock.lock();
    boolean flushed;
    try {
      closed = true;
      changed.signalAll();
      flushed = timeout.isZero() ? unsettledIds.isEmpty() : flush(timeout);
      failEverything(MillraceException.closed("producer"));
      stopping = true;
      if (stream != null && flushed) stream.endWrites();
      else if (stream != null) stream.cancel();
      work.signal();
    } finally {
      lock.unlock();
    }
    if (Thread.currentThread() != thread) joinThread();
    return flushed;
  }

  private void joinThread() {
    try {
      thread.join(1_000);
      lock.lock();
      try {
        if (stream != null) stream.cancel();
      } finally {
        lock.unlock();
      }
      thread.join();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  String producerId() {
    return producerId;
  }

  ProducerStatistics statistics() {
    lock.lock();
    try {
      return new ProducerStatistics(
          delivered, failed, requestsSent, requestsRepeated, duplicates, reconnects);
    } finally {
      lock.unlock();
    }
  }
}
