"""One member of a consumer group: python order_member.py HOST:PORT TOPIC GROUP [INSTANCE_ID]"""
import asyncio, signal, sys
import grpc
from google.protobuf.message import DecodeError
from millrace.v1 import event_hub_pb2 as pb, event_hub_pb2_grpc
from order_pb2 import Order

def text(record):
    if not record.HasField("value"):
        return "cancelled"  # A tombstone.
    try:
        order = Order.FromString(record.value)
        return f"{order.quantity} x {order.item} for {order.price_cents} cents"
    except DecodeError as error:
        return f"no order: {error}"

async def process(batch):
    """Your work goes here. Answers how far it has come."""
    offset = batch.base_offset
    for record in batch.records:
        print(batch.partition, offset, record.SerializeToString().hex(),
              f"{record.key.decode(errors='replace')}: {text(record)}", flush=True)
        offset += 1
    return pb.OffsetCommit(topic=batch.topic, partition=batch.partition, next_offset=offset,
                           position_epoch=batch.position_epoch)

async def read(hub, request, stopping):
    """Reads one stream, until it ends or the member has stopped."""
    frames = hub.Subscribe(request)  # The open stream is the membership.
    try:
        async for frame in frames:
            if frame.HasField("session_started"):
                me = frame.session_started
                request.resume_member_id = me.member_id  # For when the stream breaks.
            done = [await process(batch) for batch in frame.batches.batches]
            last = stopping.is_set()
            leave = last and not request.instance_id  # An instance comes back to its partitions.
            if done or leave:  # When `revoking` comes all is committed: the hub hands over at once.
                await hub.CommitOffset(pb.CommitOffsetRequest(
                    group=request.group, member_id=me.member_id, member_epoch=me.member_epoch, offsets=done,
                    leave=leave), timeout=10)
            if last:
                return
            if frame.HasField("ending") and not frame.ending.retry:
                sys.exit(frame.ending.message)
    finally:
        frames.cancel()

async def main(target, topic, group, instance_id=""):
    stopping = asyncio.Event()
    for name in signal.SIGTERM, signal.SIGINT:
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    request = pb.SubscribeRequest(topics=[topic], group=group, instance_id=instance_id,
                                  heartbeat_interval={"seconds": 1})  # So that `stopping` is seen within a second.
    options = [("grpc.keepalive_time_ms", 20_000)]  # Finds a dead connection.
    async with grpc.aio.insecure_channel(target, options) as channel:
        hub = event_hub_pb2_grpc.EventHubServiceStub(channel)
        while not stopping.is_set():
            try:
                await read(hub, request, stopping)
            except grpc.aio.AioRpcError as error:  # The hub restarts, say: come back and take the old place.
                print(error.details(), file=sys.stderr)
            if not stopping.is_set():
                await asyncio.sleep(1)

asyncio.run(main(*sys.argv[1:]))
