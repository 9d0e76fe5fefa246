// How far one group is in one lane: done up to the committed offset, on its way to the member up to the
// delivered one, and what waits behind.

import { attributes, s } from "./dom.js";
import { Gliding } from "./motion.js";

const HEIGHT = 18;
const MIDDLE = 7;

export class Track {
  node = s("svg", { class: "track", height: HEIGHT, "aria-hidden": "true" });
  #behind = s("line", { class: "behind", y1: MIDDLE, y2: MIDDLE });
  #done = s("line", { class: "done", y1: MIDDLE, y2: MIDDLE });
  #delivered = s("line", { class: "delivered", y1: MIDDLE, y2: MIDDLE });
  #marker = s("path", { class: "marker" });
  #committed = new Gliding();
  #sent = new Gliding();

  constructor() {
    this.node.append(this.#behind, this.#done, this.#delivered, this.#marker);
  }

  /** A partition of a group, as from partitionOf(). */
  set({ committed, delivered, latest }) {
    const farthest = 500;
    this.#committed.set(committed, { farthest });
    this.#sent.set(Math.min(Math.max(delivered ?? committed, committed), latest), { farthest });
  }

  step(elapsedMs) {
    const moved = this.#committed.step(elapsedMs);
    return this.#sent.step(elapsedMs) || moved;
  }

  draw(scale, { earliest, latest }) {
    const held = (offset) => Math.max(0, scale.x(Math.max(earliest, Math.min(offset, latest))));
    const committed = held(this.#committed.value);
    const sent = held(Math.max(this.#sent.value, this.#committed.value));
    attributes(this.#done, { x1: Math.max(0, scale.x(Math.max(earliest, scale.first))), x2: committed });
    attributes(this.#delivered, { x1: committed, x2: sent });
    attributes(this.#behind, { x1: sent, x2: Math.max(sent, scale.x(latest)) });
    const outside = scale.x(this.#committed.value) < 0; // To the left of what is shown.
    const shape = outside ? `M1 ${MIDDLE}l7 -5v10z` : `M${committed.toFixed(1)} 1l5 9h-10z`;
    this.#marker.setAttribute("d", shape);
  }
}

/** A GroupPartition of the contract's JSON as numbers to draw. */
export function partitionOf(partition) {
  const earliest = Number(partition.earliestOffset);
  return {
    topic: partition.topic,
    partition: partition.partition,
    memberId: partition.memberId,
    earliest,
    latest: Number(partition.latestOffset),
    committed: partition.committedNextOffset === undefined ? earliest : Number(partition.committedNextOffset),
    delivered:
      partition.deliveredNextOffset === undefined ? undefined : Number(partition.deliveredNextOffset),
    lag: Number(partition.lagRecords),
    lagSeconds: partition.lagTime === undefined ? 0 : Number.parseFloat(partition.lagTime),
  };
}
