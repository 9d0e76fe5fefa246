"""A hub that answers a commit only when the member's next session has begun, as one that is restarted may."""

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


@pytest.fixture
def late_hub():
    hub = LateHub()
    server = grpc.server(futures.ThreadPoolExecutor(8))
    event_hub_pb2_grpc.add_EventHubServiceServicer_to_server(hub, server)
    hub.target = f"localhost:{server.add_insecure_port('localhost:0')}"
    server.start()
    yield hub
    hub.end.set()
    server.stop(None).wait()


def test_a_late_refusal_of_the_old_session_is_not_the_new_ones(late_hub):
    with millrace.connect(late_hub.target) as opened, opened.subscribe(
            "orders", group="billing", commit_interval=0.01) as records:
        offsets = [next(records).offset for _ in range(3)]
        wait_until(lambda: late_hub.commits, "it is committed in the second session, though nothing more is read")
        assert late_hub.commits == [(2, 2)]
        offsets += [next(records).offset for _ in range(2)]
        assert offsets == [0, 1, 2, 3, 4]  # What was given before the break is not given again.
    assert late_hub.commits[-1] == (2, 4) and late_hub.sessions == 2


def test_a_commit_by_hand_outlives_the_session_it_began_in(late_hub):
    with millrace.connect(late_hub.target) as opened, opened.subscribe(
            "orders", group="billing", auto_commit=False) as records:
        record = next(records)
        record.commit()
        assert late_hub.commits == [(2, 1)]
