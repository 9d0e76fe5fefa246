// Why a WebSocket was closed, and whether to connect again.

export const CloseCode = Object.freeze({
  NORMAL: 1000,
  GOING_AWAY: 1001, // The hub drains, or the connection is old.
  WRONG_KIND: 1003, // A binary message where text was due, or the other way round.
  TOO_BIG: 1009,
  FAULT: 1011,
  MALFORMED: 4400,
  UNAUTHENTICATED: 4401,
  FORBIDDEN: 4403,
  SLOW_CONSUMER: 4408,
  TOO_MANY: 4429,
});

// The same bytes would meet the same end: what closed the connection is the client's own doing.
const FINAL = new Set([
  1002,
  1003,
  1007,
  1008,
  1009,
  1010,
  CloseCode.MALFORMED,
  CloseCode.UNAUTHENTICATED,
  CloseCode.FORBIDDEN,
]);

/** Whether a connection that ended with `code` is to be opened again. */
export function mayReconnect(code) {
  return !FINAL.has(code);
}

/** The least wait before the next attempt, in milliseconds: a hub that has too many asks for patience. */
export function leastWait(code) {
  return code === CloseCode.TOO_MANY ? 5_000 : 0;
}
