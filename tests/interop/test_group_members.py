"""Members of a group, by generated stubs alone: who gets which partitions, and when."""

from datetime import timedelta

from millrace.v1 import event_hub_pb2 as events
from millrace.v1 import group_pb2, topic_pb2
from tests.support.calls import DEADLINE, committed, fill, produce, reason_of, refusal
from tests.support.members import read_once_by, shared_out
from tests.support.waiting import wait_until

PARTITIONS = 3


def everything(topic, count=10):
    return {(topic, partition): list(range(count)) for partition in range(PARTITIONS)}


def test_a_member_alone_has_every_partition(members, events_stub, topic):
    fill(events_stub, topic, PARTITIONS)
    alone = members.join(topic, topic).wait_owned(PARTITIONS)
    assert len(alone.session.member_id) == 32
    assert alone.session.member_epoch == 1
    wait_until(lambda: read_once_by(alone) == everything(topic), "all is read")


def test_members_share_the_partitions_and_read_every_record_once(members, events_stub, topic):
    three = [members.join(topic, topic) for _ in range(3)]
    shared_out(three, PARTITIONS)
    fill(events_stub, topic, PARTITIONS)
    wait_until(lambda: read_once_by(*three) == everything(topic), "all is read")
    assert all(len(member.records) == 1 for member in three)


def test_a_member_without_a_partition_gets_heartbeats(members, topic):
    working = [members.join(topic, topic) for _ in range(PARTITIONS)]
    shared_out(working, PARTITIONS)
    spare = members.join(topic, topic, heartbeat_interval=timedelta(milliseconds=100))
    spare.wait(lambda m: sum(f.HasField("heartbeat") for f in m.frames) >= 2, "heartbeats come")
    assert not spare.owned and not any(f.HasField("assigned") for f in spare.frames)
    working[0].leave()
    spare.wait_owned(1)


def test_a_member_that_leaves_hands_its_partitions_on_where_it_committed(members, events_stub, topic):
    fill(events_stub, topic, PARTITIONS)
    first = members.join(topic, topic).wait_owned(PARTITIONS)
    wait_until(lambda: read_once_by(first) == everything(topic), "all is read")
    second = members.join(topic, topic)
    shared_out([first, second], PARTITIONS)
    first.leave()
    second.wait_owned(PARTITIONS)
    assert {cause for _, cause in first.lost} == {events.LOST_CAUSE_HANDED_OVER}
    assert first.error is None and first.ending.reason == events.ENDING_REASON_LEFT and not first.ending.retry
    fill(events_stub, topic, PARTITIONS, 1)
    wait_until(lambda: read_once_by(first, second) == everything(topic, 11), "the rest is read, and nothing twice")


def test_a_broken_stream_without_instance_frees_its_partitions_at_once(members, topic):
    first, second = members.join(topic, topic), members.join(topic, topic)
    shared_out([first, second], PARTITIONS)
    first.close()
    second.wait_owned(PARTITIONS)


def test_partitions_of_an_instance_wait_for_it(members, events_stub, topic):
    pod = members.join(topic, topic, instance_id="pod-0").wait_owned(PARTITIONS)
    other = members.join(topic, topic)
    shared_out([pod, other], PARTITIONS)
    had, kept = set(pod.owned), set(other.owned)
    pod.close()
    fill(events_stub, topic, PARTITIONS)
    for place in kept:
        other.wait_record(*place, 9)
    back = members.again(pod).wait_owned(len(had))
    assert set(back.owned) == had and set(other.owned) == kept
    assert back.session.member_id == pod.session.member_id
    assert back.session.member_epoch == pod.session.member_epoch + 1
    for place in had:
        back.wait_record(*place, 9)
    assert not other.lost and not any(f.HasField("revoking") for f in other.frames)
    assert read_once_by(other, back) == everything(topic)


def test_a_second_stream_of_an_instance_replaces_the_first(members, events_stub, topic):
    fill(events_stub, topic, PARTITIONS)
    old = members.join(topic, topic, instance_id="pod-0", commits=False).wait_owned(PARTITIONS)
    for partition in range(PARTITIONS):
        old.wait_record(topic, partition, 9)
    new = members.again(old).wait_owned(PARTITIONS)
    old.wait_ended()
    assert old.ending.reason == events.ENDING_REASON_INSTANCE_REPLACED and not old.ending.retry
    assert old.error is None or reason_of(old.error) == "INSTANCE_REPLACED"
    answer = old.commit()
    assert {result.error.reason for result in answer.results} == {"MEMBER_FENCED"}
    for partition in range(PARTITIONS):
        new.wait_record(topic, partition, 9)  # Nothing was committed: from the start.
    assert not any(result.HasField("error") for result in new.commit().results)


