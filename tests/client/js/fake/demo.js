// The console over the fake hub, with made-up traffic, to work on it without a build:
//   node tests/client/js/fake/demo.js [PORT]
// Type "+ GROUP" to add a member to a group, "- GROUP" to take one away.

import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { FakeGateway } from "./gateway.js";
import { Stream } from "./stream.js";

const root = (path) => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));
export const CONSOLE_FILES = [
  ["/js/", root("client/js/src/")],
  ["/", root("server/web/console/")],
];

const ITEMS = ["tea", "cups", "spoons", "milk", "sugar", "biscuits"];
const pick = (list) => list[Math.floor(Math.random() * list.length)];

/** A gateway at work. `calm`: nothing happens by itself. */
export class Demo {
  #timers = [];
  #members = [];
  #orders = 1000;

  async start(port = 0, { calm = false } = {}) {
    this.gateway = await new FakeGateway({ files: CONSOLE_FILES }).listen(port);
    const { log } = this.gateway;
    log.createTopic("orders", 6);
    log.createTopic("payments", 3);
    log.createTopic("ticks", 8);
    log.createTopic("chat.rooms", 2);
    log.createTopic("invoices", 1);
    for (let i = 0; i < 400; ++i) this.order();
    for (let i = 0; i < 5000; ++i) this.tick();
    log.partition("ticks", 0).truncate(200);
    for (const group of ["billing", "billing", "shipping"])
      this.addMember(group, "orders", group === "billing" ? 12 : 30);
    this.addMember("charts", "ticks", 1);
    if (calm) return this;
    this.#every(160, () => this.order());
    this.#every(20, () => this.tick());
    this.#every(2500, () =>
      log.append({
        topic: "chat.rooms",
        records: [{ key: "lobby", text: pick(["hello", "is the kettle on?", "two minutes"]) }],
      }),
    );
    this.#every(900, () =>
      log.append({
        topic: "payments",
        records: [{ key: String(this.#orders), binary: "CAESBHRlc3QaBggBEAIYAw==" }],
      }),
    );
    return this;
  }

  async stop() {
    for (const timer of this.#timers) clearInterval(timer);
    for (const member of this.#members) clearInterval(member.timer);
    await this.gateway.close();
  }

  #every(milliseconds, act) {
    this.#timers.push(setInterval(act, milliseconds));
  }

  order() {
    const id = ++this.#orders;
    const lines = Array.from({ length: 1 + Math.floor(Math.random() * 3) }, () => ({
      item: pick(ITEMS),
      quantity: 1 + Math.floor(Math.random() * 5),
    }));
    this.gateway.log.append({
      topic: "orders",
      records: [
        {
          key: `c-${Math.floor(Math.random() * 60)}`,
          headers: [
            { name: "source", text: pick(["shop", "app"]) },
            { name: "traceparent", text: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" },
          ],
          json: {
            order: id,
            lines,
            total: lines.reduce((sum, { quantity }) => sum + quantity * 3.5, 0),
            paid: Math.random() < 0.7,
          },
        },
      ],
    });
  }

  tick() {
    const symbol = pick(["AAPL", "MSFT", "SAP", "ASML", "NVO", "SHEL", "NESN", "AIR"]);
    this.gateway.log.append({
      topic: "ticks",
      records: [{ key: symbol, json: { symbol, price: Math.round(10_000 * Math.random()) / 100 } }],
    });
  }

  /** A member that commits a record of each of its lanes after another, one every `milliseconds`. */
  addMember(group, topic, milliseconds) {
    let member;
    const open = this.gateway.groups.open(group);
    const stream = new Stream(this.gateway.log, () => {}, { frameRecords: 20 });
    member = open.join(
      stream,
      { topics: [topic], start: { earliest: true } },
      `127.0.0.1:${40_000 + Math.floor(Math.random() * 9000)}`,
    );
    const timer = setInterval(() => {
      for (const cursor of [...stream.cursors.values()]) {
        const committed = open.committed.get(`${cursor.topic}/${cursor.partition}`).offset;
        if (committed >= cursor.next && !cursor.stopped) continue;
        const nextOffset = cursor.stopped ? cursor.next : committed + 1 + Math.floor(Math.random() * 2);
        open.commit({
          memberId: member.id,
          memberEpoch: member.epoch,
          offsets: [
            {
              topic: cursor.topic,
              partition: cursor.partition,
              nextOffset: Math.min(nextOffset, cursor.next),
            },
          ],
        });
      }
    }, milliseconds * 10);
    this.#members.push({ group, timer, id: member.id });
  }

  removeMember(group) {
    const index = this.#members.findIndex((member) => member.group === group);
    if (index < 0) return;
    const [{ timer, id }] = this.#members.splice(index, 1);
    clearInterval(timer);
    this.gateway.groups.get(group).leave(id);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const demo = await new Demo().start(Number(process.argv[2] ?? 9641));
  console.log(`The console is at ${demo.gateway.url}`);
  for await (const line of createInterface({ input: process.stdin })) {
    const [sign, group] = line.split(" ");
    if (sign === "+") demo.addMember(group, "orders", 12);
    if (sign === "-") demo.removeMember(group);
  }
}
