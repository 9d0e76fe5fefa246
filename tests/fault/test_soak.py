"""The hub stays as it is, whatever comes and goes: memory, descriptors, threads and disk do not grow.

Topics, groups, members, producers, readers and connections are made and left, some in good order and some
not. For MILLRACE_SOAK_SECONDS (30); an hour of it is the long mode: tests/fault/run.sh --soak 3600. What a
round costs is looked at in thirds: the first warms up, and the last must not take more than the second.
"""

import os
import pathlib
import statistics
import time
import uuid

import grpc
import pytest

import tests.support.stubs  # noqa: F401  generates what follows
from millrace.v1 import event_hub_pb2 as events
from millrace.v1 import event_hub_pb2_grpc, group_pb2, group_pb2_grpc, topic_pb2, topic_pb2_grpc
from millrace.v1 import record_pb2 as records
from tests.support.calls import DEADLINE, fill, values_of
from tests.support.hub import Hub
from tests.support.members import Member

SECONDS = float(os.environ.get("MILLRACE_SOAK_SECONDS", "30"))
LONG = SECONDS >= 600  # Long enough for the log's own buffers to be written out many times.
LEAST_ROUNDS = 30  # Whatever the machine: a third of them has to say something.
PARTITIONS = 3
LOG_FILE_BYTES = 128 << 20  # More than the log allocates for one.
KEPT_BYTES = 8 << 20  # Of the topic that is there all the time.
ROUND_BYTES = (4 << 20) if LONG else (64 << 10)  # Written to it each round.


class Usage:
    """What a process holds, from its own account."""

    def __init__(self, pid, directory):
        self.process = pathlib.Path("/proc") / str(pid)
        self.directory = pathlib.Path(directory)
        self.samples = []

    def sample(self):
        status = dict(line.split(":", 1) for line in (self.process / "status").read_text().splitlines())
        self.samples.append({
            "memory": int(status["VmRSS"].split()[0]) << 10,
            "threads": int(status["Threads"]),
            "descriptors": len(os.listdir(self.process / "fd")),
            "disk": sum(self.size_of(path) for path in self.directory.rglob("*")),
        })

    @staticmethod
    def size_of(path):
        try:
            return path.stat().st_blocks * 512
        except FileNotFoundError:  # The log has just dropped it.
            return 0

    def thirds(self, what):
        """The median and the largest of the second and of the last third."""
        third = len(self.samples) // 3
        parts = self.samples[third:2 * third], self.samples[2 * third:]
        return [(statistics.median(s[what] for s in part), max(s[what] for s in part)) for part in parts]


class Churn:
    """What comes and goes in a round."""

    def __init__(self, target):
        self.target = target
        self.channel = grpc.insecure_channel(target)
        self.events = event_hub_pb2_grpc.EventHubServiceStub(self.channel)
        self.topics = topic_pb2_grpc.TopicServiceStub(self.channel)
        self.groups = group_pb2_grpc.GroupServiceStub(self.channel)
        self.topics.CreateTopic(topic_pb2.CreateTopicRequest(
            topic="kept", retention=topic_pb2.RetentionPolicy(max_partition_bytes=KEPT_BYTES)), timeout=DEADLINE)

    def own_channel(self):
        return grpc.insecure_channel(self.target, [("grpc.use_local_subchannel_pool", 1)])

    def round(self, number):
        topic, group = f"topic-{number}", f"group-{number}"
        self.topics.CreateTopic(topic_pb2.CreateTopicRequest(topic=topic, partition_count=PARTITIONS), timeout=DEADLINE)
        fill(self.events, topic, PARTITIONS)
        self.write_to_kept()
        self.share(topic, group)
        self.give_up(topic, group)
        self.produce_once(topic)
        assert sum(map(len, values_of(self.events, topic).values())) == PARTITIONS * 10 + 1
        self.groups.DeleteGroup(group_pb2.DeleteGroupRequest(group=group), timeout=DEADLINE)
        self.topics.DeleteTopic(topic_pb2.DeleteTopicRequest(topic=topic), timeout=DEADLINE)

    def write_to_kept(self):
        values = [records.Record(value=os.urandom(1 << 10)) for _ in range(64)]
        for _ in range(ROUND_BYTES >> 16):
            self.events.Produce(events.ProduceRequest(topic="kept", records=values), timeout=DEADLINE)

    def share(self, topic, group):
        """Two members; one leaves, the other's connection goes away."""
        first = Member(self.target, group, [topic])
        first.wait_owned(PARTITIONS).wait_record(topic, 0, 9)
        second = Member(self.target, group, [topic])
        second.wait(lambda m: m.owned, "it has a partition")
        first.commit({}, leave=True)
        first.wait_ended()
        first.close()
        second.wait_owned(PARTITIONS)
        second.commit({}, leave=True)
        second.wait_ended()
        second.close()

    def give_up(self, topic, group):
        """Streams that are left as they are, and connections with nobody at the other end."""
        with self.own_channel() as channel:
            stub = event_hub_pb2_grpc.EventHubServiceStub(channel)
            for _ in range(3):
                next(stub.Subscribe(events.SubscribeRequest(
                    topics=[topic], start=records.StartPosition(earliest=True)), timeout=DEADLINE))
            next(group_pb2_grpc.GroupServiceStub(channel).WatchGroup(
                group_pb2.WatchGroupRequest(group=group), timeout=DEADLINE))
            list(stub.ProduceStream(iter([events.ProduceStreamRequest(request=events.ProduceRequest(
                topic="missing", records=[records.Record(value=b"refused")]))]), timeout=DEADLINE))

    def produce_once(self, topic):
        opened = self.events.OpenProducer(events.OpenProducerRequest(producer_id=f"p-{uuid.uuid4()}"), timeout=DEADLINE)
        request = events.ProduceRequest(topic=topic, partition=0, records=[records.Record(value=b"once")],
                                        sequence=records.ProducerSequence(
                                            producer_id=opened.producer_id, epoch=opened.epoch, sequence=1))
        assert not self.events.Produce(request, timeout=DEADLINE).duplicate
        assert self.events.Produce(request, timeout=DEADLINE).duplicate


@pytest.fixture
def busy_hub(tmp_path):
    running = Hub(tmp_path)
    yield running
    assert running.stop() == 0, running.log()


def test_nothing_grows(busy_hub):
    churn = Churn(busy_hub.target)
    usage = Usage(busy_hub.process.pid, busy_hub.directory / "data")
    end = time.monotonic() + SECONDS
    while time.monotonic() < end or len(usage.samples) < LEAST_ROUNDS:
        churn.round(len(usage.samples))
        usage.sample()
    figures = {what: usage.thirds(what) for what in usage.samples[0]}
    print(f"{len(usage.samples)} rounds in {SECONDS:.0f} s; (median, largest) of the second and the last third: {figures}")
    (_, threads), (later_threads, _) = figures["threads"]
    assert later_threads <= threads, figures
    # A few files of the log come and go; one a round that stays is more.
    (_, descriptors), (later_descriptors, _) = figures["descriptors"]
    assert later_descriptors <= descriptors + LEAST_ROUNDS // 6, figures
    # In the short mode everything that is written still lies in the log's buffers, and a second
    # write-ahead log may be begun, whose place is taken in advance.
    buffered = 0 if LONG else 2 * ROUND_BYTES * len(usage.samples) // 3
    (_, disk), (_, later_disk) = figures["disk"]
    assert later_disk <= disk + disk // 4 + buffered + (0 if LONG else LOG_FILE_BYTES), figures
    (_, memory), (_, later_memory) = figures["memory"]
    assert later_memory <= memory + memory // 10 + buffered, figures
