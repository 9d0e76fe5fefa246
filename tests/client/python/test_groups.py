"""Members of groups: what they share, commit, and leave behind."""

import json
import threading

import millrace
import pytest
from tests.client.python.hub_clock import wait_by_the_hubs_clock
from tests.support.waiting import wait_until

PARTITIONS = 3


class Reading:
    """A member that reads in a thread of its own, and remembers what it processed."""

    def __init__(self, target, topic, group, *, pause_after=None, **how):
        self.records = []
        self.error = None
        self.pause_after = pause_after
        self.go_on = threading.Event()
        self.hub = millrace.connect(target)
        self.subscription = self.hub.subscribe(topic, group=group, **how)
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        try:
            for record in self.subscription:
                self.records.append(record)
                if len(self.records) == self.pause_after:
                    self.go_on.wait()
        except millrace.MillraceError as error:
            self.error = error

    def numbers(self):
        return [record.json() for record in list(self.records)]

    def close(self):
        self.go_on.set()
        self.subscription.close()
        self.thread.join(60)
        assert not self.thread.is_alive()
        self.hub.close()


@pytest.fixture
def join(hub, topic):
    members = []

    def start(group, **how):
        members.append(Reading(hub.target, topic, group, **how))
        return members[-1]

    yield start
    for member in members:
        member.close()


def send(opened, topic, numbers):
    with opened.producer() as producer:
        for n in numbers:
            producer.send(topic, n, partition=n % PARTITIONS)


def committed(opened, group):
    return sum(opened.committed(group).values())


def test_what_the_loop_is_done_with_is_committed_by_itself(opened, topic):
    send(opened, topic, range(6))
    records = opened.subscribe(topic, group="auto", commit_interval=0.05)
    given = [next(records) for _ in range(4)]
    wait_until(lambda: committed(opened, "auto") == 3, "all but the one at hand are committed")
    records.close()
    assert committed(opened, "auto") == 3
    assert len({(record.partition, record.offset) for record in given}) == 4


def test_an_exception_in_the_loop_repeats_its_record_and_loses_none(opened, topic):
    send(opened, topic, range(9))
    seen = []
    with pytest.raises(ZeroDivisionError), opened.subscribe(topic, group="fails") as records:
        for record in records:
            seen.append(record.json())
            if len(seen) == 5:
                raise ZeroDivisionError
    assert committed(opened, "fails") == 4
    with opened.subscribe(topic, group="fails", end_at_current=True) as records:
        again = [record.json() for record in records]
    assert seen[4] in again and sorted(seen[:4] + again) == [*range(9)]
    assert committed(opened, "fails") == 9


def test_by_hand_only_commit_commits(opened, topic):
    send(opened, topic, range(9))
    with opened.subscribe(topic, group="hand", auto_commit=False) as records:
        first = [next(records) for _ in range(9)]
        assert committed(opened, "hand") == 0
        at = next(record for record in first if record.offset == 1)
        at.commit()
        assert opened.committed("hand")[topic, at.partition] == 2 == committed(opened, "hand")
    with opened.subscribe(topic, group="hand", auto_commit=False, end_at_current=True) as records:
        again = {(record.partition, record.offset) for record in records}
    assert again == {(r.partition, r.offset) for r in first} - {(at.partition, 0), (at.partition, 1)}


def test_commit_needs_a_group(opened, topic):
    opened.produce(topic, 1)
    with pytest.raises(ValueError):
        next(opened.subscribe(topic, start="earliest")).commit()


def described(hub, group):
    """What the command line tells of a group."""
    return json.loads(hub.millrace("group", "describe", group, "-o", "json"))


def owners(hub, group):
    """The members that have partitions."""
    return {partition["member_id"] for partition in described(hub, group)["partitions"]} - {""}


def test_two_members_share_and_one_that_leaves_hands_over_at_once(hub, opened, topic, join):
    first, second = join("shared"), join("shared")
    wait_until(lambda: "shared" in hub.millrace("group", "list").decode(), "the group is there")
    wait_until(lambda: len(owners(hub, "shared")) == 2, "both have partitions")
    send(opened, topic, range(30))
    wait_until(lambda: len(first.records) + len(second.records) == 30, "all is processed")
    assert {n % PARTITIONS for n in first.numbers()}.isdisjoint(n % PARTITIONS for n in second.numbers())
    first.close()
    send(opened, topic, range(30, 60))
    wait_until(lambda: len(first.records) + len(second.records) == 60, "the other has it all")
    assert sorted(first.numbers() + second.numbers()) == [*range(60)]
    second.close()
    assert committed(opened, "shared") == 60


def test_a_partition_is_handed_over_behind_what_a_slow_member_is_done_with(hub, opened, topic, join):
    send(opened, topic, range(30))
    slow = join("slow", pause_after=5)
    wait_until(lambda: len(slow.records) == 5, "it is at work")
    other = join("slow")
    wait_until(lambda: described(hub, "slow")["member_count"] == 2, "a partition is to go to the other")
    wait_by_the_hubs_clock(hub, topic)  # Now the slow one knows of it.
    assert len(owners(hub, "slow")) == 1  # Not before it is done with its record.
    slow.go_on.set()
    wait_until(lambda: len(owners(hub, "slow")) == 2, "it went")
    wait_until(lambda: len(slow.records) + len(other.records) == 30, "all is processed")
    assert other.records  # What was taken from the slow one, it is not given any more.
    send(opened, topic, range(30, 60))
    wait_until(lambda: len(slow.records) + len(other.records) >= 60, "all is processed")
    assert sorted(slow.numbers() + other.numbers()) == [*range(60)]


def test_an_instance_that_is_started_twice_ends_the_first(opened, topic, join):
    first = join("pods", instance_id="pod-0")
    opened.produce(topic, 0)
    wait_until(lambda: first.records, "the first reads")
    second = join("pods", instance_id="pod-0")
    first.thread.join(60)
    assert isinstance(first.error, millrace.InstanceReplaced)
    opened.produce(topic, 1)
    wait_until(lambda: 1 in second.numbers(), "the second reads")


def test_a_commit_from_before_a_reset_is_refused(hub, opened, topic):
    send(opened, topic, range(3))
    with opened.subscribe(topic, group="reset", auto_commit=False) as records:
        seen = [next(records) for _ in range(3)]
        hub.millrace("group", "reset", "reset", "--to-earliest")
        assert next(records) in seen  # The loop goes on where the group was set.
        assert next(records) in seen and next(records) in seen
        with pytest.raises(millrace.Superseded):
            seen[0].commit()
        assert committed(opened, "reset") == 0
