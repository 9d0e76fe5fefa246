// The first page: what flows, which topics and groups there are, how the hub is.

import { Children, figure, h, setText } from "./dom.js";
import { ago, bytes, count, plural, rate, short } from "./format.js";
import { allGroups, allTopics, hub, poll } from "./hub.js";
import { Rate, Series } from "./series.js";
import { spark } from "./spark.js";
import { empty, noGroups, noTopics } from "./teaching.js";
import { createTopic } from "./topic_dialogs.js";

const POLL_MS = 2_000;
const WINDOW_SECONDS = 120;
const SHOWN_AT_FIRST = 50; // Each topic that is shown is asked for.

export function overviewPage({ signal, crumbs }) {
  crumbs();
  document.title = "Millrace";
  const figures = overviewFigures();
  const topics = new TopicTable();
  const groups = new GroupTable();
  poll(
    async () => {
      const [all, groupList] = await Promise.all([allTopics(), allGroups()]);
      const perSecond = await topics.show(all, groupList);
      groups.show(groupList, all[0]?.name);
      figures.show({
        topics: all.length,
        records: topics.records,
        size: topics.size,
        perSecond,
        groups: groupList,
      });
    },
    POLL_MS,
    { signal },
  );
  poll(() => figures.showHealth(), 5_000, { signal });
  return [h("h1", { class: "hidden" }, "Overview"), figures.node, topics.node, groups.node];
}

function overviewFigures() {
  const flow = new Series(WINDOW_SECONDS);
  const curve = spark("Records a second over the last two minutes");
  const coming = figure("Coming in", { unit: "records/s", wide: true, extra: curve.node });
  const kept = figure("Kept");
  const topics = figure("Topics");
  const groups = figure("Groups");
  const lag = figure("Waiting for groups", { unit: "records" });
  const health = figure("Hub");
  const node = h(
    "section",
    { class: "figures", "aria-label": "The hub at a glance" },
    [coming, kept, topics, groups, lag, health].map((each) => each.node),
  );
  return {
    node,
    show({ topics: topicCount, records, size, perSecond, groups: list }) {
      if (perSecond !== undefined) flow.add(perSecond);
      curve.update(flow);
      coming.update(perSecond === undefined ? "…" : rate(perSecond));
      kept.update(short(records), bytes(size));
      topics.update(count(topicCount));
      groups.update(
        count(list.length),
        plural(
          list.reduce((sum, { memberCount }) => sum + memberCount, 0),
          "member",
        ),
      );
      lag.update(short(list.reduce((sum, { lagRecords }) => sum + Number(lagRecords), 0)));
    },
    async showHealth() {
      const ready = await fetch("/readyz").then(
        ({ ok }) => ok,
        () => false,
      );
      if (!ready) return health.update("not ready", "the hub starts, stops, or cannot be reached");
      const {
        hub: { version, engine, startTime },
      } = await hub.call("HubService/GetHub");
      health.update("ready", `${version}, ${engine}, up ${ago(startTime)}`);
    },
  };
}

