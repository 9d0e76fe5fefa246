// How far a subscription has come in each partition. This is where "no record twice, none skipped" is
// decided; it knows neither sockets nor waiting.
//
// A partition's position outlives the socket: the next one is asked to go on behind the last record
// received. Records that wait to be taken belong to a `generation`, which ends whenever the position
// is set anew (a reset, a loss): those of an older generation are never handed out.

import { decodeBatch, decodeRecord, int64 } from "./protocol.js";

class Reading {
  assigned = false; // The present session reads it.
  failed = false; // It cannot go on.
  revoking = false; // It goes to another member.
  caughtUp = false; // And that was told.
  received; // {offset, logEpoch}: behind the last record received.
  returned; // The same of the last record handed out.
  committed; // The group's, as far as is known.
  committedBefore; // The same when the session was asked for: it begins no earlier.
  commitAsked = 0n; // The most that a commit asked for, answered or not.
  positionEpoch = 0n;
  generation = 0;

  constructor(topic, partition) {
    this.topic = topic;
    this.partition = partition;
  }

  get name() {
    return { topic: this.topic, partition: this.partition };
  }

  moveTo(offset, logEpoch) {
    this.received = this.returned = { offset, logEpoch };
    this.failed = this.caughtUp = false;
    this.generation += 1;
  }

  forget() {
    this.received = this.returned = this.committed = this.committedBefore = undefined;
    this.assigned = this.failed = this.revoking = this.caughtUp = false;
    this.commitAsked = 0n;
    this.generation += 1;
  }
}

/** Each on… method takes the body of a frame and gives the events to tell: [name, detail]. */
export class Readings {
  #inGroup;
  #readings = new Map();
  #firstAssigned = false; // The next `assigned` frame is the session's first.
  #sessionLogEpoch;

  constructor({ inGroup }) {
    this.#inGroup = inGroup;
  }

  /** Whether a session was once told what it reads. */
  everAssigned = false;

  /** Whether the present session was: until then the hub takes nothing from it. */
  settled = false;

  *[Symbol.iterator]() {
    yield* this.#readings.values();
  }

  find({ topic = "", partition = 0 }) {
    return this.#readings.get(`${topic}/${partition}`);
  }

