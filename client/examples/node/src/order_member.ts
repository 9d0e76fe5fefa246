// One member of a consumer group: node order_member.js HOST:PORT TOPIC GROUP [INSTANCE_ID]
import { setTimeout } from "node:timers/promises";
import { credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import {
  CommitOffsetRequest,
  EventHubServiceClient,
  OffsetCommit,
  SubscribeRequest,
} from "./gen/millrace/v1/event_hub.js";
import { Record, type RecordBatch } from "./gen/millrace/v1/record.js";
import { Order } from "./gen/order.js";

function text(value: Uint8Array | undefined): string {
  if (value === undefined) return "cancelled"; // A tombstone.
  try {
    const order = Order.decode(value);
    return `${order.quantity} x ${order.item} for ${order.priceCents} cents`;
  } catch (error) {
    return `no order: ${error}`;
  }
}

/** Your work goes here. Answers how far it has come. */
function work({ topic, partition, baseOffset, positionEpoch, records }: RecordBatch): OffsetCommit {
  let offset = baseOffset;
  for (const record of records) {
    const bytes = Buffer.from(Record.encode(record).finish()).toString("hex");
    console.log(`${partition} ${offset++} ${bytes} ${record.key}: ${text(record.value)}`);
  }
  return OffsetCommit.create({ topic, partition, positionEpoch, nextOffset: offset });
}

const [target, topic, group, instanceId = ""] = process.argv.slice(2);
const hub = new EventHubServiceClient(target, credentials.createInsecure(), {
  "grpc.keepalive_time_ms": 20_000, // Finds a dead connection.
});
const subscription = SubscribeRequest.create({
  topics: [topic],
  group,
  instanceId,
  heartbeatInterval: { seconds: 1n, nanos: 0 }, // So that `stopping` is seen within a second.
});
let stopping = false;
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => (stopping = true));

function commit(request: CommitOffsetRequest): Promise<void> {
  return new Promise((resolve, reject) =>
    hub.commitOffset(request, new Metadata(), { deadline: Date.now() + 10_000 }, (error) =>
      error ? reject(error) : resolve(),
    ),
  );
}

/** Reads one stream, until it ends or the member has stopped. */
async function read(): Promise<void> {
  const frames = hub.subscribe(subscription); // The open stream is the membership.
  frames.on("error", () => {}); // The loop throws it.
  const done = CommitOffsetRequest.create({ group });
  try {
    for await (const { frame } of frames) {
      if (frame?.$case === "sessionStarted") {
        subscription.resumeMemberId = frame.value.memberId; // For when the stream breaks.
        done.memberId = frame.value.memberId;
        done.memberEpoch = frame.value.memberEpoch;
      }
      done.offsets = frame?.$case === "batches" ? frame.value.batches.map(work) : [];
      const last = stopping;
      done.leave = last && instanceId === ""; // An instance comes back to its partitions.
      // When `revoking` comes all is committed: the hub hands over at once.
      if (done.offsets.length > 0 || done.leave) await commit(done);
      if (last) return;
      if (frame?.$case === "ending" && !frame.value.retry) {
        console.error(frame.value.message);
        process.exit(1);
      }
    }
  } finally {
    frames.cancel();
  }
}

while (!stopping) {
  try {
    await read();
  } catch (error) {
    console.error((error as ServiceError).details); // The hub restarts, say: come back and take the old place.
  }
  if (!stopping) await setTimeout(1000);
}
hub.close();
