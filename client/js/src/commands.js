// What is open on a connection, over all its sockets: requests that wait for their one answer, and
// streams, which are begun anew on every socket.

import { connectionLost, fromRequestError, MillraceError } from "./error.js";
import { decodeResponse, encodeCommand } from "./protocol.js";

/**
 * A stream is an object with
 *   command()            → {name, body}: how to begin it on the present socket
 *   receive(kind, body)  a message of the hub
 *   failed(error)        the connection is over for good
 */
export class Commands {
  #link;
  #maxWaiting;
  #open = new Map(); // By id: {stream} or {request}.
  #ids = new Map(); // By stream: its id on the present socket.
  #streams = new Set();
  #timers = new Map(); // By stream: when it is to be begun again on this socket.
  #nextId = 1;

  constructor(link, { maxWaiting }) {
    this.#link = link;
    this.#maxWaiting = maxWaiting;
  }

  /** Whether there is a socket. */
  get connected() {
    return this.#link.state === "open";
  }

  // ---- Requests

  /**
   * Resolves with the body of the answer; sent as soon as there is a socket. When the socket breaks
   * before the answer, a `repeatable` one is sent again and any other rejects with CONNECTION_LOST.
   */
  request(name, body, { repeatable = false, signal } = {}) {
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      if (this.#link.state !== "open" && this.#open.size >= this.#maxWaiting) {
        throw new MillraceError("NOT_CONNECTED", "not connected, and too many requests wait for it", {
          code: 14,
        });
      }
      const id = this.#nextId++;
      const text = encodeCommand(id, name, body);
      const abort = () => {
        this.#open.delete(id);
        reject(signal.reason);
      };
      const settle = (settled, value) => {
        this.#open.delete(id);
        signal?.removeEventListener("abort", abort);
        settled(value);
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#open.set(id, {
        request: {
          text,
          repeatable,
          sent: this.#link.send(text),
          answered: (answer) => settle(resolve, answer),
          failed: (error) => settle(reject, error),
        },
      });
    });
  }

  /** Sends what needs no answer, if there is a socket. */
  tell(name, body) {
    this.#link.send(encodeCommand(this.#nextId++, name, body));
  }

  // ---- Streams

  begin(stream) {
    this.#streams.add(stream);
    this.resume(stream);
  }

  /** Begins a stream on the present socket, where there is one: the hub has not begun it or ended it. */
  resume(stream) {
    this.#leave(stream);
    if (this.#link.state !== "open") return;
    const { name, body } = stream.command();
    const id = this.#nextId++;
    this.#open.set(id, { stream });
    this.#ids.set(stream, id);
    this.#link.send(encodeCommand(id, name, body));
  }

  /** The same later; a new socket does not wait for it. */
  resumeAfter(stream, milliseconds) {
    this.#leave(stream);
    this.#timers.set(
      stream,
      setTimeout(() => this.resume(stream), milliseconds),
    );
  }

  /** Ends a stream; nothing of it is received any more. */
  end(stream) {
    this.#streams.delete(stream);
    const id = this.#leave(stream);
    if (id !== undefined) this.tell("unsubscribe", { subscription: id });
  }

  /** The hub has ended the stream: there is nothing to unsubscribe. */
  forget(stream) {
    this.#streams.delete(stream);
    this.#leave(stream);
  }

  grant(stream, records) {
    const id = this.#ids.get(stream);
    if (id !== undefined) this.tell("credit", { subscription: id, records });
  }

  #leave(stream) {
    const id = this.#ids.get(stream);
    this.#ids.delete(stream);
    this.#open.delete(id);
    clearTimeout(this.#timers.get(stream));
    this.#timers.delete(stream);
    return id;
  }

  // ---- What becomes of the link

  opened() {
    for (const stream of this.#streams) this.resume(stream);
    for (const { request } of this.#open.values()) {
      if (request && !request.sent) request.sent = this.#link.send(request.text);
    }
  }

  lost() {
    for (const { request } of [...this.#open.values()]) {
      if (!request?.sent) continue;
      if (request.repeatable) request.sent = false;
      else request.failed(connectionLost());
    }
    for (const stream of this.#streams) this.#leave(stream);
  }

  closed(error) {
    for (const { request } of [...this.#open.values()]) request?.failed(error);
    for (const stream of [...this.#streams]) {
      this.forget(stream);
      stream.failed(error);
    }
  }

  received(text) {
    const { id, kind, body } = decodeResponse(text);
    const { request, stream } = this.#open.get(id) ?? {}; // Absent: the answer to something told or ended.
    if (stream) stream.receive(kind, kind === "error" ? fromRequestError(body) : body);
    else if (kind === "error") request?.failed(fromRequestError(body));
    else request?.answered(body);
  }
}
