"""The examples of every language while hubs and members come and go."""

import grpc
import pytest

from millrace.v1 import event_hub_pb2 as events
from millrace.v1 import group_pb2, record_pb2
from tests.interop.matrix.languages import LANGUAGES, Member, Producer
from tests.interop.matrix.orders import PARTITIONS, expected_parts, parts, placed, stored
from tests.support.calls import committed, produce
from tests.support.hub import Hub
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """A hub that waits for its members after a restart, however slow the machine is."""
    running = Hub(tmp_path_factory.mktemp("hub"), "--group-settle-time", "60s", "--group-rejoin-grace", "60s")
    yield running
    assert running.stop() == 0, running.log()


EVERY_LANGUAGE = pytest.mark.parametrize("language", LANGUAGES, ids=str)


def orders(numbers):
    return [f"{number},cups,1,100" for number in numbers]


def members_of(groups_stub, group):
    """{member_id: how many partitions it has}"""
    try:
        found = groups_stub.GetGroup(group_pb2.GetGroupRequest(group=group), timeout=60, wait_for_ready=True).group
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.NOT_FOUND, error  # Nobody has joined yet.
        return {}
    return {member.member_id: len(member.partitions) for member in found.members}


def wait_by_the_hubs_clock(events_stub, topic):
    """For a second: until so many heartbeats came."""
    stream = events_stub.Subscribe(events.SubscribeRequest(topics=[topic], heartbeat_interval={"nanos": 500_000_000}))
    beats = (frame for frame in stream if frame.HasField("heartbeat"))
    for _ in range(2):
        next(beats)
    stream.cancel()


def numbers_of(*members):
    return sorted(int(record.key) for member in members for record in member.processed())


@EVERY_LANGUAGE
def test_a_producer_stores_each_order_once_though_the_hub_is_killed(language, hub, topic, start, events_stub):
    producer = start(Producer, language, topic)
    lines = orders(range(200))
    producer.send(lines[:100])
    wait_until(lambda: producer.lines(), "the first is stored")  # And the others are on their way.
    hub.kill()
    producer.send(lines[100:])
    hub.start()
    producer.finish()
    assert {partition: [parts(record) for record in records]
            for partition, records in stored(events_stub, topic).items()} == {
        partition: [expected_parts(line, language.name) for line in placed_lines]
        for partition, placed_lines in placed(lines).items()}
    assert len(set(producer.places())) == len(lines)


@EVERY_LANGUAGE
def test_a_producer_ends_where_the_hub_refuses_what_it_sends(language, hub, start):
    producer = start(Producer, language, "nowhere")
    producer.send(orders(range(1)))
    assert producer.process.wait(60) != 0
    assert "topic" in producer.said() and producer.lines() == []


@EVERY_LANGUAGE
def test_programs_wait_for_a_hub_that_is_down(language, hub, topic, start):
    hub.stop()
    member = start(Member, language, topic, f"{topic}.readers")
    producer = start(Producer, language, topic)
    producer.send(orders(range(20)))
    for program in member, producer:
        wait_until(lambda program=program: program.errors.read_text(), "it says that there is no hub")
    hub.start()
    producer.finish()
    member.wait_processed(20)
    member.stop()
    assert numbers_of(member) == [*range(20)]


@EVERY_LANGUAGE
def test_members_keep_their_partitions_though_the_hub_is_killed(language, hub, topic, start, events_stub, groups_stub):
    group = f"{topic}.readers"
    two = [start(Member, language, topic, group) for _ in range(2)]
    wait_until(lambda: [*members_of(groups_stub, group).values()] == [PARTITIONS / 2] * 2, "they share the partitions")

    def deliver_one_to_each_partition(after):
        for partition in range(PARTITIONS):
            produce(events_stub, topic, partition, b"")
        wait_until(lambda: sum(committed(events_stub, group).values()) == after + PARTITIONS, "all is committed")
        return [sorted((record.partition, record.offset) for record in member.processed()) for member in two]

    before = deliver_one_to_each_partition(0)
    assert [len(places) for places in before] == [PARTITIONS / 2] * 2
    wait_by_the_hubs_clock(events_stub, topic)  # Who has what is kept a moment after it changed.
    hub.kill()
    hub.start()
    after = deliver_one_to_each_partition(PARTITIONS)
    # Each goes on with its own, behind what it committed: nothing is lost, nothing came twice.
    assert after == [sorted(places + [(partition, 1) for partition, _ in places]) for places in before]
    for member in two:
        member.stop()
    assert members_of(groups_stub, group) == {}


@EVERY_LANGUAGE
def test_a_member_passes_over_a_value_that_is_no_order(language, hub, topic, start, events_stub):
    member = start(Member, language, topic, f"{topic}.readers")
    produce(events_stub, topic, 0, b"\xff", b"")
    member.wait_processed(2)
    member.stop()
    poison, order = member.processed()
    assert poison.text.startswith("no order") and order.text == "0 x  for 0 cents"
    assert record_pb2.Record.FromString(poison.record) == record_pb2.Record(value=b"\xff")


@EVERY_LANGUAGE
def test_an_instance_keeps_its_partitions_over_a_stop_and_gives_way_to_its_namesake(
        language, hub, topic, start, groups_stub):
    group = f"{topic}.readers"
    first = start(Member, language, topic, group, "pod-0")
    wait_until(lambda: [*members_of(groups_stub, group).values()] == [PARTITIONS], "it has the partitions")
    first.stop()
    assert [*members_of(groups_stub, group).values()] == [PARTITIONS]  # They wait for it.

    second = start(Member, language, topic, group, "pod-0")
    start(Producer, language, topic).send(orders(range(1)))
    second.wait_processed(1)
    third = start(Member, language, topic, group, "pod-0")
    assert second.process.wait(60) not in (0, language.exit_at_sigterm), second.said()
    assert second.errors.read_text()
    start(Producer, language, topic).send(orders(range(1, 2)))
    third.wait_processed(1)
    assert numbers_of(second, third) == [0, 1]
    third.stop()


def test_six_languages_share_a_topic(hub, topic, start, events_stub, groups_stub):
    group = f"{topic}.readers"
    members = [start(Member, language, topic, group) for language in LANGUAGES]
    wait_until(lambda: [*members_of(groups_stub, group).values()] == [1] * PARTITIONS, "each has one partition")
    producers = [start(Producer, language, topic) for language in LANGUAGES]
    for at, producer in enumerate(producers):
        producer.send(orders(range(at * 100, at * 100 + 100)))
    wait_until(lambda: len(numbers_of(*members)) >= 600, "all is processed")
    assert numbers_of(*members) == [*range(600)]
    assert sorted([*{record.partition for record in member.processed()}] for member in members) == [
        [partition] for partition in range(PARTITIONS)]

    # One after the other leaves, the others go on with what was its.
    for left, member in enumerate(members[:-1], 1):
        member.stop()
        assert sum(members_of(groups_stub, group).values()) == PARTITIONS
        producers[left].send(orders(range(600 + left * 20, 620 + left * 20)))
        wait_until(lambda left=left: len(numbers_of(*members)) >= 600 + left * 20, "what came meanwhile is processed")
    assert numbers_of(*members) == [*range(600), *range(620, 720)]
    members[-1].stop()
    for producer in producers:
        producer.finish()
    wait_until(lambda: sum(committed(events_stub, group).values()) == 700, "all is committed")
