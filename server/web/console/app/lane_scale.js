// Where an offset is drawn.

export const CELL = 12; // The width of one record, where records can be told apart.

/**
 * The newest records of one lane, the next one's place at the right edge. All lanes are drawn so, each up
 * to its own end: {x(offset), first, cell}. `first` is the first offset that is drawn.
 */
export function newestScale(width, { earliest, latest }) {
  const visible = width / CELL - 1;
  return { x: (offset) => width - CELL - (latest - offset) * CELL, first: Math.max(earliest, Math.floor(latest - visible)), cell: CELL };
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
