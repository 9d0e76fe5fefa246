"""What a rebalance costs those that are not concerned: nothing."""

import json
import statistics
import subprocess
import threading
import time
from datetime import timedelta

import grpc
import pytest

import tests.support.stubs  # noqa: F401  generates what follows
from millrace.v1 import event_hub_pb2_grpc, group_pb2, group_pb2_grpc
from tests.support.calls import produce
from tests.support.hub import BUILD
from tests.support.members import Members, read_by, shared_out
from tests.support.waiting import wait_until


@pytest.fixture
def members(hub):
    opened = Members(hub.target)
    yield opened
    opened.close()


@pytest.fixture
def channel(hub):
    with grpc.insecure_channel(hub.target) as opened:
        yield opened


class Watch:
    """Follows a group and remembers every owner that a partition ever had."""

    def __init__(self, channel, group):
        request = group_pb2.WatchGroupRequest(group=group)
        request.interval.FromTimedelta(timedelta(milliseconds=100))
        self.stream = group_pb2_grpc.GroupServiceStub(channel).WatchGroup(request)
        self.owners = {}
        self.frames = 0
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self):
        try:
            for frame in self.stream:
                for partition in frame.group.partitions:
                    self.owners.setdefault((partition.topic, partition.partition), set()).add(partition.member_id)
                self.frames += 1
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.CANCELLED, error

    def stop(self):
        self.stream.cancel()
        self.thread.join()


class Producing:
    """Records into every partition of a topic, round after round, until stopped."""

    def __init__(self, channel, topic, partitions):
        self.stub = event_hub_pb2_grpc.EventHubServiceStub(channel)
        self.topic, self.partitions = topic, partitions
        self.rounds = 0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._produce)
        self.thread.start()

    def _produce(self):
        while not self.stopping.is_set():
            for partition in range(self.partitions):
                produce(self.stub, self.topic, partition, b"tick")
            self.rounds += 1

    def stop(self):
        self.stopping.set()
        self.thread.join()


@pytest.fixture
def produce_into(channel):
    started = []

    def produce_into(topic, partitions):
        started.append(Producing(channel, topic, partitions))
        return started[-1]

    yield produce_into
    for producing in started:
        producing.stop()


def test_a_rolling_restart_of_ten_instances_moves_no_partition(hub, channel, members, produce_into):
    topic, partitions = "rolled", 40
    hub.millrace("topic", "create", topic, "--partitions", partitions)
    pods = [members.join(topic, topic, instance_id=f"pod-{i}") for i in range(10)]
    before = shared_out(pods, partitions)
    formed = {pod: len(pod.frames) for pod in pods}
    watch = Watch(channel, topic)
    wait_until(lambda: watch.frames, "the group is watched")
    producing = produce_into(topic, partitions)
    for i, pod in enumerate(list(pods)):
        pod.close()
        pods[i] = members.again(pod).wait_owned(4)
    rounds = producing.rounds
    wait_until(lambda: producing.rounds > rounds + 2, "it goes on")
    producing.stop()

    assert [set(pod.owned) for pod in pods] == before
    for member in members.opened:
        told = {frame.WhichOneof("frame") for frame in member.frames[formed.get(member, 0):]}
        assert not told & {"revoking", "lost", "repositioned"}
    everything = {(topic, partition): set(range(producing.rounds)) for partition in range(partitions)}
    wait_until(lambda: read_by(*members.opened) == everything, "all is read")
    watch.stop()
    assert watch.owners.keys() == everything.keys()
    assert {len(owners) for owners in watch.owners.values()} == {1}  # Not even for a moment nobody's.


def largest_gap(arrivals, begin, end, kept):
    """The longest time without a batch of the kept partitions between two moments."""
    moments = [begin, *(at for at, place in arrivals if begin <= at <= end and place in kept), end]
    return max(later - earlier for earlier, later in zip(moments, moments[1:]))


def test_a_clean_leave_does_not_pause_what_the_others_keep(hub, members, produce_into):
    topic, partitions, turns = "unpaused", 12, 9
    hub.millrace("topic", "create", topic, "--partitions", partitions)
    staying = [members.join(topic, topic) for _ in range(2)]
    leaving = members.join(topic, topic)
    shared_out([*staying, leaving], partitions)
    producing = produce_into(topic, partitions)

    def stretch(work):
        """The largest gap of either while `work` is done and some rounds of records pass."""
        kept = [set(member.owned) for member in staying]
        begin, rounds = time.monotonic(), producing.rounds
        work()
        wait_until(lambda: producing.rounds >= rounds + 20, "records pass")
        end = time.monotonic()
        return max(largest_gap(list(member.arrivals), begin, end, places) for member, places in zip(staying, kept))

    calm, disturbed = [], []
    for _ in range(turns):
        calm.append(stretch(lambda: None))
        disturbed.append(stretch(lambda: leaving.leave() or shared_out(staying, partitions)))
        leaving = members.again(leaving)
        shared_out([*staying, leaving], partitions)
    producing.stop()
    print(f"largest gaps, in ms: calm {[round(1e3 * gap) for gap in calm]}, "
          f"during a rebalance {[round(1e3 * gap) for gap in disturbed]}")
    assert statistics.median(disturbed) < 3 * statistics.median(calm)
    assert min(disturbed) < 2 * statistics.median(calm)


def test_a_rebalance_that_waits_for_a_slow_member_holds_up_nobody(hub, members, produce_into):
    topic, partitions = "slow-commits", 6
    hub.millrace("topic", "create", topic, "--partitions", partitions)
    slow, quick = members.join(topic, topic, commits=False), members.join(topic, topic)
    shared_out([slow, quick], partitions)
    producing = produce_into(topic, partitions)
    slow.wait(lambda m: all(m.records.get(place) for place in m.owned), "it is sent records of all it has")
    third = members.join(topic, topic).wait_owned(1)  # From the quick one.
    quick.wait_owned(2)
    slow.wait(lambda m: m.revoking, "one of its partitions is revoked")
    kept = [(member, place) for member in (slow, quick) for place in set(member.owned) - set(member.revoking)]
    assert kept
    for member, place in kept:  # The rebalance goes on for as long as this takes.
        member.wait_record(*place, member.delivered[place] + 50)
    assert slow.revoking
    slow.commit({place: slow.delivered[place] for place in slow.revoking})
    shared_out([slow, quick, third], partitions)
    producing.stop()


def test_a_group_of_many_members_forms_with_one_owner_a_partition(hub):
    """The size and the time that the README names: build/bin/millrace-group-formation without options."""
    done = subprocess.run([BUILD / "bin" / "millrace-group-formation", "--target", hub.target,
                           "--members", "200", "--partitions", "200"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    formed = json.loads(done.stdout)
    assert (formed["members"], formed["partitions"]) == (200, 200)
    assert (formed["owned_once"], formed["fewest"], formed["most"]) == (200, 1, 1)
