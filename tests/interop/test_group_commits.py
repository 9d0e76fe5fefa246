"""What a group commits, and who may: fencing, seeking, resetting and transactions, by stubs alone."""

import itertools

import pytest

from millrace.v1 import event_hub_pb2 as events
from millrace.v1 import group_pb2, topic_pb2
from millrace.v1 import record_pb2 as records
from tests.support.calls import DEADLINE, committed, fill, produce, refusal, values_of
from tests.support.members import shared_out
from tests.support.waiting import wait_until

PARTITIONS = 3


def errors_of(answer):
    return [result.error.reason for result in answer.results]


def offset_commit(topic, partition, next_offset, **fields):
    return events.OffsetCommit(topic=topic, partition=partition, next_offset=next_offset, **fields)


@pytest.fixture
def reader(members, events_stub, topic):
    """A member that has read ten records of each partition, and committed none."""
    fill(events_stub, topic, PARTITIONS)
    member = members.join(topic, topic, commits=False)
    for partition in range(PARTITIONS):
        member.wait_record(topic, partition, 9)
    return member


def test_every_entry_of_a_commit_has_its_own_result(reader, topic):
    answer = reader.commit({(topic, 0): 4, (topic, 1): 11, (topic, 9): 0, ("nobody-made-this", 0): 0,
                            (topic, 2): -1})
    assert errors_of(answer) == ["", "OFFSET_OUT_OF_RANGE", "PARTITION_OUT_OF_RANGE", "TOPIC_NOT_FOUND",
                                 "OFFSET_OUT_OF_RANGE"]
    assert answer.results[0].committed_next_offset == 4
    assert answer.results[1].committed_next_offset == 0


def test_a_commit_does_not_move_back(reader, events_stub, topic):
    reader.commit({(topic, 0): 7})
    answer = reader.commit({(topic, 0): 3})
    assert answer.results[0].committed_next_offset == 7
    assert committed(events_stub, topic)[topic, 0] == 7


@pytest.mark.parametrize("changed", [{"member_id": "0" * 32}, {"member_id": "nonsense"}, {"member_epoch": 99},
                                     {"member_epoch": 0}])
def test_a_commit_of_somebody_else_is_fenced(reader, events_stub, topic, changed):
    before = committed(events_stub, topic)
    assert errors_of(reader.commit({(topic, 0): 9}, **changed)) == ["MEMBER_FENCED"]
    assert committed(events_stub, topic) == before


def test_a_partition_of_another_member_cannot_be_committed(members, events_stub, topic):
    one, two = members.join(topic, topic), members.join(topic, topic)
    shared_out([one, two], PARTITIONS)
    fill(events_stub, topic, PARTITIONS)
    [*others] = two.owned
    for place in others:
        two.wait_record(*place, 9)
    mine = next(iter(one.owned))
    one.wait_record(*mine, 9)
    assert errors_of(one.commit({mine: 10, others[0]: 1})) == ["", "MEMBER_FENCED"]
    wait_until(lambda: set(committed(events_stub, topic).values()) == {10}, "the owners' commits stand")


def test_without_a_member_a_commit_needs_a_group_without_members(reader, events_stub, topic):
    request = events.CommitOffsetRequest(group=topic, offsets=[offset_commit(topic, 0, 2)])
    assert refusal(events_stub.CommitOffset, request) == "GROUP_HAS_MEMBERS"
    reader.leave()
    answer = events_stub.CommitOffset(request, timeout=DEADLINE)
    assert answer.results[0].committed_next_offset == 2  # It replaces: back from 10.


def test_a_commit_after_leaving_is_fenced(reader, topic):
    reader.commit({(topic, 0): 5}, leave=True)
    assert errors_of(reader.commit({(topic, 0): 6})) == ["MEMBER_FENCED"]


def test_a_commit_in_a_deleted_topic_says_so(reader, topics_stub, topic):
    topics_stub.DeleteTopic(topic_pb2.DeleteTopicRequest(topic=topic), timeout=DEADLINE)
    assert errors_of(reader.commit({(topic, 0): 5})) == ["TOPIC_NOT_FOUND"]


def test_metadata_is_kept_and_limited(reader, events_stub, topic):
    request = dict(group=topic, member_id=reader.session.member_id, member_epoch=reader.session.member_epoch)
    answer = events_stub.CommitOffset(events.CommitOffsetRequest(
        **request, offsets=[offset_commit(topic, 0, 3, metadata="batch 7"),
                            offset_commit(topic, 1, 3, metadata="x" * 5000)]), timeout=DEADLINE)
    assert errors_of(answer) == ["", "METADATA_TOO_LARGE"]
    kept = events_stub.GetCommittedOffsets(events.GetCommittedOffsetsRequest(group=topic), timeout=DEADLINE)
    assert [o.metadata for o in kept.offsets if o.partition == 0] == ["batch 7"]


