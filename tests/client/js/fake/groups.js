// The fake hub's consumer groups: shares, hand-overs, commits, resets.

import { randomBytes } from "node:crypto";
import { EventEmitter } from "node:events";
import { ABORTED, FAILED_PRECONDITION, NOT_FOUND, OUT_OF_RANGE, Refusal } from "./log.js";
import { startOffset } from "./stream.js";

const keyOf = ({ topic, partition = 0 }) => `${topic}/${partition}`;

class Group extends EventEmitter {
  members = new Map(); // By id: {id, epoch, instanceId, peer, connectTime, stream, topics}.
  owners = new Map(); // By partition: the member that has it.
  committed = new Map(); // By partition: {topic, partition, offset, positionEpoch, time}.
  #epochs = new Map(); // The last position epoch of each partition.
  #log;
  #memberEpoch = 0;

  constructor(log, name) {
    super();
    this.setMaxListeners(0);
    this.#log = log;
    this.name = name;
  }

  join(stream, { topics = [], start = { earliest: true }, instanceId = "", resumeMemberId }, peer) {
    for (const topic of topics) this.#log.topic(topic);
    const id = resumeMemberId || randomBytes(4).toString("hex");
    this.leave(id);
    const member = {
      id,
      epoch: ++this.#memberEpoch,
      instanceId,
      peer,
      connectTime: new Date().toISOString(),
      stream,
      topics,
      start,
    };
    this.members.set(id, member);
    stream.start({ memberId: id, memberEpoch: member.epoch });
    this.#rebalance();
    return member;
  }

  leave(id) {
    const member = this.members.get(id);
    if (!member) return;
    member.stream.close();
    this.members.delete(id);
    for (const [key, owner] of this.owners) if (owner === member) this.owners.delete(key);
    this.#rebalance();
  }

  /** Gives partitions that nobody has to the members with the fewest, and takes from those with too many. */
  #rebalance() {
    const members = [...this.members.values()];
    const load = new Map(members.map((member) => [member, this.#partitionsOf(member).length]));
    const given = new Map(members.map((member) => [member, []]));
    const most = members.length === 0 ? 0 : Math.ceil(this.#partitions().length / members.length);
    for (const { topic, partition } of this.#partitions()) {
      const owner = this.owners.get(`${topic}/${partition}`);
      const least = members
        .filter((member) => member.topics.includes(topic))
        .sort((a, b) => load.get(a) - load.get(b))[0];
      if (!least) continue;
      if (!owner) {
        load.set(least, load.get(least) + 1);
        given.get(least).push(this.#startOf(topic, partition, least));
      } else if (load.get(owner) > most || load.get(owner) - load.get(least) > 1) {
        load.set(owner, load.get(owner) - 1);
        this.#revoke(topic, partition, owner);
      }
    }
    for (const [member, starts] of given) member.stream.assign(starts);
    this.emit("changed");
  }

  #partitions() {
    const topics = new Set([...this.members.values()].flatMap((member) => member.topics));
    return [...topics]
      .filter((name) => this.#log.topics.has(name))
      .flatMap((name) =>
        this.#log.topic(name).partitions.map((_, partition) => ({ topic: name, partition })),
      );
  }

  #partitionsOf(member) {
    return [...this.owners].filter(([, owner]) => owner === member).map(([key]) => nameOf(key));
  }

  #startOf(topic, partition, member) {
    const key = `${topic}/${partition}`;
    const positionEpoch = this.#nextEpoch(key);
    let commit = this.committed.get(key);
    if (!commit) {
      commit = {
        topic,
        partition,
        offset: startOffset(this.#log.partition(topic, partition), member.start),
        positionEpoch,
        time: Date.now(),
      };
      this.committed.set(key, commit);
    }
    this.owners.set(key, member);
    return { topic, partition, offset: commit.offset, positionEpoch };
  }

  #nextEpoch(key) {
    this.#epochs.set(key, (this.#epochs.get(key) ?? 0) + 1);
    return this.#epochs.get(key);
  }

  #revoke(topic, partition, owner) {
    const key = `${topic}/${partition}`;
    const cursor = owner.stream.cursors.get(key);
    if (cursor.stopped) return;
    cursor.stopped = true;
    owner.stream.tell({ revoking: { partitions: [{ topic, partition }], timeLeft: "300s" } });
    if (this.committed.get(key)?.offset === cursor.next) this.#handOver(key, owner);
  }

  #handOver(key, owner) {
    if (this.owners.get(key) !== owner) return;
    this.owners.delete(key);
    owner.stream.cursors.delete(key);
    owner.stream.tell({ lost: { partitions: [nameOf(key)], cause: "LOST_CAUSE_HANDED_OVER" } });
    this.#rebalance();
  }

  commit({ memberId = "", memberEpoch, offsets = [], released = [], leave = false }) {
    if (!memberId && this.members.size > 0)
      throw new Refusal(FAILED_PRECONDITION, "GROUP_HAS_MEMBERS", "the group has members");
    const member = this.members.get(memberId);
    const current = member?.epoch === memberEpoch;
    const results = offsets.map((entry) => {
      const key = keyOf(entry);
      const name = { topic: entry.topic, partition: entry.partition ?? 0 };
      if (memberId && (!current || this.owners.get(key) !== member)) return { ...name, error: fenced(entry) };
      const offset = Number(entry.nextOffset);
      this.committed.set(key, {
        ...name,
        offset,
        positionEpoch: Number(entry.positionEpoch ?? 0),
        time: Date.now(),
      });
      const cursor = member?.stream.cursors.get(key);
      if (cursor?.stopped && cursor.next === offset) this.#handOver(key, member);
      return { ...name, committedNextOffset: String(offset) };
    });
    if (current) for (const name of released) this.#handOver(keyOf(name), member);
    if (current && leave) this.leave(memberId);
    this.emit("changed");
    return { results };
  }

