// Chromium for a test of the console: everything that must not happen in a page is noted.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const CHROMIUM = process.env.MILLRACE_CHROMIUM ?? "/usr/bin/chromium";
const SCREENSHOTS = join(
  process.env.MILLRACE_REPORTS ?? fileURLToPath(new URL("../../../build/reports/", import.meta.url)),
  "console",
);

/** Why tests with a browser cannot run; false: they can. */
export const noBrowser = existsSync(CHROMIUM) ? false : "Chromium is not installed";

export class Browser {
  #faults = [];

  static async start(t, origin) {
    const browser = new Browser();
    browser.origin = new URL(origin).origin;
    browser.chromium = await chromium.launch({
      executablePath: CHROMIUM,
      args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
    });
    t.after(() => browser.chromium.close());
    await mkdir(SCREENSHOTS, { recursive: true });
    return browser;
  }

  async open(path, { width = 1280, height = 900, colorScheme = "light" } = {}) {
    const context = await this.chromium.newContext({ viewport: { width, height }, colorScheme });
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
    return new URL(url).origin !== this.origin;
  }

  /** No console errors and no request to anywhere else, in any page so far. */
  assertFaultless() {
    assert.deepEqual(this.#faults, []);
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

  async screenshot(page, name) {
    await page.evaluate(() => scrollTo(0, 0));
    await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
  }
}