def test_a_member_resumes_the_place_of_its_broken_stream(members, topic):
    first = members.join(topic, topic, instance_id="pod-0").wait_owned(PARTITIONS)
    other = members.join(topic, topic)
    shared_out([first, other], PARTITIONS)
    had = set(first.owned)
    first.close()
    back = members.join(topic, topic, resume_member_id=first.session.member_id).wait_owned(len(had))
    assert set(back.owned) == had
    assert back.session.member_id == first.session.member_id
    assert back.session.member_epoch == first.session.member_epoch + 1


def test_an_unknown_member_to_resume_is_a_new_member(members, topic):
    member = members.join(topic, topic, resume_member_id="f" * 32).wait_owned(PARTITIONS)
    assert member.session.member_id not in ("", "f" * 32)


def test_a_revoked_partition_goes_on_elsewhere_once_it_is_committed(members, events_stub, topic):
    fill(events_stub, topic, PARTITIONS)
    slow = members.join(topic, topic, commits=False)
    for partition in range(PARTITIONS):
        slow.wait_record(topic, partition, 9)
    other = members.join(topic, topic)
    slow.wait(lambda m: m.revoking, "partitions are revoked")
    [revoked] = slow.revoking
    assert [f for f in slow.frames if f.HasField("revoking")][0].revoking.time_left.ToSeconds() > 200
    assert revoked in slow.owned and not other.owned
    slow.commit({revoked: 5})  # Not all that it was sent: it keeps the partition.
    fill(events_stub, topic, PARTITIONS)
    for place in set(slow.owned) - {revoked}:
        slow.wait_record(*place, 19)  # The others go on; a batch of the revoked one would fail the member.
    assert revoked in slow.owned and not other.owned
    slow.commit({revoked: 10})
    other.wait_owned(1)
    slow.wait(lambda m: m.lost, "it is told")
    assert slow.lost == [(revoked, events.LOST_CAUSE_HANDED_OVER)]
    assert other.owned[revoked].start_offset == 10
    [result] = slow.commit({revoked: 10}).results
    assert result.error.reason == "MEMBER_FENCED" and not result.HasField("committed_next_offset")


def test_a_released_partition_goes_to_who_waits_for_it(members, events_stub, topic):
    fill(events_stub, topic, PARTITIONS)
    slow = members.join(topic, topic, commits=False)
    for partition in range(PARTITIONS):
        slow.wait_record(topic, partition, 9)
    other = members.join(topic, topic)
    slow.wait(lambda m: m.revoking, "partitions are revoked")
    [revoked] = slow.revoking
    slow.commit({revoked: 4}, released=[revoked])
    other.wait_owned(1)
    assert other.owned[revoked].start_offset == 4
    other.wait_record(*revoked, 9)
    slow.wait(lambda m: m.lost, "it is told")
    assert slow.lost == [(revoked, events.LOST_CAUSE_HANDED_OVER)]


def test_a_member_that_never_commits_loses_what_is_revoked_in_the_end(members, events_stub, topic):
    fill(events_stub, topic, PARTITIONS)
    hung = members.join(topic, topic, commits=False, revoke_timeout=timedelta(seconds=1))
    for partition in range(PARTITIONS):
        hung.wait_record(topic, partition, 9)
    other = members.join(topic, topic).wait_owned(1)
    hung.wait(lambda m: m.lost, "it is told")
    [(place, cause)] = hung.lost
    assert cause == events.LOST_CAUSE_REVOKE_TIMEOUT and set(other.owned) == {place}
    assert other.owned[place].start_offset == 0
    [result] = hung.commit({place: 10}).results
    assert result.error.reason == "MEMBER_FENCED"
    other.wait_record(*place, 9)
    wait_until(lambda: committed(events_stub, topic).get(place) == 10, "the new owner's commit stands")


def test_a_member_may_ask_to_be_relieved_of_what_it_does_not_commit(members, events_stub, topic):
    watching = members.join(topic, topic).wait_owned(PARTITIONS)
    hung = members.join(topic, topic, commits=False, max_uncommitted_age=timedelta(seconds=1))
    shared_out([watching, hung], PARTITIONS)
    had = set(hung.owned)
    fill(events_stub, topic, PARTITIONS)
    hung.wait(lambda m: m.lost, "it is told")
    assert {cause for _, cause in hung.lost} == {events.LOST_CAUSE_UNCOMMITTED_TOO_LONG}
    assert {place for place, _ in hung.lost} <= had
    for place, _ in list(hung.lost):
        wait_until(lambda: committed(events_stub, topic).get(place) == 10 or place in hung.owned,
                   "it is read elsewhere, or came back")


