// A gateway over the fake hub: the WebSocket and HTTP sides of server/web, as far as a page or the
// client library sees them, with static files. `faults` lets a test break it at any message.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { WebSocketServer } from "ws";
import { callsOf } from "./calls.js";
import { Groups } from "./groups.js";
import { INVALID_ARGUMENT, Log, NOT_FOUND, Refusal } from "./log.js";
import { startsOf, Stream } from "./stream.js";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};
const HTTP_STATUS = { 3: 400, 5: 404, 6: 409, 9: 400, 10: 409, 11: 400 };

/** `onMessage(direction, message, socket)` sees every message; false: the message is not passed on. */
export class FakeGateway {
  log = new Log();
  groups = new Groups(this.log);
  sockets = new Map(); // Each with its session.
  onMessage = () => true;
  frameRecords = 100;
  #calls = callsOf(this.log, this.groups);
  #files; // Which folder serves which path: [["/js/", folder], ["/", folder]].
  #server = createServer((request, response) => this.#http(request, response));
  #webSockets = new WebSocketServer({
    server: this.#server,
    path: "/v1/ws",
    handleProtocols: (offered) => offered.has("millrace.v1.json") && "millrace.v1.json",
  });

  constructor({ files = [] } = {}) {
    this.#files = files;
    this.log.startTime = new Date().toISOString();
    this.#webSockets.on("connection", (socket, request) => this.#connected(socket, request));
  }

  async listen(port = 0) {
    await new Promise((resolve) => this.#server.listen(port, "127.0.0.1", resolve));
    this.port = this.#server.address().port;
    this.url = `http://127.0.0.1:${this.port}/`;
    return this;
  }

  /** Stops listening and breaks every connection, as a kill does; listen(port) begins again. */
  async close() {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.breakAll();
    this.#server.closeAllConnections();
    await closed;
  }

  breakAll() {
    for (const socket of [...this.sockets.keys()]) this.break(socket);
  }

  closeAll(code) {
    for (const socket of this.sockets.keys()) socket.close(code);
  }

  /** As a connection that breaks: nothing more of it arrives. */
  break(socket) {
    this.sockets.get(socket)?.close();
    socket.terminate();
  }

  // ---- WebSocket

  #connected(socket, request) {
    if (!this.#server.listening) return socket.terminate();
    const session = new Session(this, socket, request.socket.remoteAddress + ":" + request.socket.remotePort);
    this.sockets.set(socket, session);
    socket.on("message", (data) => {
      const message = JSON.parse(data);
      if (this.onMessage("command", message, socket) !== false) session.command(message);
    });
    socket.on("close", () => {
      this.sockets.delete(socket);
      session.close();
    });
  }

  // ---- HTTP

  async #http(request, response) {
    const { pathname } = new URL(request.url, this.url);
    if (request.method === "POST" && pathname.startsWith("/v1/call/millrace.v1.")) {
      return this.#answerCall(pathname.slice("/v1/call/millrace.v1.".length), request, response);
    }
    if (pathname === "/healthz" || pathname === "/readyz") return response.end("ok\n");
    const found = this.#files.find(([path]) => pathname.startsWith(path));
    const path = found && join(found[1], normalize("/" + (pathname.slice(found[0].length) || "index.html")));
    const body = path && (await readFile(path).catch(() => undefined));
    response.setHeader("content-security-policy", "default-src 'self'");
    response.setHeader("x-content-type-options", "nosniff");
    response.setHeader("content-type", (path && TYPES[extname(path)]) ?? "text/plain");
    response.statusCode = body ? 200 : 404;
    response.end(body ?? "not found\n");
  }

  async #answerCall(method, request, response) {
    let text = "";
    for await (const chunk of request) text += chunk;
    response.setHeader("content-type", "application/json");
    try {
      const call = this.#calls[method];
      if (!call) throw new Refusal(NOT_FOUND, "UNSUPPORTED", `there is no ${method}`);
      response.end(JSON.stringify(call(JSON.parse(text || "{}"))));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      response.statusCode = HTTP_STATUS[error.body.code];
      response.end(JSON.stringify(error.body));
    }
  }
}

// The commands of one WebSocket.
class Session {
  #gateway;
  #socket;
  #peer;
  #closed = false;
  #open = new Map(); // By id: how to end it, and a stream's `grant`.

  constructor(gateway, socket, peer) {
    this.#gateway = gateway;
    this.#socket = socket;
    this.#peer = peer;
  }

  close() {
    this.#closed = true;
    for (const { end } of this.#open.values()) end();
    this.#open.clear();
  }

  command({ id, ...command }) {
    const [name, body] = Object.entries(command)[0] ?? [];
    try {
      const answer = this.#commands[name]?.(body, id);
      if (answer) this.#send({ id, ...answer });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#send({ id, error: error.body });
    }
  }

  #send(message) {
    if (this.#gateway.onMessage("answer", message, this.#socket) !== false)
      this.#socket.send(JSON.stringify(message));
  }

  #commands = {
    subscribe: ({ request, credit }, id) => this.#subscribe(id, request, credit),
    unsubscribe: ({ subscription }) => {
      this.#session(subscription).end();
      this.#open.delete(subscription);
      return { done: {} };
    },
    credit: ({ subscription, records }) => {
      if (!(records > 0)) throw new Refusal(INVALID_ARGUMENT, "INVALID_CONFIG", "records must be positive");
      this.#session(subscription).grant(records);
      return { done: {} };
    },
    produce: (request) => ({ produced: this.#gateway.log.append(request) }),
    commit: ({ group, ...request }) => ({ committed: this.#gateway.groups.open(group).commit(request) }),
    ping: () => ({ pong: { hubTime: new Date().toISOString() } }),
    watchGroup: ({ group: name, interval = "1s" }, id) =>
      this.#watch(id, this.#gateway.groups.get(name), Number.parseFloat(interval) * 1000),
  };

  #session(id) {
    const open = this.#open.get(id);
    if (!open) throw new Refusal(NOT_FOUND, "SESSION_NOT_FOUND", `nothing with the id ${id} is open`);
    return open;
  }

  #subscribe(id, request, credit) {
    const { log, groups, frameRecords } = this.#gateway;
    const starts = request.group ? [] : startsOf(log, request);
    const send = (frame) => {
      if (frame.ending) this.#open.delete(id);
      this.#send({ id, frame });
    };
    const heartbeatMs = Number.parseFloat(request.heartbeatInterval ?? "10s") * 1000;
    const stream = new Stream(log, send, {
      credit,
      frameRecords,
      endAtCurrent: request.endAtCurrent,
      heartbeatMs,
    });
    let end = () => stream.close();
    this.#open.set(id, { end: () => end(), grant: (records) => stream.grant(records) });
    if (request.group) {
      const group = groups.open(request.group);
      const member = group.join(stream, request, this.#peer);
      end = () => {
        stream.close();
        if (group.members.get(member.id) === member) group.leave(member.id);
      };
      if (this.#closed) end(); // A test broke it while it was being opened.
    } else {
      stream.start();
      stream.assign(starts);
    }
  }

  #watch(id, group, intervalMs) {
    let last = "";
    const tell = () => {
      const now = JSON.stringify(group.describe());
      if (now !== last) this.#send({ id, group: { group: JSON.parse(now) } });
      last = now;
    };
    const timer = setInterval(tell, Math.max(intervalMs, 20));
    this.#open.set(id, { end: () => clearInterval(timer) });
    tell();
  }
}
