// Creating and deleting topics.

import { confirmByName, openDialog } from "./dialog.js";
import { field, h, notify } from "./dom.js";
import { plural } from "./format.js";
import { hub } from "./hub.js";

export function createTopic() {
  const name = h("input", {
    required: true,
    pattern: "[a-zA-Z0-9._\\-]{1,249}",
    autocomplete: "off",
    spellcheck: "false",
    placeholder: "orders",
  });
  const partitions = h("input", { type: "number", min: 1, max: 10000, value: 3, required: true });
  const days = h("input", { type: "number", min: 0, step: "any", placeholder: "for ever" });
  const content = h(
    "div",
    { class: "fields" },
    field("Name", name, { wide: true, hint: "Letters, digits, dot, dash and underscore." }),
    field("Partitions", partitions, {
      hint: "The most members of a group that can work at the same time. It can grow, not shrink.",
    }),
    field("Keep records for (days)", days, { hint: "Empty: for ever." }),
  );
  openDialog("New topic", content, {
    action: "Create the topic",
    act: async () => {
      const retention = days.value ? { maxAge: `${Math.round(Number(days.value) * 86_400)}s` } : undefined;
      await hub.call("TopicService/CreateTopic", {
        topic: name.value,
        partitionCount: Number(partitions.value),
        retention,
      });
      location.hash = `#/topics/${encodeURIComponent(name.value)}`;
      notify(`The topic ${name.value} is there, with ${plural(partitions.value, "partition")}.`);
    },
  });
}

/** `page` is left before the topic is gone, so that nothing asks for it any more. */
export function deleteTopic(name, records, page) {
  confirmByName(
    `Delete ${name}?`,
    `This deletes the topic, its ${plural(records, "record")}, and how far groups have come in it. It cannot be undone.`,
    name,
    {
      action: "Delete the topic",
      act: async () => {
        page.leave();
        try {
          await hub.call("TopicService/DeleteTopic", { topic: name });
        } catch (error) {
          page.show();
          throw error;
        }
        location.hash = "#/";
        notify(`The topic ${name} is deleted.`);
      },
    },
  );
}
