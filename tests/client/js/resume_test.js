// The promise of the library: over any break of the connection no record is lost and none comes twice.

import assert from "node:assert/strict";
import { test } from "node:test";
import { append, connectTo, described, inOrder, startGateway, stored, take, until } from "./fixture.js";

const RECORDS = 24;

// Reads everything while the connection is broken once, where `shouldBreak(direction, message, count)` says.
async function readThroughOneBreak(t, shouldBreak, { partitions = 2, group } = {}) {
  const gateway = await startGateway(t, { partitions, frameRecords: 3 });
  append(gateway, RECORDS / 2);
  let count = 0;
  let broken = false;
  gateway.onMessage = (direction, message, socket) => {
    if (broken) return true;
    const fate = shouldBreak(direction, message, count++);
    if (!fate) return true;
    broken = true;
    if (fate === "after") queueMicrotask(() => gateway.break(socket));
    else gateway.break(socket);
    return fate === "after";
  };
  const hub = connectTo(t, gateway);
  const subscription = hub.subscribe({ topics: ["orders"], group, start: { earliest: true } }, { credit: 5 });
  const iterator = subscription[Symbol.asyncIterator]();
  const records = await take(iterator, RECORDS / 2);
  if (group) await subscription.commit().catch((error) => assert.equal(error.reason, "CONNECTION_LOST"));
  append(gateway, RECORDS / 2, RECORDS / 2);
  records.push(...(await take(iterator, RECORDS / 2)));
  gateway.breakAll(); // Whatever is still to come of these comes again now.
  append(gateway, partitions, RECORDS);
  records.push(...(await take(iterator, partitions)));
  hub.close();
  assert.deepEqual(described(records), stored(gateway));
  assert.ok(inOrder(records));
  return { broken };
}

for (const fate of ["before", "after"]) {
  test(`a break ${fate} any message leaves the sequence exact`, async (t) => {
    let breaks = 0;
    for (let place = 0; ; ++place) {
      const { broken } = await readThroughOneBreak(t, (direction, message, count) => count === place && fate);
      if (!broken) break;
      breaks += 1;
    }
    assert.ok(breaks > 20, `only ${breaks} places`);
  });

  test(`a break ${fate} any message shows a group's member nothing twice`, async (t) => {
    let breaks = 0;
    for (let place = 0; ; ++place) {
      const { broken } = await readThroughOneBreak(
        t,
        (direction, message, count) => count === place && fate,
        { group: "g" },
      );
      if (!broken) break;
      breaks += 1;
    }
    assert.ok(breaks > 20, `only ${breaks} places`);
  });
}

test("200 forced disconnects while records are produced leave the sequence exact", async (t) => {
  const gateway = await startGateway(t, { partitions: 4, frameRecords: 7 });
  const hub = connectTo(t, gateway);
  const iterator = hub
    .subscribe({ topics: ["orders"], start: { earliest: true } }, { credit: 20 })
    [Symbol.asyncIterator]();
  const records = [];
  let produced = 0;
  let messages = 0;
  let disconnects = 0;
  gateway.onMessage = (direction, message, socket) => {
    if (disconnects < 200 && ++messages % 5 === 0) {
      disconnects += 1;
      if (disconnects % 2 === 0) socket.close(1001);
      else gateway.break(socket);
    }
    return true;
  };
  while (disconnects < 200) {
    append(gateway, 16, produced);
    produced += 16;
    records.push(...(await take(iterator, 16)));
  }
  assert.equal(disconnects, 200);
  assert.deepEqual(described(records), stored(gateway));
  assert.ok(inOrder(records));
});

test("a partition's events while nobody is connected are not lost", async (t) => {
  const gateway = await startGateway(t);
  const hub = connectTo(t, gateway);
  const assigned = Promise.withResolvers?.() ?? deferred();
  const subscription = hub.subscribe("orders", { onAssigned: assigned.resolve });
  const iterator = subscription[Symbol.asyncIterator]();
  const first = iterator.next();
  await assigned.promise;
  const { port } = gateway;
  await gateway.close();
  append(gateway, 9);
  await gateway.listen(port);
  assert.deepEqual(described([(await first).value, ...(await take(iterator, 8))]), stored(gateway));
});

