// A small curve without axes.

import { s } from "./dom.js";

/** {node, update(series)}. */
export function spark(label) {
  const area = s("path", { class: "area" });
  const line = s("path");
  const node = s(
    "svg",
    { class: "spark", viewBox: "0 0 100 20", preserveAspectRatio: "none", role: "img", "aria-label": label },
    area,
    line,
  );
  return {
    node,
    update(series) {
      const { samples } = series;
      if (samples.length < 2) return;
      const end = samples.at(-1).at;
      const most = series.most || 1;
      const windowSeconds = series.spanSeconds(30);
      const points = samples.map(
        ({ at, value }) =>
          `${(100 - (100 * (end - at)) / windowSeconds).toFixed(2)} ${(19 - (18 * value) / most).toFixed(2)}`,
      );
      line.setAttribute("d", `M${points.join("L")}`);
      area.setAttribute("d", `M${points[0].split(" ")[0]} 20L${points.join("L")}L100 20Z`);
    },
  };
}
