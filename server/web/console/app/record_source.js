// Where the records of the browser come from: a subscription from some place on, at the reader's pace.

import { hub } from "./hub.js";

/**
 * Reads from `place` on: {kind: "newest", count}, {kind: "earliest"}, {kind: "offset", offset} or {kind: "time",
 * time}; one partition, or all where it is undefined. Calls onRecord with each; reading waits while `hold()`
 * gives a promise, and the hub then waits too. `signal` ends it; an error rejects.
 */
export async function readRecords(topic, place, partition, { signal, onRecord, hold, onCaughtUp }) {
  const request = await requestOf(topic, place, partition);
  if (signal.aborted) return;
  const subscription = hub.subscribe(request, { credit: 400, signal, onCaughtUp });
  for await (const record of subscription) {
    onRecord(record);
    await hold();
    if (signal.aborted) return;
  }
}

async function requestOf(topic, place, partition) {
  const chosen = partition === undefined ? {} : { partitions: [partition] };
  const time = place.kind === "time" ? { time: place.time } : {};
  const { partitions } = await hub.call("EventHubService/ListOffsets", { topic, ...chosen, ...time });
  const positions = partitions.map((offsets) => ({
    topic,
    partition: offsets.partition,
    offset: firstOffset(place, offsets, partitions.length),
  }));
  // What is deleted while the page asks is passed over: nobody here counts on every record.
  return { positions, onOutOfRange: "OUT_OF_RANGE_POLICY_EARLIEST" };
}

function firstOffset(place, { earliestOffset, latestOffset, offsetAtTime }, partitionCount) {
  const earliest = BigInt(earliestOffset);
  const latest = BigInt(latestOffset);
  const held = (offset) => (offset < earliest ? earliest : offset > latest ? latest : offset);
  switch (place.kind) {
    case "earliest":
      return earliest;
    case "offset":
      return held(BigInt(place.offset));
    case "time":
      return BigInt(offsetAtTime);
    case "newest":
      return held(latest - BigInt(Math.ceil(place.count / partitionCount)));
  }
}
