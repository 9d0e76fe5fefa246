// Which records to show: by key, header, text or a path into their JSON.

/** A function of a record. Throws what is wrong with the expression. */
export function compileFilter(kind, expression) {
  const text = expression.trim();
  if (text === "") return () => true;
  switch (kind) {
    case "key":
      return (record) => keyText(record)?.includes(text) ?? false;
    case "header":
      return headerFilter(text);
    case "text":
      return (record) => valueText(record).includes(text);
    case "json":
      return jsonFilter(text);
  }
}

export function keyText({ key, keyBinary }) {
  return key ?? (keyBinary && hex(keyBinary));
}

/** The value as one line of text; bytes in hexadecimal. */
export function valueText(record) {
  if ("json" in record) return JSON.stringify(record.json);
  return record.text ?? (record.binary ? hex(record.binary) : "");
}

function hex(bytes) {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

// "name" or "name: part of the value".
function headerFilter(text) {
  const colon = text.indexOf(":");
  const name = (colon < 0 ? text : text.slice(0, colon)).trim();
  const part = colon < 0 ? "" : text.slice(colon + 1).trim();
  return ({ headers }) =>
    headers.some(
      (header) =>
        header.name === name && (header.text ?? (header.binary ? hex(header.binary) : "")).includes(part),
    );
}

// ---- JSON paths: $.lines[*].sku = "tea"; also without $, with != < <= > >= and ~ (contains). A path alone
// asks whether it is there.

function jsonFilter(text) {
  const { path, operator, operand } = parseExpression(text);
  const compare = comparisons[operator];
  return (record) =>
    "json" in record && [...resolve(record.json, path)].some((value) => compare(value, operand));
}

const ordered = (compare) => (value, operand) => typeof value === typeof operand && compare(value, operand);

const comparisons = {
  "": () => true,
  "=": (value, operand) => value === operand,
  "!=": (value, operand) => value !== operand,
  "<": ordered((value, operand) => value < operand),
  "<=": ordered((value, operand) => value <= operand),
  ">": ordered((value, operand) => value > operand),
  ">=": ordered((value, operand) => value >= operand),
  "~": (value, operand) =>
    (typeof value === "string" ? value : JSON.stringify(value)).includes(String(operand)),
};

const STEP = /^(?:\.?([A-Za-z_$][\w$-]*)|\[(\d+)\]|\[(\*)\]|\.(\*)|\[("(?:[^"\\]|\\.)*")\])/;

/** {path, operator, operand}; a step of the path is a name, an index, or * for each. */
export function parseExpression(text) {
  let rest = text.replace(/^\$(?=[.[\s=!<>~]|$)/, "");
  const path = [];
  for (let step; (step = STEP.exec(rest)); rest = rest.slice(step[0].length)) {
    const [, name, index, each, dotEach, quoted] = step;
    if (name !== undefined) path.push(name);
    else if (index !== undefined) path.push(Number(index));
    else if (each || dotEach) path.push("*");
    else path.push(JSON.parse(quoted));
  }
  const comparison = /^\s*(!=|<=|>=|==?|<|>|~)\s*(.+)$/.exec(rest);
  if (!comparison && rest.trim() !== "")
    throw new Error(`After a path comes = != < > or ~ and a value, not "${rest.trim()}".`);
  if (!comparison) return { path, operator: "", operand: undefined };
  return { path, operator: comparison[1] === "==" ? "=" : comparison[1], operand: operandOf(comparison[2]) };
}

// JSON, or a bare word.
function operandOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text.trim();
  }
}

function* resolve(value, path, at = 0) {
  if (at === path.length) {
    yield value;
  } else if (path[at] === "*") {
    if (value !== null && typeof value === "object")
      for (const each of Object.values(value)) yield* resolve(each, path, at + 1);
  } else if (value !== null && typeof value === "object" && Object.hasOwn(value, path[at])) {
    yield* resolve(value[path[at]], path, at + 1);
  }
}
