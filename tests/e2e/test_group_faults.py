"""Groups when things go wrong: hung and hasty members, and a hub that is killed at the worst moment."""

import concurrent.futures
import itertools
import threading
from datetime import timedelta

import grpc
import pytest

import tests.support.stubs  # noqa: F401  generates what follows
from millrace.v1 import event_hub_pb2 as events
from millrace.v1 import event_hub_pb2_grpc, group_pb2, group_pb2_grpc
from millrace.v1 import record_pb2 as records
from tests.support.calls import DEADLINE, committed, fill, produce, reason_of, values_of
from tests.support.hub import Hub
from tests.support.members import Members, read_by, shared_out
from tests.support.waiting import wait_until

TOPIC, GROUP, PARTITIONS = "orders", "billing", 6
LOST_CALL = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


class Fixture:
    """A hub with one topic, stubs that outlive its restarts, and the members of a test."""

    def __init__(self, directory, *flags):
        self.hub = Hub(directory, *flags)
        self.hub.millrace("topic", "create", TOPIC, "--partitions", PARTITIONS)
        self.channel = grpc.insecure_channel(self.hub.target, [("grpc.max_reconnect_backoff_ms", 200)])
        self.stub = event_hub_pb2_grpc.EventHubServiceStub(self.channel)
        self.groups = group_pb2_grpc.GroupServiceStub(self.channel)
        self.members = Members(self.hub.target)

    def join(self, **fields):
        return self.members.join(GROUP, TOPIC, **fields)

    def back(self, member, **fields):
        """A member whose stream broke subscribes again, as itself."""
        return self.members.again(member.wait_ended(), resume_member_id=member.session.member_id, **fields)

    def group(self):
        return self.groups.GetGroup(group_pb2.GetGroupRequest(group=GROUP), timeout=DEADLINE,
                                    wait_for_ready=True).group

    def restart(self):
        self.hub.kill()
        self.hub.start()

    def close(self):
        self.members.close()
        self.channel.close()
        assert self.hub.stop() == 0, self.hub.log()


@pytest.fixture
def start(tmp_path):
    running = []

    def start(*flags):
        running.append(Fixture(tmp_path, *flags))
        return running[-1]

    yield start
    for fixture in running:
        fixture.close()


def everything(count):
    return {(TOPIC, partition): set(range(count)) for partition in range(PARTITIONS)}


def test_a_thousand_joins_and_leaves_disturb_nobody_and_leave_nothing_behind(start):
    at = start()
    staying = [at.join(), at.join()]
    shared_out(staying, PARTITIONS)
    done = threading.Event()

    def keep_producing():
        for produced in itertools.count(1):
            fill(at.stub, TOPIC, PARTITIONS, 1)
            if done.is_set():
                return produced

    def come_and_go(number):
        stream = at.stub.Subscribe(events.SubscribeRequest(topics=[TOPIC], group=GROUP))
        session = next(stream).session_started
        if number % 2:
            at.stub.CommitOffset(events.CommitOffsetRequest(
                group=GROUP, member_id=session.member_id, member_epoch=session.member_epoch, leave=True),
                timeout=DEADLINE)
        stream.cancel()

    with concurrent.futures.ThreadPoolExecutor() as pool:
        producing = pool.submit(keep_producing)
        try:
            with concurrent.futures.ThreadPoolExecutor(4) as visitors:
                list(visitors.map(come_and_go, range(1000)))
        finally:
            done.set()
        produced = producing.result()
    wait_until(lambda: len(at.group().members) == 2, "only those that stayed are left")
    shared_out(staying, PARTITIONS)
    wait_until(lambda: committed(at.stub, GROUP) == dict.fromkeys(everything(0), produced), "all is committed")


