package dev.millrace.client;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Where records wait to become requests: one open batch for each topic (and partition, where one is
 * named), and the full ones in the order in which they filled up. An open batch goes on collecting while
 * it waits for room in the send window, so that requests grow under load by themselves.
 *
 * <p>Threads: one at a time.
 */
final class Accumulator {
  private static final int SPARE_ROOMS = 8;
  private static final int LEAST_ROOM = 1 << 10;

  private final int batchBytes;
  private final int batchRecords;
  private final long lingerNanos;

  private final Map<String, Lane[]> lanes = new HashMap<>(); // By topic; a lane's index is partition + 1.
  private final LinkedHashMap<Long, Lane> open = new LinkedHashMap<>(); // By batch id: oldest first.
  private final ArrayDeque<ProduceBatch> full = new ArrayDeque<>();
  private final ArrayDeque<byte[]> spareRooms = new ArrayDeque<>();
  private long lastId;
  private long filled;
  private long dueThroughId;

  Accumulator(int batchBytes, int batchRecords, long lingerNanos) {
    this.batchBytes = batchBytes;
    this.batchRecords = batchRecords;
    this.lingerNanos = lingerNanos;
  }

  private static final class Lane {
    final String topic;
    final int partition;
    ProduceBatch open;
    int usualBytes = LEAST_ROOM;

    Lane(String topic, int partition) {
      this.topic = topic;
      this.partition = partition;
    }
  }

  /** Adds a record, and gives its batch. */
  ProduceBatch add(
      String topic, int partition, OutgoingRecord record, int recordSize, SendCallback callback, long now) {
    Lane lane = laneOf(topic, partition);
    if (lane.open != null && lane.open.size() + RecordEncoder.entrySize(recordSize) > batchBytes) {
      fill(lane);
    }
    if (lane.open == null) begin(lane, recordSize, now);
    ProduceBatch batch = lane.open;
    batch.add(record, recordSize, callback);
    if (batch.count() >= batchRecords || batch.size() >= batchBytes) fill(lane);
    return batch;
  }

  private Lane laneOf(String topic, int partition) {
    Lane[] ofTopic = lanes.get(topic);
    int index = partition + 1;
    if (ofTopic == null || ofTopic.length <= index) {
      ofTopic = ofTopic == null ? new Lane[index + 1] : Arrays.copyOf(ofTopic, index + 1);
      lanes.put(topic, ofTopic);
    }
    if (ofTopic[index] == null) ofTopic[index] = new Lane(topic, partition);
    return ofTopic[index];
  }

  private void begin(Lane lane, int recordSize, long now) {
    int wanted = Math.max(lane.usualBytes, RecordEncoder.entrySize(recordSize));
    byte[] spare = spareRooms.peek();
    byte[] room = spare != null && spare.length >= wanted ? spareRooms.poll() : new byte[wanted];
    lane.open = new ProduceBatch(++lastId, lane.topic, lane.partition, now, room);
    open.put(lastId, lane);
  }

  private void fill(Lane lane) {
    full.add(finish(lane));
    filled++;
  }

  private ProduceBatch finish(Lane lane) {
    ProduceBatch batch = lane.open;
    lane.open = null;
    lane.usualBytes = Math.max(LEAST_ROOM, batch.size());
    open.remove(batch.id);
    return batch;
  }

  /** The batch is settled, and nothing reads its bytes any more. */
  void recycle(ProduceBatch batch) {
    if (spareRooms.size() < SPARE_ROOMS && batch.room().length <= 2 * batchBytes) spareRooms.add(batch.room());
  }

  /** The next batch to send: a full one, or an open one that is due. Null: none. */
  ProduceBatch takeNext(long now) {
    if (!full.isEmpty()) return full.poll();
    Lane oldest = oldestOpen();
    if (oldest == null) return null;
    ProduceBatch batch = oldest.open;
    boolean due = batch.id <= dueThroughId || now - batch.createdNanos >= lingerNanos;
    return due ? finish(oldest) : null;
  }

  /** Batches that were begun before now are due at once. */
  void makeAllDue() {
    dueThroughId = lastId;
  }

  /** How long until there is something to take, in nanoseconds; Long.MAX_VALUE: not before more is added. */
  long untilDue(long now) {
    if (!full.isEmpty()) return 0;
    Lane oldest = oldestOpen();
    if (oldest == null) return Long.MAX_VALUE;
    if (oldest.open.id <= dueThroughId) return 0;
    return Math.max(0, oldest.open.createdNanos + lingerNanos - now);
  }

  /** Takes the batches out that are older than this. */
  List<ProduceBatch> takeOlderThan(long ageNanos, long now) {
    List<ProduceBatch> taken = new ArrayList<>();
    while (!full.isEmpty() && now - full.peek().createdNanos > ageNanos) taken.add(full.poll());
    for (Lane lane = oldestOpen(); lane != null && now - lane.open.createdNanos > ageNanos; lane = oldestOpen()) {
      taken.add(finish(lane));
    }
    return taken;
  }

  /** The age of the oldest batch; -1: there is none. */
  long oldestAge(long now) {
    long age = full.isEmpty() ? -1 : now - full.peek().createdNanos;
    Lane oldest = oldestOpen();
    return oldest == null ? age : Math.max(age, now - oldest.open.createdNanos);
  }

  /** How many batches ever filled up. */
  long filled() {
    return filled;
  }

  long lastId() {
    return lastId;
  }

  private Lane oldestOpen() {
    Iterator<Lane> lane = open.values().iterator();
    return lane.hasNext() ? lane.next() : null;
  }
}
