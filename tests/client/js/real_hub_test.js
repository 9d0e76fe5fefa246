// The library against the real hub: the same promises, over cut connections and killed hubs.

import assert from "node:assert/strict";
import { test } from "node:test";
import { WebSocket } from "ws";
import { connect } from "../../../client/js/src/millrace.js";
import { described, inOrder, QUICK_RETRY, take, until } from "./fixture.js";
import { Cable, RealHub, unavailable } from "./real_hub.js";

const EARLIEST = { topics: ["orders"], start: { earliest: true } };
const options = { skip: unavailable, timeout: 180_000 };

async function startHub(t, partitions = 3) {
  const hub = await RealHub.start(t);
  await hub.millrace(["topic", "create", "orders", "--partitions", String(partitions)]);
  return hub;
}

function connectTo(t, { url }) {
  const connection = connect(url, { WebSocket, retry: QUICK_RETRY });
  t.after(() => connection.close());
  return connection;
}

// Numbers its requests, so that each is stored once however often its answer is lost.
async function exactProducer(connection) {
  const { producerId, epoch, lastSequence } = await connection.call("EventHubService/OpenProducer");
  let sequence = BigInt(lastSequence);
  return (records) =>
    connection.produce({ topic: "orders", records, sequence: { producerId, epoch, sequence: ++sequence } });
}

// What the hub holds, by another way than the one under test.
async function storedIn(hub) {
  const lines = (
    await hub.millrace(["consume", "orders", "--from-beginning", "-e", "-q", "-f", "%p/%o:%s\n"])
  ).split("\n");
  return lines.filter(Boolean).sort();
}

test("every form of a record comes back as it was sent", options, async (t) => {
  const connection = connectTo(t, await startHub(t, 1));
  const records = [
    {
      key: "42",
      json: { item: "tea", lines: [1, 2.5, null, true] },
      headers: [
        { name: "source", text: "web" },
        { name: "raw", binary: Uint8Array.of(255) },
        { name: "none" },
      ],
    },
    { keyBinary: Uint8Array.of(255, 0), text: "zażółć" },
    { binary: Uint8Array.of(0, 159, 146, 150), eventTime: "2026-11-29T09:50:00.123Z" },
    { key: "" },
    { json: null },
    { text: '{"id":12345678901234567890}' },
  ];
  const { appended } = await connection.produce({ topic: "orders", partition: 0, records });
  assert.deepEqual([appended[0].baseOffset, appended[0].recordCount], ["0", 6]);
  const received = await take(connection.subscribe(EARLIEST)[Symbol.asyncIterator](), 6);
  const contents = received.map(
    ({ topic, partition, offset, appendTime, logEpoch, positionEpoch, ...content }) => content,
  );
  assert.deepEqual(
    contents,
    records.map((record) => ({ ...record, headers: record.headers ?? [] })),
  );
  assert.deepEqual(
    received.map(({ offset }) => offset),
    [0n, 1n, 2n, 3n, 4n, 5n],
  );
});

test(
  "200 cut connections leave the sequence exact, while records are produced over them",
  options,
  async (t) => {
    const hub = await startHub(t, 4);
    const cable = await Cable.to(t, hub.webPort);
    const reader = connectTo(t, cable);
    const iterator = reader.subscribe(EARLIEST, { credit: 50 })[Symbol.asyncIterator]();
    const produce = await exactProducer(connectTo(t, hub));
    const produceOverCable = await exactProducer(connectTo(t, cable));
    let bytes = 0;
    let next = 900;
    cable.onBytes = ({ length }) => {
      bytes += length;
      if (cable.cuts >= 200 || bytes < next) return;
      next = bytes + 200 + ((cable.cuts * 7919) % 3000); // At ever other places of a message.
      cable.cut();
    };
    const records = [];
    for (let json = 0; cable.cuts < 200; json += 20) {
      const portion = Array.from({ length: 10 }, (_, i) => ({ key: `k${(json + i) % 37}`, json: json + i }));
      await Promise.all([
        produce(portion),
        produceOverCable(portion.map((record) => ({ ...record, json: record.json + 10 }))),
      ]);
      records.push(...(await take(iterator, 20)));
    }
    assert.ok(cable.cuts >= 200);
    assert.deepEqual(described(records), await storedIn(hub));
    assert.ok(inOrder(records));
  },
);

test("a hub that is killed and comes back leaves the sequence exact", options, async (t) => {
  const hub = await startHub(t);
  const connection = connectTo(t, hub);
  const produce = await exactProducer(connection);
  const iterator = connection.subscribe(EARLIEST)[Symbol.asyncIterator]();
  const records = [];
  for (let round = 0; round < 4; ++round) {
    const answers = Array.from({ length: 50 }, (_, i) =>
      produce([{ key: `k${i % 11}`, json: round * 50 + i }]),
    );
    records.push(...(await take(iterator, 10)));
    await hub.kill();
    await hub.start();
    await Promise.all(answers);
    records.push(...(await take(iterator, 40)));
  }
  assert.deepEqual(described(records), await storedIn(hub));
  assert.equal(records.length, 200);
});

