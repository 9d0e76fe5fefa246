// What a person types for a record, made into what the contract takes.

/** The value as the contract takes it: {json}, {text}, {binary} or {}. Throws what is wrong with it. */
export function valueOf(kind, text) {
  switch (kind) {
    case "json": {
      try {
        return { json: JSON.parse(text) };
      } catch (error) {
        throw new Error(`The value is no JSON: ${error.message}`);
      }
    }
    case "text":
      return { text };
    case "hex":
      return { binary: bytesOf(text) };
    case "none":
      return {};
  }
}

export function bytesOf(text) {
  const digits = text.replaceAll(/\s/g, "");
  if (digits.length % 2 !== 0 || /[^0-9a-f]/i.test(digits))
    throw new Error("Bytes are pairs of hexadecimal digits, such as 00 ff 7a.");
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** One header a line, "name: value". */
export function headersOf(text) {
  return text
    .split("\n")
    .filter((line) => line.trim())
    .map((line) => {
      const colon = line.indexOf(":");
      if (colon < 1) throw new Error(`A header is "name: value", not "${line}".`);
      return { name: line.slice(0, colon).trim(), text: line.slice(colon + 1).trim() };
    });
}
