// What the Millrace client promises. 64-bit numbers are bigint where this library gives them; where a
// value is the contract's own JSON (responses of call, say) they are decimal strings. A request may give
// them as bigint, number or string, bytes as Uint8Array, times as Date or RFC 3339 text, and durations as
// text such as "1.5s".

export type Int64 = bigint | number | string;
export type Timestamp = Date | string;

/** Close codes of the hub's WebSocket. MALFORMED, WRONG_KIND, TOO_BIG, UNAUTHENTICATED and FORBIDDEN are final. */
export declare const CloseCode: {
  readonly NORMAL: 1000;
  readonly GOING_AWAY: 1001;
  readonly WRONG_KIND: 1003;
  readonly TOO_BIG: 1009;
  readonly FAULT: 1011;
  readonly MALFORMED: 4400;
  readonly UNAUTHENTICATED: 4401;
  readonly FORBIDDEN: 4403;
  readonly SLOW_CONSUMER: 4408;
  readonly TOO_MANY: 4429;
};

/**
 * Everything that goes wrong. `reason` is one of the hub's (the table of errors in the README), or of this
 * library: CONNECTION_LOST (the socket broke before the answer: it may have been carried out),
 * CONNECTION_CLOSED (for good: close(), or a final close code, which `closeCode` has), NOT_CONNECTED (too
 * much waits for a connection).
 */
export declare class MillraceError extends Error {
  private constructor();
  readonly reason: string;
  /** The gRPC status code. */
  readonly code: number;
  readonly metadata: Readonly<Record<string, string>>;
  /** When a repetition may succeed. Absent: it will not. */
  readonly retryAfterMs?: number;
  readonly closeCode?: number;
  readonly retryable: boolean;
}

// ---- Records

/** A header: with text where its value is UTF-8, else binary, or neither where it has none. */
export interface Header {
  name: string;
  text?: string;
  binary?: Uint8Array;
}

/**
 * What a record carries. At most one of key and keyBinary: without, it has no key. At most one of json, text
 * and binary: without, it is a tombstone. `json: null` is the value null.
 */
export interface RecordContent {
  key?: string;
  keyBinary?: Uint8Array;
  headers?: Header[];
  /** When it happened, by the producer's clock. */
  eventTime?: Timestamp;
  json?: unknown;
  text?: string;
  binary?: Uint8Array;
}

/** A record as it is received. The hub gives json where nothing is lost by it, else text, else binary. */
export interface ReceivedRecord extends RecordContent {
  topic: string;
  partition: number;
  offset: bigint;
  headers: Header[];
  eventTime?: string;
  /** When the hub stored it, RFC 3339. Absent where the engine keeps no such time. */
  appendTime?: string;
  logEpoch: bigint;
  positionEpoch: bigint;
}

export type Durability = "DURABILITY_UNSPECIFIED" | "DURABILITY_BUFFERED" | "DURABILITY_SYNCED";

/** As ProduceRequest of the contract. */
export interface ProduceRequest {
  topic: string;
  /** Absent: each record is placed by its key. */
  partition?: number;
  records: RecordContent[];
  durability?: Durability;
  /** Makes the request repeatable: it is sent again on a new connection until it is answered. */
  sequence?: { producerId: string; epoch: Int64; sequence: Int64 };
  expectedNextOffset?: Int64;
}

/** As ProduceResponse of the contract, in its JSON form. */
export interface ProduceResponse {
  appended: { partition: number; baseOffset: string; recordCount: number; recordIndexes: number[] }[];
  duplicate: boolean;
  resultExpired: boolean;
}

// ---- Subscriptions

export interface TopicPartition {
  topic: string;
  partition: number;
}

/** A place to go on from. With logEpoch the hub refuses it where the log was replaced or cut since. */
export interface Position extends TopicPartition {
  offset: bigint;
  logEpoch?: bigint;
}

export type StartPosition = { earliest: true } | { latest: true } | { time: Timestamp };