def test_after_a_seek_back_a_commit_may_move_back_and_an_older_one_is_superseded(reader, events_stub, topic):
    place = (topic, 0)
    reader.commit({place: 10})
    before = reader.owned[place].position_epoch
    [moved] = events_stub.Seek(events.SeekRequest(
        session_id=reader.session.session_id, targets=[events.SeekTarget(topic=topic, partition=0, offset=2)]),
        timeout=DEADLINE).results
    assert moved.offset == 2 and moved.position_epoch > before
    reader.wait(lambda m: m.owned[place].position_epoch == moved.position_epoch, "it is told")
    answer = reader.commit({place: 2}, epochs={place: moved.position_epoch})
    assert answer.results[0].committed_next_offset == 2
    assert errors_of(reader.commit({place: 10}, epochs={place: before})) == ["SUPERSEDED"]
    assert committed(events_stub, topic)[place] == 2
    reader.wait_record(topic, 0, 9)
    assert reader.records[place] == [*range(10), *range(2, 10)]


def test_a_reset_reaches_the_members_and_outdates_their_commits(members, reader, events_stub, groups_stub, topic):
    place = (topic, 1)
    reader.commit()
    before = reader.owned[place].position_epoch
    [result] = groups_stub.ResetOffsets(group_pb2.ResetOffsetsRequest(
        group=topic, partitions=[records.TopicPartition(topic=topic, partition=1)],
        start=records.StartPosition(earliest=True)), timeout=DEADLINE).results
    assert (result.committed_next_offset, result.HasField("error")) == (0, False)
    reader.wait(lambda m: m.owned[place].position_epoch > before, "it is told")
    moved = [f.repositioned for f in reader.frames if f.HasField("repositioned")][-1]
    assert (moved.to_offset, moved.cause) == (0, events.REPOSITION_CAUSE_RESET)
    assert errors_of(reader.commit({place: 10}, epochs={place: before})) == ["SUPERSEDED"]
    assert committed(events_stub, topic) == {(topic, 0): 10, place: 0, (topic, 2): 10}
    reader.wait_record(topic, 1, 9)
    assert reader.records[place] == [*range(10)] * 2
    assert reader.records[topic, 0] == [*range(10)]


@pytest.mark.parametrize("target, expected", [
    ({"start": records.StartPosition(earliest=True)}, 0),
    ({"start": records.StartPosition(latest=True)}, 10),
    ({"offset": 4}, 4),
    ({"shift": -3}, 3),
    ({"shift": 100}, 10),
    ({"shift": -100}, 0),
])
def test_a_group_without_members_is_reset(events_stub, groups_stub, topic, target, expected):
    fill(events_stub, topic, PARTITIONS)
    events_stub.CommitOffset(events.CommitOffsetRequest(
        group=topic, offsets=[offset_commit(topic, p, 6) for p in range(PARTITIONS)]), timeout=DEADLINE)
    answer = groups_stub.ResetOffsets(group_pb2.ResetOffsetsRequest(
        group=topic, partitions=[records.TopicPartition(topic=topic, partition=-1)], **target), timeout=DEADLINE)
    assert [(r.partition, r.committed_next_offset) for r in answer.results] == [
        (p, expected) for p in range(PARTITIONS)]
    assert set(committed(events_stub, topic).values()) == {expected}


def test_a_partition_out_of_range_idles_until_it_is_reset(members, events_stub, groups_stub, topics_stub, topic):
    fill(events_stub, topic, PARTITIONS)
    events_stub.CommitOffset(events.CommitOffsetRequest(
        group=topic, offsets=[offset_commit(topic, p, 2) for p in range(PARTITIONS)]), timeout=DEADLINE)
    topics_stub.TruncateTopic(topic_pb2.TruncateTopicRequest(
        topic=topic, partitions=[topic_pb2.PartitionTruncation(partition=0, before_offset=8)]), timeout=DEADLINE)
    member = members.join(topic, topic)
    member.wait(lambda m: any(f.HasField("partition_error") for f in m.frames), "it is told")
    [told] = [f.partition_error for f in member.frames if f.HasField("partition_error")]
    assert (told.partition, told.error.reason) == (0, "OFFSET_OUT_OF_RANGE")
    assert (told.earliest_offset, told.latest_offset) == (8, 10)
    member.wait_record(topic, 1, 9).wait_record(topic, 2, 9)
    assert not member.records[topic, 0]
    groups_stub.ResetOffsets(group_pb2.ResetOffsetsRequest(
        group=topic, partitions=[records.TopicPartition(topic=topic, partition=0)],
        start=records.StartPosition(earliest=True)), timeout=DEADLINE)
    member.wait_record(topic, 0, 9)
    assert member.records[topic, 0] == [8, 9]