def test_members_with_different_topics_get_what_they_asked_for(members, hub, topic):
    other = topic + ".other"
    hub.millrace("topic", "create", other, "--partitions", 2)
    both = members.join(topic, [topic, other])
    narrow = members.join(topic, other)
    wait_until(lambda: len(both.owned) + len(narrow.owned) == PARTITIONS + 2, "all is assigned")
    assert {t for t, _ in narrow.owned} <= {other}
    narrow.close()
    both.wait_owned(PARTITIONS + 2)


def test_members_get_the_partitions_by_which_a_topic_grows(members, topics_stub, events_stub, topic):
    two = [members.join(topic, topic) for _ in range(2)]
    shared_out(two, PARTITIONS)
    topics_stub.UpdateTopic(topic_pb2.UpdateTopicRequest(topic=topic, partition_count=8), timeout=DEADLINE)
    produce(events_stub, topic, 7, b"early")
    shared_out(two, 8)
    wait_until(lambda: any(m.records.get((topic, 7)) == [0] for m in two), "the new partition is read from 0")


def test_a_deleted_topic_is_lost_and_the_others_go_on(members, hub, events_stub, topics_stub, topic):
    doomed = topic + ".doomed"
    hub.millrace("topic", "create", doomed, "--partitions", 2)
    member = members.join(topic, [topic, doomed]).wait_owned(PARTITIONS + 2)
    topics_stub.DeleteTopic(topic_pb2.DeleteTopicRequest(topic=doomed), timeout=DEADLINE)
    member.wait(lambda m: len(m.lost) == 2, "both partitions are lost")
    assert {cause for _, cause in member.lost} == {events.LOST_CAUSE_TOPIC_DELETED}
    [result] = member.commit({(doomed, 0): 0}).results
    assert result.error.reason == "TOPIC_NOT_FOUND"
    produce(events_stub, topic, 1, b"on")
    member.wait_record(topic, 1, 0)


def test_a_subscription_that_changes_keeps_what_stays(members, hub, events_stub, topic):
    other = topic + ".other"
    hub.millrace("topic", "create", other, "--partitions", 2)
    member = members.join(topic, topic).wait_owned(PARTITIONS)
    first = dict(member.owned)
    events_stub.UpdateSubscription(events.UpdateSubscriptionRequest(
        session_id=member.session.session_id, topics=[topic, other]), timeout=DEADLINE)
    member.wait_owned(PARTITIONS + 2)
    assert all(member.owned[place] == first[place] for place in first)
    events_stub.UpdateSubscription(events.UpdateSubscriptionRequest(
        session_id=member.session.session_id, topics=[other]), timeout=DEADLINE)
    member.wait_owned(2)
    assert {cause for _, cause in member.lost} == {events.LOST_CAUSE_UNSUBSCRIBED}


def test_a_reader_to_the_end_keeps_its_partitions_until_it_has_committed(members, events_stub, groups_stub, topic):
    fill(events_stub, topic, PARTITIONS)
    reader = members.join(topic, topic, commits=False, end_at_current=True)
    reader.wait_ended()
    assert reader.error is None and reader.ending.reason == events.ENDING_REASON_END_REACHED
    answer = reader.commit(leave=True)
    assert [result.committed_next_offset for result in answer.results] == [10] * PARTITIONS
    assert not any(result.HasField("error") for result in answer.results)
    group = groups_stub.GetGroup(group_pb2.GetGroupRequest(group=topic), timeout=DEADLINE).group
    assert group.summary.member_count == 0 and not group.members


def test_max_in_flight_holds_back_and_says_for_what_it_waits(members, events_stub, topic):
    produce(events_stub, topic, 0, *[b"x"] * 1000)
    member = members.join(topic, topic, commits=False, max_in_flight_records=10, max_batch_bytes=100,
                          heartbeat_interval=timedelta(milliseconds=100))
    member.wait(lambda m: any(f.HasField("heartbeat") and f.heartbeat.waiting_for_commit for f in m.frames),
                "it is told that it must commit")
    held = member.delivered[topic, 0]
    assert 0 < held < 1000
    produce(events_stub, topic, 1, b"y")
    member.wait_record(topic, 1, 0)  # One frame a partition always comes.
    member.commit({(topic, 0): held})
    member.wait_record(topic, 0, held)


def test_a_bound_on_records_in_flight_needs_a_group(events_stub, topic):
    request = events.SubscribeRequest(topics=[topic], max_in_flight_records=1)
    assert refusal(events_stub.Subscribe, request) == "INVALID_CONFIG"
