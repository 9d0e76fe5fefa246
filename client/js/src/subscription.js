// One subscription, over any number of sockets: what it asks for, what it buffers, what it hands out.

import { groupCommit, hasUncommitted, leaveGroup, releaseWhatIsDone } from "./group_commit.js";
import { connectionClosed, fromRequestError, MillraceError } from "./error.js";
import { decodeFrame, int64, millisecondsOf } from "./protocol.js";
import { Readings } from "./readings.js";

const DEFAULT_CREDIT = 1_000;
const DEFAULT_RETRY_MS = 1_000;
const RESOURCE_EXHAUSTED = 8;

export class Subscription {
  #commands;
  #request;
  #handlers;
  #credit;
  #readings;
  #buffer = []; // Entries of Readings.onBatch that wait to be taken, from #head on.
  #head = 0;
  #held = 0; // Records received that the application is not done with.
  #taken = 0; // Records it is done with, since the hub was last granted more.
  #session = {};
  #end; // Once it is over: {error} or {}.
  #wakers = []; // Of those who wait for a record or the end.
  #closed = Promise.withResolvers?.() ?? withResolvers();

  #stream = {
    command: () => ({ name: "subscribe", body: { request: this.#nextRequest(), credit: this.#room() } }),
    receive: (kind, body) => this.#receive(kind, body),
    failed: (error) => this.#finish(error),
  };

  constructor(commands, request, { credit = DEFAULT_CREDIT, signal, ...handlers } = {}) {
    if (!(Number.isSafeInteger(credit) && credit > 0))
      throw new RangeError("credit is a positive number of records");
    this.#commands = commands;
    this.#request = typeof request === "string" ? { topics: [request] } : { ...request };
    this.#credit = credit;
    this.#handlers = handlers;
    this.#readings = new Readings({ inGroup: this.#inGroup });
    this.#closed.promise.catch(() => {}); // Whoever wants to hear of it asks for `closed`.
    signal?.addEventListener("abort", () => this.close(), { once: true });
    if (signal?.aborted) return void this.close();
    commands.begin(this.#stream);
    if (handlers.onRecords) this.#pump();
  }

  get #inGroup() {
    return Boolean(this.#request.group);
  }

  get sessionId() {
    return this.#session.sessionId;
  }

  get memberId() {
    return this.#session.memberId || undefined;
  }

  /** Settles when the subscription is over: resolves after close() or the end, else rejects. */
  get closed() {
    return this.#closed.promise;
  }

  /** Where to go on, behind what was handed out: for SubscribeRequest.positions, in another page, say. */
  positions() {
    return [...this.#readings]
      .filter(({ returned }) => returned)
      .map((reading) => positionOf(reading, reading.returned));
  }

  close() {
    if (this.#end) return;
    // An instance comes back to its partitions; any other member hands them on at once.
    if (this.memberId && !this.#request.instanceId)
      leaveGroup(this.#commands, this.#request.group, this.#session);
    this.#commands.end(this.#stream);
    this.#buffer.length = this.#head = 0;
    this.#finish();
  }

  /** Commits for the group what was handed out, or one record. Resolves with the hub's results. */
  async commit(record) {
    if (!this.#inGroup) throw new TypeError("only a subscription with a group commits");
    // While a session is being resumed the hub knows nothing yet of what the last one had.
    while (
      !this.#end &&
      hasUncommitted(this.#readings) &&
      !(this.#commands.connected && this.#readings.settled)
    )
      await this.#nextWake();
    if (this.#end) throw this.#end.error ?? connectionClosed();
    return groupCommit(this.#commands, this.#request.group, this.#session, this.#readings, record);
  }

  // ---- Handing out

  async *[Symbol.asyncIterator]() {
    if (this.#handlers.onRecords) throw new TypeError("this subscription calls onRecords");
    try {
      while (await this.#readable()) {
        const entry = this.#shift();
        if (entry) yield entry.record;
      }
    } finally {
      this.close();
    }
  }

  async #pump() {
    try {
      while (await this.#readable()) {
        const records = [];
        for (let entry; (entry = this.#shift()) !== undefined;) records.push(entry.record);
        if (records.length > 0) await this.#handlers.onRecords(records);
        this.#grant(records.length);
      }
    } catch (error) {
      this.close();
      this.#handlers.onError?.(error);
    }
  }

  // True: the buffer holds something. False: it is over, and what came before was handed out.
  async #readable() {
    while (this.#head === this.#buffer.length) {
      if (this.#end?.error) throw this.#end.error;
      if (this.#end) return false;
      await this.#nextWake();
    }
    return true;
  }

  // The next record that is not void, if there is one in the buffer. An iterator's record is done with
  // when it is taken, a callback's when the callback is.
  #shift() {
    while (this.#head < this.#buffer.length) {
      const entry = this.#buffer[this.#head];
      this.#buffer[this.#head++] = undefined;
      if (this.#head * 2 > this.#buffer.length) this.#head -= this.#buffer.splice(0, this.#head).length;
      const valid = this.#readings.take(entry);
      if (!valid || !this.#handlers.onRecords) this.#grant(1);
      if (valid) return entry;
    }
    return undefined;
  }

  // ---- Credit

  #room() {
    this.#taken = 0;
    return Math.max(this.#credit - this.#held, 0);
  }

  // The application is done with so many records: the hub may send as many more, told in portions.
  #grant(records) {
    this.#held -= records;
    this.#taken += records;
    if (this.#taken * 2 < this.#credit || this.#end) return;
    this.#commands.grant(this.#stream, this.#taken);
    this.#taken = 0;
  }

  // ---- What is asked for

  #nextRequest() {
    const request = { ...this.#request };
    this.#readings.onSubscribe();
    if (this.#inGroup) {
      if (this.#session.memberId) request.resumeMemberId = this.#session.memberId;
    } else if (this.#readings.everAssigned) {
      // What is not known yet came to be after this subscription began.
      request.start = { earliest: true };
      const readings = [...this.#readings];
      request.positions = readings
        .filter(({ received, failed }) => received && !failed)
        .map((reading) => positionOf(reading, reading.received));
      // A partition that cannot be read would be refused, and all others with it: of such a topic
      // exactly the others are asked for.
      const failed = new Set(readings.filter((reading) => reading.failed).map(({ topic }) => topic));
      request.topics = (request.topics ?? []).filter((topic) => !failed.has(topic));
    }
    return request;
  }

  // ---- What is received

  #receive(kind, body) {
    if (kind === "error") this.#onRefused(body);
    else if (kind === "frame") this.#onFrame(decodeFrame(body));
  }

  #onFrame({ kind, body }) {
    switch (kind) {
      case "sessionStarted":
        this.#session = body;
        return this.#readings.onSessionStarted(body);
      case "batches":
        for (const batch of body.batches ?? []) this.#onBatch(batch);
        return this.#wake();
      case "assigned":
        return this.#onSettled(this.#readings.onAssigned(body));
      case "revoking":
        this.#tell(this.#readings.onRevoking(body));
        return void releaseWhatIsDone(this.#commands, this.#request.group, this.#session, this.#readings);
      case "lost":
        return this.#tell(this.#readings.onLost(body));
      case "repositioned":
        return this.#tell(this.#readings.onRepositioned(body));
      case "caughtUp":
        return this.#tell(this.#readings.onCaughtUp(body));
      case "heartbeat":
        return this.#onSettled([...this.#readings.onSettled(), ["heartbeat", body]]);
      case "partitionError":
        return this.#onPartitionError(body);
      case "ending":
        return this.#onEnding(body);
    }
  }

  #onSettled(events) {
    this.#tell(events);
    this.#wake();
  }

  #onBatch(batch) {
    const { entries, dropped } = this.#readings.onBatch(batch);
    for (const entry of entries) this.#buffer.push(entry);
    this.#held += entries.length + dropped;
    this.#grant(dropped);
  }

  // A partition that cannot go on ends the subscription, unless the application looks after it.
  #onPartitionError(frame) {
    const name = { topic: frame.topic ?? "", partition: frame.partition ?? 0 };
    const error = fromRequestError(frame.error ?? {});
    Object.assign(error.metadata, { topic: name.topic, partition: String(name.partition) });
    const detail = {
      ...name,
      error,
      earliestOffset: int64(frame.earliestOffset),
      latestOffset: int64(frame.latestOffset),
    };
    if (!this.#handlers.onPartitionError) return this.#fail(error);
    this.#readings.fail(name);
    this.#tell([["partitionError", detail]]);
  }

  #onRefused(error) {
    const resumes = this.#session.sessionId !== undefined;
    // Of a connection that broke the hub may not know yet that it did.
    const passing =
      error.retryable ||
      (resumes && error.code === RESOURCE_EXHAUSTED) ||
      (resumes && error.reason === "GROUP_HAS_MEMBERS");
    if (passing) return this.#commands.resumeAfter(this.#stream, error.retryAfterMs ?? DEFAULT_RETRY_MS);
    const gone = resumes && this.#handlers.onPartitionError ? this.#readings.namedBy(error.metadata) : [];
    if (gone.length === 0) {
      this.#commands.forget(this.#stream);
      return this.#finish(error);
    }
    const { earliest, latest } = error.metadata;
    for (const reading of gone) {
      reading.failed = true;
      this.#tell([
        [
          "partitionError",
          { ...reading.name, error, earliestOffset: int64(earliest), latestOffset: int64(latest) },
        ],
      ]);
    }
    this.#commands.resume(this.#stream);
  }

  #onEnding({ reason = "ENDING_REASON_UNSPECIFIED", retry = false, retryAfter, message }) {
    this.#readings.onEnded();
    if (retry) return this.#commands.resumeAfter(this.#stream, millisecondsOf(retryAfter));
    this.#commands.forget(this.#stream);
    const ended = reason === "ENDING_REASON_END_REACHED" || reason === "ENDING_REASON_LEFT";
    this.#finish(
      ended ? undefined : new MillraceError(reason.replace("ENDING_REASON_", ""), message, { code: 10 }),
    );
  }

  // ---- The end

  #fail(error) {
    this.#commands.end(this.#stream);
    this.#finish(error);
  }

  #finish(error) {
    if (this.#end) return;
    this.#end = error ? { error } : {};
    if (error) this.#closed.reject(error);
    else this.#closed.resolve();
    this.#wake();
  }

  #nextWake() {
    return new Promise((resolve) => this.#wakers.push(resolve));
  }

  #wake() {
    for (const wake of this.#wakers.splice(0)) wake();
  }

  #tell(events) {
    for (const [name, detail] of events)
      this.#handlers[`on${name[0].toUpperCase()}${name.slice(1)}`]?.(detail);
  }
}

function positionOf({ topic, partition }, { offset, logEpoch }) {
  return { topic, partition, offset, ...(logEpoch === undefined ? {} : { logEpoch }) };
}

function withResolvers() {
  const resolvers = {};
  resolvers.promise = new Promise((resolve, reject) => Object.assign(resolvers, { resolve, reject }));
  return resolvers;
}
