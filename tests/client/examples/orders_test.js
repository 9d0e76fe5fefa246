// The use case of orders: client/examples/orders.

import assert from "node:assert/strict";
import { test } from "node:test";
import { noBrowser } from "../js/browser.js";
import { unavailable } from "../js/real_hub.js";
import { Example, inOtherLooks, reads } from "./example.js";

const options = { skip: noBrowser || unavailable, timeout: 280_000 };

const figure = (page, name) => page.locator(`#figures [data-of=${name}]`);
const count = async (page, name) => Number(await figure(page, name).textContent());
const rowOf = (page, what) => page.locator("#orders li").filter({ hasText: what });
const state = (page, service, text) => page.locator(`#${service}`).getByText(text).waitFor();

const keys = (records) => records.map(({ key }) => key).sort();

// 100 more orders; resolves when some of them are paid and others are not.
async function generateAndCatchMidway(page) {
  const before = await count(page, "orders");
  await page.getByRole("button", { name: "Place 50 generated orders" }).dblclick();
  await page.waitForFunction((before) => {
    const of = (name) => Number(document.querySelector(`#figures [data-of=${name}]`).textContent);
    const decided = of("paid") + of("declined");
    return decided > before && decided < of("orders");
  }, before);
}

// Nothing waits any more, and each page shows the same.
async function settled(pages, orders) {
  for (const page of pages) {
    await reads(figure(page, "orders"), orders);
    await page.waitForFunction((orders) => {
      const of = (name) => Number(document.querySelector(`#figures [data-of=${name}]`).textContent);
      return of("paid") + of("declined") === orders && of("shipments") === of("paid");
    }, orders);
    await reads(figure(page, "twice"), 0);
  }
}

test("orders are paid and shipped once each, though everything is killed on the way", options, async (t) => {
  const example = await Example.start(t, "orders");
  const browser = await example.browser(t);
  const page = await browser.open("");
  const other = await browser.open("");
  await page.getByText("live", { exact: true }).waitFor();
  await page.getByText("There are no orders yet.").waitFor();

  await t.test("an order is placed by keyboard, paid and shipped", async () => {
    await page.getByLabel("Item").selectOption("Green tea");
    await page.getByLabel("Quantity").fill("2");
    await page.keyboard.press("Enter");
    for (const reader of [page, other]) {
      const row = rowOf(reader, "2 × Green tea");
      for (const step of [/placed/, /paid/, /shipped/])
        await row.locator(".step", { hasText: step }).waitFor();
    }
    await browser.assertAccessible(page);
  });

  await t.test("what costs too much is declined, and not shipped", async () => {
    await page.getByLabel("Item").selectOption("Tea table");
    await page.getByRole("button", { name: "Place the order" }).click();
    await rowOf(page, "Tea table").locator(".declined").waitFor();
    assert.equal(await rowOf(page, "Tea table").locator(".step").count(), 2);
  });

  await t.test("payment is killed in the midst of its work", async () => {
    await generateAndCatchMidway(page);
    const again = example.kill("payment");
    await state(page, "payment", "no processes work");
    await again;
    await state(page, "payment", "1 process works");
    await settled([page, other], 102);
  });

  await t.test("shipping is killed, and payment goes on", async () => {
    await generateAndCatchMidway(page);
    await example.kill("shipping");
    await settled([page, other], 202);
  });

  await t.test("the hub is killed while orders are placed and paid", async () => {
    await generateAndCatchMidway(page);
    const again = example.kill("hub");
    await page.getByRole("button", { name: "Place 50 generated orders" }).click();
    await page.getByText(/Not stored yet: \d+/).waitFor();
    await page.getByText("no connection; trying again").waitFor();
    await again;
    await page.getByText("live", { exact: true }).waitFor();
    await settled([page, other], 352);
  });

  await t.test("it is readable on a phone and in the dark", async () => {
    await browser.screenshot(page, "orders", { fullPage: false });
    await inOtherLooks(browser, "", "orders", (looked) => reads(figure(looked, "orders"), 352));
  });

  await t.test("what is no order is declined, and markup in one is text", async () => {
    await example.produce(
      "orders",
      "evil-1:not an order",
      'evil-2:{"item":"<img src=x onerror=hurt=1>","quantity":1,"total":1}',
    );
    await rowOf(page, "Not an order").locator(".declined").waitFor();
    await rowOf(page, "1 × <img src=x onerror=hurt=1>").locator(".step", { hasText: "shipped" }).waitFor();
    assert.equal(await page.locator("#orders img").count(), 0);
    assert.equal(await page.evaluate(() => globalThis.hurt), undefined);
    await settled([page, other], 354);
  });

  await t.test("the topics hold each order, its payment and its shipment once", async () => {
    const [orders, payments, shipments] = await Promise.all(
      ["orders", "payments", "shipments"].map((topic) => example.stored(topic)),
    );
    assert.equal(new Set(keys(orders)).size, 354);
    assert.deepEqual(keys(payments), keys(orders));
    const totals = new Map(orders.map(({ key, json }) => [key, json?.total]));
    for (const { key, json } of payments)
      assert.equal(json.outcome, totals.get(key) <= 100 ? "paid" : "declined");
    assert.deepEqual(keys(shipments), keys(payments.filter(({ json }) => json.outcome === "paid")));
    assert.equal(await count(page, "shipments"), shipments.length);
  });

  browser.assertFaultless({ butForConnections: true });
  await example.stop();
});
