// What one device knows: its notifications, and how far it has read its user's topic. Both are stored by one
// write, so that each notification is taken exactly once, whatever becomes of the page in between.

const MOST_KEPT = 100;

export class Inbox {
  #key;

  /** The newest notifications first: {id, title, time, read}. */
  items = [];
  /** How many this device has taken so far. */
  taken = 0;
  /** Where to go on: the `positions` of a subscription. None: at the beginning. */
  positions = [];

  constructor(user, device) {
    this.#key = `inbox of ${user} on ${device}`;
    Object.assign(this, JSON.parse(localStorage.getItem(this.#key)));
  }

  /** Takes records of the user's topic, and the positions behind them. Gives the titles that are new. */
  take(records, positions) {
    const titles = [];
    for (const { offset, appendTime, json } of records) {
      if (json?.kind === "notification") {
        titles.push(String(json.title));
        this.items.unshift({ id: String(offset), title: titles.at(-1), time: appendTime, read: false });
      } else if (json?.kind === "read") {
        for (const item of this.items) item.read ||= item.id === json.id;
      }
    }
    this.items.length = Math.min(this.items.length, MOST_KEPT);
    this.taken += titles.length;
    this.positions = positions;
    this.#store();
    return titles;
  }

  /** Begins anew: the hub's log is not the one that was read. */
  forget() {
    this.items = [];
    this.positions = [];
    this.#store();
  }

  #store() {
    const text = JSON.stringify(this, (_, value) => (typeof value === "bigint" ? String(value) : value));
    localStorage.setItem(this.#key, text);
  }
}
