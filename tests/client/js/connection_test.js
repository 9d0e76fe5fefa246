// Requests, breaks and close codes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { WebSocket } from "ws";
import { connect } from "../../../client/js/src/millrace.js";
import { connectTo, QUICK_RETRY, startGateway, stored, until } from "./fixture.js";

const RECORD = { topic: "orders", partition: 1, records: [{ key: "42", json: { item: "tea" } }] };

test("produce answers where the records went", async (t) => {
  const gateway = await startGateway(t);
  const { appended, duplicate } = await connectTo(t, gateway).produce(RECORD);
  assert.deepEqual(appended, [{ partition: 1, baseOffset: "0", recordCount: 1, recordIndexes: [0] }]);
  assert.equal(duplicate, false);
});

test("bytes, times and big numbers travel in the contract's JSON form", async (t) => {
  const gateway = await startGateway(t);
  await connectTo(t, gateway).produce({
    topic: "orders",
    partition: 0,
    expectedNextOffset: 0n,
    records: [
      {
        keyBinary: Uint8Array.of(1, 2),
        binary: Uint8Array.of(255),
        eventTime: new Date(0),
        headers: [{ name: "n", binary: Uint8Array.of(0) }],
      },
      { json: { nested: { json: [1, null] } } },
    ],
  });
  assert.deepEqual(
    gateway.log.partition("orders", 0).records.map(({ content }) => content),
    [
      {
        keyBinary: "AQI=",
        binary: "/w==",
        eventTime: "1970-01-01T00:00:00.000Z",
        headers: [{ name: "n", binary: "AA==" }],
      },
      { json: { nested: { json: [1, null] } } },
    ],
  );
});

test("a refusal has reason, code and metadata", async (t) => {
  const hub = connectTo(t, await startGateway(t));
  await assert.rejects(hub.produce({ topic: "none", records: RECORD.records }), {
    name: "MillraceError",
    reason: "TOPIC_NOT_FOUND",
    code: 5,
    metadata: { topic: "none" },
    retryable: false,
  });
});

test("what is produced before there is a connection waits for it, in order", async (t) => {
  const gateway = await startGateway(t, { partitions: 1 });
  const { port, url } = gateway;
  await gateway.close();
  const hub = connect(url, { WebSocket, retry: { initialMs: 1, maxMs: 4 } });
  t.after(() => hub.close());
  const answers = [0, 1, 2, 3].map((json) => hub.produce({ topic: "orders", records: [{ json }] }));
  await gateway.listen(port);
  await Promise.all(answers);
  assert.deepEqual(stored(gateway), ["0/0:0", "0/1:1", "0/2:2", "0/3:3"]);
});

test("too much that waits for a connection is refused", async (t) => {
  const hub = connect("http://127.0.0.1:9/", { WebSocket, maxWaiting: 2 });
  t.after(() => hub.close());
  const waiting = [hub.produce(RECORD), hub.produce(RECORD)];
  await assert.rejects(hub.produce(RECORD), { reason: "NOT_CONNECTED" });
  hub.close();
  for (const request of waiting) await assert.rejects(request, { reason: "CONNECTION_CLOSED" });
});

test("a produce whose answer is lost says so, and is not sent again", async (t) => {
  const gateway = await startGateway(t);
  gateway.onMessage = (direction, message, socket) => !message.produced || gateway.break(socket) === true;
  await assert.rejects(connectTo(t, gateway).produce(RECORD), { reason: "CONNECTION_LOST", retryable: true });
  assert.equal(stored(gateway).length, 1);
});

test("a produce with a sequence is sent again until it is answered", async (t) => {
  const gateway = await startGateway(t);
  const seen = [];
  gateway.onMessage = (direction, message, socket) => {
    if (message.produce) seen.push(message.produce.sequence);
    if (message.produced && seen.length < 3) return gateway.break(socket) === true;
    return true;
  };
  const sequence = { producerId: "p", epoch: 1n, sequence: 7n };
  await connectTo(t, gateway).produce({ ...RECORD, sequence });
  assert.deepEqual(seen, Array(3).fill({ producerId: "p", epoch: "1", sequence: "7" }));
});

test("an aborted request rejects with the reason of the signal", async (t) => {
  const gateway = await startGateway(t);
  gateway.onMessage = (direction, message) => !message.produced;
  const aborting = new AbortController();
  const request = connectTo(t, gateway).produce(RECORD, { signal: aborting.signal });
  aborting.abort(new Error("enough"));
  await assert.rejects(request, { message: "enough" });
});

