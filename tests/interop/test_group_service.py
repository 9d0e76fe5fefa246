"""GroupService: looking at groups, watching, deleting, by stubs alone."""

from datetime import timedelta

import pytest

from millrace.v1 import event_hub_pb2 as events
from millrace.v1 import group_pb2
from millrace.v1 import record_pb2 as records
from tests.support.calls import DEADLINE, committed, fill, refusal
from tests.support.members import shared_out
from tests.support.waiting import wait_until

PARTITIONS = 3


def describe(stub, group):
    return stub.GetGroup(group_pb2.GetGroupRequest(group=group), timeout=DEADLINE).group


@pytest.mark.parametrize("method, request_type, fields", [
    ("GetGroup", group_pb2.GetGroupRequest, {}),
    ("WatchGroup", group_pb2.WatchGroupRequest, {}),
    ("ResetOffsets", group_pb2.ResetOffsetsRequest, {"start": records.StartPosition(earliest=True)}),
    ("DeleteGroup", group_pb2.DeleteGroupRequest, {}),
])
def test_an_unknown_group_is_not_found(groups_stub, method, request_type, fields):
    call = getattr(groups_stub, method)
    assert refusal(call, request_type(group="nobody-made-this", **fields)) == "GROUP_NOT_FOUND"
    assert refusal(call, request_type(group="no spaces", **fields)) == "INVALID_NAME"


def test_a_group_is_described(members, events_stub, groups_stub, topic):
    pod = members.join(topic, topic, instance_id="pod-0")
    other = members.join(topic, topic)
    shared_out([pod, other], PARTITIONS)
    fill(events_stub, topic, PARTITIONS)
    wait_until(lambda: set(committed(events_stub, topic).values()) == {10}, "all is committed")
    group = describe(groups_stub, topic)
    assert (group.summary.group, group.summary.member_count, group.summary.lag_records) == (topic, 2, 0)
    assert list(group.summary.topics) == [topic]
    assert {m.member_id: m.instance_id for m in group.members} == {
        pod.session.member_id: "pod-0", other.session.member_id: ""}
    for member in group.members:
        assert member.peer and member.HasField("connect_time")
    assert {m.member_id: {(p.topic, p.partition) for p in m.partitions} for m in group.members} == {
        m.session.member_id: set(m.owned) for m in (pod, other)}
    assert [(p.topic, p.partition) for p in group.partitions] == [(topic, p) for p in range(PARTITIONS)]
    for partition in group.partitions:
        assert (partition.committed_next_offset, partition.delivered_next_offset) == (10, 10)
        assert (partition.earliest_offset, partition.latest_offset, partition.lag_records) == (0, 10, 0)
        assert not partition.HasField("lag_time")


def test_lag_is_told_in_records_and_in_time(members, events_stub, groups_stub, topic):
    member = members.join(topic, topic, commits=False).wait_owned(PARTITIONS)
    fill(events_stub, topic, PARTITIONS)
    member.wait_record(topic, 0, 9)
    member.commit({(topic, 0): 4})
    group = describe(groups_stub, topic)
    lagging = group.partitions[0]
    assert (lagging.lag_records, lagging.committed_next_offset, lagging.delivered_next_offset) == (6, 4, 10)
    assert lagging.HasField("lag_time") and lagging.lag_time.ToMilliseconds() >= 0
    assert group.summary.lag_records == 26


def test_an_instance_that_is_away_is_shown_without_a_connection(members, groups_stub, topic):
    pod = members.join(topic, topic, instance_id="pod-0").wait_owned(PARTITIONS)
    pod.close()
    wait_until(lambda: describe(groups_stub, topic).summary.member_count == 0, "the break is noticed")
    [away] = describe(groups_stub, topic).members
    assert away.instance_id == "pod-0" and not away.HasField("connect_time")
    assert len(away.partitions) == PARTITIONS


def test_a_watched_group_is_told_of_changes(members, events_stub, groups_stub, topic):
    first = members.join(topic, topic).wait_owned(PARTITIONS)
    request = group_pb2.WatchGroupRequest(group=topic)
    request.interval.FromTimedelta(timedelta(milliseconds=100))
    watch = groups_stub.WatchGroup(request, timeout=DEADLINE)
    assert [m.member_id for m in next(watch).group.members] == [first.session.member_id]

    def seen(condition):
        return any(condition(frame.group) for frame in watch)

    second = members.join(topic, topic)
    assert seen(lambda g: sorted(len(m.partitions) for m in g.members) == [1, 2])
    fill(events_stub, topic, PARTITIONS)
    assert seen(lambda g: all(p.committed_next_offset == 10 for p in g.partitions))
    second.leave()
    assert seen(lambda g: [len(m.partitions) for m in g.members] == [PARTITIONS])
    watch.cancel()


def test_groups_are_listed_in_pages(events_stub, groups_stub, topic):
    names = [f"{topic}.{i}" for i in range(5)]
    for name in names:
        events_stub.CommitOffset(events.CommitOffsetRequest(
            group=name, offsets=[events.OffsetCommit(topic=topic, partition=0, next_offset=0)]), timeout=DEADLINE)
    found, token = [], ""
    while True:
        page = groups_stub.ListGroups(group_pb2.ListGroupsRequest(page_size=2, page_token=token), timeout=DEADLINE)
        assert len(page.groups) <= 2
        found += [summary.group for summary in page.groups]
        token = page.next_page_token
        if not token:
            break
    assert [name for name in found if name.startswith(topic)] == names
    assert found == sorted(set(found))
    assert refusal(groups_stub.ListGroups, group_pb2.ListGroupsRequest(page_size=-1)) == "INVALID_PAGE"


def test_a_group_is_deleted_once_it_has_no_members(members, events_stub, groups_stub, topic):
    fill(events_stub, topic, PARTITIONS)
    member = members.join(topic, topic)
    wait_until(lambda: set(committed(events_stub, topic).values()) == {10}, "all is committed")
    request = group_pb2.DeleteGroupRequest(group=topic)
    assert refusal(groups_stub.DeleteGroup, request) == "GROUP_HAS_MEMBERS"
    member.leave()
    groups_stub.DeleteGroup(request, timeout=DEADLINE)
    assert committed(events_stub, topic) == {}
    assert refusal(groups_stub.GetGroup, group_pb2.GetGroupRequest(group=topic)) == "GROUP_NOT_FOUND"
    again = members.join(topic, topic)
    again.wait_record(topic, 0, 9)  # From the start.


def test_a_reset_is_refused_where_it_makes_no_sense(members, events_stub, groups_stub, topic):
    fill(events_stub, topic, PARTITIONS)
    members.join(topic, topic).wait_owned(PARTITIONS)
    reset = groups_stub.ResetOffsets

    def request(partition=0, name=topic, **target):
        return group_pb2.ResetOffsetsRequest(
            group=topic, partitions=[records.TopicPartition(topic=name, partition=partition)], **target)

    assert refusal(reset, request(name="nobody-made-this", offset=1)) == "TOPIC_NOT_FOUND"
    assert refusal(reset, request(partition=9, offset=1)) == "PARTITION_OUT_OF_RANGE"
    [result] = reset(request(offset=11), timeout=DEADLINE).results
    assert result.error.reason == "OFFSET_OUT_OF_RANGE"
