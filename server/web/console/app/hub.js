// The connection of this page to its hub, and what is asked for again and again.

import { connect, MillraceError } from "/js/millrace.js";

// Of this tab alone, and gone with it.
const TOKEN = "millrace.token";

export const hub = connect(undefined, { token: () => sessionStorage.getItem(TOKEN) ?? undefined });

/** Says from now on who is there: in everything that is open, too, and so the page begins anew. */
export function useToken(token) {
  sessionStorage.setItem(TOKEN, token);
  location.reload();
}

/** Whether the hub would answer somebody else. */
export function isRefusal(error) {
  return error.reason === "UNAUTHENTICATED" || error.reason === "PERMISSION_DENIED";
}

export async function allTopics() {
  return allPages("TopicService/ListTopics", "topics");
}

export async function allGroups() {
  return allPages("GroupService/ListGroups", "groups");
}

/**
 * Describes these topics, in one call: {topic, partitions} each, or {error}. One that somebody has deleted meanwhile is
 * no failure of the call, so that browsers write nothing into their console.
 */
export async function describeTopics(names, options) {
  if (names.length === 0) return [];
  return (await hub.call("TopicService/DescribeTopics", { topics: names }, options)).topics;
}

/** Describes one topic; throws where there is none. */
export async function describeTopic(name, options) {
  const [description] = await describeTopics([name], options);
  if (!description.error) return description;
  const { reason, message, ...facts } = description.error;
  throw new MillraceError(reason, message, facts);
}

async function allPages(method, member) {
  const items = [];
  let pageToken = "";
  do {
    const page = await hub.call(method, { pageToken });
    items.push(...page[member]);
    pageToken = page.nextPageToken;
  } while (pageToken);
  return items;
}

/** What went wrong, for a person. */
export function explain(error) {
  if (!(error instanceof MillraceError)) return error.message;
  return error.reason === "CONNECTION_LOST"
    ? "The hub did not answer."
    : `${error.message} (${error.reason})`;
}

/**
 * Calls `ask` at once, and again `milliseconds` after each answer, or later where the answer itself took long; not
 * while the page is hidden. `signal` ends it.
 */
export async function poll(ask, milliseconds, { signal, onError = () => {} }) {
  while (!signal.aborted) {
    const asked = performance.now();
    if (!document.hidden) {
      try {
        await ask();
      } catch (error) {
        if (!signal.aborted) onError(error);
      }
    }
    await pause(Math.max(milliseconds, 3 * (performance.now() - asked)), signal);
  }
}

function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done, { once: true });
    function done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}

/** Watches several groups at once: show(names) says which, onGroup(group) tells each state. */
export class GroupWatches {
  #watches = new Map();
  #options;

  constructor(options) {
    this.#options = options;
    options.signal.addEventListener("abort", () => this.show([]), { once: true });
  }

  show(names) {
    for (const [name, watch] of this.#watches) {
      if (names.includes(name)) continue;
      watch.close();
      this.#watches.delete(name);
    }
    for (const name of names) {
      if (this.#watches.has(name)) continue;
      const { intervalMs, onGroup } = this.#options;
      const onError = () => this.#watches.delete(name);
      this.#watches.set(name, hub.watchGroup(name, { intervalMs, onGroup, onError }));
    }
  }
}
