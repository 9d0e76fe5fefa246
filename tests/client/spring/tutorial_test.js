// The Spring Kafka tutorial, client/examples/spring: from a page through KafkaTemplate, hub and listener into pages.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Example, inOtherLooks, reads } from "../examples/example.js";
import { noBrowser } from "../js/browser.js";
import { unavailable } from "../js/real_hub.js";

const options = { skip: noBrowser || unavailable, timeout: 280_000 };

const live = (page) => page.getByText("live", { exact: true }).waitFor({ timeout: 60_000 });
const shown = (page) => page.locator("#messages li").allTextContents();

async function send(page, text) {
  await page.getByRole("textbox", { name: "Message" }).fill(text);
  await page.getByRole("button", { name: "Send" }).click();
}

test("what is sent in one page is live in every page", options, async (t) => {
  const example = await Example.start(t, "spring");
  const browser = await example.browser(t);
  const [ann, bob] = [await browser.open(""), await browser.open("")];
  await Promise.all([live(ann), live(bob)]);

  await t.test("messages of both pages come to both", async () => {
    await send(ann, "tea is ready");
    for (const page of [ann, bob]) await page.getByRole("listitem").getByText("tea is ready").waitFor();
    await send(bob, "coming");
    for (const page of [ann, bob]) await page.getByRole("listitem").getByText("coming").waitFor();
    assert.deepEqual(await shown(bob), ["coming", "tea is ready"]);
    await browser.screenshot(ann, "spring", { fullPage: false });
  });

  await t.test("they went through the hub's topic", async () => {
    const out = await example.millrace(["consume", "my-topic", "--from-beginning", "-e", "-q"]);
    assert.deepEqual(out.split("\n").filter(Boolean).sort(), ["coming", "tea is ready"]);
  });

  await t.test(
    "what another program writes into the topic is live as well, and is never markup",
    async () => {
      await example.millrace(["produce", "my-topic", "-q"], "<b>of the command line</b>\n");
      for (const page of [ann, bob])
        await page.getByText("<b>of the command line</b>", { exact: true }).waitFor();
    },
  );

  await t.test("the group my-group has committed all of it", async () => {
    for (;;) {
      const table = await example.millrace(["offsets", "my-topic", "--group", "my-group"]);
      const lags = table
        .trim()
        .split("\n")
        .slice(1)
        .map((line) => line.trim().split(/\s+/).at(-1));
      if (lags.every((lag) => lag === "0")) break;
    }
  });

  await t.test("the hub is killed, and the pages go on", async () => {
    await example.kill("hub");
    await send(ann, "after the hub");
    for (const page of [ann, bob])
      await page.getByRole("listitem").getByText("after the hub").waitFor({ timeout: 60_000 });
    await reads(bob.locator("#received"), 4);
  });

  await t.test("the application is killed, and the pages go on as well", async () => {
    await example.kill("tutorial");
    await ann.locator("#connection[data-state=closed]").waitFor();
    await Promise.all([live(ann), live(bob)]);
    await send(bob, "it is back");
    for (const page of [ann, bob]) await page.getByRole("listitem").getByText("it is back").waitFor();
  });

  await t.test("it is accessible, on a phone and in the dark too", async () => {
    await browser.assertAccessible(ann);
    await inOtherLooks(browser, "", "spring", live);
  });

  browser.assertFaultless({ butForConnections: true });
  await example.stop();
});
