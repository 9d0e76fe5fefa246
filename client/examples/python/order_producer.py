"""Sends orders, each stored once however often it is sent: python order_producer.py HOST:PORT TOPIC < LINES
A line is "number,item,quantity,price_cents"; a number alone cancels the order."""
import asyncio, sys
import grpc
from millrace.v1 import event_hub_pb2 as pb, event_hub_pb2_grpc
from millrace.v1.record_pb2 import Header, ProducerSequence, Record
from order_pb2 import Order

PASSING = grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.DEADLINE_EXCEEDED

def order(line):
    number, *fields = line.split(",")
    value = None  # A tombstone: the order is cancelled.
    if fields:
        item, quantity, price_cents = fields
        value = Order(item=item, quantity=int(quantity), price_cents=int(price_cents)).SerializeToString()
    return Record(
        key=number.encode(),  # Orders of one number stay in order.
        value=value,
        headers=[Header(name="source", value=b"python"),
                 Header(name="schema", value=b"\x00\x01\xfe\xff"),  # Any bytes,
                 Header(name="note", value=b""),  # or none,
                 Header(name="gift")])  # or no value at all.

async def answer(call, request):
    """Calls until the hub answers. A repeated request is stored once, since the hub knows its sequence."""
    while True:
        try:
            return await call(request, timeout=30)
        except grpc.aio.AioRpcError as error:
            if error.code() not in PASSING:
                raise  # The hub refuses it.
            print(error.details(), file=sys.stderr)
            await asyncio.sleep(1)

async def main(target, topic):
    async with grpc.aio.insecure_channel(target) as channel:
        hub = event_hub_pb2_grpc.EventHubServiceStub(channel)
        me = await answer(hub.OpenProducer, pb.OpenProducerRequest())
        sequence = me.last_sequence
        while line := await asyncio.to_thread(sys.stdin.buffer.readline):
            sequence += 1
            stored = await answer(hub.Produce, pb.ProduceRequest(
                topic=topic, records=[order(line.decode().rstrip("\n"))],
                sequence=ProducerSequence(producer_id=me.producer_id, epoch=me.epoch, sequence=sequence)))
            for place in stored.appended:
                print(f"partition {place.partition}, offset {place.base_offset}", flush=True)

asyncio.run(main(*sys.argv[1:]))
