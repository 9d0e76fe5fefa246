// A form that sends a record.

import { openDialog } from "./dialog.js";
import { field, h, notify, select } from "./dom.js";
import { hub } from "./hub.js";
import { headersOf, valueOf } from "./record_input.js";

export function produceRecord(topic, partitionCount) {
  const key = h("input", { autocomplete: "off", spellcheck: "false", placeholder: "none" });
  const partition = select([
    ["", "by key"],
    ...Array.from({ length: partitionCount }, (_, number) => [number, `partition ${number}`]),
  ]);
  const kind = select(
    [
      ["json", "JSON"],
      ["text", "text"],
      ["hex", "bytes (hex)"],
      ["none", "none: a tombstone"],
    ],
    {
      onchange: () => {
        value.disabled = kind.value === "none";
      },
    },
  );
  const value = h("textarea", { spellcheck: "false" });
  value.value = '{"item": "tea", "quantity": 2}';
  const headers = h("textarea", { class: "low", spellcheck: "false", placeholder: "source: console" });
  const durability = select([
    ["DURABILITY_UNSPECIFIED", "the hub's default"],
    ["DURABILITY_SYNCED", "synced: survives a power cut"],
    ["DURABILITY_BUFFERED", "buffered: survives a kill"],
  ]);
  const content = h(
    "div",
    { class: "fields" },
    field("Key", key, { hint: "Records of one key go to one lane, in order." }),
    field("Lane", partition),
    field("Value is", kind),
    field("Value", value, { wide: true }),
    field("Headers, one a line", headers, { wide: true }),
    field("Durability", durability),
  );
  openDialog(`Send a record to ${topic}`, content, {
    action: "Send",
    act: async () => {
      const record = {
        ...(key.value ? { key: key.value } : {}),
        headers: headersOf(headers.value),
        ...valueOf(kind.value, value.value),
      };
      const request = { topic, records: [record], durability: durability.value };
      if (partition.value !== "") request.partition = Number(partition.value);
      const {
        appended: [{ partition: lane, baseOffset }],
      } = await hub.produce(request);
      notify(`Stored in partition ${lane} at offset ${baseOffset}.`);
    },
  });
}
