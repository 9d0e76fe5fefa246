// Numbers that glide to where they are to be, all drawn in one animation frame.

const SETTLE_MS = 140; // After so long about two thirds of a way is done.
const still = matchMedia("(prefers-reduced-motion: reduce)");

/** One number: set(target) where it is to be, value where it is. */
export class Gliding {
  value;
  #target;

  set(target, { farthest = Infinity } = {}) {
    this.#target = target;
    if (this.value === undefined || still.matches || Math.abs(target - this.value) > farthest)
      this.value = target;
  }

  /** Moves on; false once it is there. */
  step(elapsedMs) {
    const rest = this.#target - this.value;
    if (Math.abs(rest) < 0.02) {
      this.value = this.#target;
      return false;
    }
    this.value += rest * (1 - Math.exp(-elapsedMs / SETTLE_MS));
    return true;
  }
}

/**
 * Calls draw(elapsedMs) once a frame for as long as it gives true, from each run() on; until `signal`.
 */
export class Animation {
  #draw;
  #signal;
  #last;
  #requested = false;

  constructor(draw, signal) {
    this.#draw = draw;
    this.#signal = signal;
  }

  run() {
    if (this.#requested || this.#signal.aborted) return;
    this.#requested = true;
    this.#last = performance.now();
    requestAnimationFrame((now) => this.#frame(now));
  }

  #frame(now) {
    const elapsedMs = Math.max(0, now - this.#last);
    this.#last = now;
    if (!this.#signal.aborted && this.#draw(elapsedMs)) requestAnimationFrame((later) => this.#frame(later));
    else this.#requested = false;
  }
}
