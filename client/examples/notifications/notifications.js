// One device of a user. What happens to a user is one topic of one partition: notifications, and which were read.
// So every device has the same, in the same order, and one offset says how far it has come.

import { element, hub, send, showProblem } from "/page/page.js";
import { hubUrl } from "/hub.js";
import { Inbox } from "./inbox.js";

const LOG_IS_ANOTHER = ["LOG_EPOCH_CHANGED", "OFFSET_OUT_OF_RANGE"];

const { user, device } = Object.fromEntries(new URLSearchParams(location.search));
const topicOf = (name) => `user.${name}`;

// ---- The device

function follow(inbox) {
  const subscription = hub.subscribe(
    { topics: [topicOf(user)], positions: inbox.positions, start: { earliest: true } },
    {
      onRecords(records) {
        announce(inbox.take(records, subscription.positions()));
        show(inbox);
      },
      onError(error) {
        if (!LOG_IS_ANOTHER.includes(error.reason)) return showProblem(error);
        document.getElementById("news").textContent =
          "The hub's log is not the one read before: beginning anew.";
        inbox.forget();
        follow(inbox);
      },
    },
  );
}

function announce(titles) {
  const news = titles.length === 1 ? `New: ${titles[0]}` : `${titles.length} new notifications`;
  if (titles.length > 0) document.getElementById("news").textContent = news;
}

function show({ items, taken }) {
  const unread = items.filter(({ read }) => !read);
  document.title = unread.length > 0 ? `(${unread.length}) Notifications` : "Notifications";
  document.getElementById("taken").textContent = taken;
  document.getElementById("unread").textContent = unread.length;
  document.getElementById("read-all").disabled = unread.length === 0;
  document.getElementById("notifications").replaceChildren(...items.map(rowOf));
}

function rowOf(item) {
  const state = item.read
    ? element("span", { className: "state muted" }, "read")
    : element(
        "button",
        { className: "state", type: "button", onclick: () => markRead(item) },
        "Mark as read",
      );
  return element(
    "li",
    { className: item.read ? "read" : "unread" },
    element("span", { className: "what" }, item.title),
    element(
      "time",
      { className: "muted", dateTime: item.time },
      new Date(item.time).toLocaleString([], { dateStyle: "medium", timeStyle: "short" }),
    ),
    state,
  );
}

// To mark it here is to tell all devices, this one among them.
function markRead({ id }) {
  return send(topicOf(user), { key: user, json: { kind: "read", id } });
}

// A device that is open twice would take everything twice: the second window waits until the first is closed.
function alone(name) {
  return new Promise((resolve) => {
    if (!navigator.locks) return resolve(); // Only pages of https and of localhost have locks.
    navigator.locks.request(name, () => {
      resolve();
      return new Promise(() => {}); // Until the window is closed.
    });
  });
}

async function openDevice() {
  document.getElementById("device").textContent = `${user} on ${device}`;
  document.getElementById("inbox").hidden = false;
  await alone(`${user} on ${device}`);
  document.getElementById("elsewhere").hidden = true;
  const inbox = new Inbox(user, device);
  document.getElementById("read-all").onclick = () =>
    inbox.items.filter(({ read }) => !read).forEach(markRead);
  show(inbox);
  follow(inbox);
}

if (user && device) openDevice();
else document.getElementById("choose").hidden = false;

// ---- Sending

const notify = document.getElementById("notify");

function showCommand() {
  document.getElementById("command").textContent =
    `curl ${hubUrl}v1/topics/${topicOf(notify.user.value)}/records -H 'content-type: application/json' \\\n` +
    `     -d '{"records":[{"json":{"kind":"notification","title":"Your parcel is here"}}]}'`;
}

notify.addEventListener("submit", (event) => {
  event.preventDefault();
  const to = notify.user.value;
  send(topicOf(to), { key: to, json: { kind: "notification", title: notify.title.value } });
});
notify.user.addEventListener("change", showCommand);
showCommand();
