// Members of groups, and those who watch them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { append, connectTo, described, startGateway, stored, take, until } from "./fixture.js";

const BILLING = { topics: ["orders"], group: "billing" };

test("a group goes on where it has committed", async (t) => {
  const gateway = await startGateway(t);
  append(gateway, 9);
  const first = connectTo(t, gateway).subscribe(BILLING);
  const iterator = first[Symbol.asyncIterator]();
  const records = await take(iterator, 4);
  const results = await first.commit();
  assert.ok(
    results.every(({ error, committedNextOffset }) => !error && typeof committedNextOffset === "bigint"),
  );
  assert.deepEqual(await first.commit(), []); // There is nothing new.
  first.close();
  records.push(...(await take(connectTo(t, gateway).subscribe(BILLING)[Symbol.asyncIterator](), 5)));
  assert.deepEqual(described(records), stored(gateway));
});

test("one record can be committed, and what was handed out after it is not", async (t) => {
  const gateway = await startGateway(t, { partitions: 1 });
  append(gateway, 5);
  const subscription = connectTo(t, gateway).subscribe(BILLING);
  const [, second] = await take(subscription[Symbol.asyncIterator](), 4);
  const [{ committedNextOffset }] = await subscription.commit(second);
  assert.equal(committedNextOffset, 2n);
});

test("a commit waits while the session is being resumed", async (t) => {
  const gateway = await startGateway(t, { partitions: 2 });
  append(gateway, 6);
  const subscription = connectTo(t, gateway).subscribe(BILLING);
  await take(subscription[Symbol.asyncIterator](), 6);
  const [before, held] = [subscription.sessionId, []];
  gateway.onMessage = (direction, message, socket) => {
    if (direction === "command" || (held.length === 0 && message.frame?.sessionStarted)) return true;
    held.push(() => socket.send(JSON.stringify(message)));
    return false;
  };
  gateway.breakAll();
  await until(() => subscription.sessionId !== before, "another session has begun");
  const committing = subscription.commit();
  await until(() => held.length > 0, "the hub says what it reads");
  gateway.onMessage = () => true;
  for (const send of held) send();
  const results = await committing;
  assert.equal(results.length, 2);
  assert.ok(results.every(({ error }) => !error));
});

test("a member that closes frees its partitions at once", async (t) => {
  const gateway = await startGateway(t);
  const hub = connectTo(t, gateway);
  const subscription = hub.subscribe(BILLING);
  await until(() => subscription.memberId, "it is a member");
  subscription.close();
  await until(() => gateway.groups.get("billing").members.size === 0, "it has left");
});

test("two members share, and a partition changes hands when it is committed", async (t) => {
  const gateway = await startGateway(t, { partitions: 2 });
  append(gateway, 4);
  const events = [];
  const one = connectTo(t, gateway).subscribe(BILLING, {
    onRevoking: ({ partitions }) =>
      events.push(["revoking", ...partitions.map(({ partition }) => partition)]),
    onLost: ({ partitions, cause }) =>
      events.push(["lost", cause, ...partitions.map(({ partition }) => partition)]),
  });
  const mine = await take(one[Symbol.asyncIterator](), 4);
  const two = connectTo(t, gateway).subscribe(BILLING);
  await until(() => events.length === 1, "it is told that a partition goes");
  await one.commit();
  await until(() => events.length === 2, "it is gone");
  assert.deepEqual(
    events.map(([name]) => name),
    ["revoking", "lost"],
  );
  append(gateway, 2, 4);
  const theirs = await take(two[Symbol.asyncIterator](), 1);
  const [last] = await take(one[Symbol.asyncIterator](), 1);
  assert.deepEqual(described([...mine, ...theirs, last]), stored(gateway));
});

test("a partition that moves goes on where its old owner stopped, though more was on the way to it", async (t) => {
  const gateway = await startGateway(t, { partitions: 2, frameRecords: 2 });
  append(gateway, 20);
  const revoking = [];
  const one = connectTo(t, gateway).subscribe(BILLING, {
    onRevoking: ({ partitions }) => revoking.push(...partitions),
  });
  const iterator = one[Symbol.asyncIterator]();
  const records = await take(iterator, 3); // Of 20 that it has received.
  const two = connectTo(t, gateway).subscribe(BILLING);
  await until(() => revoking.length === 1, "it is told that a partition goes");
  const [other] = await take(iterator, 1);
  assert.notEqual(other.partition, revoking[0].partition);
  records.push(other);
  await one.commit();
  const owned = (subscription) =>
    gateway.groups
      .get("billing")
      .describe()
      .partitions.filter(({ memberId }) => memberId === subscription.memberId).length;
  await until(() => owned(two) === 1, "the other one has it");
  const left = gateway.groups
    .get("billing")
    .describe()
    .partitions.find(({ memberId }) => memberId === two.memberId);
  records.push(...(await take(two[Symbol.asyncIterator](), Number(left.lagRecords))));
  records.push(...(await take(iterator, 20 - records.length)));
  assert.deepEqual(described(records), stored(gateway));
});

