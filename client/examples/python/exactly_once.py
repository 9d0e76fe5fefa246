"""Reads one topic as a member of a group and writes another, each record exactly once:
python exactly_once.py HOST:PORT INPUT OUTPUT GROUP [INSTANCE_ID]"""
import signal, sys, threading, time
import grpc
from millrace.v1 import event_hub_pb2 as pb, event_hub_pb2_grpc
from millrace.v1.record_pb2 import ProducerSequence

def run(target, source, sink, group, instance_id="", *, transform=lambda record: [record]):
    """Until a signal. `transform` gives what comes of a record, as records. It may run twice for one: what it
    gives is stored once."""
    hub = event_hub_pb2_grpc.EventHubServiceStub(grpc.insecure_channel(target))
    me = pb.SessionStarted()
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    signal.signal(signal.SIGINT, lambda *_: stopping.set())

    def transact(batch, producer, sequence):
        """Stores what comes of the batch and that it was read: both or neither."""
        results = [result for record in batch.records for result in transform(record)]
        read = pb.OffsetCommit(topic=source, partition=batch.partition, position_epoch=batch.position_epoch,
                               next_offset=batch.base_offset + len(batch.records))
        hub.Transact(pb.TransactRequest(
            appends=[pb.ProduceRequest(topic=sink, partition=batch.partition, records=results)] if results else [],
            commit=pb.GroupCommit(group=group, member_id=me.member_id, member_epoch=me.member_epoch, offsets=[read]),
            sequence=ProducerSequence(producer_id=producer.producer_id, epoch=producer.epoch, sequence=sequence)),
            timeout=30)

    while not stopping.is_set():
        try:
            producer = hub.OpenProducer(pb.OpenProducerRequest(), timeout=10)
            sequence = 0
            for frame in hub.Subscribe(pb.SubscribeRequest(
                    topics=[source], group=group, instance_id=instance_id, resume_member_id=me.member_id,
                    heartbeat_interval={"seconds": 1},
                    max_batch_bytes=16 * 1024)):  # So that little is done again after a crash.
                me = frame.session_started if frame.HasField("session_started") else me
                for batch in frame.batches.batches:
                    sequence += 1
                    transact(batch, producer, sequence)
                if stopping.is_set() and not instance_id:
                    hub.CommitOffset(pb.CommitOffsetRequest(group=group, member_id=me.member_id,
                                                            member_epoch=me.member_epoch, leave=True), timeout=10)
                if stopping.is_set() or frame.HasField("ending") and not frame.ending.retry:
                    sys.exit(frame.ending.message or 0)
        except grpc.RpcError as error:
            # Whether the last transaction was stored, the hub knows: a new stream begins at the offset that
            # is committed, and the transactions of the one before are refused from then on.
            print(error.details(), file=sys.stderr)
            time.sleep(1)

if __name__ == "__main__":
    run(*sys.argv[1:])
