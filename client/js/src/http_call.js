// Unary calls of the contract over plain HTTP.

import { fromRequestError, MillraceError } from "./error.js";
import { encodeRequest } from "./protocol.js";

const PACKAGE = "millrace.v1.";

/** Calls "TopicService/GetTopic", say, and resolves with the response in its JSON form. */
export async function httpCall(base, method, request, { signal, token, fetch = globalThis.fetch } = {}) {
  const path = method.startsWith(PACKAGE) ? method : PACKAGE + method;
  const headers = { "content-type": "application/json" };
  if (token) headers.authorization = `Bearer ${token}`;
  let response;
  try {
    response = await fetch(new URL(`v1/call/${path}`, base), {
      method: "POST",
      headers,
      body: encodeRequest(request),
      signal,
    });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new MillraceError("CONNECTION_LOST", "the hub cannot be reached", {
      code: 14,
      retryAfterMs: 1_000,
      cause,
    });
  }
  const answer = await response.json().catch(() => undefined);
  if (response.ok && answer !== undefined) return answer;
  if (answer?.reason !== undefined) throw fromRequestError(answer);
  throw new MillraceError("UNKNOWN", `the answer was HTTP ${response.status}`, {
    metadata: { status: String(response.status) },
  });
}
