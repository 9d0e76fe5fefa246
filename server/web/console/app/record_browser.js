// The records of a topic: live, or from some place on, filtered.

import { field, h, notify, select, setText } from "./dom.js";
import { count, plural, short } from "./format.js";
import { explain } from "./hub.js";
import { compileFilter } from "./record_filter.js";
import { readRecords } from "./record_source.js";
import { recordRow } from "./record_view.js";
import { noRecords } from "./teaching.js";

const SHOWN_LIVE = 100; // More are not told apart by anybody.
const PAGE = 100;
const FLUSH_MS = 150;
const MOST_BEHIND = 20_000; // Live without a filter: farther behind, what lies between is passed over.

const FILTER_HINTS = {
  key: "part of the key",
  header: "name, or name: part of the value",
  text: "part of the value",
  json: 'a path: item = "tea", lines[*].amount > 10, note ~ urgent',
};

export class RecordBrowser {
  #topic;
  #signal;
  #reading; // Ends the reading under way.
  #rows = h("tbody");
  #status = h("p", { class: "muted", role: "status" });
  #more = h("button", { type: "button", hidden: true, onclick: () => this.#release() }, "Show more");
  #pause = h("button", { type: "button", onclick: () => this.#togglePause() }, "Pause");
  #nothing;
  #partition;
  #place = select(
    [
      ["newest", "the newest, live"],
      ["earliest", "the beginning"],
      ["offset", "an offset"],
      ["time", "a time"],
    ],
    { onchange: () => this.#showPlace(), "aria-label": "Read from" },
  );
  #offset = h("input", {
    type: "number",
    min: 0,
    step: 1,
    value: 0,
    class: "narrow",
    "aria-label": "Offset",
  });
  #time = h("input", { type: "datetime-local", step: 1, "aria-label": "Time" });
  #kind = select(
    [
      ["key", "key"],
      ["header", "header"],
      ["text", "text"],
      ["json", "JSON path"],
    ],
    { value: "json", onchange: () => this.#showHint() },
  );
  #expression = h("input", {
    type: "search",
    class: "expression",
    autocomplete: "off",
    spellcheck: "false",
    "aria-label": "Filter",
  });
  #counts;
  #positions = new Map(); // By partition: what is read next.
  #pending = [];
  #timer;
  #released; // Resolves the promise that reading waits for.
  #live = true; // The newest first, without end; else from a place on, a page at a time.
  #paused = false;
  node;

  constructor(topic, partitionCount, signal) {
    this.#topic = topic;
    this.#signal = signal;
    this.#partition = select([
      ["", "all lanes"],
      ...Array.from({ length: partitionCount }, (_, number) => [number, `partition ${number}`]),
    ]);
    this.#nothing = noRecords(topic);
    const form = h(
      "form",
      {
        class: "record-controls",
        onsubmit: (event) => {
          event.preventDefault();
          this.start();
        },
      },
      field("Read", this.#partition),
      h(
        "div",
        { class: "field" },
        h("span", { class: "label" }, "From"),
        h("div", { class: "joined" }, this.#place, this.#offset, this.#time),
      ),
      h(
        "div",
        { class: "field grow" },
        h("span", { class: "label" }, "Only where"),
        h("div", { class: "joined" }, this.#kind, this.#expression),
      ),
      h("button", { class: "primary", type: "submit" }, "Read"),
      this.#pause,
    );
    this.#kind.setAttribute("aria-label", "Filter by");
    for (const control of [this.#partition, this.#place])
      control.addEventListener("change", () => this.#place.value === "newest" && this.start());
    this.node = h(
      "section",
      { class: "panel", "aria-label": "Records" },
      h("header", {}, h("h2", {}, "Records"), this.#status),
      form,
      h(
        "div",
        { class: "record-scroll", tabindex: 0, role: "region", "aria-label": "Records as a table" },
        h(
          "table",
          { class: "records" },
          h(
            "thead",
            {},
            h(
              "tr",
              {},
              h("th", {}, h("span", { class: "hidden" }, "Details")),
              h("th", {}, "Stored"),
              h("th", { class: "number" }, "Lane"),
              h("th", { class: "number" }, "Offset"),
              h("th", {}, "Key"),
              h("th", {}, "Value"),
            ),
          ),
          this.#rows,
        ),
      ),
      this.#nothing,
      this.#more,
    );
    signal.addEventListener("abort", () => this.#stop(), { once: true });
    this.#showPlace();
    this.#showHint();
  }

  /** Where the lanes end now, [{partition, latest}]: one who looks on live is not left behind. */
  setEnds(ends) {
    if (!this.#live || this.#paused || !this.#counts || this.#counts.filtered) return;
    const behind = ends.reduce(
      (sum, { partition, latest }) => sum + Math.max(0, latest - (this.#positions.get(partition) ?? latest)),
      0,
    );
    if (behind > MOST_BEHIND) this.start({ passedOver: this.#counts.passedOver + behind });
  }

  /** Reads anew, as the controls say. */
  async start({ passedOver = 0 } = {}) {
    let matches;
    try {
      matches = compileFilter(this.#kind.value, this.#expression.value);
    } catch (error) {
      return notify(error.message, { bad: true });
    }
    this.#stop();
    const reading = new AbortController();
    this.#reading = reading;
    this.#rows.replaceChildren();
    this.#positions.clear();
    this.#counts = {
      passedOver,
      scanned: 0,
      matched: 0,
      room: PAGE,
      filtered: this.#expression.value.trim() !== "",
    };
    this.#live = this.#place.value === "newest";
    this.#paused = false;
    this.#showStatus();
    try {
      await readRecords(
        this.#topic,
        this.#placeOf(),
        this.#partition.value === "" ? undefined : Number(this.#partition.value),
        {
          signal: reading.signal,
          onRecord: (record) => this.#take(record, matches),
          hold: () => this.#hold(),
          onCaughtUp: () => this.#showLater(),
        },
      );
    } catch (error) {
      if (!reading.signal.aborted) setText(this.#status, explain(error));
    }
  }

  #stop() {
    this.#reading?.abort();
    this.#release();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pending.length = 0;
  }

  #placeOf() {
    const kind = this.#place.value;
    // With a filter what matches may be some way back.
    if (kind === "newest") return { kind, count: this.#counts.filtered ? 20 * PAGE : PAGE / 2 };
    if (kind === "offset") return { kind, offset: this.#offset.value || "0" };
    if (kind === "time") return { kind, time: new Date(this.#time.value || 0).toISOString() };
    return { kind };
  }

  // ---- Records on their way into the page

  #take(record, matches) {
    this.#counts.scanned += 1;
    this.#positions.set(record.partition, Number(record.offset) + 1);
    if (matches(record)) {
      this.#counts.matched += 1;
      this.#counts.room -= 1;
      this.#pending.push(record);
      if (this.#live && this.#pending.length > SHOWN_LIVE) this.#pending.shift();
    }
    this.#showLater();
  }

  // Live nothing is held back but by the reader; else a page at a time.
  #hold() {
    if (!this.#paused && (this.#live || this.#counts.room > 0)) return undefined;
    this.#showLater();
    return new Promise((resolve) => (this.#released = resolve));
  }

  #release() {
    if (this.#counts) this.#counts.room = PAGE;
    this.#more.hidden = true;
    this.#released?.();
    this.#released = undefined;
  }

  #togglePause() {
    this.#paused = !this.#paused;
    if (!this.#paused) this.#release();
    this.#showStatus();
  }

  #showLater() {
    this.#timer ??= setTimeout(() => this.#show(), FLUSH_MS);
  }

  #show() {
    this.#timer = undefined;
    const records = this.#pending.splice(0);
    if (this.#live) {
      // The newest at the top; what came together is sorted by its time.
      records.sort((a, b) => (a.appendTime ?? "").localeCompare(b.appendTime ?? ""));
      this.#rows.prepend(...records.reverse().flatMap(recordRow));
      while (this.#rows.childElementCount > 2 * SHOWN_LIVE) this.#rows.lastChild.remove();
    } else {
      this.#rows.append(...records.flatMap(recordRow));
    }
    this.#showStatus();
  }

  #showStatus() {
    const { scanned, matched, filtered, passedOver, room } = this.#counts;
    this.#nothing.hidden = scanned > 0 || filtered;
    this.#pause.hidden = !this.#live;
    setText(this.#pause, this.#paused ? "Go on" : "Pause");
    this.#more.hidden = this.#live || room > 0;
    const what = filtered
      ? `${count(matched)} of ${plural(scanned, "record")} match`
      : `${plural(scanned, "record")} read${passedOver > 0 ? `, about ${short(passedOver)} passed over to keep up` : ""}`;
    setText(this.#status, this.#paused ? `Paused. ${what}` : this.#live ? `Live. ${what}` : what);
  }

  #showPlace() {
    this.#offset.hidden = this.#place.value !== "offset";
    this.#time.hidden = this.#place.value !== "time";
  }

  #showHint() {
    this.#expression.placeholder = FILTER_HINTS[this.#kind.value];
  }
}