class TopicTable {
  #body = h("tbody");
  #rows = new Children(this.#body, (topic) => topicRow(topic));
  #filter = h("input", {
    type: "search",
    placeholder: "Find a topic",
    "aria-label": "Find a topic",
    autocomplete: "off",
    oninput: () => this.#refresh(),
  });
  #nothing = h("div");
  #more = h("p", { class: "muted" });
  #table = h(
    "div",
    { class: "scroll" },
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("th", {}, "Topic"),
          h("th", { class: "number" }, "Partitions"),
          h("th", { class: "number" }, "Records"),
          h("th", { class: "number optional" }, "Size"),
          h("th", { class: "optional" }, "Read by"),
          h("th", { class: "number" }, "Records/s"),
          h("th", { class: "number optional" }, "Last 2 minutes"),
        ),
      ),
      this.#body,
    ),
  );
  #known = new Map(); // By name: what was asked of each.
  #all = [];
  #groups = [];
  node = h(
    "section",
    { class: "panel", "aria-label": "Topics" },
    h(
      "header",
      {},
      h("h2", {}, "Topics"),
      h(
        "div",
        { class: "end" },
        this.#filter,
        h("button", { class: "primary", type: "button", onclick: createTopic }, "New topic"),
      ),
    ),
    this.#table,
    this.#more,
    this.#nothing,
  );

  get records() {
    return this.#sum("records");
  }

  get size() {
    return this.#sum("size");
  }

  #sum(name) {
    return [...this.#known.values()].reduce((sum, topic) => sum + (topic[name] ?? 0), 0);
  }

  /** Asks for those that are shown; gives their records a second together, undefined at first. */
  async show(all, groups) {
    this.#all = all;
    this.#groups = groups;
    const names = new Set(all.map(({ name }) => name));
    for (const name of this.#known.keys()) if (!names.has(name)) this.#known.delete(name);
    this.#refresh();
    await Promise.all(this.#shown().map(({ name }) => this.#ask(name)));
    this.#refresh();
    const rates = this.#shown()
      .map(({ name }) => this.#known.get(name)?.perSecond)
      .filter((each) => each !== undefined);
    return rates.length > 0 || all.length === 0 ? rates.reduce((sum, each) => sum + each, 0) : undefined;
  }

  #shown() {
    const wanted = this.#filter.value.trim().toLowerCase();
    return this.#all.filter(({ name }) => name.toLowerCase().includes(wanted)).slice(0, SHOWN_AT_FIRST);
  }

  async #ask(name) {
    // It may be deleted by now.
    const answer = await hub.call("TopicService/GetTopic", { topic: name }).catch(() => undefined);
    if (!answer) return;
    const known = this.#known.get(name) ?? { rate: new Rate(), series: new Series(WINDOW_SECONDS) };
    this.#known.set(name, known);
    const total = (member) =>
      answer.partitions.reduce((sum, partition) => sum + Number(partition[member]), 0);
    known.records = total("latestOffset") - total("earliestOffset");
    known.size = total("sizeBytes");
    known.perSecond = known.rate.add(total("latestOffset"));
    if (known.perSecond !== undefined) known.series.add(known.perSecond);
  }

  #refresh() {
    const shown = this.#shown();
    this.#table.hidden = this.#filter.hidden = this.#all.length === 0;
    if (this.#all.length > 0) this.#nothing.replaceChildren();
    else if (!this.#nothing.firstChild) this.#nothing.append(noTopics());
    setText(
      this.#more,
      shown.length < this.#all.length ? `${shown.length} of ${count(this.#all.length)} topics.` : "",
    );
    this.#rows.show(
      shown.map((topic) => ({
        ...topic,
        ...this.#known.get(topic.name),
        readers: this.#groups.filter(({ topics }) => topics.includes(topic.name)).map(({ group }) => group),
      })),
      ({ name }) => name,
    );
  }
}

function topicRow({ name }) {
  const [partitions, records, size, perSecond] = ["number", "number", "number optional", "number"].map(
    (kind) => h("td", { class: kind }),
  );
  const readers = h("td", { class: "optional" });
  const curve = spark(`Records a second of ${name}`);
  return {
    node: h(
      "tr",
      {},
      h("td", {}, h("a", { href: `#/topics/${encodeURIComponent(name)}` }, name)),
      partitions,
      records,
      size,
      readers,
      perSecond,
      h("td", { class: "optional" }, curve.node),
    ),
    update(topic) {
      setText(partitions, topic.partitionCount);
      setText(records, topic.records === undefined ? "…" : count(topic.records));
      setText(size, topic.size === undefined ? "…" : bytes(topic.size));
      setText(perSecond, topic.perSecond === undefined ? "…" : rate(topic.perSecond));
      if (readers.dataset.names !== topic.readers.join()) {
        readers.dataset.names = topic.readers.join();
        readers.replaceChildren(
          ...topic.readers.flatMap((group, index) => [
            index > 0 ? ", " : "",
            h("a", { href: `#/groups/${encodeURIComponent(group)}` }, group),
          ]),
        );
      }
      if (topic.series) curve.update(topic.series);
    },
  };
}

class GroupTable {
  #body = h("tbody");
  #rows = new Children(this.#body, (group) => groupRow(group));
  #nothing = h("div");
  #lags = new Map(); // By name: its lag over the last minutes.
  #table = h(
    "div",
    { class: "scroll" },
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("th", {}, "Group"),
          h("th", {}, "Reads"),
          h("th", { class: "number" }, "Members"),
          h("th", { class: "number" }, "Behind"),
          h("th", { class: "number optional" }, "Last 2 minutes"),
        ),
      ),
      this.#body,
    ),
  );
  node = h(
    "section",
    { class: "panel", "aria-label": "Groups" },
    h("header", {}, h("h2", {}, "Groups")),
    this.#table,
    this.#nothing,
  );

  show(groups, someTopic) {
    this.#table.hidden = groups.length === 0;
    if (groups.length > 0) this.#nothing.replaceChildren();
    else if (!this.#nothing.firstChild)
      this.#nothing.append(
        someTopic
          ? noGroups(someTopic)
          : empty(
              "There are no groups yet",
              "A group shares the lanes of a topic among the copies of a service.",
            ),
      );
    const items = groups.map((group) => {
      const lag = this.#lags.get(group.group) ?? new Series(WINDOW_SECONDS);
      this.#lags.set(group.group, lag);
      lag.add(Number(group.lagRecords));
      return { ...group, lag };
    });
    this.#rows.show(items, ({ group }) => group);
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
