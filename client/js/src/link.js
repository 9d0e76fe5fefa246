// One WebSocket after another to the same hub: opens, notices silence, waits with jitter, opens
// again. What is said over it is not known here.

import { CloseCode, leastWait, mayReconnect } from "./close_codes.js";
import { SUBPROTOCOL } from "./protocol.js";

// A browser cannot set a header for a WebSocket, and a token in a URL would be logged.
function subprotocols(token) {
  return token ? [SUBPROTOCOL, `millrace.bearer.${token}`] : [SUBPROTOCOL];
}

const OPENING_MS = 10_000;
const OPEN = 1; // WebSocket.OPEN, which a constructor that was passed in need not have.

/**
 * States: "connecting" → "open" → "waiting" (for the next attempt) → "connecting" …, and "closed",
 * which is final: by close(), or by a close code that says not to come back.
 *
 * `events`: opened(), received(text), lost() after each socket that was open, closed(code, why) once,
 * silent() when nothing was heard for half of livenessMs, changed(state).
 */
export class Link {
  #url;
  #WebSocket;
  #backoff;
  #livenessMs;
  #events;
  #token;
  #renews;
  #socket;
  #timer; // Of the attempt under way, of the next one, or of the silence.
  #heard = false;
  #state = "waiting";

  // `token()` gives the bearer token of the moment; `renews`: the next one may be another.
  constructor({ url, WebSocket, backoff, livenessMs, events, token, renews }) {
    this.#token = token;
    this.#renews = renews;
    this.#url = url;
    this.#WebSocket = WebSocket;
    this.#backoff = backoff;
    this.#livenessMs = livenessMs;
    this.#events = events;
  }

  get state() {
    return this.#state;
  }

  /** Begins an attempt, at once; does nothing while one is under way or the link is open. */
  open() {
    if (this.#state !== "waiting") return;
    clearTimeout(this.#timer);
    const socket = new this.#WebSocket(this.#url, subprotocols(this.#token()));
    this.#socket = socket;
    this.#timer = setTimeout(() => this.#down(socket, 1006, "no answer to the handshake"), OPENING_MS);
    socket.onopen = () => this.#opened(socket);
    socket.onmessage = ({ data }) => this.#received(socket, data);
    socket.onclose = ({ code, reason }) => this.#down(socket, code, reason);
    socket.onerror = () => {}; // A close follows, which says more.
    this.#change("connecting");
  }

  /** False: the link is not open, and nothing was sent. */
  send(text) {
    if (this.#state !== "open" || this.#socket.readyState !== OPEN) return false;
    this.#socket.send(text);
    return true;
  }

  close() {
    this.#end(CloseCode.NORMAL, "");
  }

  #opened(socket) {
    if (socket !== this.#socket) return;
    clearTimeout(this.#timer);
    this.#backoff.reset();
    this.#heard = true;
    this.#watchSilence(socket, false);
    this.#change("open");
    this.#events.opened();
  }

  #received(socket, data) {
    if (socket !== this.#socket) return;
    this.#heard = true;
    this.#events.received(data);
  }

  // A hub that is alive says something within livenessMs, if only because it was asked to.
  #watchSilence(socket, asked) {
    this.#timer = setTimeout(() => {
      if (asked && !this.#heard) return this.#down(socket, 1006, "the hub is silent");
      const silent = !this.#heard;
      this.#heard = false;
      if (silent) this.#events.silent();
      this.#watchSilence(socket, silent);
    }, this.#livenessMs / 2);
  }

  #down(socket, code, why) {
    if (socket !== this.#socket) return;
    const wasOpen = this.#state === "open";
    this.#release();
    const renewed = code === CloseCode.UNAUTHENTICATED && this.#renews;
    if (!mayReconnect(code) && !renewed) return this.#end(code, why);
    this.#timer = setTimeout(() => this.open(), Math.max(this.#backoff.next(), leastWait(code)));
    this.#change("waiting");
    if (wasOpen) this.#events.lost();
  }

  #end(code, why) {
    if (this.#state === "closed") return;
    this.#release(CloseCode.NORMAL);
    this.#change("closed");
    this.#events.closed(code, why);
  }

  // The socket is not listened to any more; its own end may take as long as it likes.
  #release(code) {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = undefined;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    if (socket.readyState <= OPEN) socket.close(code);
  }

  #change(state) {
    this.#state = state;
    this.#events.changed(state);
  }
}
