// The browser library in Chromium, served by the hub: its socket is cut again and again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Browser, noBrowser } from "./browser.js";
import { Cable, RealHub, unavailable } from "./real_hub.js";

const options = { skip: noBrowser || unavailable, timeout: 240_000 };

// In the page: reads `count` records and gives them as "partition/offset:value", in the order in which they came.
async function readInPage(count) {
  const { connect } = await import("/js/millrace.js");
  const hub = connect(undefined, { retry: { initialMs: 1, maxMs: 8 } });
  const lines = [];
  let sockets = 0;
  hub.addEventListener("statechange", () => (sockets += hub.state === "open" ? 1 : 0));
  for await (const { partition, offset, json } of hub.subscribe(
    { topics: ["orders"], start: { earliest: true } },
    { credit: 50 },
  )) {
    lines.push(`${partition}/${offset}:${json}`);
    if (lines.length === count) break;
  }
  hub.close();
  return { lines, sockets };
}

// In the page: produces records so that each is stored once.
async function produceInPage(count) {
  const { connect } = await import("/js/millrace.js");
  const hub = connect(undefined, { retry: { initialMs: 1, maxMs: 8 } });
  const openProducer = async () => {
    for (;;) {
      // The cable may be cut just now.
      const opened = await hub.call("EventHubService/OpenProducer").catch(() => undefined);
      if (opened) return opened;
    }
  };
  const { producerId, epoch } = await openProducer();
  for (let json = 0; json < count; ++json) {
    await hub.produce({
      topic: "orders",
      records: [{ key: `k${json % 13}`, json }],
      sequence: { producerId, epoch, sequence: json + 1 },
    });
  }
  hub.close();
}

test("a page reads and produces exactly over 200 cut connections", options, async (t) => {
  const hub = await RealHub.start(t);
  await hub.millrace(["topic", "create", "orders", "--partitions", "4"]);
  const cable = await Cable.to(t, hub.webPort);
  const browser = await Browser.start(t, cable.url);
  // Not the console, which connects as well; and the library is there whole before anything is cut.
  const [reader, writer] = [await browser.open("favicon.svg"), await browser.open("favicon.svg")];
  for (const page of [reader, writer]) await page.evaluate(() => import("/js/millrace.js").then(() => {}));
  let bytes = 0;
  let next = 1500;
  cable.onBytes = ({ length }) => {
    bytes += length;
    if (cable.cuts >= 200 || bytes < next) return;
    next = bytes + 400 + ((cable.cuts * 7919) % 2500);
    cable.cut();
  };
  const count = 2_000;
  const [{ lines, sockets }] = await Promise.all([
    reader.evaluate(readInPage, count),
    writer.evaluate(produceInPage, count),
  ]);
  const stored = (
    await hub.millrace(["consume", "orders", "--from-beginning", "-e", "-q", "-f", "%p/%o:%s\n"])
  )
    .split("\n")
    .filter(Boolean);
  assert.equal(stored.length, count);
  assert.deepEqual([...lines].sort(), stored.sort());
  assert.ok(cable.cuts >= 200 && sockets > 50, `${cable.cuts} cuts, ${sockets} sockets of the reader`);
});