test("the connection comes back after close codes that say so", async (t) => {
  const gateway = await startGateway(t);
  const hub = connectTo(t, gateway);
  for (const code of [1001, 1011, 1012, 4408]) {
    await hub.ping();
    gateway.closeAll(code);
    await new Promise((resolve) => hub.addEventListener("statechange", resolve, { once: true }));
    assert.equal(hub.state, "waiting");
  }
  await hub.ping();
});

test("after 4429 it is in no hurry to come back", async (t) => {
  const gateway = await startGateway(t);
  const hub = connectTo(t, gateway);
  await hub.ping();
  gateway.closeAll(4429);
  await new Promise((resolve) => hub.addEventListener("statechange", resolve, { once: true }));
  await delay(20 * QUICK_RETRY.maxMs);
  assert.equal(hub.state, "waiting");
  hub.reconnect(); // Who knows better need not wait.
  await hub.ping();
});

for (const code of [1003, 1009, 4400, 4401, 4403]) {
  test(`close code ${code} is final, and everything open hears of it`, async (t) => {
    const gateway = await startGateway(t);
    const hub = connectTo(t, gateway);
    const next = hub.subscribe("orders")[Symbol.asyncIterator]().next();
    const watch = hub
      .watchGroup("g")
      [Symbol.asyncIterator]()
      .next()
      .catch((error) => error);
    gateway.groups.open("g");
    await hub.ping();
    gateway.onMessage = (direction, message) => !message.pong;
    const ping = hub.ping();
    gateway.closeAll(code);
    const expected = { reason: "CONNECTION_CLOSED", closeCode: code };
    await assert.rejects(next, expected);
    await assert.rejects(ping, expected);
    await watch;
    assert.equal(hub.state, "closed");
    assert.throws(() => hub.subscribe("orders"), { reason: "CONNECTION_CLOSED" });
  });
}

test("a connection that was closed stays closed", async (t) => {
  const gateway = await startGateway(t);
  const hub = connectTo(t, gateway);
  await hub.ping();
  const states = [];
  hub.addEventListener("statechange", () => states.push(hub.state));
  hub.close();
  hub.close();
  hub.reconnect();
  await until(() => gateway.sockets.size === 0, "the socket is closed");
  assert.deepEqual(states, ["closed"]);
});

test("a hub that falls silent is given up", async (t) => {
  const gateway = await startGateway(t);
  const hub = connectTo(t, gateway, { livenessMs: 200 });
  await hub.ping();
  const [first] = gateway.sockets.keys();
  gateway.onMessage = (direction, message, socket) => socket !== first;
  await until(() => gateway.sockets.size === 1 && !gateway.sockets.has(first), "there is another socket");
  await hub.ping();
});

test("an idle connection is kept by asking", async (t) => {
  const gateway = await startGateway(t);
  const hub = connectTo(t, gateway, { livenessMs: 100 });
  await hub.ping();
  const [first] = gateway.sockets.keys();
  let pings = 0;
  gateway.onMessage = (direction, message) => {
    pings += message.ping ? 1 : 0;
    return true;
  };
  await until(() => pings === 4, "it has asked a few times");
  assert.deepEqual([...gateway.sockets.keys()], [first]);
});

test("without a WebSocket it says what to do", () => {
  if (globalThis.WebSocket) return; // Node 22 has one.
  assert.throws(() => connect("http://localhost:1"), /pass one/);
});

test("a call answers the contract's JSON, or throws its error", async (t) => {
  const hub = connectTo(t, await startGateway(t));
  assert.equal(
    (await hub.call("TopicService/CreateTopic", { topic: "t", partitionCount: 2 })).topic.partitionCount,
    2,
  );
  assert.equal((await hub.call("millrace.v1.TopicService/GetTopic", { topic: "t" })).partitions.length, 2);
  await assert.rejects(hub.call("TopicService/CreateTopic", { topic: "t" }), {
    reason: "TOPIC_EXISTS",
    code: 6,
    metadata: { topic: "t" },
  });
  const nobody = connect("http://127.0.0.1:9/", { WebSocket });
  t.after(() => nobody.close());
  await assert.rejects(nobody.call("HubService/GetHub"), { reason: "CONNECTION_LOST" });
});
