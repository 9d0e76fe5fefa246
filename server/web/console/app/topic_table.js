// All topics, as the overview shows them.

import { Children, h, setText, table } from "./dom.js";
import { bytes, count, rate } from "./format.js";
import { describeTopics } from "./hub.js";
import { Rate, Series } from "./series.js";
import { spark } from "./spark.js";
import { noTopics } from "./teaching.js";
import { createTopic } from "./topic_dialogs.js";

const WINDOW_SECONDS = 120;
const SHOWN_AT_FIRST = 50; // The topics that are shown are asked for.

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
      ["Delivered/s", "number optional"],
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

  /** Asks for those that are shown; gives the records a second of all of them, undefined at first. */
  async show(all, groups) {
    this.#all = all;
    this.#groups = groups;
    const names = new Set(all.map(({ name }) => name));
    for (const name of this.#known.keys()) if (!names.has(name)) this.#known.delete(name);
    this.#refresh();
    for (const description of await describeTopics(this.#shown().map(({ name }) => name))) {
      if (!description.error) this.#take(description); // Else it is deleted by now.
    }
    this.#refresh();
    return { produced: this.#together("perSecond"), delivered: this.#together("deliveredPerSecond") };
  }

  // The sum of a rate over what is shown; undefined as long as no topic has one.
  #together(name) {
    const rates = this.#shown()
      .map((topic) => this.#known.get(topic.name)?.[name])
      .filter((each) => each !== undefined);
    return rates.length > 0 || this.#all.length === 0
      ? rates.reduce((sum, each) => sum + each, 0)
      : undefined;
  }

  #shown() {
    const wanted = this.#filter.value.trim().toLowerCase();
    return this.#all.filter(({ name }) => name.toLowerCase().includes(wanted)).slice(0, SHOWN_AT_FIRST);
  }

  #take({ topic: { name }, partitions }) {
    const known = this.#known.get(name) ?? {
      rate: new Rate(),
      deliveredRate: new Rate(),
      series: new Series(WINDOW_SECONDS),
    };
    this.#known.set(name, known);
    const total = (member) => partitions.reduce((sum, partition) => sum + Number(partition[member]), 0);
    known.records = total("latestOffset") - total("earliestOffset");
    known.size = total("sizeBytes");
    known.perSecond = known.rate.add(total("latestOffset"));
    known.deliveredPerSecond = known.deliveredRate.add(total("deliveredRecords"));
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
        ? `${shown.length} of ${count(this.#all.length)} topics; what comes in, goes out and is kept is said of these.`
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
  const [partitions, records, size, perSecond, delivered] = [
    "number",
    "number",
    "number optional",
    "number",
    "number optional",
  ].map((kind) => h("td", { class: kind }));
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
      delivered,
      h("td", { class: "optional" }, curve.node),
    ),
    update(topic) {
      setText(partitions, topic.partitionCount);
      setText(records, topic.records === undefined ? "…" : count(topic.records));
      setText(size, topic.size === undefined ? "…" : bytes(topic.size));
      setText(perSecond, topic.perSecond === undefined ? "…" : rate(topic.perSecond));
      setText(delivered, topic.deliveredPerSecond === undefined ? "…" : rate(topic.deliveredPerSecond));
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
