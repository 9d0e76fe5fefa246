// What has just changed in a group, in words: who came and went, which lane went from whom to whom.

import { h } from "./dom.js";
import { memberName, time } from "./format.js";

const MOST = 40;

/** The differences of two states of a group, as sentences. */
export function differences(before, after) {
  const sentences = [];
  const names = new Map(
    [...before.members, ...after.members].map((member) => [member.memberId, memberName(member)]),
  );
  const present = (group, id) =>
    group.members.some(({ memberId, connectTime }) => memberId === id && connectTime);
  for (const [id, name] of names) {
    if (!present(before, id) && present(after, id)) sentences.push(`${name} has joined.`);
    if (present(before, id) && !present(after, id)) sentences.push(`${name} is gone.`);
  }
  const moves = new Map(); // By "from, to": the lanes.
  for (const lane of after.partitions) {
    const old = before.partitions.find(
      ({ topic, partition }) => topic === lane.topic && partition === lane.partition,
    );
    const from = old?.memberId ?? "";
    if (from === lane.memberId) continue;
    const key = JSON.stringify([from, lane.memberId]);
    moves.set(key, [...(moves.get(key) ?? []), lane.partition]);
  }
  for (const [key, lanes] of moves) {
    const [from, to] = JSON.parse(key).map((id) => names.get(id) ?? id);
    const what = `${lanes.length === 1 ? "Lane" : "Lanes"} ${lanes.join(", ")}`;
    if (from && to) sentences.push(`${what}: from ${from} to ${to}.`);
    else if (to) sentences.push(`${what}: to ${to}.`);
    else sentences.push(`${what}: given up by ${from}.`);
  }
  return sentences;
}

export class Happenings {
  #list = h("ol", {
    class: "happened",
    tabindex: 0,
    "aria-label": "What has happened, newest first",
    "aria-live": "polite",
  });
  #nothing = h("p", { class: "muted" }, "Nothing has changed since you opened this page.");
  #last;
  node = h("div", {}, this.#nothing, this.#list);

  show(group) {
    for (const sentence of this.#last ? differences(this.#last, group) : []) this.#tell(sentence);
    this.#last = group;
  }

  #tell(sentence) {
    this.#nothing.hidden = true;
    this.#list.prepend(h("li", {}, h("time", {}, time(new Date())), h("span", {}, sentence)));
    while (this.#list.childElementCount > MOST) this.#list.lastChild.remove();
  }
}
