// A group's lanes in numbers.

import { attributes, Children, h, setText, table } from "./dom.js";
import { colourOf } from "./colours.js";
import { count, duration, memberName } from "./format.js";
import { Series } from "./series.js";
import { spark } from "./spark.js";

const WINDOW_SECONDS = 120;

export class LagTable {
  #body = h("tbody");
  #rows = new Children(this.#body, (row) => lagRow(row));
  node = table(
    [
      ["Topic"],
      ["Partition", "number"],
      ["Owner"],
      ["Committed", "number"],
      ["End", "number"],
      ["Behind", "number"],
      ["Time behind", "number"],
      ["Last 2 minutes", "number optional"],
    ],
    this.#body,
  );

  constructor() {
    // Nothing in it takes the focus, so it must itself to be scrolled by keyboard.
    attributes(this.node, { tabindex: 0, role: "region", "aria-label": "Lanes in numbers" });
  }

  show(group) {
    const rows = group.partitions.map((partition) => {
      const member = group.members.find(({ memberId }) => memberId === partition.memberId);
      return {
        ...partition,
        owner: member ? memberName(member) : "nobody",
        colour: colourOf(group.summary.group, partition.memberId),
      };
    });
    this.#rows.show(rows, ({ topic, partition }) => `${topic}/${partition}`);
  }
}

function lagRow({ topic, partition }) {
  const owner = h("span", { class: "chip" });
  const [committed, end, behind, waiting] = Array.from({ length: 4 }, () => h("td", { class: "number" }));
  const series = new Series(WINDOW_SECONDS);
  const curve = spark(`Lag of ${topic}, partition ${partition}`);
  return {
    node: h(
      "tr",
      {},
      h("td", {}, topic),
      h("td", { class: "number" }, partition),
      h("td", {}, owner),
      committed,
      end,
      behind,
      waiting,
      h("td", { class: "optional" }, curve.node),
    ),
    update(row) {
      setText(owner, row.owner);
      owner.className = `chip ${row.colour}`;
      setText(committed, row.committedNextOffset === undefined ? "nothing" : count(row.committedNextOffset));
      setText(end, count(row.latestOffset));
      setText(behind, count(row.lagRecords));
      setText(waiting, row.lagTime === undefined ? "" : duration(Number.parseFloat(row.lagTime)));
      series.add(Number(row.lagRecords));
      curve.update(series);
    },
  };
}
