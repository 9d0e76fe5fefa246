// How records come to the application: by iterating, by callback, at its own pace.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { append, connectTo, described, startGateway, stored, take, until } from "./fixture.js";

const EARLIEST = { topics: ["orders"], start: { earliest: true } };

test("records have offsets as bigint and values as what they are", async (t) => {
  const gateway = await startGateway(t, { partitions: 1 });
  const contents = [
    {
      key: "42",
      json: { item: "tea" },
      headers: [{ name: "source", text: "web" }, { name: "none" }, { name: "raw", binary: "AP8=" }],
    },
    { keyBinary: "/w==", text: "not json" },
    { binary: "AAEC", eventTime: "2026-11-29T09:50:00.123456789Z" },
    { key: "gone" },
    { json: null },
  ];
  gateway.log.append({ topic: "orders", partition: 0, records: contents });
  const [first, second, third, tombstone, nothing] = await take(
    connectTo(t, gateway).subscribe(EARLIEST)[Symbol.asyncIterator](),
    5,
  );
  assert.deepEqual([first.topic, first.partition, first.offset, first.logEpoch], ["orders", 0, 0n, 1n]);
  assert.deepEqual([first.key, first.json], ["42", { item: "tea" }]);
  assert.deepEqual(first.headers, [
    { name: "source", text: "web" },
    { name: "none" },
    { name: "raw", binary: Uint8Array.of(0, 255) },
  ]);
  assert.deepEqual(
    [second.key, second.keyBinary, second.text, second.headers],
    [undefined, Uint8Array.of(255), "not json", []],
  );
  assert.deepEqual(
    [third.binary, third.eventTime],
    [Uint8Array.of(0, 1, 2), "2026-11-29T09:50:00.123456789Z"],
  );
  assert.deepEqual(
    ["json", "text", "binary"].filter((form) => form in tombstone),
    [],
  );
  assert.equal(nothing.json, null);
});

test("an offset beyond 2^53 is exact", async (t) => {
  const gateway = await startGateway(t, { partitions: 1 });
  const beyond = 2n ** 53n + 1n;
  append(gateway, 1);
  gateway.onMessage = (direction, message) => {
    const batch = message.frame?.batches?.batches[0];
    if (batch) batch.records[0].offset = String(beyond);
    return true;
  };
  const subscription = connectTo(t, gateway).subscribe(EARLIEST);
  const [record] = await take(subscription[Symbol.asyncIterator](), 1);
  assert.equal(record.offset, beyond);
  assert.equal(subscription.positions()[0].offset, beyond + 1n);
});

test("no more records wait than the credit allows, and all come in the end", async (t) => {
  const gateway = await startGateway(t);
  append(gateway, 100);
  let sent = 0;
  gateway.onMessage = (direction, message) => {
    sent += message.frame?.batches?.batches[0].records.length ?? 0;
    return true;
  };
  const iterator = connectTo(t, gateway).subscribe(EARLIEST, { credit: 10 })[Symbol.asyncIterator]();
  const records = await take(iterator, 1);
  await until(() => sent === 10, "the credit is used up");
  await delay(20);
  assert.equal(sent, 10);
  while (records.length < 100) {
    records.push(...(await take(iterator, 1)));
    assert.ok(sent <= records.length + 10, `${sent} sent, ${records.length} taken`);
  }
  assert.deepEqual(described(records), stored(gateway));
});

test("a callback that takes its time holds the hub back, also over a break", async (t) => {
  const gateway = await startGateway(t, { partitions: 1, frameRecords: 4 });
  append(gateway, 60);
  const seen = [];
  let held = 0;
  const credits = [];
  gateway.onMessage = (direction, message) => {
    if (message.subscribe) credits.push([message.subscribe.credit, held]);
    return true;
  };
  connectTo(t, gateway).subscribe(EARLIEST, {
    credit: 8,
    onRecords: async (records) => {
      held = records.length;
      if (credits.length === 1 && seen.length >= 20) gateway.breakAll();
      await until(() => credits.length === 2 || seen.length < 20, "the connection is back");
      seen.push(...records);
      held = 0;
    },
  });
  await until(() => seen.length === 60, "all are seen");
  assert.deepEqual(described(seen), stored(gateway));
  assert.equal(credits[0][0], 8);
  assert.ok(credits[1][1] > 0 && credits[1][0] <= 8 - credits[1][1], `${credits[1]}`);
});

