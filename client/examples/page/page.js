// What every page of the examples has: a connection to the hub and the badge that shows its state, a way to send,
// a place for what went wrong, and a way to make elements.

import { connect } from "/js/millrace.js";
import { hubUrl } from "/hub.js"; // Written by launcher/page_server.py.
import { exactSender } from "./sender.js";

export const hub = connect(hubUrl);

// An attempt is no news, so that nobody has it read aloud again and again.
const NEWS = { open: "live", waiting: "no connection; trying again", closed: "closed" };

hub.addEventListener("statechange", () => {
  const badge = document.getElementById("connection");
  badge.dataset.state = hub.state;
  badge.textContent = NEWS[hub.state] ?? badge.textContent;
});

/** send(topic, record) stores a record once; the page's element "waiting" says how many are not stored yet. */
export const send = exactSender(hub, (count) => {
  document.getElementById("waiting").textContent = count > 0 ? `Not stored yet: ${count}` : "";
});

/** Shows what went wrong, until something else does. */
export function showProblem(error) {
  document.getElementById("problem").textContent = error.reason
    ? `${error.message} (${error.reason})`
    : error.message;
}

addEventListener("unhandledrejection", ({ reason }) => showProblem(reason));

/** An element. Children that are strings become text, never markup: what others sent cannot do harm. */
export function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

/** The time of day at which the hub stored a record. */
export function timeOf({ appendTime }) {
  return new Date(appendTime).toLocaleTimeString();
}
