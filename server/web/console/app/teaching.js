// What to type in a terminal to see something happen, where there is nothing to see yet.

import { h, notify } from "./dom.js";

/** A command with a button that copies it. */
export function command(text) {
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    notify("Copied.");
  };
  // Outside of a secure context there is no clipboard; the text can still be marked.
  return h(
    "div",
    { class: "command" },
    h("code", { tabindex: 0 }, text),
    navigator.clipboard &&
      h("button", { class: "quiet", type: "button", onclick: copy, "aria-label": `Copy: ${text}` }, "Copy"),
  );
}

function empty(title, text, ...commands) {
  return h(
    "div",
    { class: "empty" },
    h("strong", {}, title),
    text && h("p", {}, text),
    commands.map(command),
  );
}

/** A thing to try, below what it will change. */
export function tryThis(text, ...commands) {
  return h("div", { class: "try" }, h("p", {}, text), commands.map(command));
}

export const noTopics = () =>
  empty(
    "There are no topics yet",
    "A topic is a named log. Its partitions are lanes: rows of records, in order, on the hub's disk. Create one above, or in a terminal:",
    "millrace topic create orders --partitions 3",
  );

export const noRecords = (topic) =>
  empty(
    "There are no records here yet",
    "Send one with the button above, or type some in a terminal. Records of one key always go to the same lane:",
    `printf '42:{"item":"tea"}\\n43:{"item":"cups"}\\n' | millrace produce ${topic} -K : -q`,
  );

export const noGroups = (topic = "TOPIC") =>
  empty(
    "No group is reading",
    "A group shares a topic's lanes among its members, and remembers how far it has come. It exists from its first member on:",
    `millrace consume ${topic} --group billing`,
  );

export const noMembers = (group, topic) =>
  empty(
    "The group has no members now",
    "Its place in each lane is kept. A member that comes goes on there:",
    `millrace consume ${topic} --group ${group}`,
  );

export const noGroupsEither = () =>
  empty("There are no groups yet", "A group shares the lanes of a topic among the copies of a service.");
