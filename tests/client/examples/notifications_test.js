// The use case of notifications: client/examples/notifications.

import assert from "node:assert/strict";
import { test } from "node:test";
import { noBrowser } from "../js/browser.js";
import { until } from "../js/fixture.js";
import { unavailable } from "../js/real_hub.js";
import { Example, inOtherLooks, reads } from "./example.js";

const options = { skip: noBrowser || unavailable, timeout: 280_000 };

const path = (user, device) => `?${new URLSearchParams({ user, device })}`;
const rows = (page) => page.locator("#notifications li");
const titles = (page) => rows(page).locator(".what").allTextContents(); // The newest first.
const taken = (page, count) => reads(page.locator("#taken"), count);
const unread = (page, count) => reads(page.locator("#unread"), count);
const row = (page, title) => rows(page).filter({ hasText: title });

async function openDevice(browser, user, device, context) {
  const page = await browser.open(path(user, device), { context });
  await page.getByText("live", { exact: true }).waitFor();
  return page;
}

async function sendFrom(page, user, title) {
  await page.getByRole("combobox", { name: "To" }).selectOption(user);
  await page.getByRole("textbox", { name: "Notification" }).fill(title);
  await page.getByRole("button", { name: "Send" }).click();
}

// As a service does it, over plain HTTP.
async function notify(example, user, ...newTitles) {
  for (const title of newTitles) {
    const response = await fetch(`${example.hubUrl}v1/topics/user.${user}/records`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ records: [{ json: { kind: "notification", title } }] }),
    });
    assert.equal(response.status, 200, await response.text());
  }
}

test("all devices of a user get each notification once, and know what is read", options, async (t) => {
  const example = await Example.start(t, "notifications");
  const browser = await example.browser(t);
  const expected = []; // What Alice is told, the newest first.
  const expect = (...newTitles) => expected.unshift(...newTitles.toReversed());

  const bob = await openDevice(browser, "bob", "phone");
  let heardByBob = "";
  bob.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => (heardByBob += payload)));
  await bob.reload(); // So that its socket is listened to.
  await bob.getByText("live", { exact: true }).waitFor();

  const phone = await browser.open("");
  let laptop = await openDevice(browser, "alice", "laptop");

  await t.test("a device is chosen", async () => {
    await browser.assertAccessible(phone);
    await browser.screenshot(phone, "notifications-choice", { fullPage: false });
    await phone.locator("#choose").getByLabel("User").selectOption("alice");
    await phone.getByLabel("Device").press("Enter");
    await phone.getByRole("heading", { name: "alice on phone" }).waitFor();
  });

  await t.test("a notification comes to all devices of its user, and to no other user", async () => {
    await sendFrom(bob, "alice", "Tea at four?");
    await notify(example, "alice", "Your parcel is here");
    expect("Tea at four?", "Your parcel is here");
    for (const device of [phone, laptop]) {
      await taken(device, 2);
      await unread(device, 2);
      assert.deepEqual(await titles(device), expected);
    }
  });

  await t.test("what is read on one device is read on the other", async () => {
    await row(phone, "Tea at four?").getByRole("button", { name: "Mark as read" }).click();
    for (const device of [phone, laptop]) {
      await unread(device, 1);
      await row(device, "Tea at four?").getByText("read", { exact: true }).waitFor();
    }
  });

  await t.test("a device that was away gets what it missed, once, when it comes back", async () => {
    const context = laptop.context();
    await laptop.close();
    await notify(example, "alice", "one", "two", "three");
    expect("one", "two", "three");
    await taken(phone, 5);
    await row(phone, "two").getByRole("button", { name: "Mark as read" }).click();
    await unread(phone, 3);
    laptop = await openDevice(browser, "alice", "laptop", context);
    await taken(laptop, 5);
    await unread(laptop, 3);
    assert.deepEqual(await titles(laptop), expected);
  });

  await t.test("a device that is opened again and again takes each once", async () => {
    const many = Array.from({ length: 40 }, (_, i) => `number ${i}`);
    for (const portion of [many.slice(0, 10), many.slice(10, 20), many.slice(20)])
      await Promise.all([notify(example, "alice", ...portion), laptop.reload()]);
    expect(...many);
    for (const device of [phone, laptop]) {
      await taken(device, 45);
      assert.deepEqual(await titles(device), expected);
    }
  });

  await t.test("the hub is killed, and nothing is lost or comes twice", async () => {
    const again = example.kill("hub");
    await phone.getByText("no connection; trying again").waitFor();
    await sendFrom(phone, "alice", "sent while it was down");
    await phone.getByText("Not stored yet: 1").waitFor();
    await again;
    expect("sent while it was down");
    for (const device of [phone, laptop]) {
      await taken(device, 46);
      assert.deepEqual(await titles(device), expected);
    }
  });

  await t.test("a device is open once; a second window takes over when the first is closed", async () => {
    const second = await browser.open(path("alice", "laptop"), { context: laptop.context() });
    await second.getByText("This device is open in another window").waitFor();
    await notify(example, "alice", "for one window");
    expect("for one window");
    await taken(laptop, 47);
    await reads(second.locator("#taken"), 0);
    await laptop.close();
    laptop = second;
    await taken(laptop, 47);
    assert.deepEqual(await titles(laptop), expected);
  });

  await t.test("all are marked as read at once", async () => {
    await laptop.getByRole("button", { name: "Mark all as read" }).click();
    for (const device of [phone, laptop]) await unread(device, 0);
  });

  await t.test("a notification is text, and never run", async () => {
    const evil = "<img src=x onerror=hurt=1>";
    await notify(example, "alice", evil);
    await example.produce("user.alice", "alice:no JSON", 'alice:{"kind":"nonsense"}', "alice:null");
    expect(evil);
    for (const device of [phone, laptop]) {
      await row(device, evil).waitFor();
      assert.equal(await device.locator("main img").count(), 0);
      assert.equal(await device.evaluate(() => globalThis.hurt), undefined);
    }
  });

  await t.test("it is readable, on a phone and in the dark as well", async () => {
    await browser.assertAccessible(phone);
    await browser.screenshot(phone, "notifications", { fullPage: false });
    await inOtherLooks(browser, path("alice", "watch"), "notifications", (page) => taken(page, 48));
  });

  await t.test("the other user's device never heard of any of it", async () => {
    await notify(example, "bob", "Only for Bob");
    await taken(bob, 1);
    assert.deepEqual(await titles(bob), ["Only for Bob"]);
    await until(() => heardByBob.includes("Only for Bob"), "Bob's socket was listened to");
    for (const title of expected) assert.ok(!heardByBob.includes(title), title);
  });

  await t.test("a device whose position the hub does not have begins anew", async () => {
    await phone.evaluate(() => {
      const key = "inbox of alice on phone";
      const inbox = JSON.parse(localStorage.getItem(key));
      inbox.positions[0].offset = "1000000";
      localStorage.setItem(key, JSON.stringify(inbox));
    });
    await phone.reload();
    await taken(phone, 48 + expected.length);
    assert.deepEqual(await titles(phone), expected);
  });

  browser.assertFaultless({ butForConnections: true });
  await example.stop();
});
