"""What a real hub does rarely, scripted: an answer that comes in the member's next session, a batch that was sent before
the group was set to another place."""

import threading
from concurrent import futures

import grpc
import millrace
import pytest
from millrace.v1 import error_pb2, event_hub_pb2, event_hub_pb2_grpc, record_pb2
from tests.support.waiting import wait_until

SECONDS = 60


class LateHub(event_hub_pb2_grpc.EventHubServiceServicer):
    """One partition of five records. Its first answer to a commit is a refusal, and comes late."""

    def __init__(self):
        self.sessions = 0
        self.commits = []  # (member_epoch, next_offset) of those that it stored.
        self.first_commit, self.second_session, self.end = threading.Event(), threading.Event(), threading.Event()

    def Subscribe(self, request, context):  # noqa: N802
        self.sessions += 1
        session, first = self.sessions, self.sessions == 1
        assert request.resume_member_id == ("" if first else "me")
        yield event_hub_pb2.SubscribeResponse(session_started=event_hub_pb2.SessionStarted(
            session_id=str(session), member_id="me", member_epoch=session, log_epoch=1))
        yield event_hub_pb2.SubscribeResponse(assigned=event_hub_pb2.Assigned(assignments=[event_hub_pb2.Assignment(
            topic=request.topics[0], partition=0, start_offset=0, position_epoch=session, high_watermark=5)]))
        yield event_hub_pb2.SubscribeResponse(batches=event_hub_pb2.Batches(batches=[record_pb2.RecordBatch(
            topic=request.topics[0], partition=0, base_offset=0, position_epoch=session, log_epoch=1,
            records=[record_pb2.Record(value=b"%d" % n) for n in range(3 if first else 5)])]))
        if first:
            assert self.first_commit.wait(SECONDS)
            return  # The stream breaks.
        self.second_session.set()
        self.end.wait(SECONDS)

    def CommitOffset(self, request, context):  # noqa: N802
        late = not self.first_commit.is_set()
        if late:
            self.first_commit.set()
            assert self.second_session.wait(SECONDS)
        results = []
        for entry in request.offsets:
            result = event_hub_pb2.CommitResult(topic=entry.topic, partition=entry.partition)
            if late:
                result.error.CopyFrom(error_pb2.RequestError(code=10, reason="MEMBER_FENCED"))
            else:
                self.commits.append((request.member_epoch, entry.next_offset))
                result.committed_next_offset = entry.next_offset
            results.append(result)
        if request.leave:
            self.end.set()
        return event_hub_pb2.CommitOffsetResponse(results=results)


class ResetHub(event_hub_pb2_grpc.EventHubServiceServicer):
    """The group is set back from offset 10 to 0 when a batch is already on its way."""

    def __init__(self):
        self.end = threading.Event()

    def Subscribe(self, request, context):  # noqa: N802
        topic = request.topics[0]
        yield event_hub_pb2.SubscribeResponse(session_started=event_hub_pb2.SessionStarted(
            session_id="1", member_id="me", member_epoch=1, log_epoch=1))
        yield event_hub_pb2.SubscribeResponse(assigned=event_hub_pb2.Assigned(assignments=[event_hub_pb2.Assignment(
            topic=topic, partition=0, start_offset=10, position_epoch=1, high_watermark=12)]))
        yield event_hub_pb2.SubscribeResponse(repositioned=event_hub_pb2.Repositioned(
            topic=topic, partition=0, from_offset=10, to_offset=0, position_epoch=2))
        for base, epoch in ((10, 1), (0, 2)):
            yield event_hub_pb2.SubscribeResponse(batches=event_hub_pb2.Batches(batches=[record_pb2.RecordBatch(
                topic=topic, partition=0, base_offset=base, position_epoch=epoch, log_epoch=1,
                records=[record_pb2.Record(value=b"")] * 2)]))
        self.end.wait(SECONDS)

    def CommitOffset(self, request, context):  # noqa: N802
        self.end.set()
        return event_hub_pb2.CommitOffsetResponse(results=[
            event_hub_pb2.CommitResult(topic=entry.topic, partition=entry.partition,
                                       committed_next_offset=entry.next_offset) for entry in request.offsets])


@pytest.fixture
def serve():
    """serve(servicer) gives the address at which it is served until the end of the test."""
    served = []

    def start(servicer):
        server = grpc.server(futures.ThreadPoolExecutor(8))
        event_hub_pb2_grpc.add_EventHubServiceServicer_to_server(servicer, server)
        port = server.add_insecure_port("localhost:0")
        server.start()
        served.append((servicer, server))
        return f"localhost:{port}"

    yield start
    for servicer, server in served:
        servicer.end.set()
        server.stop(None).wait()


def test_a_late_refusal_of_the_old_session_is_not_the_new_ones(serve):
    late_hub = LateHub()
    with millrace.connect(serve(late_hub)) as opened, opened.subscribe(
            "orders", group="billing", commit_interval=0.01) as records:
        offsets = [next(records).offset for _ in range(3)]
        wait_until(lambda: late_hub.commits, "it is committed in the second session, though nothing more is read")
        assert late_hub.commits == [(2, 2)]
        offsets += [next(records).offset for _ in range(2)]
        assert offsets == [0, 1, 2, 3, 4]  # What was given before the break is not given again.
    assert late_hub.commits[-1] == (2, 4) and late_hub.sessions == 2


def test_a_commit_by_hand_outlives_the_session_it_began_in(serve):
    late_hub = LateHub()
    with millrace.connect(serve(late_hub)) as opened, opened.subscribe(
            "orders", group="billing", auto_commit=False) as records:
        record = next(records)
        record.commit()
        assert late_hub.commits == [(2, 1)]


def test_a_batch_from_before_a_reset_is_dropped(serve):
    with millrace.connect(serve(ResetHub())) as opened, opened.subscribe(
            "orders", group="billing", auto_commit=False) as records:
        assert [next(records).offset for _ in range(2)] == [0, 1]
