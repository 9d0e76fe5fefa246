// Live prices. A page that comes late first gets the last ticks of each share, and then goes on live: it is one
// subscription, so that nothing is lost in between.

import { hub, showProblem } from "/page/page.js";
import { before, partitionsOf } from "/page/history.js";
import { Share } from "./share.js";

const TOPIC = "ticks";
const HISTORY = 400; // Records of each partition to begin with.

const shares = new Map();
const figures = { received: 0, missing: 0, twice: 0 };

function take({ key: symbol, json: tick }) {
  if (!symbol || !Number.isFinite(tick?.price)) return; // Whatever it is, it is no tick.
  if (!shares.has(symbol)) add(symbol);
  const { missing, repeated } = shares.get(symbol).take(tick);
  figures.received += 1;
  figures.missing += missing;
  figures.twice += repeated ? 1 : 0;
}

function add(symbol) {
  shares.set(symbol, new Share(symbol));
  const rows = [...shares.keys()].sort().map((name) => shares.get(name).row);
  document.getElementById("shares").replaceChildren(...rows);
}

// However many ticks have come, the screen is drawn once a frame.
let drawn = true;

function draw() {
  drawn = true;
  for (const share of shares.values()) share.draw();
  for (const [name, count] of Object.entries(figures)) document.getElementById(name).textContent = count;
}

const partitions = await partitionsOf(hub, TOPIC);
hub.subscribe(
  {
    topics: [TOPIC],
    positions: partitions.map(({ partition, earliest, latest }) => ({
      topic: TOPIC,
      partition,
      offset: before(latest, HISTORY, earliest),
    })),
    onOutOfRange: "OUT_OF_RANGE_POLICY_EARLIEST",
  },
  {
    onRecords(ticks) {
      ticks.forEach(take);
      if (drawn) requestAnimationFrame(draw);
      drawn = false;
    },
    onError: showProblem,
  },
);
