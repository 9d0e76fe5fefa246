// A hub that asks who calls: the token goes with every call and every connection.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { WebSocket } from "ws";
import { connect } from "../../../client/js/src/millrace.js";
import { QUICK_RETRY } from "./fixture.js";
import { RealHub, unavailable } from "./real_hub.js";

const TOKEN = "0123456789abcdef0123456789abcdef";
const options = { skip: unavailable, timeout: 180_000 };

async function startHub(t) {
  const folder = await mkdtemp(join(tmpdir(), "millrace-access-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "access.json");
  const sha256 = createHash("sha256").update(TOKEN).digest("hex");
  await writeFile(
    file,
    JSON.stringify({
      rules: [{ principals: ["page"], rights: ["administer", "produce", "consume"], topics: ["orders"] }],
      tokens: [{ principal: "page", sha256 }],
    }),
  );
  return RealHub.start(t, "--access-file", file);
}

function connectTo(t, hub, token) {
  const connection = connect(hub.url, { WebSocket, retry: QUICK_RETRY, token });
  t.after(() => connection.close());
  return connection;
}

test("with its token a page calls, produces and reads", options, async (t) => {
  const hub = connectTo(t, await startHub(t), TOKEN);
  await hub.call("TopicService/CreateTopic", { topic: "orders" });
  await hub.produce({ topic: "orders", records: [{ json: { item: "tea" } }] });
  for await (const record of hub.subscribe({ topics: ["orders"], start: { earliest: true } })) {
    assert.deepEqual(record.json, { item: "tea" });
    break;
  }
});

test("without one it is told to say who it is, and a later one is used", options, async (t) => {
  let token;
  const hub = connectTo(t, await startHub(t), () => token);
  await assert.rejects(hub.call("TopicService/ListTopics"), { reason: "UNAUTHENTICATED" });
  token = TOKEN;
  await hub.call("TopicService/CreateTopic", { topic: "orders" });
  await hub.produce({ topic: "orders", records: [{ text: "tea" }] }); // Over a connection made since.
});
