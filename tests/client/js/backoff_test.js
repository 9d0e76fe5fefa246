import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff } from "../../../client/js/src/backoff.js";

test("the bound doubles up to the most, and begins anew after a success", () => {
  const backoff = new Backoff({ initialMs: 100, maxMs: 500, random: () => 1 });
  assert.deepEqual(
    [1, 2, 3, 4, 5].map(() => backoff.next()),
    [100, 200, 400, 500, 500],
  );
  backoff.reset();
  assert.equal(backoff.next(), 100);
});

test("waits are spread over all of the range", () => {
  const backoff = new Backoff({ initialMs: 1000, maxMs: 1000 });
  const waits = Array.from({ length: 1000 }, () => backoff.next());
  assert.ok(waits.every((wait) => wait >= 0 && wait < 1000));
  assert.ok(waits.some((wait) => wait < 100) && waits.some((wait) => wait > 900));
});