def test_a_member_that_stops_reading_delays_nobody(start):
    at = start()
    stalled = at.join(revoke_timeout=timedelta(seconds=2), max_batch_bytes=100_000)
    reading = at.join()
    shared_out([stalled, reading], PARTITIONS)
    stalled.reading.clear()
    for _ in range(40):  # Far more than a connection holds in its windows.
        for partition in range(PARTITIONS):
            produce(at.stub, TOPIC, partition, bytes(100_000))
    for place in reading.owned:
        reading.wait_record(*place, 39)
    third = at.join()  # What it is to get is revoked of one that neither reads nor commits.
    third.wait_owned(2)
    stalled.reading.set()
    stalled.wait(lambda m: any(cause == events.LOST_CAUSE_REVOKE_TIMEOUT for _, cause in m.lost), "it is told")
    shared_out([stalled, reading, third], PARTITIONS)
    wait_until(lambda: committed(at.stub, GROUP) == dict.fromkeys(everything(0), 40), "all is committed")


def test_partitions_of_an_instance_that_stays_away_go_on_after_the_grace(start):
    at = start("--group-rejoin-grace", "1s")
    pod, other = at.join(instance_id="pod-0"), at.join()
    shared_out([pod, other], PARTITIONS)
    pod.close()
    other.wait_owned(PARTITIONS)
    assert [member.instance_id for member in at.group().members] == [""]


@pytest.mark.parametrize("end_hub", [Hub.kill, Hub.stop])
def test_members_find_their_partitions_again_after_a_restart(start, end_hub):
    at = start()
    tick = timedelta(milliseconds=500)
    old = [at.join(instance_id="pod-0"), at.join(), at.join(heartbeat_interval=tick)]
    before = shared_out(old, PARTITIONS)
    fill(at.stub, TOPIC, PARTITIONS)
    wait_until(lambda: committed(at.stub, GROUP) == dict.fromkeys(everything(0), 10), "all is committed")
    old[2].wait_heartbeats(2)  # Who has what is kept a moment after it changed.
    end_hub(at.hub)
    at.hub.start()
    eager = at.join()  # It takes nothing from those that are about to come back.
    new = [at.back(member) for member in old]
    wait_until(lambda: sum(len(member.owned) for member in [*new, eager]) == PARTITIONS, "all is assigned")
    assert [m.session.member_id for m in new] == [m.session.member_id for m in old]
    assert all(now.session.member_epoch > then.session.member_epoch for now, then in zip(new, old))
    shared_out([*new, eager], PARTITIONS)
    first_frames = [next(f for f in member.frames if f.HasField("assigned")) for member in new]
    for frame, had in zip(first_frames, before):
        assert {(a.topic, a.partition) for a in frame.assigned.assignments} <= had
        assert {a.start_offset for a in frame.assigned.assignments} == {10}
    fill(at.stub, TOPIC, PARTITIONS)
    wait_until(lambda: committed(at.stub, GROUP) == dict.fromkeys(everything(0), 20), "it goes on")
    assert read_by(*new, eager) == {place: set(range(10, 20)) for place in everything(0)}