  reset({ partitions = [], start, offset, shift }) {
    const chosen =
      partitions.length === 0
        ? [...this.committed.values()]
        : partitions.flatMap(({ topic, partition = 0 }) =>
            partition >= 0
              ? [{ topic, partition }]
              : this.#log.topic(topic).partitions.map((_, number) => ({ topic, partition: number })),
          );
    const results = chosen.map(({ topic, partition }) => {
      const log = this.#log.partition(topic, partition);
      const key = `${topic}/${partition}`;
      const before = this.committed.get(key)?.offset ?? 0;
      let to = start ? startOffset(log, start) : Number(offset);
      if (shift !== undefined) to = Math.min(Math.max(before + Number(shift), log.earliest), log.latest);
      if (to < log.earliest || to > log.latest) {
        return {
          topic,
          partition,
          committedNextOffset: "0",
          error: new Refusal(OUT_OF_RANGE, "OFFSET_OUT_OF_RANGE", `${to} is out of range`).body,
        };
      }
      const positionEpoch = this.#nextEpoch(key);
      this.committed.set(key, { topic, partition, offset: to, positionEpoch, time: Date.now() });
      const stream = this.owners.get(key)?.stream;
      const cursor = stream?.cursors.get(key);
      if (cursor) {
        const fromOffset = String(cursor.next);
        Object.assign(cursor, { next: to, positionEpoch });
        stream.tell({
          repositioned: {
            topic,
            partition,
            fromOffset,
            toOffset: String(to),
            cause: "REPOSITION_CAUSE_RESET",
            positionEpoch: String(positionEpoch),
          },
        });
        stream.pump();
      }
      return { topic, partition, committedNextOffset: String(to) };
    });
    this.emit("changed");
    return { results };
  }

  describe() {
    const keys = new Set([...this.committed.keys(), ...this.owners.keys()]);
    const partitions = [...keys]
      .filter((key) => this.#log.topics.has(nameOf(key).topic))
      .map((key) => this.#describePartition(key));
    partitions.sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition);
    return {
      summary: {
        group: this.name,
        memberCount: this.members.size,
        topics: [...new Set(partitions.map(({ topic }) => topic))],
        lagRecords: String(partitions.reduce((sum, { lagRecords }) => sum + Number(lagRecords), 0)),
      },
      members: [...this.members.values()].map((member) => ({
        memberId: member.id,
        instanceId: member.instanceId,
        peer: member.peer,
        connectTime: member.connectTime,
        partitions: this.#partitionsOf(member),
      })),
      partitions,
    };
  }

  #describePartition(key) {
    const { topic, partition } = nameOf(key);
    const log = this.#log.partition(topic, partition);
    const owner = this.owners.get(key);
    const cursor = owner?.stream.cursors.get(key);
    const committed = this.committed.get(key)?.offset;
    const oldest = log.records[(committed ?? log.earliest) - log.earliest];
    return {
      topic,
      partition,
      memberId: owner?.id ?? "",
      ...(committed === undefined ? {} : { committedNextOffset: String(committed) }),
      ...(cursor ? { deliveredNextOffset: String(cursor.next) } : {}),
      earliestOffset: String(log.earliest),
      latestOffset: String(log.latest),
      lagRecords: String(log.latest - (committed ?? log.earliest)),
      ...(oldest ? { lagTime: `${(Date.now() - Date.parse(oldest.appendTime)) / 1000}s` } : {}),
      metadata: "",
    };
  }
}

export class Groups {
  #log;
  #groups = new Map();

  constructor(log) {
    this.#log = log;
    log.on("topicDeleted", (name) => {
      for (const group of this.#groups.values()) {
        for (const key of [...group.committed.keys()])
          if (nameOf(key).topic === name) group.committed.delete(key);
        for (const key of [...group.owners.keys()]) if (nameOf(key).topic === name) group.owners.delete(key);
      }
    });
  }

  open(name) {
    if (!this.#groups.has(name)) this.#groups.set(name, new Group(this.#log, name));
    return this.#groups.get(name);
  }

  get(name) {
    const group = this.#groups.get(name);
    if (!group)
      throw new Refusal(NOT_FOUND, "GROUP_NOT_FOUND", `there is no group "${name}"`, { group: name });
    return group;
  }

  delete(name) {
    if (this.get(name).members.size > 0)
      throw new Refusal(FAILED_PRECONDITION, "GROUP_HAS_MEMBERS", "the group has members");
    this.#groups.delete(name);
  }

  list() {
    return [...this.#groups.values()]
      .map((group) => group.describe().summary)
      .sort((a, b) => a.group.localeCompare(b.group));
  }
}

function nameOf(key) {
  const slash = key.lastIndexOf("/");
  return { topic: key.slice(0, slash), partition: Number(key.slice(slash + 1)) };
}

function fenced({ topic, partition = 0 }) {
  return new Refusal(ABORTED, "MEMBER_FENCED", `another member has ${topic}/${partition}`).body;
}
