// The console's filters: which records an expression finds.

import assert from "node:assert/strict";
import { test } from "node:test";
import { compileFilter, parseExpression } from "../../../server/web/console/app/record_filter.js";

const TEA = {
  key: "c-42",
  headers: [
    { name: "source", text: "shop" },
    { name: "raw", binary: Uint8Array.of(255, 1) },
  ],
  json: {
    item: "tea",
    total: 10.5,
    paid: true,
    note: null,
    lines: [
      { sku: "a1", amount: 2 },
      { sku: "b2", amount: 12 },
    ],
    "odd name": 1,
  },
};
const TEXT = { headers: [], text: "hello, kettle" };
const BYTES = { keyBinary: Uint8Array.of(1, 171), headers: [], binary: Uint8Array.of(202, 254) };
const TOMBSTONE = { key: "c-42", headers: [] };

const found = (kind, expression) => [TEA, TEXT, BYTES, TOMBSTONE].filter(compileFilter(kind, expression));

test("an empty filter finds everything", () => assert.equal(found("json", "  ").length, 4));

test("by part of the key, bytes as hexadecimal", () => {
  assert.deepEqual(found("key", "42"), [TEA, TOMBSTONE]);
  assert.deepEqual(found("key", "01 ab"), [BYTES]);
});

test("by header, with or without part of its value", () => {
  assert.deepEqual(found("header", "source"), [TEA]);
  assert.deepEqual(found("header", "source: sho"), [TEA]);
  assert.deepEqual(found("header", "source: app"), []);
  assert.deepEqual(found("header", "raw: ff 01"), [TEA]);
});

test("by part of the value, whatever it is", () => {
  assert.deepEqual(found("text", "kettle"), [TEXT]);
  assert.deepEqual(found("text", '"sku":"b2"'), [TEA]);
  assert.deepEqual(found("text", "ca fe"), [BYTES]);
});

for (const expression of [
  "item",
  "$.item",
  ".item",
  'item = "tea"',
  "item = tea",
  "item == tea",
  "item != cups",
  "item ~ te",
  "total > 10",
  "total >= 10.5",
  "total <= 10.5",
  "paid = true",
  "note = null",
  "note",
  "lines[0].amount = 2",
  "lines[*].amount > 10",
  "$.lines.*.sku = b2",
  '["odd name"] = 1',
  "lines ~ b2",
  "$",
])
  test(`the path ${expression} finds`, () => assert.deepEqual(found("json", expression), [TEA]));

for (const expression of [
  "cups",
  "item = 1",
  "total > 11",
  "lines[2]",
  "lines[*].amount > 12",
  "paid = false",
  "item < 5",
  "item.length",
  "lines[0].constructor",
]) {
  test(`the path ${expression} finds nothing`, () => assert.deepEqual(found("json", expression), []));
}

test("an expression that is none says so", () => {
  for (const expression of ["item is tea", "item =", "lines[", "a b"])
    assert.throws(() => parseExpression(expression), /After a path/);
});
