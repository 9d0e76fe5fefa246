"""What those who may not see something learn of it: nothing, not even that it is there."""

import grpc
import pytest

import tests.support.stubs  # noqa: F401  generates what follows
from millrace.v1 import event_hub_pb2 as events
from millrace.v1 import group_pb2 as groups
from millrace.v1 import record_pb2 as records
from millrace.v1 import topic_pb2 as topics
from tests.support import outcomes
from tests.support.access import GuardedHub, channel_to, rule, token_of
from tests.support.access_table import RPCS, H, commit, produce

OPS, TEAM, OTHER, OUTSIDER = "ops", "team-a.reader", "team-a.other", "outsider"
TOPICS = ["a-1", "b-1", "a-2", "b-2", "a-3"]


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    running = GuardedHub(
        tmp_path_factory.mktemp("hub"),
        [rule([OPS], ["administer", "produce", "consume", "commit", "inspect"], ["*"], ["*"], hub=True),
         rule(["team-a.*"], ["consume"], ["a-*"], ["a-*"]),
         rule([OUTSIDER], ["inspect"], ["elsewhere"])],
        [OPS, TEAM, OTHER, OUTSIDER])
    yield running
    assert running.stop() == 0, running.log()


@pytest.fixture(scope="module")
def channel(hub):
    """To a hub with topics, and groups that have committed in them."""
    with channel_to(hub) as made:
        for topic in TOPICS:
            one(made, "TopicService/CreateTopic", topics.CreateTopicRequest(topic=topic), OPS)
            one(made, "EventHubService/Produce", produce(topic), OPS)
            for group in ("a-group", "b-group"):
                one(made, "EventHubService/CommitOffset", commit(topic, group), OPS)
        yield made


def one(channel, name, request, principal):
    return next(outcomes.start(channel, name, request, token_of(principal)))


def refusal(channel, name, request, principal):
    """Everything that a refused caller is told."""
    with pytest.raises(grpc.RpcError) as raised:
        list(outcomes.start(channel, name, request, token_of(principal)))
    error = raised.value
    return error.code(), error.details(), [
        value for key, value in error.trailing_metadata() if key == "grpc-status-details-bin"]


@pytest.mark.parametrize("name", [
    name for name, case in RPCS.items()
    if name != "EventHubService/ProduceStream" and all(on != H for _, on in case.needs)])
def test_a_refusal_is_the_same_for_what_is_there_and_what_is_not(channel, name):
    # Names of the same length, so that the packed texts differ in nothing else.
    there = refusal(channel, name, RPCS[name].request("b-1", "b-group"), OUTSIDER)
    gone = refusal(channel, name, RPCS[name].request("b-0", "b-guess"), OUTSIDER)
    code, text, packed = there
    assert code == grpc.StatusCode.PERMISSION_DENIED
    assert gone == (code, text.replace("b-1", "b-0").replace("b-group", "b-guess"),
                    [each.replace(b"b-1", b"b-0").replace(b"b-group", b"b-guess") for each in packed])


def test_a_list_of_topics_holds_what_may_be_seen_and_pages_are_full(channel):
    found, token, pages = [], "", 0
    while pages == 0 or token:
        answer = one(channel, "TopicService/ListTopics",
                     topics.ListTopicsRequest(page_size=2, page_token=token), TEAM)
        found.append([each.name for each in answer.topics])
        token, pages = answer.next_page_token, pages + 1
    assert found == [["a-1", "a-2"], ["a-3"]]


def test_the_end_of_a_list_does_not_tell_of_more_that_is_hidden(channel):
    answer = one(channel, "TopicService/ListTopics", topics.ListTopicsRequest(page_size=3), TEAM)
    assert [each.name for each in answer.topics] == ["a-1", "a-2", "a-3"]
    assert answer.next_page_token == ""


def test_who_sees_everything_gets_everything(channel):
    answer = one(channel, "TopicService/ListTopics", topics.ListTopicsRequest(), OPS)
    assert [each.name for each in answer.topics] == sorted(TOPICS)


def test_a_list_of_groups_and_a_group_leave_out_hidden_topics(channel):
    listed = one(channel, "GroupService/ListGroups", groups.ListGroupsRequest(), TEAM).groups
    assert [(each.group, list(each.topics)) for each in listed] == [
        ("a-group", ["a-1", "a-2", "a-3"])]
    all_of_it = one(channel, "GroupService/GetGroup", groups.GetGroupRequest(group="a-group"), OPS).group
    seen = one(channel, "GroupService/GetGroup", groups.GetGroupRequest(group="a-group"), TEAM).group
    assert {each.topic for each in seen.partitions} == {"a-1", "a-2", "a-3"}
    assert all_of_it.summary.lag_records == 5
    assert seen.summary.lag_records == listed[0].lag_records == 3


def test_committed_offsets_of_hidden_topics_are_left_out(channel):
    request = events.GetCommittedOffsetsRequest(group="a-group")
    seen = one(channel, "EventHubService/GetCommittedOffsets", request, TEAM)
    assert {each.topic for each in seen.offsets} == {"a-1", "a-2", "a-3"}
    all_of_it = one(channel, "EventHubService/GetCommittedOffsets", request, OPS)
    assert {each.topic for each in all_of_it.offsets} == set(TOPICS)


def test_a_session_is_found_by_nobody_but_its_owner(channel):
    stream = outcomes.start(channel, "EventHubService/Subscribe",
                            events.SubscribeRequest(topics=["a-1"]), token_of(TEAM))
    session = next(stream).session_started.session_id
    for name, request in {
        "EventHubService/PausePartitions": events.PausePartitionsRequest(session_id=session),
        "EventHubService/ResumePartitions": events.ResumePartitionsRequest(session_id=session),
        "EventHubService/UpdateSubscription": events.UpdateSubscriptionRequest(
            session_id=session, topics=["a-1", "a-2"]),
        "EventHubService/Seek": events.SeekRequest(session_id=session, targets=[
            events.SeekTarget(topic="a-1", partition=0, start=records.StartPosition(earliest=True))]),
    }.items():
        assert outcomes.of_rpc(channel, name, request, token_of(OTHER)) == "SESSION_NOT_FOUND", name
        assert outcomes.of_rpc(channel, name, request, token_of(TEAM)) == "OK", name
    stream.cancel()


def test_a_produce_stream_answers_each_refused_request_and_goes_on(hub):
    """Refused in place, so that what follows it on the stream is not lost."""
    requests = [events.ProduceStreamRequest(request=produce(topic)) for topic in ("in-1", "out-1", "in-1")]
    hub.write([rule(["team-a.writer"], ["produce"], ["in-*"]),
               rule([OPS], ["administer", "produce", "consume", "commit", "inspect"], ["*"], ["*"], hub=True),
               rule(["team-a.*"], ["consume"], ["a-*"], ["a-*"]),
               rule([OUTSIDER], ["inspect"], ["elsewhere"])],
              [OPS, TEAM, OTHER, OUTSIDER, "team-a.writer"])
    with channel_to(hub) as channel:
        one(channel, "TopicService/CreateTopic", topics.CreateTopicRequest(topic="in-1"), OPS)
        call = channel.stream_stream(
            "/millrace.v1.EventHubService/ProduceStream",
            request_serializer=events.ProduceStreamRequest.SerializeToString,
            response_deserializer=events.ProduceStreamResponse.FromString)
        answers = list(call(iter(requests), timeout=60, metadata=[
            ("authorization", f"Bearer {token_of('team-a.writer')}")]))
    assert [answer.error.reason for answer in answers] == ["", "PERMISSION_DENIED", ""]
