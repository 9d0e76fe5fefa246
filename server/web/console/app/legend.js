// What the marks of lanes and tracks mean.

import { h, s } from "./dom.js";

export function legend({ lanes = true } = {}) {
  const sign = (...shapes) =>
    s("svg", { class: "track", viewBox: "0 0 34 12", "aria-hidden": "true" }, shapes);
  const line = (name) => s("line", { class: name, x1: 0, x2: 34, y1: 6, y2: 6 });
  return h(
    "div",
    { class: "legend" },
    lanes &&
      h(
        "span",
        {},
        sign(s("rect", { class: "next", x: 11, y: 0.5, width: 11, height: 11, rx: 2 })),
        "the next record's place",
      ),
    h("span", {}, sign(line("done")), "done"),
    h(
      "span",
      {},
      sign(s("path", { class: "marker", d: "M17 1l5 9h-10z" })),
      "committed: a new owner goes on here",
    ),
    h("span", {}, sign(line("delivered")), "sent to the member, not committed"),
    h("span", {}, sign(line("behind")), "waiting"),
  );
}
