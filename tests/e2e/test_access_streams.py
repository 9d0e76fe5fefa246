"""Open streams are looked at again: when rules change, when a token expires, when they are old."""

import http.client
import threading
import time

import grpc
import pytest
import websocket

import tests.support.stubs  # noqa: F401  generates what follows
from millrace.v1 import event_hub_pb2 as events
from millrace.v1 import gateway_pb2 as gateway
from millrace.v1 import group_pb2 as groups
from millrace.v1 import topic_pb2 as topics
from tests.support import outcomes
from tests.support.access import DEADLINE, GuardedHub, channel_to, rule, token_of
from tests.support.access_table import commit, produce
from tests.support.calls import reason_of
from tests.support.hub import Hub
from tests.support.issuer import Issuer

OPS, TEAM, STAYS = "ops", "team", "stays"
RIGHTS = ["administer", "produce", "consume", "commit", "inspect"]
FOR_OPS = rule([OPS, STAYS], RIGHTS, ["*"], ["*"], hub=True)
FOR_TEAM = rule([TEAM], ["consume", "produce", "commit"], ["orders"], ["*"])
ELSEWHERE = rule([TEAM], ["inspect"], ["elsewhere"])
ALL = [OPS, TEAM, STAYS]


@pytest.fixture
def hub(tmp_path):
    running = GuardedHub(tmp_path, [FOR_OPS, FOR_TEAM], ALL)
    with channel_to(running) as channel:
        for request in (topics.CreateTopicRequest(topic="orders"), topics.CreateTopicRequest(topic="returns")):
            next(outcomes.start(channel, "TopicService/CreateTopic", request, token_of(OPS)))
        next(outcomes.start(channel, "EventHubService/CommitOffset", commit("orders", "billing"), token_of(OPS)))
        running.channel = channel
        yield running
    assert running.stop() == 0, running.log()


def subscribe(hub, principal, *named):
    """An open subscription, of which the session has started."""
    stream = outcomes.start(hub.channel, "EventHubService/Subscribe",
                            events.SubscribeRequest(topics=named or ["orders"]), token_of(principal))
    return stream, next(stream).session_started.session_id


def ending_of(stream):
    """The ending frame of a subscription, and the reason with which the call then ends."""
    ending = None
    with pytest.raises(grpc.RpcError) as raised:
        for frame in stream:
            if frame.HasField("ending"):
                ending = frame.ending
    return ending, reason_of(raised.value)


def test_a_subscription_ends_when_its_right_is_taken_away_and_others_go_on(hub):
    ends, _ = subscribe(hub, TEAM)
    stays, _ = subscribe(hub, STAYS)
    hub.write([FOR_OPS, ELSEWHERE], ALL)
    ending, reason = ending_of(ends)
    assert (ending.reason, ending.retry) == (events.ENDING_REASON_REFUSED, False)
    assert reason == "PERMISSION_DENIED"
    next(outcomes.start(hub.channel, "EventHubService/Produce", produce("orders"), token_of(OPS)))
    assert any(frame.batches.batches for frame in stays)  # Else it would not come to an end.
    stays.cancel()


def test_a_subscription_is_judged_by_the_topics_that_it_reads_now(hub):
    both = rule([TEAM], ["consume"], ["orders", "returns"])
    hub.write([FOR_OPS, both], ALL)
    moved, session = subscribe(hub, TEAM)
    next(outcomes.start(hub.channel, "EventHubService/UpdateSubscription", events.UpdateSubscriptionRequest(
        session_id=session, topics=["returns"]), token_of(TEAM)))
    hub.write([FOR_OPS, rule([TEAM], ["consume"], ["orders"])], ALL)
    ending, _ = ending_of(moved)
    assert ending.reason == events.ENDING_REASON_REFUSED


def test_a_watch_of_a_group_ends_when_its_right_is_taken_away(hub):
    watch = outcomes.start(hub.channel, "GroupService/WatchGroup",
                           groups.WatchGroupRequest(group="billing"), token_of(TEAM))
    next(watch)
    hub.write([FOR_OPS, ELSEWHERE], ALL)
    with pytest.raises(grpc.RpcError) as raised:
        list(watch)
    assert reason_of(raised.value) == "PERMISSION_DENIED"


class OpenProduceStream:
    """A stream that sends one request, and then stays open."""

    def __init__(self, hub, token):
        self.done = threading.Event()
        call = hub.channel.stream_stream(
            "/millrace.v1.EventHubService/ProduceStream",
            request_serializer=events.ProduceStreamRequest.SerializeToString,
            response_deserializer=events.ProduceStreamResponse.FromString)
        self.answers = call(self.requests(), timeout=DEADLINE,
                            metadata=[("authorization", f"Bearer {token}")] if token else [])
        assert next(self.answers).HasField("produced")

    def requests(self):
        yield events.ProduceStreamRequest(request=produce("orders"))
        self.done.wait(DEADLINE)

    def end(self):
        """The reason with which the hub ends it."""
        try:
            with pytest.raises(grpc.RpcError) as raised:
                next(self.answers)
            return reason_of(raised.value)
        finally:
            self.done.set()


def test_a_produce_stream_ends_when_its_right_is_taken_away(hub):
    stream = OpenProduceStream(hub, token_of(TEAM))
    hub.write([FOR_OPS, ELSEWHERE], ALL)
    assert stream.end() == "PERMISSION_DENIED"


