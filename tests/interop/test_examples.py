"""The programs of client/examples do what their README says."""

import grpc
import pytest

from millrace.v1 import group_pb2
from tests.e2e.examples import EXAMPLES, Example
from tests.support.calls import committed, values_of
from tests.support.waiting import wait_until

PARTITIONS = 4


@pytest.fixture
def four(hub, topic):
    hub.millrace("topic", "create", topic + ".four", "--partitions", PARTITIONS)
    return topic + ".four"


@pytest.fixture
def started():
    examples = []

    def start(*arguments):
        examples.append(Example(*arguments))
        return examples[-1]

    yield start
    for example in examples:
        example.kill()


def send(hub, tmp_path, topic, numbers):
    """A line for each number, of so many keys; produce.py says where they went."""
    lines = tmp_path / f"lines-{numbers.start}"
    lines.write_text("".join(f"key {n % 40}:{n}\n" for n in numbers))
    with open(lines, "rb") as stdin:
        producer = Example("produce.py", lines, hub.target, topic, stdin=stdin)
        assert producer.process.wait(60) == 0, producer.errors.read_text()
    assert len(producer.output.read_text().splitlines()) == len(numbers)


def numbers_of(*members):
    return sorted(int(record.rsplit(b"b'", 1)[1][:-1]) for m in members for _, _, record in m.processed())


def partitions_of(member):
    return {partition for partition, _, _ in member.processed()}


def sizes_of(groups_stub, group):
    """How many partitions each member has."""
    try:
        found = groups_stub.GetGroup(group_pb2.GetGroupRequest(group=group), timeout=60).group
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.NOT_FOUND, error  # Nobody has joined yet.
        return []
    return sorted(len(member.partitions) for member in found.members)


def test_a_member_in_under_40_lines(hub, four, groups_stub, started, tmp_path):
    assert len((EXAMPLES / "group_member.py").read_text().splitlines()) < 40
    arguments = hub.target, four, "readers"
    first = started("group_member.py", tmp_path / "first", *arguments)
    second = started("group_member.py", tmp_path / "second", *arguments)
    wait_until(lambda: sizes_of(groups_stub, "readers") == [2, 2], "two members share four partitions")
    send(hub, tmp_path, four, range(200))
    wait_until(lambda: numbers_of(first, second) == [*range(200)], "both have processed their part")
    assert len(partitions_of(first)) == len(partitions_of(second)) == 2

    first.stop()
    wait_until(lambda: sizes_of(groups_stub, "readers") == [4], "the other takes over")
    send(hub, tmp_path, four, range(200, 400))
    wait_until(lambda: numbers_of(first, second) == [*range(400)], "the rest is processed, nothing twice")
    second.stop()
    assert sizes_of(groups_stub, "readers") == []


def test_a_member_comes_back_after_a_restart_of_the_hub(hub, four, events_stub, started, tmp_path):
    member = started("group_member.py", tmp_path / "member", hub.target, four, "restarted")
    send(hub, tmp_path, four, range(50))
    wait_until(lambda: numbers_of(member) == [*range(50)], "it is processed")
    wait_until(lambda: sum(committed(events_stub, "restarted").values()) == 50, "it is committed")
    hub.stop()
    hub.start()
    send(hub, tmp_path, four, range(50, 100))
    wait_until(lambda: numbers_of(member) == [*range(100)], "the rest is processed, nothing twice")
    member.stop()


def test_exactly_once_copies_every_record(hub, four, events_stub, started, tmp_path):
    copy = four + ".copy"
    hub.millrace("topic", "create", copy, "--partitions", PARTITIONS)
    arguments = hub.target, four, copy, "copiers"
    two = [started("exactly_once.py", tmp_path / f"copier-{i}", *arguments) for i in range(2)]
    send(hub, tmp_path, four, range(300))
    wait_until(lambda: sum(committed(events_stub, "copiers").values()) == 300, "all is committed")
    assert values_of(events_stub, copy) == values_of(events_stub, four)
    two[0].stop()
    send(hub, tmp_path, four, range(300, 400))
    wait_until(lambda: sum(committed(events_stub, "copiers").values()) == 400, "all is committed")
    assert values_of(events_stub, copy) == values_of(events_stub, four)
    two[1].stop()
