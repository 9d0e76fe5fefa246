// How long to wait before the next attempt to connect.

/**
 * Doubling waits with full jitter: each is chosen evenly below a bound that doubles from `initialMs`
 * to `maxMs`, so that clients that lost a hub together do not come back together.
 */
export class Backoff {
  #initialMs;
  #maxMs;
  #random;
  #boundMs;

  constructor({ initialMs = 100, maxMs = 10_000, random = Math.random } = {}) {
    this.#initialMs = initialMs;
    this.#maxMs = maxMs;
    this.#random = random;
    this.#boundMs = initialMs;
  }

  next() {
    const waitMs = this.#random() * this.#boundMs;
    this.#boundMs = Math.min(this.#boundMs * 2, this.#maxMs);
    return waitMs;
  }

  reset() {
    this.#boundMs = this.#initialMs;
  }
}
