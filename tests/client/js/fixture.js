// What the tests of the browser library share: a fake gateway, a connection to it, records by number.

import { setTimeout as delay } from "node:timers/promises";
import { WebSocket } from "ws";
import { connect } from "../../../client/js/src/millrace.js";
import { FakeGateway } from "./fake/gateway.js";

export const QUICK_RETRY = { initialMs: 1, maxMs: 8 };

/** A gateway with the topic "orders", stopped after the test. */
export async function startGateway(t, { partitions = 3, frameRecords = 100 } = {}) {
  const gateway = await new FakeGateway().listen();
  gateway.frameRecords = frameRecords;
  gateway.log.createTopic("orders", partitions);
  t.after(() => gateway.close());
  return gateway;
}

/** A connection that is closed after the test. */
export function connectTo(t, gateway, options = {}) {
  const hub = connect(gateway.url, { WebSocket, retry: QUICK_RETRY, ...options });
  t.after(() => hub.close());
  return hub;
}

/** Appends `count` records to "orders", one after the other over its partitions, valued 0, 1, 2… */
export function append(gateway, count, first = 0) {
  const partitions = gateway.log.topic("orders").partitions.length;
  for (let i = first; i < first + count; ++i) {
    gateway.log.append({ topic: "orders", partition: i % partitions, records: [{ key: `k${i}`, json: i }] });
  }
}

/** What a reader must have got: "partition/offset:value", sorted; equal only if none is missing or twice. */
export function described(records) {
  return records.map(({ partition, offset, json }) => `${partition}/${offset}:${json}`).sort();
}

/** All of "orders" in the same form. */
export function stored(gateway) {
  return gateway.log
    .topic("orders")
    .partitions.flatMap((partition, number) =>
      partition.records.map(({ offset, content }) => `${number}/${offset}:${content.json}`),
    )
    .sort();
}

/** Whether each partition's records came in offset order. */
export function inOrder(records) {
  const next = new Map();
  return records.every(({ partition, offset }) => {
    const before = next.get(partition) ?? -1n;
    next.set(partition, offset);
    return offset > before;
  });
}

/** The first `count` records of a subscription, which stays open. */
export async function take(iterator, count) {
  const taken = [];
  while (taken.length < count) {
    const { value, done } = await iterator.next();
    if (done) break;
    taken.push(value);
  }
  return taken;
}

/** Waits until `condition` holds. */
export async function until(condition, what, seconds = 10) {
  const deadline = Date.now() + seconds * 1000;
  for (let value; ; await delay(2)) {
    if ((value = await condition())) return value;
    if (Date.now() > deadline) throw new Error(`in vain waited until ${what}`);
  }
}
