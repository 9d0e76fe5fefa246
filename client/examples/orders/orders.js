// Places orders, and shows the way of each: what payment and shipping have made of it.

import { element, hub, send, showProblem, timeOf } from "/page/page.js";

const PRICES = { "Green tea": 8.5, "Tea cups": 24, "Iron kettle": 79, "Tea table": 249 };
const MOST_SHOWN = 50; // The newest.

const place = document.getElementById("place");
const list = document.getElementById("orders");

// ---- Placing

function placeOrder(item, quantity) {
  const id = crypto.getRandomValues(new Uint32Array(2)).join("-");
  return send("orders", { key: id, json: { item, quantity, total: PRICES[item] * quantity } });
}

function oneOf(things) {
  return things[Math.floor(Math.random() * things.length)];
}

place.item.append(
  ...Object.entries(PRICES).map(([item, price]) => new Option(`${item}, ${price.toFixed(2)}`, item)),
);
place.addEventListener("submit", (event) => {
  event.preventDefault();
  placeOrder(place.item.value, place.quantity.valueAsNumber);
});
document.getElementById("generate").addEventListener("click", () => {
  for (let i = 0; i < 50; ++i) placeOrder(oneOf(Object.keys(PRICES)), oneOf([1, 2, 3]));
});

// ---- The way of each order

const orders = new Map(); // By id: what each topic says of the order, as {orders, payments, shipments}.
const counts = { orders: 0, paid: 0, declined: 0, shipments: 0, twice: 0 };

// What comes of an order may be here before the order itself: these are three topics.
function take(record) {
  const order = orders.get(record.key) ?? begin(record.key);
  if (order[record.topic]) counts.twice += 1;
  else counts[record.topic === "payments" ? record.json?.outcome : record.topic] += 1;
  order[record.topic] = record;
  if (record.topic === "orders") insert(order.row, Date.parse(record.appendTime));
  order.row.replaceChildren(...describe(record.key, order));
}

function begin(id) {
  const order = { row: element("li") };
  orders.set(id, order);
  return order;
}

// The newest first, whichever partition they come from.
function insert(row, placed) {
  row.dataset.placed = placed;
  let next = list.firstChild;
  while (Number(next?.dataset.placed) > placed) next = next.nextSibling;
  list.insertBefore(row, next);
  if (list.children.length > MOST_SHOWN) list.lastChild.remove();
}

function describe(id, { orders: placed, payments: payment, shipments: shipment }) {
  const { item, quantity, total } = placed?.json ?? {};
  const outcome = payment?.json?.outcome;
  return [
    element("span", { className: "what" }, quantity ? `${quantity} × ${item}` : "Not an order"),
    element("span", { className: "total" }, Number.isFinite(total) ? total.toFixed(2) : ""),
    element("span", { className: "id muted" }, id ?? ""),
    element(
      "span",
      { className: "steps" },
      step("placed", placed),
      step(outcome ?? "payment", payment),
      outcome === "declined" ? "" : step(shipment ? "shipped" : "shipping", shipment),
    ),
  ];
}

function step(name, record) {
  return element(
    "span",
    { className: `step ${record ? name : "awaited"}` },
    record ? `${name} ${timeOf(record)}` : name,
  );
}

function showCounts() {
  for (const figure of document.querySelectorAll("#figures dd"))
    figure.textContent = counts[figure.dataset.of];
  document.getElementById("none").hidden = orders.size > 0;
}

hub.subscribe(
  { topics: ["orders", "payments", "shipments"], start: { earliest: true } },
  {
    onRecords(records) {
      records.forEach(take);
      showCounts();
    },
    onError: showProblem,
  },
);

// ---- The services, as their groups show them

function watch(group) {
  const state = document.querySelector(`#${group} .state`);
  hub.watchGroup(group, {
    intervalMs: 200,
    onGroup({ summary: { memberCount, lagRecords } }) {
      const processes = memberCount === 1 ? "1 process works" : `${memberCount || "no"} processes work`;
      state.textContent = `${processes}; ${lagRecords} waiting`;
      state.classList.toggle("down", memberCount === 0);
    },
    onError(error) {
      if (error.reason !== "GROUP_NOT_FOUND") return showProblem(error);
      setTimeout(() => watch(group), 1_000); // It begins with its first member.
    },
  });
}

watch("payment");
watch("shipping");
