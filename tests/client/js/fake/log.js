// A hub's topics in memory, as far as its clients can tell it from a real one. For tests only.

import { EventEmitter } from "node:events";

/** An error of the contract, thrown where a real hub would answer it. */
export class Refusal extends Error {
  constructor(code, reason, message, metadata = {}, retryAfter) {
    super(message);
    this.body = { code, reason, message, metadata, ...(retryAfter === undefined ? {} : { retryAfter }) };
  }
}

export const INVALID_ARGUMENT = 3,
  NOT_FOUND = 5,
  ALREADY_EXISTS = 6,
  FAILED_PRECONDITION = 9,
  ABORTED = 10,
  OUT_OF_RANGE = 11;

class Partition {
  records = []; // {offset, logEpoch, appendTime, content}; the first one's offset is `earliest`.
  earliest = 0;

  constructor(firstEpoch) {
    this.firstEpoch = firstEpoch;
  }

  get latest() {
    return this.earliest + this.records.length;
  }

  from(offset, most) {
    const begin = offset - this.earliest;
    return this.records.slice(begin, begin + most);
  }

  truncate(before) {
    this.records.splice(0, before - this.earliest);
    this.earliest = Math.max(this.earliest, before);
  }

  /** The first offset that a reader who stands under `epoch` must not have come beyond. */
  validUntil(epoch) {
    if (epoch < this.firstEpoch) return 0;
    return this.records.find((record) => record.logEpoch > epoch)?.offset ?? this.latest;
  }

  offsetAt(time) {
    return this.records.find((record) => record.appendTime >= time)?.offset ?? this.latest;
  }
}

/** Emits "changed" when there is something new to deliver, "topicDeleted" with a name. */
export class Log extends EventEmitter {
  topics = new Map();
  logEpoch = 1;

  constructor() {
    super();
    this.setMaxListeners(0);
  }

  createTopic(name, partitionCount = 1) {
    if (!/^[a-zA-Z0-9._-]{1,249}$/.test(name))
      throw new Refusal(INVALID_ARGUMENT, "INVALID_NAME", `"${name}" is no name of a topic`);
    if (this.topics.has(name))
      throw new Refusal(ALREADY_EXISTS, "TOPIC_EXISTS", `there is a topic "${name}"`, { topic: name });
    const partitions = Array.from({ length: partitionCount }, () => new Partition(this.logEpoch));
    this.topics.set(name, { name, partitions, createTime: new Date().toISOString() });
    this.emit("changed");
  }

  addPartitions(name, count) {
    const { partitions } = this.topic(name);
    for (let i = 0; i < count; ++i) partitions.push(new Partition(this.logEpoch));
  }

  deleteTopic(name) {
    this.topic(name);
    this.topics.delete(name);
    this.logEpoch += 1;
    this.emit("topicDeleted", name);
  }

  topic(name) {
    const topic = this.topics.get(name);
    if (!topic)
      throw new Refusal(NOT_FOUND, "TOPIC_NOT_FOUND", `there is no topic "${name}"`, { topic: name });
    return topic;
  }

  partition(name, number) {
    const partition = this.topic(name).partitions[number];
    if (!partition)
      throw new Refusal(OUT_OF_RANGE, "PARTITION_OUT_OF_RANGE", `"${name}" has no partition ${number}`);
    return partition;
  }

  append({ topic: name, partition, records = [] }) {
    const topic = this.topic(name);
    if (records.length === 0) throw new Refusal(INVALID_ARGUMENT, "EMPTY_REQUEST", "no records");
    const appended = new Map();
    records.forEach((content, index) => {
      const number = partition ?? placed(content.key, topic.partitions.length);
      const target = this.partition(name, number);
      const range = appended.get(number) ?? {
        partition: number,
        baseOffset: String(target.latest),
        recordCount: 0,
        recordIndexes: [],
      };
      range.recordCount += 1;
      range.recordIndexes.push(index);
      appended.set(number, range);
      target.records.push({
        offset: target.latest,
        logEpoch: this.logEpoch,
        appendTime: new Date().toISOString(),
        content,
      });
    });
    this.emit("changed");
    return { appended: [...appended.values()], duplicate: false, resultExpired: false };
  }

  /** As a hub that comes back with less than it had: the log is cut, and goes on under a new epoch. */
  loseFrom(name, number, offset) {
    const partition = this.partition(name, number);
    partition.records.length = offset - partition.earliest;
    this.logEpoch += 1;
  }
}

// Not the real placement: only the same key always goes to the same partition.
function placed(key, count) {
  if (key === undefined) return 0;
  let hash = 7;
  for (const character of key) hash = (hash * 31 + character.codePointAt(0)) >>> 0;
  return hash % count;
}
