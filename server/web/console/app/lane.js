// One partition drawn as a lane: its records as cells, their offsets, what has just come.

import { attributes, s } from "./dom.js";
import { labelStep } from "./lane_scale.js";
import { Gliding } from "./motion.js";

const LANE_HEIGHT = 36;
const BAR = 22;
const FRESH_MS = 1_000;
const LEAST_CELL = 4; // Narrower ones are not told apart.

export class Lane {
  node = s("svg", { class: "lane-bar", height: LANE_HEIGHT, "aria-hidden": "true" });
  #gone = s("rect", { class: "gone", y: 0, height: BAR });
  #bar = s("rect", { class: "bar-kept", y: 0, height: BAR, rx: 2 });
  #fresh = s("rect", { class: "fresh", y: 0, height: BAR });
  #cells = s("path", { class: "cells" });
  #next = s("rect", { class: "next", y: 0.5, height: BAR - 1, rx: 2 });
  #labels = s("g", { class: "offsets" });
  #latest = new Gliding();
  #freshFrom = 0;
  #freshMs = 0;
  #state;

  constructor() {
    this.node.append(this.#gone, this.#bar, this.#fresh, this.#cells, this.#next, this.#labels);
  }

  set(state) {
    const before = this.#state;
    this.#state = state;
    if (before && state.latest > before.latest) {
      if (this.#freshMs < FRESH_MS / 2) this.#freshFrom = before.latest;
      this.#freshMs = FRESH_MS;
    }
    this.#latest.set(state.latest, { farthest: 200 });
  }

  /** What is drawn now, on its way to the present state. */
  get shown() {
    return { earliest: this.#state.earliest, latest: this.#latest.value };
  }

  step(elapsedMs) {
    this.#freshMs -= elapsedMs;
    return this.#latest.step(elapsedMs) || this.#freshMs > 0;
  }

  draw(scale, width) {
    const { earliest, latest } = this.shown;
    const end = scale.x(latest);
    const begin = Math.max(0, scale.x(Math.max(earliest, scale.first)));
    attributes(this.#gone, {
      x: 0,
      width: earliest > 0 ? Math.max(0, Math.min(begin, scale.x(earliest))) : 0,
    });
    attributes(this.#bar, { x: begin, width: Math.max(0, end - begin) });
    const fresh = Math.max(begin, scale.x(this.#freshFrom));
    attributes(this.#fresh, {
      x: fresh,
      width: Math.max(0, end - fresh),
      opacity: Math.max(0, this.#freshMs / FRESH_MS).toFixed(2),
    });
    attributes(this.#next, { x: end + 1.5, width: Math.max(0, Math.min(scale.cell, 12) - 3) });
    this.#cells.setAttribute("d", scale.cell < LEAST_CELL ? "" : this.#cellLines(scale, latest));
    this.#drawOffsets(scale, latest, width);
  }

  #cellLines(scale, latest) {
    let path = "";
    for (let offset = scale.first; offset <= latest; ++offset)
      path += `M${scale.x(offset).toFixed(1)} 0v${BAR}`;
    return path;
  }

  #drawOffsets(scale, latest, width) {
    const step = labelStep(scale.cell, latest);
    const wanted = [];
    for (let offset = Math.ceil(scale.first / step) * step; offset < latest - step / 3; offset += step) {
      const x = scale.x(offset) + Math.min(scale.cell, 12) / 2;
      if (x > 10 && x < width - 20) wanted.push([x, offset]);
    }
    while (this.#labels.childElementCount > wanted.length) this.#labels.lastChild.remove();
    while (this.#labels.childElementCount < wanted.length)
      this.#labels.append(s("text", { y: LANE_HEIGHT - 3, "text-anchor": "middle" }));
    wanted.forEach(([x, offset], index) => {
      const label = this.#labels.children[index];
      attributes(label, { x: x.toFixed(1) });
      if (label.textContent !== String(offset)) label.textContent = offset;
    });
  }
}
