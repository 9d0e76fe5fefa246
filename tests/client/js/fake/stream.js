// One open Subscribe of the fake hub: frames go out by a callback, as far as credit allows.

import { randomBytes } from "node:crypto";
import { ABORTED, OUT_OF_RANGE, Refusal } from "./log.js";

/** `options`: frameRecords, the most records of one frame; heartbeatMs, how often it says that it lives. */
export class Stream {
  sessionId = randomBytes(8).toString("hex");
  cursors = new Map(); // By "topic/partition": {topic, partition, next, positionEpoch, caughtUp, stopped}.
  #log;
  #send;
  #credit;
  #frameRecords;
  #endAtCurrent;
  #heart;
  #pump = () => this.pump();
  #closed = false;

  constructor(
    log,
    send,
    { credit = Infinity, frameRecords = 100, endAtCurrent = false, heartbeatMs = 10_000 } = {},
  ) {
    this.#log = log;
    this.#send = (frame) => this.#closed || send(frame);
    this.#credit = credit;
    this.#frameRecords = frameRecords;
    this.#endAtCurrent = endAtCurrent;
    log.on("changed", this.#pump);
    this.#heart = setInterval(
      () =>
        this.#send({ heartbeat: { hubTime: new Date().toISOString(), changed: [], waitingForCommit: [] } }),
      heartbeatMs,
    );
  }

  start({ memberId = "", memberEpoch = 0 } = {}) {
    this.#send({
      sessionStarted: {
        sessionId: this.sessionId,
        memberId,
        memberEpoch,
        logEpoch: String(this.#log.logEpoch),
        missingTopics: [],
      },
    });
  }

  assign(starts) {
    if (starts.length === 0) return;
    for (const { topic, partition, offset, positionEpoch = 1 } of starts) {
      this.cursors.set(`${topic}/${partition}`, {
        topic,
        partition,
        next: offset,
        positionEpoch,
        caughtUp: false,
        stopped: false,
      });
    }
    this.#send({
      assigned: {
        assignments: starts.map(({ topic, partition, offset, positionEpoch = 1 }) => ({
          topic,
          partition,
          startOffset: String(offset),
          positionEpoch: String(positionEpoch),
          highWatermark: String(this.#log.partition(topic, partition).latest),
        })),
      },
    });
    this.pump();
  }

  grant(records) {
    this.#credit += records;
    this.pump();
  }

  tell(frame) {
    this.#send(frame);
  }

  close() {
    this.#closed = true;
    clearInterval(this.#heart);
    this.#log.off("changed", this.#pump);
  }

  pump() {
    for (const cursor of this.cursors.values()) this.#deliver(cursor);
    const done = [...this.cursors.values()].every((cursor) => cursor.caughtUp);
    if (this.#endAtCurrent && done && !this.#closed) {
      this.#send({
        ending: { reason: "ENDING_REASON_END_REACHED", retry: false, message: "", resumeAt: [] },
      });
      this.close();
    }
  }

  #deliver(cursor) {
    const partition = this.#log.topics.get(cursor.topic)?.partitions[cursor.partition];
    while (
      partition &&
      !this.#closed &&
      !cursor.stopped &&
      this.#credit > 0 &&
      cursor.next < partition.latest
    ) {
      const records = partition.from(cursor.next, Math.min(this.#credit, this.#frameRecords));
      const epoch = records[0].logEpoch; // A batch is stored under one.
      const batch = records.filter((record) => record.logEpoch === epoch);
      this.#credit -= batch.length;
      cursor.next = batch.at(-1).offset + 1;
      this.#send({ batches: { batches: [batchOf(cursor, batch, partition)] } });
    }
    if (partition && !cursor.caughtUp && cursor.next >= partition.latest) {
      cursor.caughtUp = true;
      this.#send({ caughtUp: { partitions: [{ topic: cursor.topic, partition: cursor.partition }] } });
    }
  }
}

function batchOf({ topic, partition, positionEpoch }, batch, { latest }) {
  return {
    topic,
    partition,
    baseOffset: String(batch[0].offset),
    appendTime: batch[0].appendTime,
    positionEpoch: String(positionEpoch),
    highWatermark: String(latest),
    logEpoch: String(batch[0].logEpoch),
    records: batch.map(({ offset, content }) => ({ offset: String(offset), ...content })),
  };
}

/** Where an independent reader begins: [{topic, partition, offset}]. Throws what a real hub refuses. */
export function startsOf(log, { topics = [], positions = [], start }) {
  const starts = new Map();
  for (const name of topics) {
    log.topic(name).partitions.forEach((partition, number) => {
      starts.set(`${name}/${number}`, {
        topic: name,
        partition: number,
        offset: startOffset(partition, start),
      });
    });
  }
  for (const { topic, partition: number = 0, offset = "0", logEpoch } of positions) {
    const partition = log.partition(topic, number);
    const facts = {
      topic,
      partition: String(number),
      earliest: String(partition.earliest),
      latest: String(partition.latest),
    };
    const at = Number(offset);
    const validUntil = logEpoch === undefined ? Infinity : partition.validUntil(Number(logEpoch));
    if (at > validUntil) {
      throw new Refusal(ABORTED, "LOG_EPOCH_CHANGED", "the log was cut", {
        ...facts,
        valid_until: String(validUntil),
      });
    }
    if (at < partition.earliest || at > partition.latest) {
      throw new Refusal(OUT_OF_RANGE, "OFFSET_OUT_OF_RANGE", `${at} is out of range`, facts);
    }
    starts.set(`${topic}/${number}`, { topic, partition: number, offset: at });
  }
  return [...starts.values()];
}

export function startOffset(partition, start = { latest: true }) {
  if (start.earliest) return partition.earliest;
  if (start.time !== undefined) return partition.offsetAt(start.time);
  return partition.latest;
}
