// Resetting and deleting groups.

import { confirmByName, openDialog } from "./dialog.js";
import { field, h, notify, select } from "./dom.js";
import { count, plural } from "./format.js";
import { hub } from "./hub.js";

const TARGETS = [
  ["earliest", "the first record still kept"],
  ["latest", "the end: skip what waits"],
  ["time", "a time"],
  ["offset", "an offset"],
  ["shift", "so many records on or back"],
];

export function resetGroup(group) {
  const name = group.summary.group;
  const scopes = [
    ["", "all partitions"],
    ...group.summary.topics.map((topic) => [JSON.stringify({ topic, partition: -1 }), `all of ${topic}`]),
    ...group.partitions.map(({ topic, partition }) => [
      JSON.stringify({ topic, partition }),
      `${topic}, partition ${partition}`,
    ]),
  ];
  const scope = select(scopes);
  const target = select(TARGETS, { onchange: () => showValue() });
  const number = h("input", { type: "number", step: 1 });
  const moment = h("input", { type: "datetime-local", step: 1 });
  const numberField = field("Number", number);
  const momentField = field("Time", moment, { hint: "The first record stored at or after it." });
  const showValue = () => {
    const kind = target.value;
    numberField.hidden = kind !== "offset" && kind !== "shift";
    momentField.hidden = kind !== "time";
    number.required = !numberField.hidden;
    moment.required = !momentField.hidden;
    number.min = kind === "offset" ? 0 : "";
  };
  showValue();
  const content = h(
    "div",
    { class: "fields" },
    h(
      "p",
      { class: "wide" },
      group.members.length > 0
        ? "Members at work are told, and go on there."
        : "The next member goes on there.",
      " Records that are passed again are handled again.",
    ),
    field("Which lanes", scope),
    field("Go to", target),
    numberField,
    momentField,
  );
  openDialog(`Reset ${name}`, content, {
    action: "Reset the group",
    danger: true,
    act: async () => {
      const partitions = scope.value
        ? [JSON.parse(scope.value)]
        : group.summary.topics.map((topic) => ({ topic, partition: -1 }));
      const { results } = await hub.call("GroupService/ResetOffsets", {
        group: name,
        partitions,
        ...targetOf(target.value, number.value, moment.value),
      });
      const refused = results.filter(({ error }) => error);
      if (refused.length > 0) {
        throw new Error(
          refused
            .map(({ topic, partition, error }) => `${topic}, partition ${partition}: ${error.message}`)
            .join("; "),
        );
      }
      notify(`${plural(results.length, "lane")} of ${name} moved.`);
    },
  });
}

function targetOf(kind, number, moment) {
  switch (kind) {
    case "earliest":
      return { start: { earliest: true } };
    case "latest":
      return { start: { latest: true } };
    case "time":
      return { start: { time: new Date(moment).toISOString() } };
    case "offset":
      return { offset: number };
    case "shift":
      return { shift: number };
  }
}

export function deleteGroup(group) {
  const { group: name } = group.summary;
  confirmByName(
    `Delete ${name}?`,
    `This forgets how far the group has come in ${count(group.partitions.length)} partitions. A member that comes later begins anew.`,
    name,
    {
      action: "Delete the group",
      act: async () => {
        await hub.call("GroupService/DeleteGroup", { group: name });
        location.hash = "#/";
        notify(`The group ${name} is deleted.`);
      },
    },
  );
}
