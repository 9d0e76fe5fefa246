// What the console makes of numbers, of what is typed, and of two states of a group.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as format from "../../../server/web/console/app/format.js";
import { differences } from "../../../server/web/console/app/happenings.js";
import { boundsOf, labelStep, newestScale, wholeScale } from "../../../server/web/console/app/lane_scale.js";
import { niceTop } from "../../../server/web/console/app/plot.js";
import { bytesOf, headersOf, valueOf } from "../../../server/web/console/app/record_input.js";
import { Rate, Series } from "../../../server/web/console/app/series.js";

test("numbers are written for people, and long ones exactly", () => {
  assert.equal(format.count("9007199254740993"), "9,007,199,254,740,993");
  assert.equal(format.short(1_234_567), "1.2M");
  assert.equal(format.bytes("1536"), "1.5 KiB");
  assert.deepEqual([0.25, 4.2, 59, 61, 3720, 90_000].map(format.duration), [
    "250 ms",
    "4.2 s",
    "59 s",
    "1 min 1 s",
    "1 h 2 min",
    "1 d 1 h",
  ]);
  assert.equal(format.plural("1", "record"), "1 record");
});

test("bytes are shown as offset, hexadecimal and characters", () => {
  const rows = format.hexRows(new TextEncoder().encode("millrace, the hub"), 16).split("\n");
  assert.equal(rows[0], "000000  6d 69 6c 6c 72 61 63 65 2c 20 74 68 65 20 68 75  millrace, the hu");
  assert.equal(rows[1], "… 1 more bytes");
});

test("values are taken as JSON, text, bytes or none", () => {
  assert.deepEqual(valueOf("json", "[1]"), { json: [1] });
  assert.deepEqual(valueOf("hex", "00 fF\n7a"), { binary: Uint8Array.of(0, 255, 122) });
  assert.deepEqual(valueOf("none", "ignored"), {});
  assert.throws(() => valueOf("json", "{"), /no JSON/);
  for (const text of ["0", "zz"]) assert.throws(() => bytesOf(text), /pairs of hexadecimal/);
});

test("headers are taken a line each", () => {
  assert.deepEqual(headersOf("a: 1\n\nb:x: y\n"), [
    { name: "a", text: "1" },
    { name: "b", text: "x: y" },
  ]);
  assert.throws(() => headersOf("nonsense"), /name: value/);
});

test("a rate is of the last seconds, and begins anew with a smaller count", () => {
  const rate = new Rate(5);
  assert.equal(rate.add(100, 0), undefined);
  assert.equal(rate.add(120, 2), 10);
  assert.equal(rate.add(220, 7), 20);
  assert.equal(rate.add(5, 8), undefined);
});

test("a series keeps its window", () => {
  const series = new Series(10);
  for (const at of [0, 5, 12]) series.add(at, at);
  assert.deepEqual(
    series.samples.map(({ at }) => at),
    [5, 12],
  );
  assert.deepEqual([series.last, series.most, series.spanSeconds(3), series.spanSeconds(9)], [12, 12, 7, 9]);
});

test("a lane grows from the left, and moves on under its end once it is full", () => {
  const { x, first, cell } = newestScale(132, { earliest: 0, latest: 1000 });
  assert.deepEqual([x(1000), x(999), first, cell], [120, 108, 990, 12]);
  const short = newestScale(132, { earliest: 995, latest: 1000 });
  assert.deepEqual([short.first, short.x(995), short.x(1000)], [995, 0, 60]);
});

test("whole lanes have one scale", () => {
  const bounds = boundsOf([
    { earliest: 100, latest: 400 },
    { earliest: 0, latest: 1000 },
  ]);
  const { x } = wholeScale(1012, { earliest: 100, latest: 400 }, bounds);
  assert.deepEqual([bounds, x(0), x(400), x(1000)], [{ earliest: 0, latest: 1000 }, 0, 400, 1000]);
});

test("offsets are written as far apart as they need, in steps of 1, 2 and 5", () => {
  assert.deepEqual(
    [labelStep(12, 90), labelStep(12, 90_000), labelStep(0.01, 90_000), labelStep(48, 9)],
    [5, 5, 5000, 1],
  );
  assert.deepEqual([0.4, 1, 3, 70, 1001].map(niceTop), [0.5, 1, 5, 100, 2000]);
});

test("what has changed in a group is told in words", () => {
  const member = (memberId, connectTime = "t") => ({ memberId, instanceId: "", connectTime, partitions: [] });
  const lanes = (...owners) =>
    owners.map((memberId, partition) => ({ topic: "orders", partition, memberId }));
  const group = (members, partitions) => ({ members, partitions });
  assert.deepEqual(
    differences(
      group([member("a")], lanes("a", "a", "a")),
      group([member("a"), member("b")], lanes("a", "b", "b")),
    ),
    ["b has joined.", "Lanes 1, 2: from a to b."],
  );
  assert.deepEqual(
    differences(group([member("a"), member("b")], lanes("a", "b")), group([member("b")], lanes("b", "b"))),
    ["a is gone.", "Lane 0: from a to b."],
  );
  assert.deepEqual(differences(group([member("a")], lanes("a", "a")), group([], lanes("", ""))), [
    "a is gone.",
    "Lanes 0, 1: given up by a.",
  ]);
  assert.deepEqual(differences(group([], lanes("")), group([], lanes(""))), []);
});
