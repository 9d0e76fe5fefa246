// The hub of build/ (or of MILLRACE_BIN) as a process of its own, with its web port, for a test.

import { execFile, spawn } from "node:child_process";
import { existsSync, openSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect as connectSocket, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { until } from "./fixture.js";

export const BIN = process.env.MILLRACE_BIN ?? fileURLToPath(new URL("../../../build/bin/", import.meta.url));

/** Why tests with a real hub cannot run; false: they can. For the `skip` of a test. */
export const unavailable = existsSync(join(BIN, "millrace-server"))
  ? false
  : "there is no millrace-server: build it";

export class RealHub {
  #ports = { listen: 0, web: 0 };

  /** Starts a hub in a new directory; it is gone after the test. */
  static async start(t, ...flags) {
    const hub = new RealHub();
    hub.directory = await mkdtemp(join(tmpdir(), "millrace-js-"));
    hub.flags = flags;
    t.after(async () => {
      await hub.kill();
      await rm(hub.directory, { recursive: true, force: true });
    });
    await hub.start();
    return hub;
  }

  get url() {
    return `http://localhost:${this.#ports.web}/`;
  }

  get webPort() {
    return this.#ports.web;
  }

  /** Again on the same ports and data, after kill(). */
  async start() {
    const files = { listen: join(this.directory, "port"), web: join(this.directory, "web-port") };
    for (const file of Object.values(files)) await rm(file, { force: true });
    const log = openSync(join(this.directory, "hub.log"), "a");
    this.process = spawn(
      join(BIN, "millrace-server"),
      [
        "--data-dir",
        join(this.directory, "data"),
        "--listen",
        `localhost:${this.#ports.listen}`,
        "--port-file",
        files.listen,
        "--web-listen",
        `localhost:${this.#ports.web}`,
        "--web-port-file",
        files.web,
        ...this.flags,
      ],
      { stdio: ["ignore", log, log] },
    );
    for (const [name, file] of Object.entries(files)) {
      const text = await until(
        async () => {
          if (this.process.exitCode !== null) throw new Error(`the hub did not start:\n${this.log()}`);
          return readFile(file, "utf8").catch(() => "");
        },
        "the hub serves",
        60,
      );
      this.#ports[name] = Number(text);
    }
  }

  /** As a crash. */
  async kill() {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const gone = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill("SIGKILL");
    await gone;
  }

  log() {
    return readFileSync(join(this.directory, "hub.log"), "utf8").slice(-4000);
  }

  /** Runs the command line against this hub; gives what it printed. */
  millrace(args, input = "") {
    return millrace(`localhost:${this.#ports.listen}`, args, input);
  }

  /** A member of a group as a process: `millrace consume`. */
  member(topic, group) {
    return spawn(
      join(BIN, "millrace"),
      ["--target", `localhost:${this.#ports.listen}`, "consume", topic, "--group", group, "-q"],
      { stdio: "ignore" },
    );
  }
}

/** Runs the command line against the hub at `target`; gives what it printed. */
export async function millrace(target, args, input = "") {
  const running = promisify(execFile)(join(BIN, "millrace"), ["--target", target, ...args], {
    maxBuffer: 1 << 26,
  });
  running.child.stdin.on("error", () => {}); // It may end without having read; how it ended tells.
  running.child.stdin.end(input);
  return (await running).stdout;
}

/** A way to a port that can be cut. */
export class Cable {
  #ends = new Set();
  cuts = 0;
  onBytes = () => {}; // Called with each portion that goes to the client.

  static async to(t, port) {
    const cable = new Cable();
    const server = createServer((near) => cable.#join(near, connectSocket(port, "localhost")));
    await new Promise((resolve) => server.listen(0, "localhost", resolve));
    cable.url = `http://localhost:${server.address().port}/`;
    t.after(() => {
      cable.cut();
      server.close();
    });
    return cable;
  }

  #join(near, far) {
    for (const end of [near, far]) {
      this.#ends.add(end);
      end.on("error", () => {});
      end.on("close", () => {
        this.#ends.delete(end);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far);
    far.on("data", (portion) => {
      near.write(portion);
      this.onBytes(portion);
    });
  }

  cut() {
    if (this.#ends.size > 0) this.cuts += 1;
    for (const end of this.#ends) end.destroy();
  }
}
