// One group: who owns which lane, how far each has come, and how that changes.

import { figure, h, setText } from "./dom.js";
import { Assignment } from "./assignment.js";
import { knowMembers } from "./colours.js";
import { count, duration, short } from "./format.js";
import { deleteGroup, resetGroup } from "./group_dialogs.js";
import { Happenings } from "./happenings.js";
import { explain, hub, poll } from "./hub.js";
import { LagTable } from "./lag_table.js";
import { legend } from "./legend.js";
import { plot } from "./plot.js";
import { Series } from "./series.js";
import { noMembers, tryThis } from "./teaching.js";

const WINDOW_SECONDS = 300;
const SAMPLE_MS = 1_000;

export async function groupPage({ signal, crumbs }, name) {
  crumbs([["Groups", "#/"], [name]]);
  document.title = `${name} – Millrace`;
  let { group } = await hub.call("GroupService/GetGroup", { group: name }, { signal });
  const assignment = new Assignment(signal);
  const happenings = new Happenings();
  const table = new LagTable();
  const figures = groupFigures();
  const lags = groupPlots();
  const hint = h("div");
  const problem = h("p", { class: "danger-text", role: "alert" });

  const show = (next) => {
    group = next;
    knowMembers(group);
    assignment.show(group);
    happenings.show(group);
    table.show(group);
    figures.show(group);
    showHint(hint, group);
  };
  show(group);
  const watch = hub.watchGroup(name, {
    intervalMs: 250,
    signal,
    onGroup: show,
    onError: (error) => setText(problem, explain(error)),
  });
  signal.addEventListener("abort", () => watch.close(), { once: true });
  poll(() => lags.show(group), SAMPLE_MS, { signal });

  return [
    h(
      "div",
      { class: "head" },
      h(
        "div",
        { class: "titles" },
        h("span", { class: "kind" }, "Group"),
        h("h1", {}, name),
        h(
          "div",
          { class: "facts" },
          h(
            "span",
            {},
            "reads ",
            group.summary.topics.flatMap((topic, index) => [
              index > 0 ? ", " : "",
              h("a", { href: `#/topics/${encodeURIComponent(topic)}` }, topic),
            ]),
          ),
        ),
      ),
      h(
        "div",
        { class: "actions" },
        h("button", { type: "button", onclick: () => resetGroup(group) }, "Reset…"),
        h("button", { class: "danger", type: "button", onclick: () => deleteGroup(group) }, "Delete"),
      ),
    ),
    problem,
    figures.node,
    h(
      "section",
      { class: "panel", "aria-label": "Who reads what" },
      h("header", {}, h("h2", {}, "Who reads what")),
      h(
        "p",
        { class: "lead" },
        "Every lane has ",
        h("b", {}, "one owner"),
        " in the group. When a member comes or goes, only the lanes that move stop for a moment; they go on where they were ",
        h("b", {}, "committed"),
        ".",
      ),
      assignment.node,
      legend({ lanes: false }),
      hint,
    ),
    h(
      "section",
      { class: "panel", "aria-label": "What has happened" },
      h("header", {}, h("h2", {}, "What has happened")),
      happenings.node,
    ),
    h(
      "section",
      { class: "panel", "aria-label": "Lag" },
      h("header", {}, h("h2", {}, "Lag")),
      lags.node,
      table.node,
    ),
  ];
}

function showHint(hint, { summary: { group, topics }, members }) {
  const state = members.length === 0 ? "none" : "some";
  if (hint.dataset.state === state) return;
  hint.dataset.state = state;
  const topic = topics[0] ?? "TOPIC";
  hint.replaceChildren(
    state === "none"
      ? noMembers(group, topic)
      : tryThis(
          "Add a member in a terminal, and see lanes go to it. Stop it with Ctrl-C, and see them go to the others:",
          `millrace consume ${topic} --group ${group}`,
        ),
  );
}

function groupFigures() {
  const members = figure("Members");
  const lanes = figure("Lanes");
  const behind = figure("Behind", { unit: "records" });
  const oldest = figure("Oldest that waits");
  return {
    node: h(
      "section",
      { class: "figures", "aria-label": "The group at a glance" },
      [members, lanes, behind, oldest].map(({ node }) => node),
    ),
    show({ members: list, partitions, summary }) {
      const owned = partitions.filter(({ memberId }) => memberId).length;
      const idle = list.filter((member) => member.partitions.length === 0).length;
      members.update(count(list.length), idle > 0 ? `${idle} without a lane` : "");
      lanes.update(
        count(partitions.length),
        owned === partitions.length ? "each has an owner" : `${partitions.length - owned} without an owner`,
      );
      behind.update(short(summary.lagRecords));
      oldest.update(summary.lagRecords === "0" ? "none" : duration(longestWait(partitions)));
    },
  };
}

function longestWait(partitions) {
  return partitions.reduce((longest, { lagTime }) => Math.max(longest, Number.parseFloat(lagTime ?? "0")), 0);
}

function groupPlots() {
  const records = new Series(WINDOW_SECONDS);
  const waiting = new Series(WINDOW_SECONDS);
  const recordsPlot = plot("Records behind", "Stored and not yet committed, over all lanes.", short, 10);
  const waitingPlot = plot("Time behind", "How long ago the oldest of them was stored.", duration, 1);
  return {
    node: h("div", { class: "plots" }, recordsPlot.node, waitingPlot.node),
    show({ summary, partitions }) {
      records.add(Number(summary.lagRecords));
      waiting.add(longestWait(partitions));
      recordsPlot.update(records);
      waitingPlot.update(waiting);
    },
  };
}
