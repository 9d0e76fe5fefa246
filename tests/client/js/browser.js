// Chromium for a test of a page: everything that must not happen in it is noted.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const CHROMIUM = process.env.MILLRACE_CHROMIUM ?? "/usr/bin/chromium";
const REPORTS =
  process.env.MILLRACE_REPORTS ?? fileURLToPath(new URL("../../../build/reports/", import.meta.url));

// What Chromium says of itself when the other side is gone.
const CONNECTION_LOST =
  /ERR_CONNECTION_|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE|WebSocket connection to .* failed/;

// And when it asks who is there.
const REFUSED = /the server responded with a status of 40[13]|WebSocket connection to .* failed/;

/** Why tests with a browser cannot run; false: they can. */
export const noBrowser = existsSync(CHROMIUM) ? false : "Chromium is not installed";

export class Browser {
  #faults = [];
  #origins;

  /** Pages come from `origin` and may speak to `others` as well; screenshots go to the folder of that name. */
  static async start(t, origin, { others = [], screenshots = "console" } = {}) {
    const browser = new Browser();
    browser.origin = new URL(origin).origin;
    browser.#origins = [origin, ...others].map((url) => new URL(url).origin);
    browser.screenshots = join(REPORTS, screenshots);
    browser.chromium = await chromium.launch({
      executablePath: CHROMIUM,
      args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
    });
    t.after(() => browser.chromium.close());
    await mkdir(browser.screenshots, { recursive: true });
    return browser;
  }

  /** A page in a browser of its own, or in one that is there (`context`), whose storage it shares. */
  async open(path, { width = 1280, height = 900, colorScheme = "light", context } = {}) {
    context ??= await this.chromium.newContext({ viewport: { width, height }, colorScheme });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    page.on(
      "console",
      (message) =>
        message.type() === "error" &&
        this.#faults.push(`console: ${message.text()} ${message.location().url}`),
    );
    page.on("pageerror", (error) => this.#faults.push(`error: ${error.stack}`));
    page.on(
      "request",
      (request) => this.#isForeign(request.url()) && this.#faults.push(`request to ${request.url()}`),
    );
    page.on(
      "websocket",
      (socket) =>
        this.#isForeign(socket.url().replace(/^ws/, "http")) &&
        this.#faults.push(`WebSocket to ${socket.url()}`),
    );
    await page.goto(`${this.origin}/${path}`);
    return page;
  }

  #isForeign(url) {
    return !this.#origins.includes(new URL(url).origin);
  }

  /** No console errors and no request to anywhere else, in any page so far, but for connections that broke, or refusals. */
  assertFaultless({ butForConnections = false, butForRefusals = false } = {}) {
    const isExpected = (fault) =>
      (butForConnections && CONNECTION_LOST.test(fault)) || (butForRefusals && REFUSED.test(fault));
    assert.deepEqual(
      this.#faults.filter((fault) => !isExpected(fault)),
      [],
    );
  }

  /** axe finds nothing serious or critical; nothing is wider than the page. */
  async assertAccessible(page) {
    await page.evaluate(
      await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"),
    );
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
    assert.deepEqual(
      serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(" ")}`),
      [],
    );
    assert.ok(
      await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
      "the page is wider than its window",
    );
  }

  /** Of the whole page, or of as much of it as the window shows. */
  async screenshot(page, name, { fullPage = true } = {}) {
    await page.evaluate(() => scrollTo(0, 0));
    await page.screenshot({ path: join(this.screenshots, `${name}.png`), fullPage });
  }
}
