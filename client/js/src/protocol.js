// The forms of the wire: the proto3 JSON mapping of millrace/v1, with records in readable form.
// proto/millrace/v1/gateway.proto is the contract of what travels here.

export const SUBPROTOCOL = "millrace.v1.json";

/**
 * A request as the JSON text of `{id, [command]: body}`. 64-bit numbers may be given as bigint, bytes
 * as Uint8Array and times as Date; what stands under `json` is the application's and stays as it is.
 */
export function encodeCommand(id, command, body) {
  return JSON.stringify({ id, [command]: plain(body) });
}

/** A request of the contract in its JSON form. */
export function encodeRequest(request) {
  return JSON.stringify(plain(request));
}

function plain(value) {
  if (typeof value === "bigint") return String(value);
  if (value === null || typeof value !== "object") return value;
  if (value instanceof Uint8Array) return toBase64(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, name === "json" ? member : plain(member)]),
  );
}

/** One message of the hub: `{id, kind, body}`. Throws a SyntaxError where the text is none. */
export function decodeResponse(text) {
  const { id = 0, ...result } = JSON.parse(text);
  const kind = Object.keys(result)[0];
  return { id, kind, body: result[kind] ?? {} };
}

/** What a frame says: `{kind, body}`. */
export function decodeFrame(frame) {
  const kind = Object.keys(frame)[0];
  return { kind, body: frame[kind] ?? {} };
}

/** The fields of a batch but its records, without the mapping's omissions. */
export function decodeBatch(batch) {
  return {
    topic: batch.topic ?? "",
    partition: batch.partition ?? 0,
    appendTime: batch.appendTime,
    positionEpoch: int64(batch.positionEpoch),
    highWatermark: int64(batch.highWatermark),
    logEpoch: int64(batch.logEpoch),
    records: batch.records ?? [],
  };
}

/** A record as the application sees it. Exactly one of json, text and binary is there; none: a tombstone. */
export function decodeRecord(wire, batch) {
  const record = {
    topic: batch.topic,
    partition: batch.partition,
    offset: int64(wire.offset),
    logEpoch: batch.logEpoch,
    positionEpoch: batch.positionEpoch,
    headers: (wire.headers ?? []).map(decodeHeader),
  };
  if (batch.appendTime !== undefined) record.appendTime = batch.appendTime;
  if (wire.eventTime !== undefined) record.eventTime = wire.eventTime;
  if (wire.key !== undefined) record.key = wire.key;
  else if (wire.keyBinary !== undefined) record.keyBinary = fromBase64(wire.keyBinary);
  if ("json" in wire) record.json = wire.json;
  else if (wire.text !== undefined) record.text = wire.text;
  else if (wire.binary !== undefined) record.binary = fromBase64(wire.binary);
  return record;
}

function decodeHeader({ name = "", text, binary }) {
  if (text !== undefined) return { name, text };
  if (binary !== undefined) return { name, binary: fromBase64(binary) };
  return { name };
}

/** A 64-bit number of the mapping; absent is 0. */
export function int64(text) {
  return text === undefined ? 0n : BigInt(text);
}

/** A Duration of the mapping ("1.500s") in milliseconds. */
export function millisecondsOf(duration) {
  return duration === undefined ? 0 : Number.parseFloat(duration) * 1000;
}

/** Milliseconds as a Duration of the mapping. */
export function durationOf(milliseconds) {
  return `${milliseconds / 1000}s`;
}

function toBase64(bytes) {
  let characters = "";
  for (const byte of bytes) characters += String.fromCharCode(byte);
  return btoa(characters);
}

function fromBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
