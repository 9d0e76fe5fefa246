// Numbers, times and bytes for people.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const one = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** Takes numbers, bigints and the contract's decimal strings. */
export function count(value) {
  return whole.format(typeof value === "string" ? BigInt(value) : value);
}

export function short(value) {
  return Math.abs(Number(value)) < 10_000 ? count(Math.round(Number(value))) : compact.format(value);
}

export function rate(perSecond) {
  return perSecond < 10 ? one.format(perSecond) : short(perSecond);
}

export function plural(number, word, words = `${word}s`) {
  return `${count(number)} ${Number(number) === 1 ? word : words}`;
}

export function bytes(value) {
  let size = Number(value);
  if (size < 1024) return `${size} B`;
  for (const unit of ["KiB", "MiB", "GiB", "TiB"]) {
    size /= 1024;
    if (size < 1024 || unit === "TiB") return `${size < 10 ? one.format(size) : whole.format(size)} ${unit}`;
  }
}

/** Seconds as "850 ms", "4.2 s", "3 min 20 s", "5 h 12 min", "3 d 4 h". */
export function duration(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${one.format(seconds)} s`;
  const steps = [
    [86_400, "d"],
    [3_600, "h"],
    [60, "min"],
    [1, "s"],
  ];
  const index = steps.findIndex(([size]) => seconds >= size);
  const [size, unit] = steps[index];
  const first = `${Math.floor(seconds / size)} ${unit}`;
  if (index === steps.length - 1) return first;
  const [smaller, smallerUnit] = steps[index + 1];
  const rest = Math.floor((seconds % size) / smaller);
  return rest > 0 ? `${first} ${rest} ${smallerUnit}` : first;
}

/** A Duration of the contract's JSON ("1.5s") in seconds; absent: undefined. */
export function seconds(text) {
  return text === undefined ? undefined : Number.parseFloat(text);
}

const today = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
  hour12: false,
});
const otherDay = new Intl.DateTimeFormat(undefined, {
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hour12: false,
});

export function time(timestamp) {
  if (timestamp === undefined) return "";
  const date = new Date(timestamp);
  return (date.toDateString() === new Date().toDateString() ? today : otherDay).format(date);
}

export function ago(timestamp) {
  return duration(Math.max(0, (Date.now() - new Date(timestamp)) / 1000));
}

/** A member's name: its instance id, or the beginning of what the hub calls it. */
export function memberName({ memberId, instanceId }) {
  return instanceId || memberId.slice(0, 8);
}

/** Bytes as rows of offset, hexadecimal and characters. */
export function hexRows(data, most = 4_096) {
  const rows = [];
  for (let at = 0; at < Math.min(data.length, most); at += 16) {
    const row = [...data.subarray(at, at + 16)];
    const hex = row
      .map((byte) => byte.toString(16).padStart(2, "0"))
      .join(" ")
      .padEnd(47);
    const text = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·")).join("");
    rows.push(`${at.toString(16).padStart(6, "0")}  ${hex}  ${text}`);
  }
  if (data.length > most) rows.push(`… ${count(data.length - most)} more bytes`);
  return rows.join("\n");
}
