// One record: a line, and below it everything about it.

import { h, segments } from "./dom.js";
import { count, hexRows, time } from "./format.js";
import { keyText, valueText } from "./record_filter.js";

const PREVIEW = 300;
let lastId = 0;

/** The rows of one record. */
export function recordRow(record) {
  const id = `record-${++lastId}`;
  const text = valueText(record);
  const tombstone = !("json" in record) && record.text === undefined && record.binary === undefined;
  const expand = h("button", {
    class: "quiet expand",
    type: "button",
    "aria-expanded": "false",
    "aria-controls": id,
    "aria-label": `Record ${record.offset} of partition ${record.partition}`,
  });
  const detail = h("tr", { id, class: "record-detail", hidden: true });
  expand.addEventListener("click", () => {
    const open = detail.hidden;
    if (open && !detail.firstChild) detail.append(h("td", { colspan: 6 }, recordDetail(record)));
    detail.hidden = !open;
    expand.setAttribute("aria-expanded", String(open));
  });
  const key = keyText(record);
  const line = h(
    "tr",
    { class: "record" },
    h("td", {}, expand),
    h("td", { class: "mono when" }, time(record.appendTime ?? record.eventTime)),
    h("td", { class: "number mono" }, record.partition),
    h("td", { class: "number mono" }, count(record.offset)),
    h("td", { class: "mono key" }, key === undefined ? h("span", { class: "muted" }, "no key") : key),
    h(
      "td",
      { class: "mono value" },
      tombstone
        ? h("span", { class: "muted" }, "tombstone")
        : text.length > PREVIEW
          ? `${text.slice(0, PREVIEW)}…`
          : text,
    ),
  );
  line.addEventListener("click", (event) => {
    if (event.target !== expand && getSelection().isCollapsed) expand.click();
  });
  return [line, detail];
}

function recordDetail(record) {
  const forms = formsOf(record);
  const shown = h("pre", { class: "value-text", tabindex: 0, "aria-label": "Value" });
  const show = (name) => shown.replaceChildren(forms.find((form) => form.name === name).render());
  const choice = segments(
    "Show the value as",
    forms.map(({ name }) => [name, name]),
    forms[0]?.name,
    show,
  );
  if (forms.length > 0) show(forms[0].name);
  return h(
    "div",
    { class: "detail" },
    h(
      "dl",
      {},
      fact("Stored", record.appendTime),
      fact("Happened", record.eventTime),
      fact("Key", keyText(record)),
      fact("Log epoch", String(record.logEpoch)),
      record.headers.map((header) =>
        fact(`Header ${header.name}`, header.text ?? (header.binary ? hexRows(header.binary) : "no value")),
      ),
    ),
    forms.length > 0
      ? h("div", { class: "value-forms" }, choice, shown)
      : h("p", { class: "muted" }, "No value: a tombstone. The key is gone."),
  );
}

function fact(name, value) {
  return value === undefined ? undefined : h("div", {}, h("dt", {}, name), h("dd", { class: "mono" }, value));
}

function formsOf(record) {
  const forms = [];
  if ("json" in record)
    forms.push({ name: "JSON", render: () => coloured(JSON.stringify(record.json, null, 2)) });
  const text = "json" in record ? JSON.stringify(record.json) : record.text;
  if (text !== undefined) forms.push({ name: "Text", render: () => text });
  const data = record.binary ?? (text === undefined ? undefined : new TextEncoder().encode(text));
  if (data) forms.push({ name: "Hex", render: () => hexRows(data) });
  return forms;
}

const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|-?\d[\d.eE+-]*|true|false|null/g;

/** JSON text with names, texts and other values told apart. */
function coloured(json) {
  const fragment = document.createDocumentFragment();
  let end = 0;
  for (const match of json.matchAll(TOKEN)) {
    fragment.append(json.slice(end, match.index));
    const kind = match[2] ? "json-name" : match[1] ? "json-text" : "json-other";
    fragment.append(h("span", { class: kind }, match[1] ?? match[0]), match[2] ?? "");
    end = match.index + match[0].length;
  }
  fragment.append(json.slice(end));
  return fragment;
}
