// Sending so that each record is stored once, however often the connection breaks meanwhile.

import { patiently } from "./patience.js";

/**
 * Gives send(topic, record), whose promise resolves when the record is stored. Records are stored in the order
 * of the calls; without a connection they wait for it, as long as the page is open. `onWaiting` is told how many.
 */
export function exactSender(hub, onWaiting = () => {}) {
  let producer; // Its id and epoch, and the sequence of the last record that was stored.
  let last = Promise.resolve();
  let waiting = 0;

  async function store(topic, record) {
    producer ??= await openProducer(hub);
    const { producerId, epoch, sequence } = producer;
    try {
      await patiently(() =>
        hub.produce({ topic, records: [record], sequence: { producerId, epoch, sequence: sequence + 1 } }),
      );
      producer.sequence += 1;
    } catch (error) {
      producer = undefined; // The next record is sent by a new one.
      throw error;
    }
  }

  return (topic, record) => {
    onWaiting((waiting += 1));
    const stored = last.then(() => store(topic, record)).finally(() => onWaiting((waiting -= 1)));
    last = stored.catch(() => {});
    return stored;
  };
}

async function openProducer(hub) {
  const { producerId, epoch } = await patiently(() => hub.call("EventHubService/OpenProducer"));
  return { producerId, epoch, sequence: 0 };
}
