"""One member of a consumer group: python group_member.py HOST:PORT TOPIC GROUP [INSTANCE_ID]"""
import signal, sys, threading, time
import grpc
from millrace.v1 import event_hub_pb2 as pb, event_hub_pb2_grpc

target, topic, group, instance_id = (sys.argv[1:] + [""])[:4]
hub = event_hub_pb2_grpc.EventHubServiceStub(grpc.insecure_channel(target))
me = pb.SessionStarted()  # Who this member is: told by the hub, kept for when the stream breaks.
stopping = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stopping.set())
signal.signal(signal.SIGINT, lambda *_: stopping.set())

def process(batch, offset, record):  # Your work goes here.
    print(batch.partition, offset, record.key, record.value, flush=True)

while not stopping.is_set():
    try:
        for frame in hub.Subscribe(pb.SubscribeRequest(  # The open stream is the membership.
                topics=[topic], group=group, instance_id=instance_id, resume_member_id=me.member_id,
                heartbeat_interval={"seconds": 1})):  # So that `stopping` is seen within a second.
            me = frame.session_started if frame.HasField("session_started") else me
            done = []
            for batch in frame.batches.batches:
                for offset, record in enumerate(batch.records, batch.base_offset):
                    process(batch, offset, record)
                done.append(pb.OffsetCommit(topic=batch.topic, partition=batch.partition,
                                            next_offset=offset + 1, position_epoch=batch.position_epoch))
            leave = stopping.is_set() and not instance_id  # An instance comes back to its partitions.
            if done or leave:  # When `revoking` comes all is committed: the hub hands over at once.
                hub.CommitOffset(pb.CommitOffsetRequest(
                    group=group, member_id=me.member_id, member_epoch=me.member_epoch, offsets=done,
                    leave=leave), timeout=10)
            if stopping.is_set() or frame.HasField("ending") and not frame.ending.retry:
                sys.exit(frame.ending.message or 0)
    except grpc.RpcError as error:  # The hub restarts, say: come back and take the old place.
        print(error.details(), file=sys.stderr)
        time.sleep(1)
