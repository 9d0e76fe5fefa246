// Sends orders, each stored once however often it is sent: node order_producer.js HOST:PORT TOPIC < LINES
// A line is "number,item,quantity,price_cents"; a number alone cancels the order.
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { credentials, status, type ServiceError } from "@grpc/grpc-js";
import {
  EventHubServiceClient,
  OpenProducerRequest,
  ProduceRequest,
  type OpenProducerResponse,
  type ProduceResponse,
} from "./gen/millrace/v1/event_hub.js";
import { Record } from "./gen/millrace/v1/record.js";
import { Order } from "./gen/order.js";

function order(line: string): Record {
  const [number, item, quantity, cents, ...rest] = line.split(",");
  if (rest.length > 0 || (item !== undefined && cents === undefined))
    throw new Error(`not an order: ${line}`);
  return Record.create({
    key: Buffer.from(number), // Orders of one number stay in order.
    value:
      item === undefined
        ? undefined // A tombstone: the order is cancelled.
        : Buffer.from(Order.encode({ item, quantity: Number(quantity), priceCents: BigInt(cents) }).finish()),
    headers: [
      { name: "source", value: Buffer.from("node") },
      { name: "schema", value: Buffer.from([0x00, 0x01, 0xfe, 0xff]) }, // Any bytes,
      { name: "note", value: Buffer.alloc(0) }, // or none,
      { name: "gift" }, // or no value at all.
    ],
  });
}

const broken = [status.INTERNAL, status.CANCELLED]; // What else grpc-js makes of a connection that breaks.
const passing = [status.UNAVAILABLE, status.RESOURCE_EXHAUSTED, status.DEADLINE_EXCEEDED, ...broken];

type Call<T> = (callback: (error: ServiceError | null, response: T) => void) => void;

/** Calls until the hub answers. A repeated request is stored once, since the hub knows its sequence. */
async function answer<T>(call: Call<T>): Promise<T> {
  for (;;) {
    try {
      return await new Promise((resolve, reject) =>
        call((error, response) => (error ? reject(error) : resolve(response))),
      );
    } catch (error) {
      if (!passing.includes((error as ServiceError).code)) throw error; // The hub refuses it.
      console.error((error as ServiceError).details);
      await setTimeout(1000);
    }
  }
}

const [target, topic] = process.argv.slice(2);
const hub = new EventHubServiceClient(target, credentials.createInsecure());
const me = await answer<OpenProducerResponse>((done) => hub.openProducer(OpenProducerRequest.create(), done));
let sequence = me.lastSequence;
for await (const line of createInterface(process.stdin)) {
  const request = ProduceRequest.create({
    topic,
    records: [order(line)],
    sequence: { producerId: me.producerId, epoch: me.epoch, sequence: ++sequence },
  });
  const stored = await answer<ProduceResponse>((done) => hub.produce(request, done));
  for (const { partition, baseOffset } of stored.appended) {
    console.log(`partition ${partition}, offset ${baseOffset}`);
  }
}
hub.close();
