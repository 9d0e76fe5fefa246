// The console in Chromium against a hub that asks who is there.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Browser, noBrowser } from "./browser.js";
import { startGuarded, tokenFile, tokenOf } from "./guarded_hub.js";
import { unavailable } from "./real_hub.js";

const options = { skip: noBrowser || unavailable, timeout: 240_000 };
const RULES = [
  { principals: ["reader"], rights: ["consume"], topics: ["orders"] },
  {
    principals: ["ops"],
    rights: ["administer", "produce", "consume"],
    topics: ["*"],
    groups: ["*"],
    hub: true,
  },
];

const ASKS = "This hub asks who you are";

async function enter(page, token) {
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Use it" }).click();
}

test("the console asks for a token, and shows what its rights allow", options, async (t) => {
  const hub = await startGuarded(t, RULES);
  const asOps = ["--token-file", await tokenFile(hub, "ops")];
  for (const topic of ["orders", "payroll"]) {
    await hub.millrace([...asOps, "topic", "create", topic]);
    await hub.millrace([...asOps, "produce", topic, "-q"], `first of ${topic}\n`);
  }
  const browser = await Browser.start(t, hub.url, { screenshots: "console/access" });
  const page = await browser.open("");

  await t.test("who has said nothing is asked", async () => {
    await page.getByText(ASKS).waitFor();
    await page.getByText("(UNAUTHENTICATED)").waitFor();
    await browser.assertAccessible(page);
    await browser.screenshot(page, "1-asks");
  });

  await t.test("a wrong token is said to be wrong, and asked for again", async () => {
    await enter(page, "no-such-token-0123456789");
    await page.getByText("the token is not known (UNAUTHENTICATED)").waitFor();
    await page.getByText(ASKS).waitFor();
    assert.equal(await page.getByLabel("Token").inputValue(), "");
  });

  await t.test("what can be no token is not even tried", async () => {
    await enter(page, "pasted, with a comma");
    assert.equal(await page.getByLabel("Token").evaluate((input) => input.matches(":invalid")), true);
    await page.getByText(ASKS).waitFor();
  });

  await t.test("with a right one there is what its principal may see, and nothing else", async () => {
    await enter(page, tokenOf("reader"));
    await page.getByRole("link", { name: "orders" }).first().waitFor();
    assert.equal(await page.getByText("payroll").count(), 0);
    assert.equal(await page.getByText(ASKS).count(), 0);
    await page.getByRole("link", { name: "orders" }).first().click();
    await page.locator(".record").filter({ hasText: "first of orders" }).waitFor();
    await browser.screenshot(page, "2-reader");
  });

  await t.test("what it may not see says so, and another token may", async () => {
    await page.goto(`${browser.origin}/#/topics/payroll`);
    await page.getByText("reader may not inspect topic payroll (PERMISSION_DENIED)").waitFor();
    await enter(page, tokenOf("ops"));
    await page.getByRole("heading", { name: "payroll", level: 1 }).waitFor();
    await page.locator(".record").filter({ hasText: "first of payroll" }).waitFor();
  });

  await t.test("the token stays in its tab, and nowhere else", async () => {
    await page.reload();
    await page.getByRole("heading", { name: "payroll", level: 1 }).waitFor();
    assert.ok(!page.url().includes(tokenOf("ops")));
    const kept = await page.evaluate(
      () => JSON.stringify(globalThis.localStorage) + globalThis.document.cookie,
    );
    assert.ok(!kept.includes(tokenOf("ops")));
    const another = await browser.open("", { context: page.context() });
    await another.getByText(ASKS).waitFor();
    assert.ok(!hub.log().includes(tokenOf("ops")));
  });

  browser.assertFaultless({ butForRefusals: true });
});
