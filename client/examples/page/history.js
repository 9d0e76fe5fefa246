// Reading what is there already: the last records of a topic, and those before them.

import { patiently } from "./patience.js";

/** The partitions of a topic: [{partition, earliest, latest}], where `latest` is the offset of the next record. */
export async function partitionsOf(hub, topic) {
  const { partitions } = await patiently(() => hub.call("EventHubService/ListOffsets", { topic }));
  return partitions.map(({ partition, earliestOffset, latestOffset }) => ({
    partition,
    earliest: BigInt(earliestOffset),
    latest: BigInt(latestOffset),
  }));
}

/** Where to begin so that `count` records come before `end`, or as many as there are. */
export function before(end, count, earliest) {
  const from = end - BigInt(count);
  return from > earliest ? from : earliest;
}

/** The records of a partition from one offset up to, and without, another. */
export async function recordsBetween(hub, { topic, partition, from, until }) {
  const records = [];
  if (from >= until) return records;
  const request = {
    positions: [{ topic, partition, offset: from }],
    onOutOfRange: "OUT_OF_RANGE_POLICY_EARLIEST", // Retention may be quicker.
    endAtCurrent: true,
  };
  for await (const record of hub.subscribe(request)) {
    if (record.offset < until) records.push(record);
    if (record.offset + 1n >= until) break;
  }
  return records;
}
