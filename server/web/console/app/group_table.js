// All groups, as the overview shows them.

import { Children, h, setText, table } from "./dom.js";
import { count } from "./format.js";
import { Series } from "./series.js";
import { spark } from "./spark.js";
import { noGroups, noGroupsEither } from "./teaching.js";

const WINDOW_SECONDS = 120;
const SHOWN_AT_FIRST = 50;

export class GroupTable {
  #body = h("tbody");
  #rows = new Children(this.#body, (group) => groupRow(group));
  #filter = h("input", {
    type: "search",
    placeholder: "Find a group",
    "aria-label": "Find a group",
    autocomplete: "off",
    oninput: () => this.#refresh(),
  });
  #nothing = h("div");
  #more = h("p", { class: "muted" });
  #lags = new Map(); // By name: its lag over the last minutes.
  #all = [];
  #table = table(
    [
      ["Group"],
      ["Reads"],
      ["Members", "number"],
      ["Behind", "number"],
      ["Last 2 minutes", "number optional"],
    ],
    this.#body,
  );
  node = h(
    "section",
    { class: "panel", "aria-label": "Groups" },
    h("header", {}, h("h2", {}, "Groups"), h("div", { class: "end" }, this.#filter)),
    this.#table,
    this.#more,
    this.#nothing,
  );

  /** `someTopic`, where there is one, is used to say what to type. */
  show(groups, someTopic) {
    this.#all = groups;
    const before = this.#lags;
    this.#lags = new Map(groups.map(({ group }) => [group, before.get(group) ?? new Series(WINDOW_SECONDS)]));
    for (const { group, lagRecords } of groups) this.#lags.get(group).add(Number(lagRecords));
    if (groups.length > 0) this.#nothing.replaceChildren();
    else if (!this.#nothing.firstChild)
      this.#nothing.append(someTopic ? noGroups(someTopic) : noGroupsEither());
    this.#refresh();
  }

  #refresh() {
    const wanted = this.#filter.value.trim().toLowerCase();
    const found = this.#all
      .filter(({ group }) => group.toLowerCase().includes(wanted))
      .slice(0, SHOWN_AT_FIRST);
    this.#table.hidden = this.#filter.hidden = this.#all.length === 0;
    setText(
      this.#more,
      found.length < this.#all.length ? `${found.length} of ${count(this.#all.length)} groups.` : "",
    );
    this.#rows.show(
      found.map((group) => ({ ...group, lag: this.#lags.get(group.group) })),
      ({ group }) => group,
    );
  }
}

function groupRow({ group: name }) {
  const topics = h("td");
  const members = h("td", { class: "number" });
  const behind = h("td", { class: "number" });
  const curve = spark(`Lag of ${name}`);
  return {
    node: h(
      "tr",
      {},
      h("td", {}, h("a", { href: `#/groups/${encodeURIComponent(name)}` }, name)),
      topics,
      members,
      behind,
      h("td", { class: "optional" }, curve.node),
    ),
    update({ topics: names, memberCount, lagRecords, lag }) {
      setText(topics, names.join(", "));
      setText(members, memberCount === 0 ? "none" : count(memberCount));
      setText(behind, lagRecords === "0" ? "up to date" : count(lagRecords));
      curve.update(lag);
    },
  };
}