test("a reset of the group moves a member, and voids what it had not handed out", async (t) => {
  const gateway = await startGateway(t, { partitions: 1 });
  append(gateway, 10);
  const moves = [];
  const subscription = connectTo(t, gateway).subscribe(BILLING, {
    onRepositioned: (event) => moves.push(event),
  });
  const iterator = subscription[Symbol.asyncIterator]();
  await take(iterator, 6);
  await connectTo(t, gateway).call("GroupService/ResetOffsets", { group: "billing", offset: 2n });
  await until(() => moves.length === 1, "it is told");
  assert.deepEqual(moves[0], {
    topic: "orders",
    partition: 0,
    fromOffset: 10n,
    toOffset: 2n,
    cause: "REPOSITION_CAUSE_RESET",
  });
  assert.deepEqual(
    (await take(iterator, 8)).map(({ offset }) => offset),
    [2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n],
  );
});

test("a member that the hub has forgotten meanwhile shows nothing twice where nobody else had its lanes", async (t) => {
  const gateway = await startGateway(t, { partitions: 2 });
  append(gateway, 8);
  const losses = [];
  const one = connectTo(t, gateway).subscribe(BILLING, { onLost: (event) => losses.push(event) });
  const iterator = one[Symbol.asyncIterator]();
  const records = await take(iterator, 3);
  const before = one.memberId;
  gateway.onMessage = (direction, message) => {
    if (message.subscribe) message.subscribe.request.resumeMemberId = undefined;
    return true;
  };
  gateway.breakAll();
  await until(() => one.memberId !== before, "it is another member");
  records.push(...(await take(iterator, 5)));
  assert.deepEqual(described(records), stored(gateway));
  assert.deepEqual(losses, []);
});

test("a member is told what others got while it was away", async (t) => {
  const gateway = await startGateway(t, { partitions: 2 });
  append(gateway, 8);
  const losses = [];
  const slow = { retry: { initialMs: 300, maxMs: 300, random: () => 1 } };
  const one = connectTo(t, gateway, slow).subscribe(
    { ...BILLING, heartbeatInterval: "0.02s" },
    { onLost: (event) => losses.push(event) },
  );
  await take(one[Symbol.asyncIterator](), 1);
  gateway.breakAll();
  const other = connectTo(t, gateway).subscribe(BILLING);
  await until(() => other.memberId, "there is another member");
  const [{ partitions, cause }] = await until(() => losses.length > 0 && losses, "it is told");
  assert.equal(cause, "DISCONNECTED");
  assert.ok(partitions.length > 0);
});

test("a commit for what another member has is answered as fenced", async (t) => {
  const gateway = await startGateway(t, { partitions: 1 });
  append(gateway, 2);
  const subscription = connectTo(t, gateway).subscribe(BILLING);
  const [record] = await take(subscription[Symbol.asyncIterator](), 1);
  gateway.groups.get("billing").owners.clear();
  const [{ error, committedNextOffset }] = await subscription.commit(record);
  assert.equal(error.reason, "MEMBER_FENCED");
  assert.equal(committedNextOffset, undefined);
});

test("watchGroup gives the newest state, again over a break, and ends with an error where there is no group", async (t) => {
  const gateway = await startGateway(t);
  const hub = connectTo(t, gateway);
  hub.subscribe(BILLING);
  await until(() => gateway.groups.list().some(({ memberCount }) => memberCount === 1), "there is a member");
  const states = hub.watchGroup("billing", { intervalMs: 100 })[Symbol.asyncIterator]();
  assert.equal((await states.next()).value.partitions.length, 3);
  append(gateway, 5);
  await until(async () => (await states.next()).value.summary.lagRecords === "5", "the lag is seen");
  gateway.breakAll();
  assert.equal((await states.next()).value.summary.group, "billing");
  await assert.rejects(hub.watchGroup("none")[Symbol.asyncIterator]().next(), { reason: "GROUP_NOT_FOUND" });
});

test("only a subscription with a group commits", async (t) => {
  const hub = connectTo(t, await startGateway(t));
  await assert.rejects(hub.subscribe("orders").commit(), TypeError);
  const committed = await hub.commit({
    group: "g",
    offsets: [{ topic: "orders", partition: 0, nextOffset: 0n }],
  });
  assert.equal(committed.results[0].committedNextOffset, "0");
});