class Transactions:
    """Transactions of one producer, numbered."""

    def __init__(self, stub, sink, member):
        self.stub, self.sink, self.member = stub, sink, member
        self.producer = stub.OpenProducer(events.OpenProducerRequest(), timeout=DEADLINE)
        self.numbers = itertools.count(1)

    def request(self, offsets, *values, **fields):
        session = self.member.session
        commit = events.GroupCommit(
            group=self.member.group, member_id=fields.get("member_id", session.member_id),
            member_epoch=session.member_epoch,
            offsets=[offset_commit(topic, partition, offset, position_epoch=fields.get("epoch"))
                     for (topic, partition), offset in offsets.items()])
        sequence = records.ProducerSequence(producer_id=self.producer.producer_id, epoch=self.producer.epoch,
                                            sequence=fields.get("sequence") or next(self.numbers))
        appends = [events.ProduceRequest(topic=self.sink, partition=0, records=[records.Record(value=v)])
                   for v in values]
        return events.TransactRequest(appends=appends, commit=commit, sequence=sequence)

    def transact(self, *arguments, **fields):
        return self.stub.Transact(self.request(*arguments, **fields), timeout=DEADLINE)

    def stored(self):
        return values_of(self.stub, self.sink).get(0, [])


@pytest.fixture
def transactions(hub, events_stub, reader, topic):
    sink = topic[:200] + ".sink"
    hub.millrace("topic", "create", sink)
    return Transactions(events_stub, sink, reader)


def test_a_transaction_appends_and_commits(transactions, events_stub, topic):
    answer = transactions.transact({(topic, 0): 3, (topic, 1): 4}, b"a", b"b")
    assert [p.appended[0].base_offset for p in answer.appended] == [0, 1]
    assert [c.committed_next_offset for c in answer.committed] == [3, 4]
    assert not answer.duplicate
    assert transactions.stored() == [b"a", b"b"]
    assert {committed(events_stub, topic)[topic, p] for p in (0, 1)} == {3, 4}


def test_a_repeated_transaction_is_stored_once_even_if_its_member_is_gone(transactions, reader, topic):
    request = transactions.request({(topic, 0): 3}, b"once")
    first = transactions.stub.Transact(request, timeout=DEADLINE)
    reader.leave()
    again = transactions.stub.Transact(request, timeout=DEADLINE)
    assert again.duplicate and again.appended[0].appended == first.appended[0].appended
    assert transactions.stored() == [b"once"]


@pytest.mark.parametrize("offsets, fields, reason", [
    ({0: 3, 1: 3}, {"member_id": "0" * 32}, "MEMBER_FENCED"),
    ({0: 3, 1: 11}, {}, "OFFSET_OUT_OF_RANGE"),
    ({0: 3, 9: 1}, {}, "PARTITION_OUT_OF_RANGE"),
    ({0: 3}, {"member_id": ""}, "GROUP_HAS_MEMBERS"),
    ({0: 3}, {"sequence": 7}, "SEQUENCE_GAP"),
])
def test_a_refused_transaction_changes_nothing(transactions, events_stub, topic, offsets, fields, reason):
    before = committed(events_stub, topic)
    request = transactions.request({(topic, p): offset for p, offset in offsets.items()}, b"never", **fields)
    assert refusal(transactions.stub.Transact, request) == reason
    assert transactions.stored() == [] and committed(events_stub, topic) == before
    # It did not use up its number.
    transactions.numbers = itertools.count(1)
    transactions.transact({(topic, 0): 10}, b"then")
    assert transactions.stored() == [b"then"]


def test_a_transaction_for_a_lost_partition_is_fenced(members, transactions, reader, topic):
    other = members.join(topic, topic)
    reader.wait(lambda m: m.revoking, "a partition is revoked")
    [revoked] = reader.revoking
    transactions.transact({revoked: 4}, b"while it is revoked")
    transactions.transact({revoked: 10}, b"to its end")
    other.wait_owned(1)
    assert refusal(transactions.stub.Transact, transactions.request({revoked: 10}, b"late")) == "MEMBER_FENCED"
    assert transactions.stored() == [b"while it is revoked", b"to its end"]


