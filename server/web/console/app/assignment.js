// Who owns which lane of a group: lanes on the left, members on the right, a line from each lane to its
// owner, which glides over when the lane changes hands.

import { Children, h, s, setText } from "./dom.js";
import { colourOf } from "./colours.js";
import { ago, count, memberName, plural, short } from "./format.js";
import { flash } from "./lane_board.js";
import { windowScale } from "./lane_scale.js";
import { Animation, Gliding } from "./motion.js";
import { partitionOf, Track } from "./track.js";

const FEW = 60;
const COLOUR_CLASSES = ["m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7"];

function setColour(node, colour) {
  node.classList.remove(...COLOUR_CLASSES.filter((name) => name !== colour));
  if (colour) node.classList.add(colour);
}

export class Assignment {
  #lanes = h("div", { class: "assignment-lanes" });
  #connectors = s("svg", { class: "connectors", "aria-hidden": "true" });
  #members = h("div", { class: "members" });
  #laneChildren = new Children(this.#lanes, (lane) => new LaneRow(lane));
  #memberChildren = new Children(this.#members, (member) => memberBox(member));
  #lines = new Map(); // By lane: {path, from, to, owner}.
  #animation;
  #window = new Gliding(); // How many records the tracks show, up to the end of each lane.
  #state = [];
  node = h("div", { class: "assignment" }, this.#lanes, this.#connectors, this.#members);

  constructor(signal) {
    this.#animation = new Animation((elapsedMs) => this.#draw(elapsedMs), signal);
    const observer = new ResizeObserver(() => this.#animation.run());
    observer.observe(this.node);
    signal.addEventListener("abort", () => observer.disconnect(), { once: true });
  }

  show(group) {
    const name = group.summary.group;
    const severalTopics = new Set(group.partitions.map(({ topic }) => topic)).size > 1;
    this.#state = group.partitions.map((partition) => {
      const member = group.members.find(({ memberId }) => memberId === partition.memberId);
      return {
        ...partitionOf(partition),
        key: `${partition.topic}/${partition.partition}`,
        severalTopics,
        owner: member ? memberName(member) : "",
        colour: colourOf(name, partition.memberId),
      };
    });
    this.#laneChildren.show(this.#state, ({ key }) => key);
    this.#memberChildren.show(
      group.members.map((member) => ({ ...member, colour: colourOf(name, member.memberId) })),
      ({ memberId }) => memberId,
    );
    this.#connect();
    this.#animation.run();
  }

  #connect() {
    for (const lane of this.#state) {
      const line = this.#lines.get(lane.key) ?? this.#addLine(lane.key);
      setColour(line.path, lane.colour);
      if (line.owner !== undefined && line.owner !== lane.memberId) flash(line.path);
      line.owner = lane.memberId;
    }
    const keys = new Set(this.#state.map(({ key }) => key));
    for (const [key, { path }] of this.#lines) {
      if (keys.has(key)) continue;
      path.remove();
      this.#lines.delete(key);
    }
  }

  #addLine(key) {
    const line = { path: s("path"), from: new Gliding(), to: new Gliding() };
    this.#connectors.append(line.path);
    this.#lines.set(key, line);
    return line;
  }

  #draw(elapsedMs) {
    let moving = false;
    const rows = [...this.#lanes.children];
    const trackWidth = rows[0]?.row.trackWidth ?? 0;
    this.#window.set(windowOf(this.#state));
    moving = this.#window.step(elapsedMs);
    for (const { row } of rows) moving = row.draw(elapsedMs, trackWidth, this.#window.value) || moving;
    const box = this.#connectors.getBoundingClientRect();
    if (box.width === 0) return moving;
    const boxes = new Map([...this.#members.children].map((node) => [node.memberId, node]));
    rows.forEach(({ row }, index) => {
      const line = this.#lines.get(this.#state[index].key);
      moving = this.#drawLine(line, row.node, boxes.get(line.owner), box, elapsedMs) || moving;
    });
    return moving;
  }

  #drawLine({ path, from, to }, row, member, box, elapsedMs) {
    if (!member) {
      path.setAttribute("d", "");
      to.value = undefined;
      return false;
    }
    from.set(middleOf(row) - box.top);
    to.set(middleOf(member) - box.top);
    const moving = from.step(elapsedMs) | to.step(elapsedMs);
    const bend = box.width * 0.5;
    const [begin, end] = [from.value.toFixed(1), to.value.toFixed(1)];
    path.setAttribute("d", `M2 ${begin}C${bend} ${begin} ${bend} ${end} ${box.width - 2} ${end}`);
    return Boolean(moving);
  }
}

// So many records are in sight that what waits is, in every lane; at least the newest few.
function windowOf(lanes) {
  const longest = Math.max(...lanes.map(({ earliest, latest }) => latest - earliest));
  const waiting = Math.max(...lanes.map(({ committed, latest }) => latest - committed));
  return Math.max(1, Math.min(longest, FEW), 1.25 * waiting);
}

function middleOf(node) {
  const { top, height } = node.getBoundingClientRect();
  return top + height / 2;
}

class LaneRow {
  #track = new Track();
  #name = h("span", { class: "name" });
  #lag = h("span", { class: "lag" });
  #owner = h("span", { class: "owner chip" });
  #state;
  node = h(
    "div",
    { class: "assignment-lane" },
    this.#name,
    this.#track.node,
    h("span", { class: "lag" }, this.#owner, " ", this.#lag),
  );

  constructor({ topic, partition, severalTopics }) {
    this.node.row = this;
    this.#name.append(severalTopics ? `${topic} ` : "partition ", h("b", {}, partition));
  }

  update(state) {
    if (this.#state && this.#state.memberId !== state.memberId) flash(this.node);
    this.#state = state;
    this.#track.set(state);
    setColour(this.node, state.colour);
    setText(this.#owner, state.owner || "nobody");
    setText(this.#lag, state.lag === 0 ? "up to date" : `${short(state.lag)} behind`);
    this.node.title = `${state.topic}, partition ${state.partition}: committed ${count(state.committed)} of ${count(state.latest)}`;
  }

  get trackWidth() {
    return this.#track.node.clientWidth;
  }

  draw(elapsedMs, width, records) {
    const scale = windowScale(records, (width - 12) / records, this.#state);
    const moving = this.#track.step(elapsedMs);
    this.#track.draw(scale, this.#state);
    return moving;
  }
}

function memberBox({ memberId }) {
  const name = h("b");
  const lanes = h("span");
  const more = h("span", { class: "more" });
  const node = h("div", { class: "member" }, name, lanes, more);
  node.memberId = memberId;
  return {
    node,
    update(member) {
      setText(name, memberName(member));
      const numbers = member.partitions.map(({ partition }) => partition).sort((a, b) => a - b);
      setText(
        lanes,
        numbers.length === 0
          ? "no lane: more members than lanes"
          : `${numbers.length === 1 ? "lane" : "lanes"} ${numbers.join(", ")}`,
      );
      setText(
        more,
        member.connectTime
          ? `${member.peer.replace(/^ipv[46]:/, "")}, for ${ago(member.connectTime)}`
          : "gone, and may still come back",
      );
      node.classList.toggle("away", !member.connectTime);
      node.title = `Member ${member.memberId}, ${plural(numbers.length, "lane")}`;
      setColour(node, member.colour);
    },
  };
}
