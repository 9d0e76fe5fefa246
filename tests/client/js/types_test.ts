// Programs that the types must accept, and mistakes that they must find. Only compiled, never run.

import { CloseCode, connect, MillraceError, type ReceivedRecord } from "../../../client/js/src/millrace.js";

const hub = connect("http://localhost:9641", { retry: { initialMs: 50 } });

async function reads(): Promise<bigint> {
  let next = 0n;
  for await (const record of hub.subscribe(
    { topics: ["orders"], start: { earliest: true } },
    { credit: 10 },
  )) {
    next = record.offset + 1n;
    const text: string | undefined = record.text ?? record.headers[0]?.text;
    if (text) break;
  }
  return next;
}

async function shares(): Promise<void> {
  const subscription = hub.subscribe(
    { topics: ["orders"], group: "billing" },
    {
      onRecords: async (records: ReceivedRecord[]) => void records.length,
      onPartitionError: ({ error, earliestOffset }) => console.log(error.reason, earliestOffset + 1n),
    },
  );
  const [result] = await subscription.commit();
  if (result?.error instanceof MillraceError && result.error.closeCode === CloseCode.TOO_MANY)
    subscription.close();
  hub.subscribe({ positions: subscription.positions() });
}

async function produces(): Promise<string> {
  const { appended } = await hub.produce({
    topic: "orders",
    records: [{ key: "42", json: { item: "tea" } }],
  });
  // @ts-expect-error The records are missing.
  await hub.produce({ topic: "orders" });
  return appended[0].baseOffset;
}

async function watches(): Promise<void> {
  for await (const group of hub.watchGroup("billing", { intervalMs: 500 })) {
    const lag: string = group.summary.lagRecords;
    // @ts-expect-error 64-bit numbers of the contract's JSON are strings.
    const wrong: number = group.partitions[0].latestOffset;
    if (lag === "0" || wrong) return;
  }
}

// @ts-expect-error A start says one thing.
hub.subscribe({ topics: ["orders"], start: { earliest: true, latest: true } satisfies { earliest: true } });

export { produces, reads, shares, watches };
