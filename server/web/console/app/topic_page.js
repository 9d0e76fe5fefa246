// One topic: its lanes, who is where in them, and its records.

import { h, setText } from "./dom.js";
import { knowMembers } from "./colours.js";
import { bytes, count, duration, plural, rate, seconds, time } from "./format.js";
import { allGroups, describeTopic, explain, GroupWatches, poll } from "./hub.js";
import { LaneBoard } from "./lane_board.js";
import { legend } from "./legend.js";
import { produceRecord } from "./produce.js";
import { RecordBrowser } from "./record_browser.js";
import { Rate } from "./series.js";
import { noGroups, tryThis } from "./teaching.js";
import { deleteTopic } from "./topic_dialogs.js";

const MOST_WATCHED = 6; // Groups that are drawn in the lanes.

export async function topicPage(page, name) {
  const { signal, crumbs } = page;
  crumbs([["Topics", "#/"], [name]]);
  document.title = `${name} – Millrace`;
  const first = await describeTopic(name, { signal });
  const facts = topicFacts(first.topic);
  const board = new LaneBoard(name, signal);
  const hint = h("div");
  const browser = new RecordBrowser(name, first.topic.partitionCount, signal);
  const problem = h("p", { class: "danger-text", role: "alert" });
  let records = 0;

  const show = ({ partitions }) => {
    const lanes = partitions.map(({ partition, earliestOffset, latestOffset }) => ({
      partition,
      earliest: Number(earliestOffset),
      latest: Number(latestOffset),
    }));
    board.setPartitions(lanes);
    browser.setEnds(lanes);
    records = facts.show(partitions);
    setText(problem, "");
  };
  const watches = new GroupWatches({
    signal,
    intervalMs: 250,
    onGroup: (group) => {
      knowMembers(group);
      board.setGroup(group);
    },
  });
  show(first);
  poll(async () => show(await describeTopic(name, { signal })), 700, {
    signal,
    onError: (error) => {
      setText(problem, error.reason === "TOPIC_NOT_FOUND" ? "The topic is deleted." : explain(error));
      if (error.reason === "TOPIC_NOT_FOUND") page.leave();
    },
  });
  poll(
    async () => {
      const names = (await allGroups())
        .filter(({ topics }) => topics.includes(name))
        .map(({ group }) => group)
        .slice(0, MOST_WATCHED);
      board.keepGroups(names);
      watches.show(names);
      showHint(hint, name, names);
    },
    2_000,
    { signal },
  );
  browser.start();

  return [
    h(
      "div",
      { class: "head" },
      h("div", { class: "titles" }, h("span", { class: "kind" }, "Topic"), h("h1", {}, name), facts.node),
      h(
        "div",
        { class: "actions" },
        h(
          "button",
          {
            class: "primary",
            type: "button",
            onclick: () => produceRecord(name, first.topic.partitionCount),
          },
          "Send a record",
        ),
        h(
          "button",
          { class: "danger", type: "button", onclick: () => deleteTopic(name, records, page) },
          "Delete",
        ),
      ),
    ),
    problem,
    h(
      "section",
      { class: "panel", "aria-label": "Lanes" },
      h("header", {}, h("h2", {}, "Lanes"), h("div", { class: "end" }, board.viewSwitch)),
      h(
        "p",
        { class: "lead" },
        "A ",
        h("b", {}, "partition"),
        " is a lane: a row of records, numbered by ",
        h("b", {}, "offset"),
        ". New ones come at its right end. Each ",
        h("b", {}, "group"),
        " has a place of its own in every lane, and a lane is read by one ",
        h("b", {}, "member"),
        " of the group at a time.",
      ),
      board.node,
      legend(),
      hint,
    ),
    browser.node,
  ];
}

// What to type next, as far as somebody has come.
function showHint(hint, topic, groups) {
  const state = groups.length === 0 ? "none" : groups[0];
  if (hint.dataset.state === state) return;
  hint.dataset.state = state;
  hint.replaceChildren(
    groups.length === 0
      ? noGroups(topic)
      : tryThis(
          "Add a member in a terminal, and see lanes go to it. Stop it with Ctrl-C, and see them come back:",
          `millrace consume ${topic} --group ${groups[0]}`,
        ),
  );
}

function topicFacts({ partitionCount, retention, createTime }) {
  const [records, size, perSecond] = [h("b"), h("b"), h("b")];
  const growth = new Rate();
  const maxAge = seconds(retention?.maxAge) ?? 0;
  const maxBytes = Number(retention?.maxPartitionBytes ?? 0);
  const keeps =
    [maxAge > 0 && duration(maxAge), maxBytes > 0 && `${bytes(maxBytes)} a partition`]
      .filter(Boolean)
      .join(", ") || "for ever";
  const node = h(
    "div",
    { class: "facts" },
    h("span", {}, h("b", {}, plural(partitionCount, "partition"))),
    h("span", {}, records, " records"),
    h("span", {}, size),
    h("span", {}, perSecond, " records/s"),
    h("span", {}, "kept ", h("b", {}, keeps)),
    h("span", { class: "optional" }, "created ", h("b", {}, time(createTime))),
  );
  return {
    node,
    show(partitions) {
      const total = (member) => partitions.reduce((sum, partition) => sum + Number(partition[member]), 0);
      const kept = total("latestOffset") - total("earliestOffset");
      setText(records, count(kept));
      setText(size, bytes(total("sizeBytes")));
      setText(perSecond, rate(growth.add(total("latestOffset")) ?? 0));
      return kept;
    },
  };
}
