// The one error of this library, and where it comes from.

import { CloseCode } from "./close_codes.js";
import { millisecondsOf } from "./protocol.js";

/** What the hub refused, or what became of the connection. `reason` is for programs. */
export class MillraceError extends Error {
  constructor(reason, message, { code = 2, metadata = {}, retryAfterMs, closeCode, cause } = {}) {
    super(message || reason, cause === undefined ? undefined : { cause });
    this.name = "MillraceError";
    this.reason = reason;
    this.code = code;
    this.metadata = metadata;
    this.retryAfterMs = retryAfterMs;
    this.closeCode = closeCode;
  }

  /** Whether the hub says that the same request may succeed later. */
  get retryable() {
    return this.retryAfterMs !== undefined;
  }
}

const UNAVAILABLE = 14;

/** From a RequestError of the contract in its JSON form. */
export function fromRequestError(error) {
  return new MillraceError(error.reason || "UNKNOWN", error.message, {
    code: error.code ?? 2,
    metadata: error.metadata ?? {},
    retryAfterMs: error.retryAfter === undefined ? undefined : millisecondsOf(error.retryAfter),
  });
}

/** The connection broke before the answer came: the request may have been carried out or not. */
export function connectionLost() {
  return new MillraceError("CONNECTION_LOST", "the connection broke before the hub answered", {
    code: UNAVAILABLE,
    retryAfterMs: 0,
  });
}

/** The connection is over for good. */
export function connectionClosed(closeCode = CloseCode.NORMAL, why = "") {
  const message =
    closeCode === CloseCode.NORMAL
      ? "the connection was closed"
      : `the hub closed the connection: ${why || closeCode}`;
  return new MillraceError("CONNECTION_CLOSED", message, { code: UNAVAILABLE, closeCode });
}
