// Where an offset is drawn.

const CELL = 12; // The width of one record, where records can be told apart.

/**
 * The newest records of one lane: it grows from the left, and once it is full moves on under the place of the
 * next record, at the right edge. {x(offset), first, cell}; `first` is the first offset that is drawn.
 */
export function newestScale(width, state) {
  return windowScale(width / CELL - 1, CELL, state);
}

/** The same with `records` in sight, each `cell` wide. */
export function windowScale(records, cell, { earliest, latest }) {
  const left = Math.max(earliest, latest - records);
  return { x: (offset) => (offset - left) * cell, first: Math.floor(left), cell };
}

/** Whole lanes, one scale for all: [earliest, latest] of all of them. */
export function wholeScale(width, { earliest, latest }, bounds) {
  const cell = Math.min((width - CELL) / Math.max(bounds.latest - bounds.earliest, 1), 4 * CELL);
  return { x: (offset) => (offset - bounds.earliest) * cell, first: earliest, cell };
}

export function boundsOf(partitions) {
  return {
    earliest: Math.min(...partitions.map(({ earliest }) => earliest)),
    latest: Math.max(...partitions.map(({ latest }) => latest)),
  };
}

/** The distance of the offsets that are written, so that they do not run into each other. */
export function labelStep(cell, latest) {
  const least = (String(Math.round(latest)).length * 7 + 14) / cell;
  const power = 10 ** Math.max(0, Math.floor(Math.log10(least)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least);
}