/** As SubscribeRequest of the contract. The least that works: { topics: ["orders"] }. */
export interface SubscribeRequest {
  topics?: string[];
  group?: string;
  positions?: { topic: string; partition: number; offset: Int64; logEpoch?: Int64 }[];
  start?: StartPosition;
  onOutOfRange?: "OUT_OF_RANGE_POLICY_FAIL" | "OUT_OF_RANGE_POLICY_EARLIEST" | "OUT_OF_RANGE_POLICY_LATEST";
  instanceId?: string;
  resumeMemberId?: string;
  maxInFlightRecords?: number;
  maxInFlightBytes?: Int64;
  maxBatchBytes?: number;
  heartbeatInterval?: string;
  revokeTimeout?: string;
  maxUncommittedAge?: string;
  allowMissingTopics?: boolean;
  endAtCurrent?: boolean;
}

/** Everything that a subscription tells beside records; each is optional. */
export interface SubscriptionHandlers {
  /** Partitions that are read from now on. Not told again when a connection only resumes. */
  onAssigned?(partitions: (TopicPartition & { startOffset: bigint; highWatermark: bigint })[]): void;
  /** Partitions that go to another member: nothing more of them is handed out. Finish and commit(). */
  onRevoking?(event: { partitions: TopicPartition[]; timeLeft?: string }): void;
  /** Partitions that are gone. The cause is a LostCause, or DISCONNECTED: given away meanwhile. */
  onLost?(event: { partitions: TopicPartition[]; cause: string }): void;
  /** A partition goes on elsewhere: the group was reset, or onOutOfRange says so. */
  onRepositioned?(event: TopicPartition & { fromOffset: bigint; toOffset: bigint; cause: string }): void;
  /**
   * A partition cannot go on: what comes next is gone (OFFSET_OUT_OF_RANGE, LOG_EPOCH_CHANGED), damaged
   * (DATA_LOSS) or its topic deleted. With this handler the others go on; without it the subscription
   * fails with the error.
   */
  onPartitionError?(
    event: TopicPartition & { error: MillraceError; earliestOffset: bigint; latestOffset: bigint },
  ): void;
  /** All that these held when they were assigned was received. */
  onCaughtUp?(partitions: TopicPartition[]): void;
  /** A Heartbeat of the contract, in its JSON form. */
  onHeartbeat?(heartbeat: unknown): void;
}

export interface SubscribeOptions extends SubscriptionHandlers {
  /**
   * Instead of iterating: called with the records that are there, in order within each partition. The next
   * call comes when the promise that it gives is settled; one that rejects ends the subscription.
   */
  onRecords?(records: ReceivedRecord[]): void | Promise<void>;
  /** With onRecords: why the subscription has ended, if not by close(). */
  onError?(error: Error): void;
  /** The most records that wait here to be taken (back-pressure). Default: 1,000. */
  credit?: number;
  /** Closes the subscription. */
  signal?: AbortSignal;
}

/**
 * The records of topics, over any number of connections. After each break the hub is asked to go on
 * behind the last record received of each partition: none is lost and none comes twice, or an error says
 * which are gone. A member of a group goes on at its committed offsets, and does not see again what it
 * has already seen, unless another member had the partition meanwhile.
 *
 * Iterate once; leaving the loop closes it, and an error of the subscription is thrown there, after
 * what came before it.
 */
export interface Subscription extends AsyncIterable<ReceivedRecord> {
  /** Names this subscription in EventHubService/Seek and such; changes with every connection. */
  readonly sessionId?: string;
  readonly memberId?: string;
  /** Resolves after close() or where the request ends by itself; else rejects. */
  readonly closed: Promise<void>;
  /** Where to go on behind what was handed out, to be kept over a page's life, say. */
  positions(): Position[];
  /**
   * For a group: commits all that was handed out, or up to this record. A partition that is being revoked
   * is given up with it. While the connection is being resumed it waits; what another member got meanwhile
   * is told by onLost and not committed.
   */
  commit(record?: ReceivedRecord): Promise<CommitResult[]>;
  close(): void;
}