  #findOrAdd({ topic = "", partition = 0 }) {
    const found = this.find({ topic, partition });
    if (found) return found;
    const added = new Reading(topic, partition);
    this.#readings.set(`${topic}/${partition}`, added);
    return added;
  }

  /** A session is about to be asked for. */
  onSubscribe() {
    this.settled = false;
    for (const reading of this) reading.committedBefore = reading.committed;
  }

  /** The hub ended the session; another is to follow. */
  onEnded() {
    this.settled = false;
  }

  onSessionStarted({ logEpoch }) {
    this.#sessionLogEpoch = logEpoch === undefined ? undefined : int64(logEpoch);
    this.#firstAssigned = true;
    for (const reading of this) reading.assigned = reading.revoking = false;
  }

  onAssigned({ assignments = [] }) {
    const events = [];
    const fresh = [];
    // The session's log epoch vouches for what it was opened with. Later the hub may write under a
    // newer one, which a position must not be judged by.
    const logEpoch = this.#firstAssigned ? this.#sessionLogEpoch : undefined;
    for (const assignment of assignments) {
      const reading = this.#findOrAdd(assignment);
      const startOffset = int64(assignment.startOffset);
      reading.assigned = true;
      reading.revoking = false;
      reading.positionEpoch = int64(assignment.positionEpoch);
      if (!reading.received || reading.failed) {
        reading.moveTo(startOffset, logEpoch);
        reading.committed = reading.committedBefore = this.#inGroup ? startOffset : undefined;
        fresh.push({ ...reading.name, startOffset, highWatermark: int64(assignment.highWatermark) });
      } else if (this.#inGroup) {
        events.push(...this.#onReassigned(reading, startOffset, logEpoch));
      }
      // An independent reader said itself where to go on; `repositioned` tells where it cannot.
    }
    if (fresh.length > 0) events.unshift(["assigned", fresh]);
    events.push(...this.onSettled());
    this.everAssigned = true;
    return events;
  }

  /** The hub had its say about the session: what a member was not given is gone. */
  onSettled() {
    const first = this.#firstAssigned;
    this.#firstAssigned = false;
    this.settled = true;
    if (!first || !this.#inGroup) return [];
    return this.#lose(
      [...this].filter((reading) => reading.received && !reading.assigned),
      "DISCONNECTED",
    );
  }

  // The hub begins again at what the group committed. What was received beyond it is not taken a second
  // time, unless somebody else has moved the group meanwhile.
  #onReassigned(reading, startOffset, logEpoch) {
    const { committed, committedBefore, commitAsked } = reading;
    const moved =
      startOffset > larger(commitAsked, committed) || startOffset < smaller(committedBefore, committed);
    // Else a commit of its own came between.
    if (moved || committed === committedBefore) reading.committed = startOffset;
    if (!moved) return [];
    const fromOffset = reading.returned.offset;
    reading.moveTo(startOffset, logEpoch);
    return [
      [
        "repositioned",
        { ...reading.name, fromOffset, toOffset: startOffset, cause: "REPOSITION_CAUSE_RESET" },
      ],
    ];
  }

  /** The records of a batch that are new, as [{record, reading, generation}], and how many were not. */
  onBatch(wire) {
    const batch = decodeBatch(wire);
    const reading = this.find(batch);
    if (!reading?.assigned || reading.revoking || batch.positionEpoch < reading.positionEpoch) {
      return { entries: [], dropped: batch.records.length };
    }
    reading.positionEpoch = batch.positionEpoch;
    const entries = [];
    for (const wireRecord of batch.records) {
      if (int64(wireRecord.offset) < reading.received.offset) continue;
      const record = decodeRecord(wireRecord, batch);
      entries.push({ record, reading, generation: reading.generation });
      reading.received = { offset: record.offset + 1n, logEpoch: batch.logEpoch };
    }
    return { entries, dropped: batch.records.length - entries.length };
  }

  /** The record is the application's now. False: it is void, and must not be handed out. */
  take({ record, reading, generation }) {
    if (generation !== reading.generation) return false;
    reading.returned = { offset: record.offset + 1n, logEpoch: record.logEpoch };
    return true;
  }

  onRevoking({ partitions = [], timeLeft }) {
    const found = partitions.map((name) => this.find(name)).filter(Boolean);
    for (const reading of found) {
      reading.revoking = true;
      reading.received = reading.returned;
      reading.generation += 1;
    }
    return [["revoking", { partitions: found.map((reading) => reading.name), timeLeft }]];
  }

  onLost({ partitions = [], cause = "LOST_CAUSE_UNSPECIFIED" }) {
    return this.#lose(partitions.map((name) => this.find(name)).filter(Boolean), cause);
  }

  #lose(readings, cause) {
    for (const reading of readings) reading.forget();
    return readings.length > 0
      ? [["lost", { partitions: readings.map((reading) => reading.name), cause }]]
      : [];
  }

  onRepositioned(frame) {
    const reading = this.find(frame);
    const epoch = int64(frame.positionEpoch);
    if (!reading || epoch < reading.positionEpoch) return [];
    reading.positionEpoch = epoch;
    const toOffset = int64(frame.toOffset);
    reading.moveTo(toOffset, undefined);
    if (this.#inGroup && frame.cause === "REPOSITION_CAUSE_RESET") reading.committed = toOffset;
    return [
      [
        "repositioned",
        { ...reading.name, fromOffset: int64(frame.fromOffset), toOffset, cause: frame.cause },
      ],
    ];
  }

  onCaughtUp({ partitions = [] }) {
    const fresh = partitions.map((name) => this.find(name)).filter((reading) => reading && !reading.caughtUp);
    for (const reading of fresh) reading.caughtUp = true;
    return fresh.length > 0 ? [["caughtUp", fresh.map((reading) => reading.name)]] : [];
  }

  /** The partition cannot go on; a new session is not asked for it. */
  fail(name) {
    this.#findOrAdd(name).failed = true;
  }

  /** What a refusal of the whole session is about, as far as it is read: a partition, or all of a topic. */
  namedBy({ topic, partition }) {
    return [...this].filter(
      (reading) =>
        reading.received &&
        !reading.failed &&
        reading.topic === topic &&
        (partition === undefined || reading.partition === Number(partition)),
    );
  }
}

function larger(a, b) {
  return a > b ? a : b;
}

function smaller(a, b) {
  return a < b ? a : b;
}