def test_a_subscription_of_a_websocket_ends_and_the_connection_goes_on(hub):
    socket = outcomes.connect(hub, token_of(TEAM))
    outcomes.send(socket, 1, subscribe=gateway.GatewaySubscribe(
        request=events.SubscribeRequest(topics=["orders"])))
    assert outcomes.receive(socket).frame.HasField("session_started")
    hub.write([FOR_OPS, ELSEWHERE], ALL)
    while not (frame := outcomes.receive(socket).frame).HasField("ending"):
        pass
    assert frame.ending.reason == events.ENDING_REASON_REFUSED
    assert outcomes.of_command(socket, 2, "ping", gateway.GatewayPing()) == "OK"
    assert outcomes.of_command(socket, 3, "produce", produce("orders")) == "PERMISSION_DENIED"
    socket.close()


def close_code(socket):
    """The code with which the hub closes a WebSocket."""
    while True:
        opcode, data = socket.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            return int.from_bytes(data[:2], "big")


def test_a_websocket_of_somebody_who_may_nothing_any_more_is_closed(hub):
    socket = outcomes.connect(hub, token_of(TEAM))
    hub.write([FOR_OPS], ALL)
    assert close_code(socket) == 4403


def test_an_event_stream_ends_when_its_right_is_taken_away(hub):
    connection = http.client.HTTPConnection("localhost", hub.web_port, timeout=DEADLINE)
    connection.request("GET", "/v1/sse?topic=orders", headers={"Authorization": f"Bearer {token_of(TEAM)}"})
    response = connection.getresponse()
    assert response.status == 200
    hub.write([FOR_OPS, ELSEWHERE], ALL)
    assert "ENDING_REASON_REFUSED" in response.read().decode()
    connection.close()


# ---- Expiry and age

@pytest.fixture
def issued(tmp_path):
    """A hub that takes the tokens of an issuer, and how these are made."""
    issuer = Issuer(tmp_path / "keys.json")
    issuer.add_key("first")
    issuer.publish("first")
    running = GuardedHub(tmp_path, [FOR_OPS, rule([TEAM], RIGHTS, ["*"], ["*"])], [OPS],
                         jwt=issuer.config(leeway_seconds=0))
    with channel_to(running) as channel:
        running.channel = channel
        next(outcomes.start(channel, "TopicService/CreateTopic",
                            topics.CreateTopicRequest(topic="orders"), token_of(OPS)))
        yield running, issuer
    assert running.stop() == 0, running.log()


SHORT = 3  # Seconds: enough to open streams with it.


def test_streams_end_when_what_opened_them_expires_and_may_come_back_with_more(issued):
    hub, issuer = issued
    token = issuer.token(TEAM, "first", SHORT)
    stream = outcomes.start(hub.channel, "EventHubService/Subscribe",
                            events.SubscribeRequest(topics=["orders"]), token)
    next(stream)
    producing = OpenProduceStream(hub, token)
    socket = outcomes.connect(hub, token)
    ending, _ = ending_of(stream)
    assert (ending.reason, ending.retry) == (events.ENDING_REASON_MAX_AGE, True)
    assert producing.end() == "DRAINING"
    assert close_code(socket) == 4401
    again = events.SubscribeRequest(topics=["orders"])
    assert outcomes.of_rpc(hub.channel, "EventHubService/Subscribe", again, token) == "UNAUTHENTICATED"
    assert outcomes.of_rpc(hub.channel, "EventHubService/Subscribe", again,
                           issuer.token(TEAM, "first")) == "OK"


@pytest.fixture
def rotating(tmp_path):
    """A hub without access control that ends streams after a second, more or less."""
    running = Hub(tmp_path, "--max-stream-age", "1s")
    with channel_to(running) as channel:
        running.channel = channel
        next(outcomes.start(channel, "TopicService/CreateTopic", topics.CreateTopicRequest(topic="orders")))
        yield running
    assert running.stop() == 0, running.log()


def test_an_old_stream_is_ended_so_that_its_client_connects_again(rotating):
    stream = outcomes.start(rotating.channel, "EventHubService/Subscribe",
                            events.SubscribeRequest(topics=["orders"]))
    ending, reason = ending_of(stream)
    assert (ending.reason, ending.retry, reason) == (events.ENDING_REASON_MAX_AGE, True, "DRAINING")
    assert [each.topic for each in ending.resume_at] == ["orders"]


def test_an_old_produce_stream_has_all_its_answers_before_it_ends(rotating):
    assert OpenProduceStream(rotating, None).end() == "DRAINING"


def test_an_old_websocket_ends_what_is_open_and_closes_so_that_clients_come_back(rotating):
    socket = outcomes.connect(rotating)
    outcomes.send(socket, 1, subscribe=gateway.GatewaySubscribe(
        request=events.SubscribeRequest(topics=["orders"])))
    while not (frame := outcomes.receive(socket).frame).HasField("ending"):
        pass
    assert frame.ending.reason == events.ENDING_REASON_MAX_AGE
    assert close_code(socket) == 1001


def test_streams_that_were_opened_together_do_not_end_together(rotating):
    """By chance a tenth up or down: among many the first and the last differ by much of that."""
    streams = [outcomes.start(rotating.channel, "EventHubService/Subscribe",
                              events.SubscribeRequest(topics=["orders"])) for _ in range(30)]
    ends = []

    def wait(stream):
        ending_of(stream)
        ends.append(time.monotonic())

    waiting = [threading.Thread(target=wait, args=(stream,)) for stream in streams]
    for thread in waiting:
        thread.start()
    for thread in waiting:
        thread.join()
    assert len(ends) == len(streams)
    assert max(ends) - min(ends) > 0.05
