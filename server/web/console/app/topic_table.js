// All topics, as the overview shows them.

import { Children, h, setText, table } from "./dom.js";
import { bytes, count, rate } from "./format.js";
import { hub } from "./hub.js";
import { Rate, Series } from "./series.js";
import { spark } from "./spark.js";
import { noTopics } from "./teaching.js";
import { createTopic } from "./topic_dialogs.js";

const WINDOW_SECONDS = 120;
const SHOWN_AT_FIRST = 50; // Each topic that is shown is asked for.

export class TopicTable {
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
  #table = table(
    [
      ["Topic"],
      ["Partitions", "number"],
      ["Records", "number"],
      ["Size", "number optional"],
      ["Read by", "optional"],
      ["Records/s", "number"],
      ["Last 2 minutes", "number optional"],
    ],
    this.#body,
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
      shown.length < this.#all.length
        ? `${shown.length} of ${count(this.#all.length)} topics; what comes in and is kept is said of these.`
        : "",
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
