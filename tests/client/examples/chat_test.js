// The use case of a chat: client/examples/chat.

import assert from "node:assert/strict";
import { test } from "node:test";
import { noBrowser } from "../js/browser.js";
import { unavailable } from "../js/real_hub.js";
import { Example, inOtherLooks } from "./example.js";

const options = { skip: noBrowser || unavailable, timeout: 280_000 };

const log = (page) => page.getByRole("log");
const shown = (page) => page.locator("#log li p:last-child").allTextContents();
const sees = (page, text) => page.locator("#log li p:last-child").getByText(text, { exact: true }).waitFor();
const shows = (page, count) =>
  page
    .locator("#log li")
    .nth(count - 1)
    .waitFor();

async function say(page, ...texts) {
  for (const text of texts) {
    await page.getByLabel("Message").fill(text);
    await page.keyboard.press("Enter");
  }
}

async function enterAs(browser, who, path = "") {
  const page = await browser.open(path);
  await page.getByText("live", { exact: true }).waitFor();
  await page.getByLabel("Your name").fill(who);
  return page;
}

const said = (text) => JSON.stringify({ who: "a program", text });
const numbered = (count, word) => Array.from({ length: count }, (_, i) => `${word} ${i}`);

// What the hub holds of a room, in order.
async function storedIn(example, room) {
  return (await example.stored("chat")).filter(({ key }) => key === room).map(({ json }) => json.text);
}

test("people in a room see the same messages, in one order, over a kill of the hub", options, async (t) => {
  const example = await Example.start(t, "chat");
  const browser = await example.browser(t);
  const ann = await enterAs(browser, "Ann");
  const ben = await enterAs(browser, "Ben");

  await t.test("two pages see each other's messages live", async () => {
    await say(ann, "Good morning!");
    await sees(ben, "Good morning!");
    await say(ben, "Morning, Ann.");
    await sees(ann, "Morning, Ann.");
    await log(ann).getByText("Ben", { exact: true }).waitFor();
    assert.deepEqual(await shown(ann), ["Good morning!", "Morning, Ann."]);
  });

  await t.test("a room is entered with its history, and what is new elsewhere is counted", async () => {
    await ben.getByLabel("Another room").fill("Tea kitchen");
    await ben.keyboard.press("Enter");
    await ben.getByRole("heading", { name: "Tea kitchen" }).waitFor();
    await say(ben, "Who has the kettle?", "It is gone.");
    await ann.getByRole("link", { name: "Tea kitchen 2 new" }).click();
    await sees(ann, "It is gone.");
    assert.deepEqual(await shown(ann), ["Who has the kettle?", "It is gone."]);
    await ann.getByRole("link", { name: "Lobby" }).click();
    await sees(ann, "Morning, Ann.");
    assert.equal(await ann.locator(".unread").count(), 0);
    await ben.getByRole("link", { name: "Lobby" }).click();
  });

  await t.test("what is said while the hub is down is stored once, in one order for all", async () => {
    await say(ann, "before");
    await sees(ben, "before");
    const again = example.kill("hub");
    for (const page of [ann, ben]) await page.getByText("no connection; trying again").waitFor();
    await Promise.all([say(ann, ...numbered(5, "Ann")), say(ben, ...numbered(5, "Ben"))]);
    await browser.screenshot(ann, "chat-no-connection", { fullPage: false });
    await again;
    for (const page of [ann, ben]) await shows(page, 13);
    const stored = await storedIn(example, "Lobby");
    assert.equal(stored.length, 13);
    assert.equal(new Set(stored).size, 13);
    for (const page of [ann, ben]) assert.deepEqual(await shown(page), stored);
    for (const who of ["Ann", "Ben"])
      assert.deepEqual(
        stored.filter((text) => /\d$/.test(text) && text.startsWith(who)),
        numbered(5, who),
      );
  });

  await t.test("it is readable, on a phone and in the dark as well", async () => {
    await browser.assertAccessible(ann);
    await browser.screenshot(ann, "chat", { fullPage: false });
    await inOtherLooks(browser, "", "chat", (page) => sees(page, "Morning, Ann."));
  });

  await t.test("names, messages and rooms are text, and never run", async () => {
    const evil = "<img src=x onerror=hurt=1>";
    await ben.getByLabel("Your name").fill(evil);
    await ben.getByLabel("Another room").fill(evil);
    await ben.getByRole("button", { name: "Enter" }).click();
    await ben.getByRole("heading", { name: evil }).waitFor();
    await say(ben, evil);
    await ann.getByRole("link", { name: evil }).click();
    await sees(ann, evil);
    await ann.getByRole("link", { name: "Lobby" }).click();
    await example.produce("chat", "Lobby:no JSON", "Lobby:null", 'Lobby:{"who":{},"text":["<b>"]}');
    await say(ann, "What was that?");
    await sees(ann, "What was that?");
    assert.equal((await shown(ann)).length, 14);
    for (const page of [ann, ben]) {
      assert.equal(await page.locator("main img, #log b b").count(), 0);
      assert.equal(await page.evaluate(() => globalThis.hurt), undefined);
    }
  });

  browser.assertFaultless({ butForConnections: true });
  await example.stop();
});

test("one can scroll back to where a room begins", options, async (t) => {
  const example = await Example.start(t, "chat");
  const browser = await example.browser(t);
  const quiet = Array.from({ length: 12 }, (_, i) => `Room ${i}`);
  await example.produce("chat", ...quiet.map((room) => `${room}:${said(`first in ${room}`)}`));
  await example.produce("chat", ...numbered(350, "message").map((text) => `Lobby:${said(text)}`));

  await t.test("the last messages are there at once, the others page by page", async () => {
    const page = await enterAs(browser, "Ann");
    await sees(page, "message 349");
    assert.deepEqual(await shown(page), numbered(350, "message").slice(250));
    const older = page.getByRole("button", { name: "Older messages" });
    await older.focus();
    await page.keyboard.press("Enter");
    await sees(page, "message 150");
    await sees(page, "message 249");
    assert.deepEqual(await shown(page), numbered(350, "message").slice(150));
    await browser.screenshot(page, "chat-history", { fullPage: false });
    for (const text of ["message 50", "message 0"]) {
      await older.click();
      await sees(page, text);
    }
    await page.getByText("The room begins here.").waitFor();
    assert.deepEqual(await shown(page), numbered(350, "message"));
    await say(page, "and on");
    await sees(page, "and on");
    assert.equal((await shown(page)).at(-1), "and on");
  });

  await t.test("a room that was quiet for long is found as well", async () => {
    const stored = await example.stored("chat");
    const crowded = stored.find(({ key }) => key === "Lobby").partition;
    const { key } = stored.find(({ key, partition }) => key !== "Lobby" && partition === crowded);
    const page = await enterAs(browser, "Ben", `#${new URLSearchParams({ room: key })}`);
    await page.getByRole("button", { name: "Older messages" }).waitFor();
    assert.deepEqual(await shown(page), []);
    await page.getByRole("button", { name: "Older messages" }).click();
    await sees(page, `first in ${key}`);
    assert.deepEqual(await shown(page), [`first in ${key}`]);
  });

  browser.assertFaultless();
  await example.stop();
});