test("partitions that were added while nobody was connected are read from their start", async (t) => {
  const gateway = await startGateway(t, { partitions: 1 });
  const iterator = connectTo(t, gateway).subscribe("orders")[Symbol.asyncIterator]();
  const first = iterator.next();
  await until(() => gateway.log.listenerCount("changed") > 0, "it reads");
  append(gateway, 1);
  const records = [(await first).value];
  gateway.breakAll();
  gateway.log.addPartitions("orders", 2);
  append(gateway, 9, 1);
  records.push(...(await take(iterator, 9)));
  assert.deepEqual(described(records), stored(gateway));
});

test("another page goes on from the positions of the one before", async (t) => {
  const gateway = await startGateway(t);
  append(gateway, 30);
  const before = connectTo(t, gateway).subscribe({ topics: ["orders"], start: { earliest: true } });
  const records = await take(before[Symbol.asyncIterator](), 13);
  const positions = before.positions();
  before.close();
  const after = connectTo(t, gateway).subscribe({ topics: ["orders"], positions });
  records.push(...(await take(after[Symbol.asyncIterator](), 17)));
  assert.deepEqual(described(records), stored(gateway));
});

test("a reader is told with a typed error that the log was cut below it", async (t) => {
  const gateway = await startGateway(t, { partitions: 1 });
  append(gateway, 10);
  const subscription = connectTo(t, gateway).subscribe({ topics: ["orders"], start: { earliest: true } });
  const iterator = subscription[Symbol.asyncIterator]();
  assert.equal((await take(iterator, 10)).length, 10);
  gateway.breakAll();
  gateway.log.loseFrom("orders", 0, 6);
  append(gateway, 10, 100);
  await assert.rejects(iterator.next(), {
    name: "MillraceError",
    reason: "LOG_EPOCH_CHANGED",
    metadata: { topic: "orders", partition: "0", earliest: "0", latest: "16", valid_until: "6" },
  });
  await assert.rejects(subscription.closed, { reason: "LOG_EPOCH_CHANGED" });
});

test("a topic that was deleted and created again is not taken for the old one", async (t) => {
  const gateway = await startGateway(t, { partitions: 1 });
  append(gateway, 3);
  const iterator = connectTo(t, gateway)
    .subscribe({ topics: ["orders"], start: { earliest: true } })
    [Symbol.asyncIterator]();
  await take(iterator, 3);
  gateway.breakAll();
  gateway.log.deleteTopic("orders");
  gateway.log.createTopic("orders", 1);
  append(gateway, 5, 50);
  await assert.rejects(iterator.next(), { reason: "LOG_EPOCH_CHANGED" });
});

test("with onPartitionError the other partitions go on", async (t) => {
  const gateway = await startGateway(t, { partitions: 2 });
  append(gateway, 10);
  const failures = [];
  const subscription = connectTo(t, gateway).subscribe(
    { topics: ["orders"], start: { earliest: true } },
    {
      onPartitionError: (event) => failures.push(event),
    },
  );
  const iterator = subscription[Symbol.asyncIterator]();
  await take(iterator, 10);
  gateway.breakAll();
  gateway.log.loseFrom("orders", 0, 2);
  append(gateway, 2, 10);
  const [record] = await take(iterator, 1);
  assert.deepEqual([record.partition, record.offset, record.json], [1, 5n, 11]);
  assert.deepEqual(
    failures.map(({ partition, error }) => [partition, error.reason]),
    [[0, "LOG_EPOCH_CHANGED"]],
  );
});

test("what was received before an error is handed out before it is thrown", async (t) => {
  const gateway = await startGateway(t, { partitions: 1 });
  append(gateway, 8);
  const iterator = connectTo(t, gateway)
    .subscribe({ topics: ["orders"], start: { earliest: true } })
    [Symbol.asyncIterator]();
  await iterator.next();
  gateway.log.loseFrom("orders", 0, 2);
  gateway.breakAll();
  const records = [];
  await assert.rejects(
    async () => {
      for (;;) records.push((await iterator.next()).value.json);
    },
    { reason: "LOG_EPOCH_CHANGED" },
  );
  assert.deepEqual(records, [1, 2, 3, 4, 5, 6, 7]);
});

function deferred() {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}