test("a callback that fails ends the subscription with its error", async (t) => {
  const gateway = await startGateway(t);
  append(gateway, 3);
  const error = await new Promise((resolve) => {
    connectTo(t, gateway).subscribe(EARLIEST, {
      onRecords: () => {
        throw new Error("mine");
      },
      onError: resolve,
    });
  });
  assert.equal(error.message, "mine");
  await until(() => gateway.log.listenerCount("changed") === 0, "the hub has ended the stream");
});

test("leaving the loop unsubscribes", async (t) => {
  const gateway = await startGateway(t);
  append(gateway, 5);
  const subscription = connectTo(t, gateway).subscribe(EARLIEST);
  for await (const record of subscription) {
    assert.equal(record.topic, "orders");
    break;
  }
  await subscription.closed;
  await until(() => gateway.log.listenerCount("changed") === 0, "the hub has ended the stream");
  assert.equal(gateway.sockets.size, 1);
});

test("close() and an abort signal end the loop without an error", async (t) => {
  const gateway = await startGateway(t);
  const hub = connectTo(t, gateway);
  const aborting = new AbortController();
  for (const [subscription, end] of [
    [hub.subscribe("orders"), (subscription) => subscription.close()],
    [hub.subscribe("orders", { signal: aborting.signal }), () => aborting.abort()],
  ]) {
    const next = subscription[Symbol.asyncIterator]().next();
    end(subscription);
    assert.deepEqual(await next, { value: undefined, done: true });
  }
  const stillborn = hub.subscribe("orders", { signal: aborting.signal });
  await stillborn.closed;
});

test("endAtCurrent ends the loop after the last record", async (t) => {
  const gateway = await startGateway(t);
  append(gateway, 12);
  const records = [];
  for await (const record of connectTo(t, gateway).subscribe({ ...EARLIEST, endAtCurrent: true }))
    records.push(record);
  assert.deepEqual(described(records), stored(gateway));
});

test("what the hub refuses is thrown with its reason", async (t) => {
  const gateway = await startGateway(t);
  const subscription = connectTo(t, gateway).subscribe("nonsense");
  await assert.rejects(subscription[Symbol.asyncIterator]().next(), {
    reason: "TOPIC_NOT_FOUND",
    code: 5,
    metadata: { topic: "nonsense" },
  });
});

test("a hub that drains is subscribed again when it says so", async (t) => {
  const gateway = await startGateway(t, { partitions: 1 });
  append(gateway, 4);
  let drained = false;
  let subscribes = 0;
  gateway.onMessage = (direction, message, socket) => {
    if (message.subscribe) subscribes += 1;
    if (!drained && message.frame?.caughtUp) {
      drained = true;
      const ending = {
        reason: "ENDING_REASON_DRAINING",
        retry: true,
        retryAfter: "0.01s",
        message: "",
        resumeAt: [],
      };
      socket.send(JSON.stringify({ id: message.id, frame: { ending } }));
      gateway.sockets.get(socket).close();
      return false;
    }
    return true;
  };
  const iterator = connectTo(t, gateway).subscribe(EARLIEST)[Symbol.asyncIterator]();
  const records = await take(iterator, 4);
  await until(() => subscribes === 2, "it is subscribed again");
  append(gateway, 4, 4);
  records.push(...(await take(iterator, 4)));
  assert.deepEqual(described(records), stored(gateway));
});

test("an ending that says not to retry is thrown by its name", async (t) => {
  const gateway = await startGateway(t);
  gateway.onMessage = (direction, message, socket) => {
    if (!message.frame?.assigned) return true;
    const ending = {
      reason: "ENDING_REASON_INSTANCE_REPLACED",
      retry: false,
      message: "taken over",
      resumeAt: [],
    };
    socket.send(JSON.stringify({ id: message.id, frame: { ending } }));
    return false;
  };
  const subscription = connectTo(t, gateway).subscribe("orders");
  await assert.rejects(subscription[Symbol.asyncIterator]().next(), {
    reason: "INSTANCE_REPLACED",
    message: "taken over",
  });
});

test("an impossible credit is refused at once", async (t) => {
  const hub = connectTo(t, await startGateway(t));
  for (const credit of [0, -1, 1.5, "5"])
    assert.throws(() => hub.subscribe("orders", { credit }), RangeError);
});
