// A connection to a hub, which the application sees as one thing however often its socket breaks.

import { Backoff } from "./backoff.js";
import { Commands } from "./commands.js";
import { connectionClosed } from "./error.js";
import { GroupWatch } from "./group_watch.js";
import { httpCall } from "./http_call.js";
import { Link } from "./link.js";
import { Subscription } from "./subscription.js";

/** Begins to connect, and goes on trying until close(). Returns at once. */
export function connect(url = globalThis.location?.origin, options = {}) {
  return new Connection(url, options);
}

class Connection extends EventTarget {
  #base; // http(s)://host/
  #link;
  #commands;
  #fetch;
  #token;
  #tryNow = () => this.reconnect();

  constructor(
    url,
    { WebSocket = globalThis.WebSocket, fetch, token, retry, livenessMs = 30_000, maxWaiting = 1_000 },
  ) {
    super();
    if (!WebSocket)
      throw new TypeError("there is no WebSocket here: pass one, as in connect(url, { WebSocket })");
    this.#base = httpBase(url);
    this.#fetch = fetch;
    this.#token = typeof token === "function" ? token : () => token;
    const events = {
      opened: () => this.#commands.opened(),
      received: (text) => this.#commands.received(text),
      lost: () => this.#commands.lost(),
      silent: () => this.#commands.tell("ping", {}),
      closed: (code, why) => this.#onClosed(code, why),
      changed: () => this.dispatchEvent(new Event("statechange")),
    };
    this.#link = new Link({
      url: webSocketUrl(this.#base),
      WebSocket,
      backoff: new Backoff(retry),
      livenessMs,
      events,
      token: this.#token,
      renews: typeof token === "function",
    });
    this.#commands = new Commands(this.#link, { maxWaiting });
    globalThis.addEventListener?.("online", this.#tryNow);
    this.#link.open();
  }

  get state() {
    return this.#link.state;
  }

  subscribe(request, options) {
    this.#mustBeOpen();
    return new Subscription(this.#commands, request, options);
  }

  async produce(request, { signal } = {}) {
    this.#mustBeOpen();
    return this.#commands.request("produce", request, { repeatable: request.sequence !== undefined, signal });
  }

  async commit(request, { signal } = {}) {
    this.#mustBeOpen();
    return this.#commands.request("commit", request, { signal });
  }

  async ping({ signal } = {}) {
    this.#mustBeOpen();
    const sent = performance.now();
    const { hubTime } = await this.#commands.request("ping", {}, { repeatable: true, signal });
    return { hubTime, roundTripMs: performance.now() - sent };
  }

  watchGroup(group, options) {
    this.#mustBeOpen();
    return new GroupWatch(this.#commands, group, options);
  }

  call(method, request = {}, { signal } = {}) {
    return httpCall(this.#base, method, request, { signal, fetch: this.#fetch, token: this.#token() });
  }

  reconnect() {
    this.#link.open();
  }

  close() {
    this.#link.close();
  }

  #onClosed(code, why) {
    globalThis.removeEventListener?.("online", this.#tryNow);
    this.#commands.closed(connectionClosed(code, why));
  }

  #mustBeOpen() {
    if (this.state === "closed") throw connectionClosed();
  }
}

function httpBase(url) {
  const base = new URL(url);
  if (base.protocol === "ws:") base.protocol = "http:";
  if (base.protocol === "wss:") base.protocol = "https:";
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  return base;
}

function webSocketUrl(base) {
  const url = new URL("v1/ws", base);
  url.protocol = base.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}