export interface CommitResult extends TopicPartition {
  committedNextOffset?: bigint;
  /** Such as MEMBER_FENCED: another member has the partition. */
  error?: MillraceError;
}

/** As CommitOffsetRequest of the contract. */
export interface CommitOffsetRequest {
  group: string;
  memberId?: string;
  memberEpoch?: number;
  offsets?: {
    topic: string;
    partition: number;
    nextOffset: Int64;
    metadata?: string;
    positionEpoch?: Int64;
  }[];
  released?: TopicPartition[];
  leave?: boolean;
  durability?: Durability;
}

// ---- Groups

/** As Group of the contract, in its JSON form: absent means absent. */
export interface Group {
  summary: { group: string; memberCount: number; topics: string[]; lagRecords: string };
  members: {
    memberId: string;
    instanceId: string;
    peer: string;
    connectTime?: string;
    partitions: TopicPartition[];
  }[];
  partitions: (TopicPartition & {
    memberId: string;
    committedNextOffset?: string;
    deliveredNextOffset?: string;
    earliestOffset: string;
    latestOffset: string;
    lagRecords: string;
    lagTime?: string;
    metadata: string;
  })[];
}

export interface WatchGroupOptions {
  /** The shortest time between two states. Default: 1,000; at least 100. */
  intervalMs?: number;
  onGroup?(group: Group): void;
  onError?(error: MillraceError): void;
  signal?: AbortSignal;
}

/** The states of a group; a slow reader gets the newest only. Ends by close(), or throws. */
export interface GroupWatch extends AsyncIterable<Group> {
  close(): void;
}

// ---- Connections

export interface ConnectOptions {
  /** Where there is no global one (Node before 22), such as the package ws's. */
  WebSocket?: new (url: string, protocols: string[]) => unknown;
  fetch?: typeof globalThis.fetch;
  /** Says who you are, where the hub asks. A function is asked for every call and connection. */
  token?: string | (() => string | undefined);
  /** Waits between attempts: random, below a bound that doubles from initialMs (100) to maxMs (10,000). */
  retry?: { initialMs?: number; maxMs?: number; random?: () => number };
  /** A connection on which nothing was heard for so long, though asked, is given up. Default: 30,000. */
  livenessMs?: number;
  /** The most requests that wait for a connection. Default: 1,000. */
  maxWaiting?: number;
}

/** Dispatches "statechange". */
export interface Connection extends EventTarget {
  readonly state: "connecting" | "open" | "waiting" | "closed";
  subscribe(request: SubscribeRequest | string, options?: SubscribeOptions): Subscription;
  /** Without a sequence, CONNECTION_LOST leaves open whether the records were stored. */
  produce(request: ProduceRequest, options?: { signal?: AbortSignal }): Promise<ProduceResponse>;
  commit(request: CommitOffsetRequest, options?: { signal?: AbortSignal }): Promise<{ results: object[] }>;
  ping(options?: { signal?: AbortSignal }): Promise<{ hubTime: string; roundTripMs: number }>;
  watchGroup(group: string, options?: WatchGroupOptions): GroupWatch;
  /** Any unary rpc over HTTP: call("TopicService/GetTopic", { topic: "orders" }). JSON form both ways. */
  call<Response = any>(
    method: string,
    request?: object,
    options?: { signal?: AbortSignal },
  ): Promise<Response>;
  /** Does not wait for the next attempt. */
  reconnect(): void;
  /** Ends everything that is open with CONNECTION_CLOSED. */
  close(): void;
}

/**
 * Begins to connect and returns at once. The url is the hub's (http, https, ws or wss); absent: the page's
 * own origin. Requests made meanwhile wait. Goes on connecting until close() or a final close code.
 */
export declare function connect(url?: string | URL, options?: ConnectOptions): Connection;
