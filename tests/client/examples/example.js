// One of client/examples as a person runs it: client/examples/run.py CASE.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Browser } from "../js/browser.js";
import { until } from "../js/fixture.js";
import { BIN, millrace } from "../js/real_hub.js";

const RUN = fileURLToPath(new URL("../../../client/examples/run.py", import.meta.url));

export class Example {
  /** The process ids that it has told, by name; and all there ever were. */
  processes = new Map();
  #everProcesses = [];
  #said = "";
  #ended;

  /** Runs a case with a hub of its own, in a new directory, at free ports; all is gone after the test. */
  static async start(t, name) {
    const example = new Example();
    example.name = name;
    const directory = await mkdtemp(join(tmpdir(), "millrace-example-"));
    t.after(async () => {
      await example.#end();
      await rm(directory, { recursive: true, force: true });
    });
    example.#spawn(["--port", "0", "--bin", BIN, "--data-dir", directory]);
    await until(() => example.#running() && example.url, "the page is served", 120);
    return example;
  }

  #spawn(flags) {
    this.runner = spawn(RUN, [this.name, ...flags], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" },
    });
    this.#ended = once(this.runner, "exit");
    for (const stream of [this.runner.stdout, this.runner.stderr])
      createInterface(stream).on("line", (line) => this.#hear(line));
  }

  #hear(line) {
    this.#said += `${line}\n`;
    const [, name, id] = /^(\w+): process (\d+)$/.exec(line) ?? [];
    if (name) this.processes.set(name, Number(id));
    if (name) this.#everProcesses.push(Number(id));
    const [, target, hubUrl] = /^The hub: gRPC at (\S+), its console at (\S+)$/.exec(line) ?? [];
    if (target) Object.assign(this, { target, hubUrl });
    this.url ??= /^The page: (\S+)$/.exec(line)?.[1];
  }

  #running() {
    assert.equal(this.runner.exitCode, null, `it has ended:\n${this.#said}`);
    return true;
  }

  /** A browser whose pages may speak to the page's origin and to the hub, and to nobody else. */
  browser(t) {
    return Browser.start(t, this.url, { others: [this.hubUrl], screenshots: "examples" });
  }

  signal(name, signal) {
    process.kill(this.processes.get(name), signal);
  }

  /** kill -9; resolves when it runs again. */
  async kill(name) {
    const killed = this.processes.get(name);
    this.signal(name, "SIGKILL");
    await until(() => this.#running() && this.processes.get(name) !== killed, `${name} runs again`, 60);
  }

  /** As Ctrl-C: it ends without complaint, and nothing of it is left. */
  async stop() {
    this.runner.kill("SIGINT");
    await this.#ended;
    assert.equal(this.runner.exitCode, 0, this.#said);
    assert.deepEqual(this.#everProcesses.filter(isAlive), []);
  }

  async #end() {
    if (this.runner.exitCode !== null || this.runner.signalCode !== null) return;
    for (const id of this.processes.values()) if (isAlive(id)) process.kill(id, "SIGCONT");
    this.runner.kill("SIGTERM");
    await this.#ended;
  }

  millrace(args, input) {
    return millrace(this.target, args, input);
  }

  /** Lines "key:value" as records. */
  produce(topic, ...lines) {
    return this.millrace(["produce", topic, "-K", ":", "-q"], lines.map((line) => `${line}\n`).join(""));
  }

  /** What the hub holds, by another way than the page's: [{partition, offset, key, json}]. */
  async stored(topic) {
    const format = "%p\t%o\t%k\t%s\n";
    const out = await this.millrace(["consume", topic, "--from-beginning", "-e", "-q", "-f", format]);
    return out.split("\n").filter(Boolean).map(parse);
  }
}

function parse(line) {
  const [partition, offset, key, value] = line.split("\t");
  let json;
  try {
    json = JSON.parse(value);
  } catch {
    // It is none.
  }
  return { partition: Number(partition), offset: Number(offset), key, json };
}

function isAlive(id) {
  try {
    return process.kill(id, 0);
  } catch {
    return false;
  }
}

/** A page as it is on a phone and in the dark, once `ready(page)`: accessible, and written down to look at. */
export async function inOtherLooks(browser, path, name, ready) {
  for (const [look, view] of [
    ["phone", { width: 390, height: 844 }],
    ["dark", { colorScheme: "dark" }],
  ]) {
    const page = await browser.open(path, view);
    await ready(page);
    await browser.assertAccessible(page);
    await browser.screenshot(page, `${name}-${look}`, { fullPage: false });
    await page.context().close();
  }
}

/** The text of an element is, or becomes, this number. */
export async function reads(locator, number) {
  await locator.filter({ hasText: new RegExp(`^${number}$`) }).waitFor({ timeout: 60_000 });
}
