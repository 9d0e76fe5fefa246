// All lanes of a topic, and under each one how far every group is in it.

import { Children, h, segments, setText } from "./dom.js";
import { colourOf } from "./colours.js";
import { count, memberName, short } from "./format.js";
import { Lane } from "./lane.js";
import { boundsOf, newestScale, wholeScale } from "./lane_scale.js";
import { Animation } from "./motion.js";
import { partitionOf, Track } from "./track.js";

const SHOWN_AT_FIRST = 16;

export class LaneBoard {
  #rows = h("div", { class: "lanes" });
  #more = h("button", { class: "link", type: "button", onclick: () => this.#showAll() });
  #children = new Children(this.#rows, (item) => laneRow(item));
  #view = "newest";
  #partitions = [];
  #groups = new Map(); // By name: the group's JSON.
  #all = false;
  #width = 0;
  #animation;
  node;
  viewSwitch = segments(
    "What the lanes show",
    [
      ["newest", "Newest records"],
      ["whole", "Whole log"],
    ],
    this.#view,
    (view) => {
      this.#view = view;
      this.#animation.run();
    },
  );

  constructor(topic, signal) {
    this.topic = topic;
    this.#animation = new Animation((elapsedMs) => this.#draw(elapsedMs), signal);
    this.node = h("div", {}, this.#rows, this.#more);
    const observer = new ResizeObserver(() => this.#measure());
    observer.observe(this.#rows);
    signal.addEventListener("abort", () => observer.disconnect(), { once: true });
  }

  /** [{partition, earliest, latest}] */
  setPartitions(partitions) {
    const known = new Map(this.#partitions.map((partition) => [partition.partition, partition]));
    // Groups tell the end more often than the topic is asked for, and what is newer stays; but an end that the
    // topic itself takes back is gone: the topic was made anew.
    this.#partitions = partitions.map((next) => {
      const before = known.get(next.partition);
      const latest =
        before && next.latest >= before.asked ? Math.max(next.latest, before.latest) : next.latest;
      return { ...next, latest, asked: next.latest };
    });
    this.#show();
  }

  setGroup(group) {
    this.#groups.set(group.summary.group, group);
    for (const { topic, partition, latestOffset } of group.partitions) {
      const known = this.#partitions[partition];
      if (topic === this.topic && known) known.latest = Math.max(known.latest, Number(latestOffset));
    }
    this.#show();
  }

  keepGroups(names) {
    for (const name of this.#groups.keys()) if (!names.includes(name)) this.#groups.delete(name);
  }

  #showAll() {
    this.#all = true;
    this.#show();
  }

  #show() {
    const shown = this.#all ? this.#partitions : this.#partitions.slice(0, SHOWN_AT_FIRST);
    const groups = [...this.#groups.values()].sort((a, b) => a.summary.group.localeCompare(b.summary.group));
    const items = shown.map((partition) => ({
      ...partition,
      positions: groups.flatMap((group) => this.#positionIn(group, partition)),
    }));
    this.#children.show(items, ({ partition }) => partition);
    this.#more.hidden = shown.length === this.#partitions.length;
    setText(this.#more, `Show all ${this.#partitions.length} partitions`);
    if (this.#width === 0) this.#measure();
    this.#animation.run();
  }

  #positionIn(group, { partition }) {
    const found = group.partitions.find(
      (candidate) => candidate.topic === this.topic && candidate.partition === partition,
    );
    if (!found) return [];
    const member = group.members.find(({ memberId }) => memberId === found.memberId);
    return [
      {
        ...partitionOf(found),
        group: group.summary.group,
        owner: member ? memberName(member) : "",
        colour: colourOf(group.summary.group, found.memberId),
      },
    ];
  }

  #measure() {
    this.#width = this.#rows.querySelector("svg")?.clientWidth ?? 0;
    this.#animation.run();
  }

  #draw(elapsedMs) {
    if (this.#width === 0) return false;
    const bounds = boundsOf(this.#partitions);
    let moving = false;
    for (const node of this.#rows.children)
      moving = node.draw(elapsedMs, (state) => this.#scaleOf(state, bounds), this.#width) || moving;
    return moving;
  }

  #scaleOf(state, bounds) {
    return this.#view === "newest" ? newestScale(this.#width, state) : wholeScale(this.#width, state, bounds);
  }
}

function laneRow({ partition }) {
  const lane = new Lane();
  const range = h("span", { class: "lane-end" });
  const tracks = h("div", { class: "lane-tracks" });
  const trackRows = new Children(tracks, (position) => trackRow(position));
  const node = h(
    "div",
    { class: "lane" },
    h("div", { class: "lane-top" }, h("span", { class: "lane-name" }, partition), lane.node, range),
    tracks,
  );
  node.draw = (elapsedMs, scaleOf, width) => {
    let moving = lane.step(elapsedMs);
    const scale = scaleOf(lane.shown);
    lane.draw(scale, width);
    for (const row of tracks.children) moving = row.draw(elapsedMs, scale, lane.shown) || moving;
    return moving;
  };
  return {
    node,
    update(state) {
      lane.set(state);
      range.title = `Records ${state.earliest} to ${state.latest - 1}: ${count(state.latest - state.earliest)}`;
      setText(range, state.latest === state.earliest ? "no records" : `next is ${count(state.latest)}`);
      trackRows.show(state.positions, ({ group }) => group);
    },
  };
}

function trackRow({ group }) {
  const track = new Track();
  const owner = h("span", { class: "chip" });
  const lag = h("span", { class: "muted" });
  const node = h(
    "div",
    { class: "lane-track" },
    h("a", { class: "lane-group", href: `#/groups/${encodeURIComponent(group)}` }, group),
    track.node,
    h("span", { class: "lane-owner" }, owner, lag),
  );
  let last;
  node.draw = (elapsedMs, scale, state) => {
    const moving = track.step(elapsedMs);
    track.draw(scale, state);
    return moving;
  };
  return {
    node,
    update(position) {
      track.set(position);
      setText(owner, position.owner || "nobody");
      setText(lag, position.lag === 0 ? "" : `${short(position.lag)} behind`);
      node.classList.remove(
        ...["m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7"].filter((name) => name !== position.colour),
      );
      if (position.colour) node.classList.add(position.colour);
      if (last !== undefined && last !== position.memberId) flash(node);
      last = position.memberId;
    },
  };
}

/** Draws the eye to a row of which the owner has changed. */
export function flash(node) {
  node.classList.remove("changed");
  void node.offsetWidth; // Begins the animation anew.
  node.classList.add("changed");
}
