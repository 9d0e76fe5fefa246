// A hub that asks who calls: the token goes with every call and every connection.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { WebSocket } from "ws";
import { connect } from "../../../client/js/src/millrace.js";
import { QUICK_RETRY } from "./fixture.js";
import { startGuarded, tokenOf } from "./guarded_hub.js";
import { unavailable } from "./real_hub.js";

const options = { skip: unavailable, timeout: 180_000 };
const RULES = [{ principals: ["page"], rights: ["administer", "produce", "consume"], topics: ["orders"] }];

function connectTo(t, hub, token) {
  const connection = connect(hub.url, { WebSocket, retry: QUICK_RETRY, token });
  t.after(() => connection.close());
  return connection;
}

test("with its token a page calls, produces and reads", options, async (t) => {
  const hub = connectTo(t, await startGuarded(t, RULES), tokenOf("page"));
  await hub.call("TopicService/CreateTopic", { topic: "orders" });
  await hub.produce({ topic: "orders", records: [{ json: { item: "tea" } }] });
  for await (const record of hub.subscribe({ topics: ["orders"], start: { earliest: true } })) {
    assert.deepEqual(record.json, { item: "tea" });
    break;
  }
});

test("without one it is told to say who it is, and a later one is used", options, async (t) => {
  let token;
  const hub = connectTo(t, await startGuarded(t, RULES), () => token);
  await assert.rejects(hub.call("TopicService/ListTopics"), { reason: "UNAUTHENTICATED" });
  token = tokenOf("page");
  await hub.call("TopicService/CreateTopic", { topic: "orders" });
  await hub.produce({ topic: "orders", records: [{ text: "tea" }] }); // Over a connection made since.
});

// What the first call after too many is refused with.
async function untilRefused(call) {
  for (;;) {
    try {
      await call();
    } catch (error) {
      return error;
    }
  }
}

test("what is over a quota is told when to come back, over the socket and over HTTP", options, async (t) => {
  const quotas = [{ principals: ["page"], requests_per_second: 4 }];
  const hub = connectTo(t, await startGuarded(t, RULES, { quotas }), tokenOf("page"));
  await hub.call("TopicService/CreateTopic", { topic: "orders" });
  const produce = () => hub.produce({ topic: "orders", records: [{ text: "tea" }] });
  for (const call of [produce, () => hub.call("TopicService/GetTopic", { topic: "orders" })]) {
    const error = await untilRefused(call);
    assert.equal(error.reason, "QUOTA_EXCEEDED");
    assert.equal(error.metadata.quota, "requests_per_second");
    assert.ok(error.retryAfterMs > 0 && error.retryAfterMs <= 250, `${error.retryAfterMs}`);
    await delay(error.retryAfterMs + 1);
    await call();
  }
});

test("a subscription that is one too many begins once there is a place", options, async (t) => {
  const quotas = [{ principals: ["page"], max_subscriptions: 1 }];
  const hub = connectTo(t, await startGuarded(t, RULES, { quotas }), tokenOf("page"));
  await hub.call("TopicService/CreateTopic", { topic: "orders" });
  await hub.produce({ topic: "orders", records: [{ text: "tea" }] });
  const everything = { topics: ["orders"], start: { earliest: true } };
  const first = hub.subscribe(everything);
  for await (const record of first) {
    assert.equal(record.text, "tea");
    break; // Which closes it,
  }
  const second = hub.subscribe(everything);
  assert.equal((await second[Symbol.asyncIterator]().next()).value.text, "tea"); // and its place is free.
  const third = hub.subscribe(everything);
  const waiting = third[Symbol.asyncIterator]().next();
  assert.equal(await Promise.race([waiting, delay(300, "nothing yet")]), "nothing yet");
  second.close();
  assert.equal((await waiting).value.text, "tea");
});
