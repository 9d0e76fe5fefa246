// The console in Chromium against the real hub, as a person would use it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Browser, noBrowser } from "./browser.js";
import { RealHub, unavailable } from "./real_hub.js";

const options = { skip: noBrowser || unavailable, timeout: 240_000 };

const produceOrders = (hub, first, count) =>
  hub.millrace(
    ["produce", "orders", "-K", ":", "-q"],
    Array.from(
      { length: count },
      (_, i) => `${(first + i) % 17}:{"item":"tea","number":${first + i}}\n`,
    ).join(""),
  );

// The text of an element, once it is what it should be.
async function seen(page, locator, expected) {
  await locator.filter({ hasText: expected }).first().waitFor();
}

test(
  "a person creates a topic, sees records come, sees lanes change hands, and resets a group",
  options,
  async (t) => {
    const hub = await RealHub.start(t);
    const browser = await Browser.start(t, hub.url);
    const members = [];
    t.after(() => members.forEach((member) => member.kill("SIGKILL")));
    const page = await browser.open("");

    await t.test("an empty hub says what to type", async () => {
      await page.getByText("There are no topics yet").waitFor();
      await page.getByText("millrace topic create orders --partitions 3").waitFor();
      await browser.assertAccessible(page);
      await browser.screenshot(page, "1-empty");
    });

    await t.test("a topic is created, by keyboard", async () => {
      await page.getByRole("button", { name: "New topic" }).focus();
      await page.keyboard.press("Enter");
      const dialog = page.getByRole("dialog", { name: "New topic" });
      await dialog.getByLabel("Name").fill("orders");
      await dialog.getByLabel("Partitions").fill("4");
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "orders", level: 1 }).waitFor();
      assert.match(await hub.millrace(["topic", "list"]), /orders/);
      assert.equal(await page.locator(".lane").count(), 4);
    });

    await t.test("records that the command line produces appear live", async () => {
      await page.getByText("There are no records here yet").waitFor();
      await produceOrders(hub, 0, 40);
      await seen(page, page.locator(".record"), '{"item":"tea","number":39}');
      await produceOrders(hub, 40, 1);
      await seen(page, page.locator(".record").first(), '{"item":"tea","number":40}');
      assert.equal(await page.locator(".record").count(), 41);
      await seen(page, page.locator(".lane-end"), /next is \d+/);
    });

    await t.test("a record is sent by the form, and shown as JSON, text and bytes", async () => {
      await page.getByRole("button", { name: "Send a record" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Key").fill("from-the-console");
      await dialog.getByLabel("Value", { exact: true }).fill('{"sent": [1, "two"]}');
      await dialog.getByLabel("Headers").fill("source: console");
      await dialog.getByRole("button", { name: "Send" }).click();
      await page.getByText(/Stored in partition \d at offset \d+/).waitFor();
      await seen(page, page.locator(".record").first(), "from-the-console");
      await page.locator(".record .expand").first().click();
      const detail = page.locator(".record-detail").first();
      await seen(page, detail, "Header source");
      await seen(page, detail.locator(".value-text"), '"two"');
      await detail.getByRole("button", { name: "Hex" }).click();
      await seen(page, detail.locator(".value-text"), "7b 22 73 65 6e 74");
      await browser.assertAccessible(page);
      await browser.screenshot(page, "2-topic");
    });

    await t.test("records are found by JSON path, and from an offset on", async () => {
      await page.getByRole("searchbox", { name: "Filter" }).fill("number = 7");
      await page.getByRole("button", { name: "Read", exact: true }).click();
      await seen(page, page.locator(".record"), '"number":7}');
      await page.getByText("1 of 42 records match").waitFor();
      assert.equal(await page.locator(".record").count(), 1);
      await page.getByRole("searchbox", { name: "Filter" }).fill("");
      await page.getByLabel("Read", { exact: true }).selectOption("2");
      await page.getByLabel("Read from").selectOption("offset");
      await page.getByRole("spinbutton", { name: "Offset" }).fill("3");
      await page.getByRole("button", { name: "Read", exact: true }).click();
      await page.locator(".record").first().waitFor();
      assert.deepEqual((await page.locator(".record").first().locator("td").allTextContents()).slice(2, 4), [
        "2",
        "3",
      ]);
    });

    await t.test("lanes change hands when a member comes and when one is killed", async () => {
      members.push(hub.member("orders", "billing"));
      await page.goto(`${browser.origin}/#/`);
      await page.getByRole("link", { name: "billing" }).first().click();
      await page.getByText("lanes 0, 1, 2, 3").waitFor();
      members.push(hub.member("orders", "billing"));
      await page.locator(".member").nth(1).waitFor();
      await page.waitForFunction(() =>
        [...document.querySelectorAll(".member span:nth-child(2)")].every((lanes) =>
          /^lanes \d, \d$/.test(lanes.textContent),
        ),
      );
      await seen(page, page.locator(".happened"), /has joined/);
      await seen(page, page.locator(".happened"), /Lanes? [\d, ]+: from \w+ to \w+/);
      await page.waitForTimeout(1200); // The lines glide.
      await browser.assertAccessible(page);
      await browser.screenshot(page, "3-two-members");
      members[0].kill("SIGKILL");
      await page.getByText("lanes 0, 1, 2, 3").waitFor();
      assert.equal(await page.locator(".member").count(), 1);
      await seen(page, page.locator(".happened"), /is gone/);
      await page.waitForTimeout(1200);
      await browser.screenshot(page, "4-one-killed");
    });

    await t.test("a group is reset, and its lag is seen", async () => {
      members[1].kill("SIGTERM");
      await page.getByText("The group has no members now").waitFor();
      await page.getByRole("button", { name: "Reset…" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Reset the group" }).click();
      await page.getByText("4 lanes of billing moved.").waitFor();
      await seen(page, page.locator(".figure").filter({ hasText: "Behind" }), "42");
      assert.match(await hub.millrace(["offsets", "orders", "--group", "billing"]), / 0 +\d+\n/);
      await browser.assertAccessible(page);
      await browser.screenshot(page, "5-reset");
    });

    await t.test("it is readable on a phone and in the dark", async () => {
      for (const [name, path] of [
        ["overview", ""],
        ["topic", "#/topics/orders"],
        ["group", "#/groups/billing"],
      ]) {
        for (const [look, view] of [
          ["phone", { width: 390, height: 844 }],
          ["dark", { colorScheme: "dark" }],
        ]) {
          const other = await browser.open(path, view);
          await other.getByText("live", { exact: true }).waitFor();
          await other.getByText("orders").first().waitFor();
          await other.waitForTimeout(600);
          await browser.assertAccessible(other);
          await browser.screenshot(other, `6-${name}-${look}`);
          await other.context().close();
        }
      }
    });

    await t.test("group and topic are deleted only when their names are typed", async () => {
      await page.getByRole("button", { name: "Delete" }).click();
      const dialog = page.getByRole("dialog");
      const confirm = dialog.getByRole("button", { name: "Delete the group" });
      assert.ok(await confirm.isDisabled());
      await dialog.getByRole("textbox").fill("billing");
      await confirm.click();
      await page.getByRole("link", { name: "orders" }).click();
      await page.getByRole("button", { name: "Delete" }).click();
      await page.getByRole("dialog").getByRole("textbox").fill("orders");
      await page.getByRole("button", { name: "Delete the topic" }).click();
      await page.getByText("There are no topics yet").waitFor();
      assert.doesNotMatch(await hub.millrace(["topic", "list"]), /orders/);
    });

    browser.assertFaultless();
  },
);

test(
  "a topic that is deleted elsewhere is said to be, and the browser notes no fault",
  options,
  async (t) => {
    const hub = await RealHub.start(t);
    await hub.millrace(["topic", "create", "orders", "--partitions", "2"]);
    await produceOrders(hub, 0, 3);
    const browser = await Browser.start(t, hub.url);
    const page = await browser.open("#/topics/orders");
    await seen(page, page.locator(".record"), '"number":2}');
    const overview = await browser.open("");
    await overview.getByRole("link", { name: "orders" }).waitFor();
    await hub.millrace(["topic", "delete", "orders", "--yes"]);
    await page.getByText("The topic is deleted.").waitFor();
    await overview.getByText("There are no topics yet").waitFor();
    browser.assertFaultless();
  },
);

test("the overview says how much is delivered", options, async (t) => {
  const hub = await RealHub.start(t);
  await hub.millrace(["topic", "create", "orders", "--partitions", "2"]);
  await produceOrders(hub, 0, 100);
  const browser = await Browser.start(t, hub.url);
  const page = await browser.open("");
  const delivered = page.locator(".figure", { hasText: "Delivered" }).locator(".value");
  await seen(page, delivered, "0 records/s");
  await hub.millrace(["consume", "orders", "--from-beginning", "-e", "-q"]);
  await seen(page, delivered, /[1-9]/);
  await seen(page, page.locator("tbody tr", { hasText: "orders" }), "orders");
  browser.assertFaultless();
});

test("a page goes on by itself when the hub was killed and is back", options, async (t) => {
  const hub = await RealHub.start(t);
  await hub.millrace(["topic", "create", "orders", "--partitions", "2"]);
  await produceOrders(hub, 0, 3);
  const browser = await Browser.start(t, hub.url);
  const page = await browser.open("#/topics/orders");
  await seen(page, page.locator(".record"), '"number":2}');
  await hub.kill();
  await page.getByText("no connection; trying again").waitFor();
  await hub.start();
  await page.getByText("live", { exact: true }).waitFor();
  await produceOrders(hub, 3, 2);
  await seen(page, page.locator(".record"), '"number":4}');
  assert.equal(await page.locator(".record").count(), 5);
});
