"""Streams that the hub ends at their maximum age: members come back to their places, and nobody misses anything."""

import json
import subprocess
import threading
import time

import grpc
import pytest

import tests.support.stubs  # noqa: F401  generates what follows
from millrace.v1 import event_hub_pb2 as events
from millrace.v1 import event_hub_pb2_grpc, group_pb2, group_pb2_grpc
from tests.support.calls import fill, refusal
from tests.support.hub import MILLRACE, Hub
from tests.support.members import DEADLINE, Members, read_once_by
from tests.support.scrape import Scrape
from tests.support.waiting import wait_until

PARTITIONS = 4
AGE = 2  # Seconds.
LIVES = 3  # Streams, one after the other.


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """Its streams live for two seconds, and its groups wait for whoever is to come back for longer than a test."""
    running = Hub(tmp_path_factory.mktemp("hub"), "--max-stream-age", f"{AGE}s", "--group-settle-time", "5m")
    yield running
    assert running.stop() == 0, running.log()


@pytest.fixture
def stub(hub):
    with grpc.insecure_channel(hub.target) as channel:
        yield event_hub_pb2_grpc.EventHubServiceStub(channel)


class Returning:
    """A member without an instance id that subscribes again whenever the hub ends its stream, as client libraries do."""

    def __init__(self, members, topic):
        self.members = members
        self.lives = [members.join("billing", topic)]
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while True:
            life = self.lives[-1].wait_ended()
            if self.stopping.is_set():
                return
            assert (life.ending.reason, life.ending.retry) == (events.ENDING_REASON_MAX_AGE, True)
            assert life.ending.retry_after.ToTimedelta().total_seconds() == 0, "it may come back at once"
            self.lives.append(self.members.again(life, resume_member_id=life.session.member_id))

    def stop(self):
        self.stopping.set()
        while self.thread.is_alive():
            self.lives[-1].stream.cancel()  # The last may have begun just now.
            self.thread.join(0.1)


@pytest.fixture
def returning(hub):
    """Makes them."""
    members = Members(hub.target)
    made = []

    def make(topic):
        made.append(Returning(members, topic))
        return made[-1]

    yield make
    for each in made:
        each.stop()
    members.close()


def test_members_without_an_instance_id_keep_their_partitions(hub, stub, returning):
    hub.millrace("topic", "create", "kept", "--partitions", PARTITIONS)
    both = [returning("kept"), returning("kept")]

    def shares():
        """Of each what it has, once that is half of all."""
        places = [set(each.lives[-1].owned) for each in both]
        return places if all(len(place) == PARTITIONS // 2 for place in places) and not set.intersection(*places) else []

    places = wait_until(shares, "they share the partitions")
    settled = [len(each.lives) for each in both]
    for _ in range(LIVES):
        fill(stub, "kept", PARTITIONS)
        lives = [len(each.lives) for each in both]
        wait_until(lambda: all(len(each.lives) > count for each, count in zip(both, lives)), "their streams end")
    for each, place, since in zip(both, places, settled):
        for life in each.lives[since:-1]:  # The last is under way.
            assert set(life.owned) == place
            assert not life.lost
            assert life.session.member_id == each.lives[0].session.member_id
    every = [("kept", partition) for partition in range(PARTITIONS)]

    def read():
        return read_once_by(*both[0].lives, *both[1].lives)

    wait_until(lambda: all(len(read().get(place, ())) >= 10 * LIVES for place in every), "everything is read")
    assert read() == {place: list(range(10 * LIVES)) for place in every}


def test_a_producer_and_a_consumer_lose_and_double_nothing(hub):
    hub.millrace("topic", "create", "steady")
    lines = [b"%d" % number for number in range(400)]
    run = [MILLRACE, "--target", hub.target]
    with subprocess.Popen([*run, "produce", "steady", "-q"], stdin=subprocess.PIPE) as producer, \
            subprocess.Popen([*run, "consume", "steady", "-g", "readers", "-n", str(len(lines)), "-q"],
                             stdout=subprocess.PIPE) as consumer:
        for line in lines:
            producer.stdin.write(line + b"\n")
            producer.stdin.flush()
            time.sleep(LIVES * AGE / len(lines))
        producer.stdin.close()
        assert producer.wait(DEADLINE) == 0
        assert consumer.stdout.read().splitlines() == lines
        assert consumer.wait(DEADLINE) == 0


@pytest.fixture(scope="module")
def watched(hub):
    """A group with something to read."""
    hub.millrace("topic", "create", "watched")
    hub.millrace("produce", "watched", "-q", input=b"first\n")
    hub.millrace("consume", "watched", "-g", "watchers", "-e", "-q")
    return "watchers"


def test_a_watch_of_a_group_ends_for_its_client_to_watch_again(hub, watched):
    with grpc.insecure_channel(hub.target) as channel:
        watch = group_pb2_grpc.GroupServiceStub(channel).WatchGroup
        assert refusal(watch, group_pb2.WatchGroupRequest(group=watched)) == "DRAINING"


def test_the_command_goes_on_watching_and_shows_nothing_twice(hub, watched):
    def ended():
        return Scrape(hub).total("millrace_requests_total", method="GroupService/WatchGroup", code="UNAVAILABLE")

    before = ended()
    run = [MILLRACE, "--target", hub.target, "group", "watch", watched, "-n", "2", "-o", "json"]
    with subprocess.Popen(run, stdout=subprocess.PIPE) as command:
        assert json.loads(command.stdout.readline())["partitions"][0]["lag"] == 0
        wait_until(lambda: ended() >= before + LIVES, "the hub ends its streams")
        hub.millrace("produce", "watched", "-q", input=b"second\n")
        assert json.loads(command.stdout.readline())["partitions"][0]["lag"] == 1
        assert command.wait(DEADLINE) == 0


def test_a_hub_stops_well_while_watches_that_have_ended_are_still_asleep(tmp_path):
    running = Hub(tmp_path, "--max-stream-age", "1h")
    running.millrace("topic", "create", "watched")
    running.millrace("produce", "watched", "-q", input=b"first\n")
    running.millrace("consume", "watched", "-g", "watchers", "-e", "-q")
    with grpc.insecure_channel(running.target) as channel:
        watch = group_pb2_grpc.GroupServiceStub(channel).WatchGroup
        streams = [watch(group_pb2.WatchGroupRequest(group="watchers")) for _ in range(100)]
        for stream in streams:
            next(stream)
        for stream in streams:
            stream.cancel()
    assert running.stop() == 0, running.log()