def test_a_transaction_needs_a_sequence(transactions, topic):
    request = transactions.request({(topic, 0): 3}, b"x")
    request.ClearField("sequence")
    assert refusal(transactions.stub.Transact, request) == "SEQUENCE_REQUIRED"


def test_a_newer_epoch_of_a_producer_fences_its_zombie(events_stub, transactions, topic):
    events_stub.OpenProducer(events.OpenProducerRequest(producer_id=transactions.producer.producer_id),
                             timeout=DEADLINE)
    request = transactions.request({(topic, 0): 3}, b"zombie")
    assert refusal(events_stub.Transact, request) == "PRODUCER_FENCED"
    assert transactions.stored() == []


def test_a_transaction_into_a_missing_topic_commits_nothing(transactions, events_stub, topic):
    before = committed(events_stub, topic)
    transactions.sink = "nobody-made-this"
    assert refusal(events_stub.Transact, transactions.request({(topic, 0): 3}, b"x")) == "TOPIC_NOT_FOUND"
    assert committed(events_stub, topic) == before


def test_a_transaction_may_only_commit_or_only_append(transactions, events_stub, topic):
    transactions.transact({(topic, 0): 3})
    assert committed(events_stub, topic)[topic, 0] == 3
    answer = transactions.stub.Transact(events.TransactRequest(
        appends=[events.ProduceRequest(topic=transactions.sink, records=[records.Record(value=b"alone")])],
        sequence=records.ProducerSequence(producer_id=transactions.producer.producer_id,
                                          epoch=transactions.producer.epoch, sequence=next(transactions.numbers))),
        timeout=DEADLINE)
    assert not answer.duplicate and transactions.stored() == [b"alone"]


def test_a_paused_partition_of_a_group_waits(members, events_stub, topic):
    member = members.join(topic, topic).wait_owned(PARTITIONS)
    partition = [records.TopicPartition(topic=topic, partition=0)]
    session = {"session_id": member.session.session_id}
    events_stub.PausePartitions(events.PausePartitionsRequest(partitions=partition, **session), timeout=DEADLINE)
    fill(events_stub, topic, PARTITIONS)
    member.wait_record(topic, 1, 9).wait_record(topic, 2, 9)
    assert not member.records[topic, 0]
    events_stub.ResumePartitions(events.ResumePartitionsRequest(partitions=partition, **session), timeout=DEADLINE)
    member.wait_record(topic, 0, 9)


def test_a_group_starts_at_the_latest_where_asked_and_skips_nothing_after(members, events_stub, topic):
    produce(events_stub, topic, 0, b"before")
    first = members.join(topic, topic, start=records.StartPosition(latest=True)).wait_owned(PARTITIONS)
    first.close()  # Nothing was read; the start is committed.
    produce(events_stub, topic, 0, b"between")
    second = members.join(topic, topic, start=records.StartPosition(latest=True))
    second.wait_record(topic, 0, 1)
    assert second.records[topic, 0] == [1]


@pytest.mark.parametrize("policy, told", [(events.OUT_OF_RANGE_POLICY_UNSPECIFIED, "partition_error"),
                                          (events.OUT_OF_RANGE_POLICY_EARLIEST, "repositioned")])
def test_a_member_that_retention_overtakes_is_told_and_the_others_go_on(members, events_stub, topics_stub, topic,
                                                                         policy, told):
    member = members.join(topic, topic, on_out_of_range=policy).wait_owned(PARTITIONS)
    session = {"session_id": member.session.session_id}
    events_stub.PausePartitions(events.PausePartitionsRequest(
        partitions=[records.TopicPartition(topic=topic, partition=0)], **session), timeout=DEADLINE)
    fill(events_stub, topic, PARTITIONS)
    topics_stub.TruncateTopic(topic_pb2.TruncateTopicRequest(
        topic=topic, partitions=[topic_pb2.PartitionTruncation(partition=0, before_offset=6)]), timeout=DEADLINE)
    member.wait_record(topic, 1, 9).wait_record(topic, 2, 9)
    events_stub.ResumePartitions(events.ResumePartitionsRequest(**session), timeout=DEADLINE)
    member.wait(lambda m: any(f.HasField(told) for f in m.frames), "it is told")
    if told == "repositioned":
        member.wait_record(topic, 0, 9)
        assert member.records[topic, 0] == [6, 7, 8, 9]
    produce(events_stub, topic, 1, b"on")
    member.wait_record(topic, 1, 10)
