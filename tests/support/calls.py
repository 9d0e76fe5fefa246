"""Short forms of calls that many tests make with bare stubs."""

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

import tests.support.stubs  # noqa: F401  generates what follows
from millrace.v1 import event_hub_pb2 as events
from millrace.v1 import record_pb2 as records

DEADLINE = 60


def refusal(call, *arguments, **named):
    """The reason of a call that must fail."""
    with pytest.raises(grpc.RpcError) as raised:
        answer = call(*arguments, timeout=DEADLINE, **named)
        if isinstance(answer, grpc.Call):
            list(answer)  # A stream's status comes at its end.
    return reason_of(raised.value)


def reason_of(error):
    status = rpc_status.from_call(error)
    for packed in status.details if status else ():
        if packed.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            info = error_details_pb2.ErrorInfo.FromString(packed.value)
            assert info.domain == "millrace"
            return info.reason
    return error.code().name


def produce(stub, topic, partition, *values):
    """Appends records; the offset after the last."""
    answer = stub.Produce(events.ProduceRequest(
        topic=topic, partition=partition, records=[records.Record(value=value) for value in values]),
        timeout=DEADLINE, wait_for_ready=True)
    return answer.appended[0].base_offset + answer.appended[0].record_count


def fill(stub, topic, partitions, count=10):
    """`count` records into each of the first partitions."""
    for partition in range(partitions):
        produce(stub, topic, partition, *(b"%d" % i for i in range(count)))


def committed(stub, group):
    """{(topic, partition): next_offset}"""
    answer = stub.GetCommittedOffsets(events.GetCommittedOffsetsRequest(group=group), timeout=DEADLINE,
                                      wait_for_ready=True)
    return {(o.topic, o.partition): o.next_offset for o in answer.offsets if o.HasField("next_offset")}


def values_of(stub, topic):
    """{partition: [value]} of everything that a topic holds."""
    found = {}
    for frame in stub.Subscribe(events.SubscribeRequest(
            topics=[topic], start=records.StartPosition(earliest=True), end_at_current=True), timeout=DEADLINE,
            wait_for_ready=True):
        for batch in frame.batches.batches:
            found.setdefault(batch.partition, []).extend(record.value for record in batch.records)
    return found
