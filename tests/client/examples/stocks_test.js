// The use case of stock prices: client/examples/stocks.

import assert from "node:assert/strict";
import { test } from "node:test";
import { noBrowser } from "../js/browser.js";
import { unavailable } from "../js/real_hub.js";
import { Example, inOtherLooks, reads } from "./example.js";

const options = { skip: noBrowser || unavailable, timeout: 280_000 };
const SHARES = 12;

const received = async (page) => Number(await page.locator("#received").textContent());

// {share: price} as a page shows them.
function pricesOn(page) {
  return page
    .locator("#shares tr")
    .evaluateAll((rows) =>
      Object.fromEntries(rows.map((row) => [row.cells[0].textContent, row.cells[1].textContent])),
    );
}

// The same as the hub holds them.
function lastPrices(ticks) {
  return Object.fromEntries(ticks.map(({ key, json }) => [key, json.price.toFixed(2)]));
}

async function goesOn(page, ticks) {
  const before = await received(page);
  await page.waitForFunction(
    (count) => Number(document.getElementById("received").textContent) >= count,
    before + ticks,
    { timeout: 60_000 },
  );
}

function allGoOn(pages) {
  return Promise.all(pages.map((page) => goesOn(page, 100)));
}

test("many pages see every tick once, and a late one sees the present prices first", options, async (t) => {
  const example = await Example.start(t, "stocks");
  const browser = await example.browser(t);
  example.signal("exchange", "SIGSTOP"); // So that all pages are there from nearly the first tick on.
  const pages = await Promise.all(Array.from({ length: 6 }, () => browser.open("")));
  for (const page of pages) await page.getByText("live", { exact: true }).waitFor();
  example.signal("exchange", "SIGCONT");
  await allGoOn(pages);

  await t.test("the hub is killed twice while ticks flow", async () => {
    for (let i = 0; i < 2; ++i) {
      await example.kill("hub");
      await allGoOn(pages);
    }
    await browser.assertAccessible(pages[0]);
    await browser.screenshot(pages[0], "stocks", { fullPage: false });
  });

  let ticks;
  await t.test("every page has got every tick, and once", async () => {
    example.signal("exchange", "SIGSTOP");
    ticks = await example.stored("ticks");
    for (const page of pages) {
      await reads(page.locator("#received"), ticks.length);
      await reads(page.locator("#missing"), 0);
      await reads(page.locator("#twice"), 0);
      assert.deepEqual(await pricesOn(page), lastPrices(ticks));
    }
  });

  await t.test("the exchange stored each tick once, over both kills", () => {
    for (const share of Object.keys(lastPrices(ticks))) {
      const numbers = ticks.filter(({ key }) => key === share).map(({ json }) => json.number);
      assert.deepEqual(
        numbers,
        numbers.map((_, index) => index + 1),
      );
    }
  });

  await t.test("a late page has the present prices though no tick comes, and goes on live", async () => {
    const late = await browser.open("");
    await late
      .locator("#shares tr")
      .nth(SHARES - 1)
      .waitFor();
    await late.waitForFunction(
      (prices) =>
        [...document.querySelectorAll("#shares tr")].every(
          ({ cells }) => prices[cells[0].textContent] === cells[1].textContent,
        ),
      lastPrices(ticks),
    );
    example.signal("exchange", "SIGCONT");
    await goesOn(late, 50);
    await reads(late.locator("#missing"), 0);
    await reads(late.locator("#twice"), 0);
  });

  await t.test("it is readable on a phone and in the dark", async () => {
    await inOtherLooks(browser, "", "stocks", (page) => goesOn(page, 20));
  });

  await t.test("a page says so when a tick is missing, comes twice, or is none", async () => {
    const tick = (number) => `TEST:{"price":1,"number":${number},"session":"test"}`;
    await example.produce("ticks", tick(1), tick(2), tick(5), tick(5), "TEST:nonsense", 'TEST:{"price":"1"}');
    await example.produce("ticks", '<b>X</b>:{"price":2,"number":1,"session":"test"}');
    await reads(pages[0].locator("#missing"), 2);
    await reads(pages[0].locator("#twice"), 1);
    await pages[0].getByRole("rowheader", { name: "<b>X</b>" }).waitFor();
    await goesOn(pages[0], 50);
  });

  browser.assertFaultless({ butForConnections: true });
  await example.stop();
});