test("what is gone after a break is told by its reason", options, async (t) => {
  const hub = await startHub(t, 1);
  const cable = await Cable.to(t, hub.webPort);
  const sender = connectTo(t, hub);
  const send = (count) =>
    sender.produce({
      topic: "orders",
      partition: 0,
      records: Array.from({ length: count }, (_, json) => ({ json })),
    });
  await send(5);
  const patient = { WebSocket, retry: { initialMs: 300, maxMs: 300, random: () => 1 } }; // Away long enough.
  const connection = connect(cable.url, patient);
  t.after(() => connection.close());
  const truncated = connection.subscribe(EARLIEST)[Symbol.asyncIterator]();
  await take(truncated, 5);
  cable.cut();
  await send(5);
  await sender.call("TopicService/TruncateTopic", { topic: "orders" });
  await assert.rejects(truncated.next(), {
    reason: "OFFSET_OUT_OF_RANGE",
    metadata: { topic: "orders", partition: "0", earliest: "10", latest: "10" },
  });

  const recreated = connection
    .subscribe({ positions: [{ topic: "orders", partition: 0, offset: 10 }] })
    [Symbol.asyncIterator]();
  await send(1);
  await take(recreated, 1);
  cable.cut();
  await sender.call("TopicService/DeleteTopic", { topic: "orders" });
  await sender.call("TopicService/CreateTopic", { topic: "orders" });
  await send(20);
  await assert.rejects(recreated.next(), { reason: "LOG_EPOCH_CHANGED" });
});

test(
  "a member sees nothing twice over cut connections, and the group goes on where it has committed",
  options,
  async (t) => {
    const hub = await startHub(t);
    const cable = await Cable.to(t, hub.webPort);
    const produce = await exactProducer(connectTo(t, hub));
    const member = connectTo(t, cable).subscribe({ topics: ["orders"], group: "billing" });
    const iterator = member[Symbol.asyncIterator]();
    const records = [];
    for (let round = 0; round < 10; ++round) {
      await produce(Array.from({ length: 12 }, (_, i) => ({ key: `k${i}`, json: round * 12 + i })));
      records.push(...(await take(iterator, 7)));
      if (round % 2 === 0)
        await member.commit().catch(({ reason }) => assert.equal(reason, "CONNECTION_LOST"));
      cable.cut();
      records.push(...(await take(iterator, 5)));
    }
    await until(
      async () => (await member.commit().catch(() => [{ error: true }])).every(({ error }) => !error),
      "all is committed",
    );
    assert.deepEqual(described(records), await storedIn(hub));
    member.close();
    const { group } = await until(async () => {
      const answer = await connectTo(t, hub).call("GroupService/GetGroup", { group: "billing" });
      return answer.group.members.length === 0 && answer;
    }, "the member has left");
    assert.equal(group.summary.lagRecords, "0");
  },
);

test("two members share, and the lanes of one that closes go to the other", options, async (t) => {
  const hub = await startHub(t, 4);
  const [one, two] = [connectTo(t, hub), connectTo(t, hub)].map((connection) =>
    connection.subscribe({ topics: ["orders"], group: "g" }, { onRecords: () => {} }),
  );
  const watch = connectTo(t, hub);
  await until(() => one.memberId && two.memberId, "both are members");
  const states = watch.watchGroup("g", { intervalMs: 100 })[Symbol.asyncIterator]();
  const shares = async () =>
    (await states.next()).value.members.map(({ partitions }) => partitions.length).sort();
  await until(async () => String(await shares()) === "2,2", "they share");
  two.close();
  await until(async () => String(await shares()) === "4", "one has all");
});

test("errors of commands and calls carry the hub's reason", options, async (t) => {
  const connection = connectTo(t, await startHub(t));
  await assert.rejects(connection.produce({ topic: "none", records: [{ json: 1 }] }), {
    reason: "TOPIC_NOT_FOUND",
    code: 5,
  });
  await assert.rejects(connection.produce({ topic: "orders", records: [] }), {
    reason: "EMPTY_REQUEST",
    code: 3,
  });
  await assert.rejects(connection.call("TopicService/CreateTopic", { topic: "orders" }), {
    reason: "TOPIC_EXISTS",
    code: 6,
  });
  await assert.rejects(connection.watchGroup("none")[Symbol.asyncIterator]().next(), {
    reason: "GROUP_NOT_FOUND",
  });
  await assert.rejects(connection.subscribe("none")[Symbol.asyncIterator]().next(), {
    reason: "TOPIC_NOT_FOUND",
  });
  assert.ok((await connection.ping()).hubTime);
});
