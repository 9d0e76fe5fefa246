// Values over the last minutes.

/** Samples of one value; the oldest leave after `windowSeconds`. */
export class Series {
  samples = []; // {at, value}, `at` in seconds.

  constructor(windowSeconds) {
    this.windowSeconds = windowSeconds;
  }

  add(value, at = performance.now() / 1000) {
    this.samples.push({ at, value });
    while (this.samples[0].at < at - this.windowSeconds) this.samples.shift();
  }

  get last() {
    return this.samples.at(-1)?.value;
  }

  /** What a curve shows: as much as there is, but not less than so many seconds. */
  spanSeconds(least) {
    const { length, 0: first, [length - 1]: last } = this.samples;
    return Math.min(this.windowSeconds, Math.max(least, last.at - first.at));
  }

  get most() {
    return this.samples.reduce((most, { value }) => Math.max(most, value), 0);
  }
}

/** The rate at which a count grows, over the last few seconds. */
export class Rate {
  #counts;

  constructor(overSeconds = 5) {
    this.#counts = new Series(overSeconds);
  }

  /** Gives the present rate; undefined until there are two counts. A count that shrinks begins anew. */
  add(count, at = performance.now() / 1000) {
    if (count < this.#counts.last) this.#counts.samples.length = 0;
    this.#counts.add(count, at);
    const first = this.#counts.samples[0];
    return at > first.at ? (count - first.value) / (at - first.at) : undefined;
  }
}
