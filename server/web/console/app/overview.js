// The first page: what flows, which topics and groups there are, how the hub is.

import { figure, h } from "./dom.js";
import { ago, bytes, count, plural, rate, short } from "./format.js";
import { GroupTable } from "./group_table.js";
import { allGroups, allTopics, hub, isRefusal, poll } from "./hub.js";
import { Series } from "./series.js";
import { spark } from "./spark.js";
import { TopicTable } from "./topic_table.js";

const POLL_MS = 2_000;
const WINDOW_SECONDS = 120;

export function overviewPage({ signal, crumbs, fail }) {
  crumbs();
  document.title = "Millrace";
  const figures = overviewFigures();
  const topics = new TopicTable();
  const groups = new GroupTable();
  poll(
    async () => {
      const [all, groupList] = await Promise.all([allTopics(), allGroups()]);
      const { produced, delivered } = await topics.show(all, groupList);
      groups.show(groupList, all[0]?.name);
      figures.show({
        topics: all.length,
        records: topics.records,
        size: topics.size,
        produced,
        delivered,
        groups: groupList,
      });
    },
    POLL_MS,
    { signal, onError: (error) => isRefusal(error) && fail(error) },
  );
  poll(() => figures.showHealth(), 5_000, { signal });
  return [h("h1", { class: "hidden" }, "Overview"), figures.node, topics.node, groups.node];
}

function overviewFigures() {
  const flow = new Series(WINDOW_SECONDS);
  const outflow = new Series(WINDOW_SECONDS);
  const curve = spark("Records a second that came in over the last two minutes");
  const outCurve = spark("Records a second that were delivered over the last two minutes");
  const coming = figure("Coming in", { unit: "records/s", wide: true, extra: curve.node });
  const going = figure("Delivered", { unit: "records/s", wide: true, extra: outCurve.node });
  const kept = figure("Kept");
  const topics = figure("Topics");
  const groups = figure("Groups");
  const lag = figure("Waiting for groups", { unit: "records" });
  const health = figure("Hub");
  const node = h(
    "section",
    { class: "figures", "aria-label": "The hub at a glance" },
    [coming, going, kept, topics, groups, lag, health].map((each) => each.node),
  );
  return {
    node,
    show({ topics: topicCount, records, size, produced, delivered, groups: list }) {
      if (produced !== undefined) flow.add(produced);
      if (delivered !== undefined) outflow.add(delivered);
      curve.update(flow);
      outCurve.update(outflow);
      coming.update(produced === undefined ? "…" : rate(produced));
      going.update(delivered === undefined ? "…" : rate(delivered), "to all readers together");
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
