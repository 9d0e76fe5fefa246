// One share: its row of the table, its last prices, and whether its ticks are complete.

import { element } from "/page/page.js";

const POINTS = 60;
const WIDTH = 160;
const HEIGHT = 32;

export class Share {
  #price = element("td", { className: "number price" });
  #change = element("td", { className: "number change" });
  #line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
  #prices = [];
  #session; // Of the exchange; each numbers its ticks from 1.
  #number;
  #changed = false;

  constructor(symbol) {
    const chart = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    chart.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    chart.setAttribute("preserveAspectRatio", "none");
    chart.setAttribute("aria-hidden", "true");
    chart.append(this.#line);
    this.row = element(
      "tr",
      {},
      element("th", { scope: "row" }, symbol),
      this.#price,
      this.#change,
      element("td", { className: "line" }, chart),
    );
  }

  /** Gives how many ticks are missing before this one, and whether it was here already. */
  take({ price, number, session }) {
    const follows = session === this.#session;
    const missing = follows ? number - this.#number - 1 : 0;
    if (missing < 0) return { missing: 0, repeated: true };
    this.#session = session;
    this.#number = number;
    this.#prices.push(price);
    if (this.#prices.length > POINTS) this.#prices.shift();
    this.#changed = true;
    return { missing, repeated: false };
  }

  draw() {
    if (!this.#changed) return;
    this.#changed = false;
    const first = this.#prices[0];
    const last = this.#prices.at(-1);
    const percent = (last / first - 1) * 100;
    this.#price.textContent = last.toFixed(2);
    this.#change.textContent = `${percent < 0 ? "▼" : "▲"} ${Math.abs(percent).toFixed(2)} %`;
    this.row.className = percent < 0 ? "falls" : "rises";
    this.#line.setAttribute("points", this.#points());
  }

  #points() {
    const low = Math.min(...this.#prices);
    const range = Math.max(...this.#prices) - low || 1;
    const x = (index) => (index / (POINTS - 1)) * WIDTH;
    const y = (price) => HEIGHT - 2 - ((price - low) / range) * (HEIGHT - 4);
    return this.#prices.map((price, index) => `${x(index).toFixed(1)},${y(price).toFixed(1)}`).join(" ");
  }
}
