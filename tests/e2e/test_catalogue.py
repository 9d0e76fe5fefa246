"""Debian's package catalogue through a hub that is killed half way."""

import pytest

from tests.e2e.catalogue import PARTITIONS, CommandLine, CppClient, Follower, Publisher, expected_events
from tests.e2e.observer import Observer
from tests.support.hub import Hub
from tests.support.waiting import wait_until


@pytest.fixture
def hub(tmp_path):
    running = Hub(tmp_path)
    yield running
    assert running.stop() == 0, running.log()


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
    wait_until(lambda: not observer.group(group).members, "the hub has noticed that the follower is dead")
    second = Follower(client.follow(hub.target, topic, group, exit_at_end=True), tmp_path / "second.log")
    second.finish()

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
