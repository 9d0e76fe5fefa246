"""What a real hub does rarely, scripted: an answer is lost after the record was stored, a member is asked to stop."""

import threading
from concurrent import futures

import grpc
import pytest

from millrace.v1 import event_hub_pb2 as events
from millrace.v1 import event_hub_pb2_grpc, record_pb2
from tests.interop.matrix.languages import LANGUAGES, Member, Producer
from tests.support.waiting import wait_until

EVERY_LANGUAGE = pytest.mark.parametrize("language", LANGUAGES, ids=str)
LAST_SEQUENCE = 7


class ForgetfulHub(event_hub_pb2_grpc.EventHubServiceServicer):
    """Loses the answers to its first calls; remembers what it was asked."""

    def __init__(self):
        self.opened, self.produced, self.commits = 0, [], []
        self.end = threading.Event()

    def OpenProducer(self, request, context):  # noqa: N802
        self.opened += 1
        if self.opened == 1:
            context.abort(grpc.StatusCode.UNAVAILABLE, "not yet")
        return events.OpenProducerResponse(producer_id="p", epoch=3, last_sequence=LAST_SEQUENCE)

    def Produce(self, request, context):  # noqa: N802
        self.produced.append(request)
        if len(self.produced) == 1:
            context.abort(grpc.StatusCode.UNAVAILABLE, "stored, and the answer is lost")
        if len(self.produced) == 3:
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "the disk is full")
        return events.ProduceResponse(appended=[events.AppendedRange(partition=0, base_offset=len(self.produced))])

    def Subscribe(self, request, context):  # noqa: N802
        yield events.SubscribeResponse(session_started=events.SessionStarted(
            session_id="s", member_id="me", member_epoch=5, log_epoch=1))
        yield events.SubscribeResponse(batches=events.Batches(batches=[record_pb2.RecordBatch(
            topic=request.topics[0], partition=2, base_offset=40, position_epoch=9,
            records=[record_pb2.Record(value=b"")] * 2)]))
        while not self.end.wait(0.05):
            yield events.SubscribeResponse(heartbeat=events.Heartbeat())

    def CommitOffset(self, request, context):  # noqa: N802
        self.commits.append(request)
        return events.CommitOffsetResponse(results=[
            events.CommitResult(topic=entry.topic, partition=entry.partition, committed_next_offset=entry.next_offset)
            for entry in request.offsets])


@pytest.fixture
def forgetful():
    hub = ForgetfulHub()
    server = grpc.server(futures.ThreadPoolExecutor(4))
    event_hub_pb2_grpc.add_EventHubServiceServicer_to_server(hub, server)
    hub.target = f"localhost:{server.add_insecure_port('localhost:0')}"
    server.start()
    yield hub
    hub.end.set()
    server.stop(None).wait()


@EVERY_LANGUAGE
def test_a_producer_repeats_a_request_under_its_number(language, forgetful, tmp_path):
    producer = Producer(language, tmp_path / "log", forgetful.target, "orders")
    try:
        producer.send(["1,tea,1,1", "2,tea,1,1", "3"])
        producer.finish()
    finally:
        producer.kill()
    first, again, second, second_again, third = forgetful.produced
    assert first == again and second == second_again
    assert [request.sequence for request in (first, second, third)] == [
        record_pb2.ProducerSequence(producer_id="p", epoch=3, sequence=LAST_SEQUENCE + n) for n in (1, 2, 3)]
    assert [request.records[0].key for request in (first, second, third)] == [b"1", b"2", b"3"]
    assert producer.places() == [(0, 2), (0, 4), (0, 5)]


@EVERY_LANGUAGE
@pytest.mark.parametrize("instance_id", ["", "pod-0"], ids=["without-a-name", "with-a-name"])
def test_a_member_commits_what_it_did_and_says_that_it_leaves(language, instance_id, forgetful, tmp_path):
    member = Member(language, tmp_path / "log", forgetful.target, "orders", "billing", *filter(None, [instance_id]))
    try:
        member.wait_processed(2)
        wait_until(lambda: forgetful.commits, "it has committed")
        member.stop()
    finally:
        member.kill()
    whose = {"group": "billing", "member_id": "me", "member_epoch": 5}
    done = events.CommitOffsetRequest(**whose, offsets=[
        events.OffsetCommit(topic="orders", partition=2, next_offset=42, position_epoch=9)])
    # One with a name comes back to its partitions: it does not leave.
    assert forgetful.commits == [done] + ([] if instance_id else [events.CommitOffsetRequest(**whose, leave=True)])
