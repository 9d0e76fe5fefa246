// A curve over the last minutes, with axes and a value under the pointer.

import { h, s, setText } from "./dom.js";
import { duration } from "./format.js";

const HEIGHT = 150;
// Around the curve, for what is written there.
const LEFT = 58;
const RIGHT = 8;
const TOP = 8;
const BOTTOM = 20;

/** {node, update(series)}. `format` writes a value; the axis goes up to `least` at least. */
export function plot(title, explanation, format, least) {
  const now = h("span", { class: "now" });
  const canvas = s("svg", { role: "img", "aria-label": `${title} over the last minutes` });
  const node = h(
    "div",
    { class: "plot" },
    h("h3", {}, title),
    now,
    canvas,
    h("p", { class: "muted" }, explanation),
  );
  let series;
  let pointer; // The x under the pointer.

  const draw = () => {
    const width = canvas.clientWidth;
    if (!series || series.samples.length === 0 || width === 0) return;
    const { samples } = series;
    const windowSeconds = series.spanSeconds(60);
    const top = niceTop(Math.max(series.most, least));
    const end = performance.now() / 1000;
    const x = (at) => width - RIGHT - ((width - LEFT - RIGHT) * (end - at)) / windowSeconds;
    const y = (value) => HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * value) / top;
    const points = [...samples, { at: end, value: samples.at(-1).value }].map(
      ({ at, value }) => `${x(at).toFixed(1)} ${y(value).toFixed(1)}`,
    );
    const first = Math.max(x(samples[0].at), LEFT);
    canvas.replaceChildren(
      ...[0, top / 2, top].flatMap((value) => [
        s("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }),
        s("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, format(value)),
      ]),
      s("text", { x: LEFT, y: HEIGHT - 4 }, `${duration(Math.round(windowSeconds))} ago`),
      s("text", { x: width - RIGHT, y: HEIGHT - 4, "text-anchor": "end" }, "now"),
      s("path", { class: "area", d: `M${first} ${y(0)}L${points.join("L")}L${width - RIGHT} ${y(0)}Z` }),
      s("path", { class: "curve", d: `M${points.join("L")}` }),
    );
    setText(now, format(samples.at(-1).value));
    if (pointer >= first) {
      const at = end - ((width - RIGHT - pointer) * windowSeconds) / (width - LEFT - RIGHT);
      const sample = samples.findLast((candidate) => candidate.at <= at) ?? samples[0];
      const left = pointer > width / 2;
      canvas.append(
        s("line", { class: "cursor", x1: pointer, x2: pointer, y1: TOP, y2: HEIGHT - BOTTOM }),
        s(
          "text",
          { x: pointer + (left ? -6 : 6), y: TOP + 10, "text-anchor": left ? "end" : "start" },
          `${format(sample.value)}, ${duration(end - sample.at)} ago`,
        ),
      );
    }
  };
  canvas.addEventListener("pointermove", (event) => {
    pointer = Math.min(event.offsetX, canvas.clientWidth - RIGHT);
    draw();
  });
  canvas.addEventListener("pointerleave", () => {
    pointer = undefined;
    draw();
  });
  return {
    node,
    update(newSeries) {
      series = newSeries;
      draw();
    },
  };
}

/** 1, 2 or 5 times a power of ten, not below `most`. */
export function niceTop(most) {
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((factor) => factor * power).find((top) => top >= most);
}
