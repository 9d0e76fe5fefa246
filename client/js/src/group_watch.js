// Following a group, over any number of sockets.

import { durationOf } from "./protocol.js";

export class GroupWatch {
  #commands;
  #handlers;
  #latest; // Not handed out yet: only the newest state of a group is of interest.
  #end; // Once it is over: {error} or {}.
  #wake = () => {};
  #stream;

  constructor(commands, group, { intervalMs, signal, onGroup, onError } = {}) {
    this.#commands = commands;
    this.#handlers = { onGroup, onError };
    const body = intervalMs === undefined ? { group } : { group, interval: durationOf(intervalMs) };
    this.#stream = {
      command: () => ({ name: "watchGroup", body }),
      receive: (kind, message) => this.#receive(kind, message),
      failed: (error) => this.#finish(error),
    };
    signal?.addEventListener("abort", () => this.close(), { once: true });
    if (signal?.aborted) this.#end = {};
    else commands.begin(this.#stream);
  }

  close() {
    if (this.#end) return;
    this.#commands.end(this.#stream);
    this.#finish();
  }

  async *[Symbol.asyncIterator]() {
    try {
      for (;;) {
        if (this.#latest) {
          const group = this.#latest;
          this.#latest = undefined;
          yield group;
        } else if (this.#end?.error) {
          throw this.#end.error;
        } else if (this.#end) {
          return;
        } else {
          await new Promise((resolve) => (this.#wake = resolve));
        }
      }
    } finally {
      this.close();
    }
  }

  #receive(kind, message) {
    if (kind === "group") {
      this.#latest = message.group;
      this.#handlers.onGroup?.(message.group);
      this.#wake();
    } else if (kind === "error" && message.retryable) {
      this.#commands.resumeAfter(this.#stream, message.retryAfterMs);
    } else if (kind === "error") {
      this.#commands.forget(this.#stream);
      this.#finish(message);
    }
  }

  #finish(error) {
    if (this.#end) return;
    this.#end = error ? { error } : {};
    if (error) this.#handlers.onError?.(error);
    this.#wake();
  }
}
