"""Debian's package catalogue through a hub that is killed half way."""

import time

import grpc
import pytest

import tests.support.stubs  # noqa: F401  generates what follows
from millrace.v1 import event_hub_pb2 as events
from millrace.v1 import event_hub_pb2_grpc
from millrace.v1 import record_pb2 as records
from tests.e2e.catalogue import (PARTITIONS, CommandLine, CppClient, Event, Follower, Publisher,
                                 expected_events, stanzas_of_this_machine)
from tests.support.hub import Hub

DEADLINE = 120


@pytest.fixture(scope="module")
def stanzas():
    found = stanzas_of_this_machine()
    assert len(found) > 10_000, "apt's lists are missing: apt-get update"
    return found


@pytest.fixture
def hub(tmp_path):
    running = Hub(tmp_path)
    yield running
    assert running.stop() == 0, running.log()


def wait_until(condition, what):
    deadline = time.monotonic() + DEADLINE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.005)
    return found


class Observer:
    """Looks at the hub with stubs of its own."""

    def __init__(self, hub, topic):
        self.hub, self.topic = hub, topic

    def _call(self, work):
        with grpc.insecure_channel(self.hub.target) as channel:
            return work(event_hub_pb2_grpc.EventHubServiceStub(channel))

    def ends(self):
        answer = self._call(lambda stub: stub.ListOffsets(
            events.ListOffsetsRequest(topic=self.topic), timeout=DEADLINE, wait_for_ready=True))
        return {p.partition: p.latest_offset for p in answer.partitions}

    def stored(self):
        return sum(self.ends().values())

    def committed(self, group):
        answer = self._call(lambda stub: stub.GetCommittedOffsets(
            events.GetCommittedOffsetsRequest(group=group), timeout=DEADLINE, wait_for_ready=True))
        return {o.partition: o.next_offset for o in answer.offsets}

    def everything(self):
        """All that the topic holds, as {partition: [(offset, Event)]}."""
        found = {partition: [] for partition in range(PARTITIONS)}

        def read(stub):
            for frame in stub.Subscribe(events.SubscribeRequest(
                    topics=[self.topic], start=records.StartPosition(earliest=True), end_at_current=True),
                    timeout=DEADLINE):
                for batch in frame.batches.batches:
                    for index, record in enumerate(batch.records):
                        headers = b",".join(b"%s=%s" % (h.name.encode(), h.value) for h in record.headers)
                        found[batch.partition].append(
                            (batch.base_offset + index, Event.of(record.key, headers, record.value)))

        self._call(read)
        return found


def resume(client, hub, topic, group, log):
    """A second follower: refused for as long as the hub has not noticed that the first is dead."""
    def start():
        follower = Follower(client.follow(hub.target, topic, group, exit_at_end=True), log)
        try:
            follower.finish()
        except AssertionError as error:
            if "GROUP_HAS_MEMBERS" in str(error):
                return None
            raise
        return follower

    return wait_until(start, "the group is free")


@pytest.mark.parametrize("client", [CommandLine, CppClient])
def test_every_stanza_arrives_once_in_order_over_a_kill_of_the_hub(client, hub, stanzas, tmp_path):
    topic, group = "packages", "audit"
    hub.millrace("topic", "create", topic, "--partitions", PARTITIONS)
    observer = Observer(hub, topic)
    expected = expected_events(stanzas)
    assert sorted(expected) == list(range(PARTITIONS))
    total = len(stanzas)

    first = Follower(client.follow(hub.target, topic, group), tmp_path / "first.log")
    publisher = Publisher(client.publish(hub.target, topic))
    publisher.feed(stanzas[:total * 4 // 10])
    wait_until(lambda: sum(observer.committed(group).values()), "the follower commits")

    # The kill: in the middle of the second portion.
    publisher.feed(stanzas[total * 4 // 10:total * 9 // 10])
    wait_until(lambda: observer.stored() > total // 2, "half of it is stored")
    committed_before = observer.committed(group)
    hub.kill()
    hub.start()
    assert observer.stored() < total
    committed_after = observer.committed(group)
    assert all(committed_after[p] >= offset for p, offset in committed_before.items())

    # Publisher and follower go on by themselves. Then the follower dies too, before the last portion.
    wait_until(lambda: first.count >= total * 7 // 10, "the follower goes on after the kill")
    first.kill()
    publisher.feed(stanzas[total * 9 // 10:])
    publisher.finish()
    committed = observer.committed(group)
    second = resume(client, hub, topic, group, tmp_path / "second.log")

    # Stored exactly once, in order, byte-identical.
    stored = observer.everything()
    for partition in range(PARTITIONS):
        assert stored[partition] == list(enumerate(expected[partition]))

    # Each follower got every record once; the second went on where the first had committed.
    for partition in range(PARTITIONS):
        seen, start = first.records[partition], committed[partition]
        assert seen == stored[partition][:len(seen)]
        assert 0 < start <= len(seen)
        assert second.records[partition] == stored[partition][start:]
