"""Debian's package catalogue through a group of processes, while members and hub are killed, added
and replaced. The members are client/examples: generated stubs, and nothing else of Millrace."""

import collections

import pytest

from tests.e2e.catalogue import CommandLine, Publisher, expected_events
from tests.e2e.examples import Example
from tests.e2e.observer import Observer
from tests.support.hub import Hub
from tests.support.waiting import wait_until

PARTITIONS = 12
TOPIC, GROUP = "packages", "indexers"


@pytest.fixture
def hub(tmp_path):
    running = Hub(tmp_path)
    running.millrace("topic", "create", TOPIC, "--partitions", PARTITIONS)
    yield running
    assert running.stop() == 0, running.log()


class Team:
    """The processes of the group. `arguments` gives an example's name and arguments for an instance id."""

    def __init__(self, directory, arguments):
        self.directory, self.arguments = directory, arguments
        self.everybody = []

    def start(self, instance_id=""):
        name, *arguments = self.arguments(instance_id)
        self.everybody.append(Example(name, self.directory / f"member-{len(self.everybody)}", *arguments))
        return self.everybody[-1]

    def stop(self):
        for member in self.everybody:
            if member.process.poll() is None:
                member.stop()

    def kill(self):
        for member in self.everybody:
            member.kill()


class Publishing:
    """The catalogue on its way into the hub, in equal portions."""

    def __init__(self, hub, observer, stanzas, portions):
        self.observer, self.stanzas = observer, stanzas
        self.bounds = [len(stanzas) * i // portions for i in range(portions + 1)]
        self.publisher = Publisher(CommandLine.publish(hub.target, TOPIC))

    def go_on(self, portion):
        """Until the group is in the middle of the portion; the rest is still being published then."""
        begin, end = self.bounds[portion:portion + 2]
        self.publisher.feed(self.stanzas[begin:end])
        wait_until(lambda: sum(self.observer.committed(GROUP).values()) > (begin + end) // 2, "the group follows")


def disturb_while_producing(hub, observer, stanzas, team):
    """Publishes the catalogue; in the middle of each portion something happens."""
    def shared_by(count):
        sizes = [len(m.partitions) for m in observer.group(GROUP).members if m.HasField("connect_time")]
        return len(sizes) == count and sum(sizes) == PARTITIONS and max(sizes) - min(sizes) <= 1

    def partitions_of(instance):
        return [sorted(p.partition for p in m.partitions) for m in observer.group(GROUP).members
                if m.instance_id == instance]

    killed, _, rolled = team.start(), team.start(), team.start("pod-0")
    wait_until(lambda: shared_by(3), "three members share the partitions")
    publishing = Publishing(hub, observer, stanzas, portions=5)

    publishing.go_on(0)
    killed.kill()
    publishing.go_on(1)
    team.start()
    publishing.go_on(2)
    wait_until(lambda: shared_by(3), "three members share the partitions")
    had = partitions_of("pod-0")
    rolled.stop()
    team.start("pod-0")
    wait_until(lambda: shared_by(3), "the instance is back")
    assert partitions_of("pod-0") == had
    publishing.go_on(3)
    hub.kill()
    hub.start()
    assert observer.stored() < len(stanzas)
    publishing.go_on(4)
    publishing.publisher.finish()
    wait_until(lambda: observer.committed(GROUP) == observer.ends(), "everything is committed")
    wait_until(lambda: shared_by(3), "three members share the partitions")


def stored_as_published(observer, stanzas):
    """The catalogue as the topic holds it, which must be all of it, in order and once."""
    expected, stored = expected_events(stanzas, PARTITIONS), observer.everything()
    assert {p: list(enumerate(expected[p])) for p in range(PARTITIONS)} == stored
    return stored


def test_every_record_is_processed_at_least_once_whatever_happens(hub, stanzas, tmp_path):
    observer = Observer(hub, TOPIC)
    team = Team(tmp_path, lambda instance: ["group_member.py", hub.target, TOPIC, GROUP, instance])
    try:
        disturb_while_producing(hub, observer, stanzas, team)
        team.stop()
    finally:
        team.kill()

    stored = stored_as_published(observer, stanzas)
    keys = {(p, offset): repr(event.key).encode() for p, records in stored.items() for offset, event in records}
    times = collections.Counter()
    for member in team.everybody:
        for partition, offset, record in member.processed():
            assert record.startswith(keys[partition, offset] + b" ")
            times[partition, offset] += 1
    assert times.keys() == keys.keys()
    assert [member.instance_id for member in observer.group(GROUP).members] == ["pod-0"]  # The others left.


def test_a_transaction_writes_what_it_read_exactly_once_whatever_happens(hub, stanzas, tmp_path):
    output = "packages-copied"
    hub.millrace("topic", "create", output, "--partitions", PARTITIONS)
    observer = Observer(hub, TOPIC)
    team = Team(tmp_path, lambda instance: ["exactly_once.py", hub.target, TOPIC, output, GROUP, instance])
    try:
        disturb_while_producing(hub, observer, stanzas, team)
        team.stop()
    finally:
        team.kill()
    assert Observer(hub, output).everything() == stored_as_published(observer, stanzas)
