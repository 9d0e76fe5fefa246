// A chat. A message is a record whose key is its room: those of a room keep their order, and are its history.

import { element, hub, send, showProblem, timeOf } from "/page/page.js";
import { before, partitionsOf, recordsBetween } from "/page/history.js";

const TOPIC = "chat";
const HISTORY = 100; // Records of each partition to begin with, and to go back by.

const log = document.getElementById("log");
const enter = document.getElementById("enter");
const say = document.getElementById("say");
const older = document.getElementById("older");

const rooms = new Map(); // By name: {messages, unread, place}
let shown; // The room that is read.
let places = []; // By partition: {earliest, latest, from}, where `from` is how far back was read.

// ---- Rooms

function roomOf(name) {
  if (!rooms.has(name)) rooms.set(name, { messages: element("ol"), unread: 0 });
  return rooms.get(name);
}

function enterRoomOfAddress() {
  const name = new URLSearchParams(location.hash.slice(1)).get("room") || "Lobby";
  shown = roomOf(name);
  shown.unread = 0;
  document.getElementById("room").textContent = name;
  log.querySelector("ol")?.remove();
  log.append(shown.messages);
  log.scrollTop = log.scrollHeight;
  showRooms();
}

function showRooms() {
  const links = [...rooms].map(([name, room]) => {
    const link = element("a", { href: `#${new URLSearchParams({ room: name })}` }, name);
    if (room === shown) link.ariaCurrent = "page";
    if (room.unread > 0) link.append(" ", element("span", { className: "unread" }, `${room.unread} new`));
    return element("li", {}, link);
  });
  document.getElementById("rooms").replaceChildren(...links);
  older.hidden = !hasOlder(shown);
  document.getElementById("beginning").hidden = places.length === 0 || hasOlder(shown);
}

enter.addEventListener("submit", (event) => {
  event.preventDefault();
  location.hash = new URLSearchParams({ room: enter.room.value });
  enter.reset();
});
addEventListener("hashchange", enterRoomOfAddress);
enterRoomOfAddress();

// ---- Messages

// Anybody can write anything to a topic.
function isMessage({ key, json }) {
  return Boolean(key) && typeof json?.who === "string" && typeof json?.text === "string";
}

function rowOf(record) {
  const { who, text } = record.json;
  return element(
    "li",
    { className: who === say.who.value ? "mine" : "" },
    element("p", { className: "by muted" }, element("b", {}, who), ` ${timeOf(record)}`),
    element("p", {}, text),
  );
}

function roomOfMessage({ key, partition }) {
  const room = roomOf(key);
  room.place = places[partition];
  return room;
}

function takeNew(record) {
  const room = roomOfMessage(record);
  room.messages.append(rowOf(record));
  if (room !== shown && record.offset >= room.place.latest) room.unread += 1;
}

say.who.value = localStorage.getItem("who") ?? "";
say.addEventListener("submit", (event) => {
  event.preventDefault();
  const [who, text] = [say.who.value, say.text.value];
  localStorage.setItem("who", who);
  say.text.value = "";
  send(TOPIC, { key: document.getElementById("room").textContent, json: { who, text } });
});

// ---- Scrolling back

// Where older messages of a room may be: in its partition, which is not known of a room without messages.
function olderPlaces({ place }) {
  return (place ? [place] : places).filter(({ from, earliest }) => from > earliest);
}

function hasOlder(room) {
  return olderPlaces(room).length > 0;
}

async function goBack(place) {
  const { partition, from: until, earliest } = place;
  const from = before(until, HISTORY, earliest);
  const records = await recordsBetween(hub, { topic: TOPIC, partition, from, until });
  for (const record of records.filter(isMessage).reverse())
    roomOfMessage(record).messages.prepend(rowOf(record));
  place.from = from;
}

// Goes back until there is a message of this room, or no more.
async function showOlder() {
  const [room, height] = [shown, log.scrollHeight];
  const count = room.messages.children.length;
  while (room.messages.children.length === count && hasOlder(room))
    for (const place of olderPlaces(room)) await goBack(place);
  log.scrollTop += log.scrollHeight - height; // What was being read stays where it is.
  showRooms();
}

older.addEventListener("click", async () => {
  older.disabled = true;
  await showOlder().finally(() => (older.disabled = false));
});

// ---- Live

places = await partitionsOf(hub, TOPIC);
for (const place of places) place.from = before(place.latest, HISTORY, place.earliest);
hub.subscribe(
  {
    topics: [TOPIC],
    positions: places.map(({ partition, from }) => ({ topic: TOPIC, partition, offset: from })),
    onOutOfRange: "OUT_OF_RANGE_POLICY_EARLIEST",
  },
  {
    onRecords(records) {
      const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
      records.filter(isMessage).forEach(takeNew);
      if (atEnd) log.scrollTop = log.scrollHeight;
      showRooms();
    },
    onError: showProblem,
  },
);
showRooms();