@pytest.mark.parametrize("with_instance", [False, True])
def test_a_hub_that_is_killed_during_a_rebalance_loses_and_doubles_nothing(start, with_instance):
    at = start()
    slow = at.join(commits=False, **({"instance_id": "pod-0"} if with_instance else {}))
    fill(at.stub, TOPIC, PARTITIONS)
    for partition in range(PARTITIONS):
        slow.wait_record(TOPIC, partition, 9)
    slow.commit({(TOPIC, partition): 5 for partition in range(PARTITIONS)})
    other = at.join().wait_started()
    slow.wait(lambda m: len(m.revoking) == PARTITIONS // 2, "half of it is revoked")
    at.restart()
    new_slow, new_other = at.back(slow, commits=True).wait_started(), at.back(other)
    for result in slow.commit().results:
        assert result.error.reason == "MEMBER_FENCED"
    shared_out([new_slow, new_other], PARTITIONS)
    wait_until(lambda: committed(at.stub, GROUP) == dict.fromkeys(everything(0), 10), "all is committed")
    assert read_by(new_slow, new_other) == {place: set(range(5, 10)) for place in everything(0)}


KILLS = 3
CALLS_BEFORE_A_KILL = 30


def call_until_killed(hub, call, numbers):
    """Calls with one number after another; the hub is killed meanwhile. The last that was answered."""
    answered, killing = None, None
    try:
        for count, number in enumerate(numbers):
            if count == CALLS_BEFORE_A_KILL:
                killing = threading.Thread(target=hub.kill)
                killing.start()
            call(number)
            answered = number
    except grpc.RpcError as error:
        assert error.code() in LOST_CALL, error
    killing.join()
    hub.start()
    return answered


def test_what_was_committed_is_committed_after_a_kill_during_commits(start):
    at = start()
    produce(at.stub, TOPIC, 0, *[b"x"] * 5000)
    member = at.join(commits=False)
    before = 0

    def commit(number):
        result = member.commit({(TOPIC, 0): number}).results[0]
        assert not result.HasField("error") and result.committed_next_offset == number

    for _ in range(KILLS):
        member.wait_record(TOPIC, 0, 4999)
        answered = call_until_killed(at.hub, commit, range(before + 1, 5000))
        before = committed(at.stub, GROUP)[TOPIC, 0]
        assert before in (answered, answered + 1)
        member = at.back(member).wait_record(TOPIC, 0, 4999)
        assert member.records[TOPIC, 0][0] == before


def test_a_transaction_is_stored_whole_and_once_over_a_kill(start):
    at = start()
    at.hub.millrace("topic", "create", "invoices")
    produce(at.stub, TOPIC, 0, *[b"x"] * 5000)
    member = at.join(commits=False)
    producer = at.stub.OpenProducer(events.OpenProducerRequest(producer_id="billing-0"), timeout=DEADLINE)
    done = 0

    def transact(number):
        """Handles record number - 1."""
        return at.stub.Transact(events.TransactRequest(
            appends=[events.ProduceRequest(topic="invoices", partition=0,
                                           records=[records.Record(value=b"%d" % number)])],
            commit=events.GroupCommit(
                group=GROUP, member_id=member.session.member_id, member_epoch=member.session.member_epoch,
                offsets=[events.OffsetCommit(topic=TOPIC, partition=0, next_offset=number)]),
            sequence=records.ProducerSequence(producer_id=producer.producer_id, epoch=producer.epoch,
                                              sequence=number)), timeout=DEADLINE)

    for _ in range(KILLS):
        member.wait_record(TOPIC, 0, 4999)
        answered = call_until_killed(at.hub, transact, range(done + 1, 5000))
        stored = values_of(at.stub, "invoices")[0]
        assert len(stored) in (answered, answered + 1)
        assert stored == [b"%d" % number for number in range(1, len(stored) + 1)]
        assert committed(at.stub, GROUP)[TOPIC, 0] == len(stored)
        member = at.back(member).wait_record(TOPIC, 0, 4999)
        done = answered + 1
        assert transact(done).duplicate == (len(stored) == done)  # The one without an answer, again.
        assert values_of(at.stub, "invoices")[0] == [b"%d" % number for number in range(1, done + 1)]


def test_a_member_replaced_while_it_transacts_stores_nothing_more(start):
    at = start()
    at.hub.millrace("topic", "create", "invoices")
    produce(at.stub, TOPIC, 0, b"x")
    old = at.join(instance_id="pod-0", commits=False)
    old.wait_record(TOPIC, 0, 0)
    new = at.members.again(old)
    new.wait_record(TOPIC, 0, 0)
    producer = at.stub.OpenProducer(events.OpenProducerRequest(), timeout=DEADLINE)

    def transact(member, sequence):
        return at.stub.Transact(events.TransactRequest(
            appends=[events.ProduceRequest(topic="invoices", records=[records.Record(value=b"x")])],
            commit=events.GroupCommit(
                group=GROUP, member_id=member.session.member_id, member_epoch=member.session.member_epoch,
                offsets=[events.OffsetCommit(topic=TOPIC, partition=0, next_offset=1)]),
            sequence=records.ProducerSequence(producer_id=producer.producer_id, epoch=producer.epoch,
                                              sequence=sequence)), timeout=DEADLINE)

    with pytest.raises(grpc.RpcError) as raised:
        transact(old, 1)
    assert (raised.value.code(), reason_of(raised.value)) == (grpc.StatusCode.ABORTED, "MEMBER_FENCED")
    transact(new, 1)
    assert values_of(at.stub, "invoices") == {0: [b"x"]}
