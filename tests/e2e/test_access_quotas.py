"""Quotas: who asks for too much is told when to come back, whichever way it calls, and nobody else is touched."""

import contextlib
import http.client
import json
import subprocess
import time

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

import tests.support.stubs  # noqa: F401  generates what follows
from millrace.v1 import event_hub_pb2 as events
from millrace.v1 import event_hub_pb2_grpc
from millrace.v1 import gateway_pb2 as gateway
from millrace.v1 import group_pb2 as groups
from millrace.v1 import record_pb2 as records
from millrace.v1 import topic_pb2 as topics
from tests.support import outcomes
from tests.support.access import DEADLINE, GuardedHub, bearer, channel_to, rule, token_of
from tests.support.calls import reason_of
from tests.support.hub import MILLRACE
from tests.support.scrape import Scrape
from tests.support.waiting import wait_until

OPS, BUSY, QUIET, ANONYMOUS = "ops", "busy", "quiet", "anonymous"
RULES = [rule([OPS, BUSY, QUIET], ["administer", "produce", "consume", "commit", "inspect"], ["*"], ["*"]),
         rule([ANONYMOUS], ["inspect"], hub=True)]  # For the figures.


@contextlib.contextmanager
def limited(directory, **limits):
    """A hub on which BUSY and QUIET have these limits, each for itself."""
    quotas = [{"principals": [BUSY, QUIET], **limits}]
    hub = GuardedHub(directory, RULES, [OPS, BUSY, QUIET], quotas=quotas)
    try:
        with channel_to(hub) as channel:
            hub.channel = channel
            next(outcomes.start(channel, "TopicService/CreateTopic",
                                topics.CreateTopicRequest(topic="orders"), token_of(OPS)))
            yield hub
    finally:
        assert hub.stop() == 0, hub.log()


class Refused(Exception):
    """By a quota: its name, and after how many seconds there is room again; None: nobody knows."""

    def __init__(self, reason, metadata, seconds):
        assert (reason, metadata["principal"]) == ("QUOTA_EXCEEDED", BUSY)
        self.quota = metadata["quota"]
        self.seconds = seconds


# ---- One record, by each way that there is

def sent(value=b"v"):
    return events.ProduceRequest(topic="orders", records=[records.Record(value=value)])


def over_grpc(hub, principal, value=b"v"):
    stub = event_hub_pb2_grpc.EventHubServiceStub(hub.channel)
    try:
        stub.Produce(sent(value), metadata=bearer(token_of(principal)), timeout=DEADLINE)
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED, error
        info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
        for detail in rpc_status.from_call(error).details:
            detail.Unpack(info) or detail.Unpack(retry)
        raise Refused(info.reason, info.metadata, seconds_of(retry.retry_delay)) from None


def over_a_stream_of_grpc(hub, principal, value=b"v"):
    stub = event_hub_pb2_grpc.EventHubServiceStub(hub.channel)
    [answer] = stub.ProduceStream(iter([events.ProduceStreamRequest(request=sent(value))]),
                                  metadata=bearer(token_of(principal)), timeout=DEADLINE)
    raise_refusal(answer)


def over_a_websocket(hub, principal, value=b"v"):
    if not hasattr(hub, "sockets"):
        hub.sockets = {}
    if principal not in hub.sockets:
        hub.sockets[principal] = outcomes.connect(hub, token_of(principal))
    outcomes.send(hub.sockets[principal], 1, produce=sent(value))
    raise_refusal(outcomes.receive(hub.sockets[principal]))


def over_http(hub, principal, value=b"v"):
    connection = http.client.HTTPConnection("localhost", hub.web_port, timeout=DEADLINE)
    with contextlib.closing(connection):
        connection.request("POST", "/v1/topics/orders/records",
                           json.dumps({"records": [{"text": value.decode()}]}),
                           {"Content-Type": "application/json", "Authorization": f"Bearer {token_of(principal)}"})
        answer = connection.getresponse()
        facts = json.loads(answer.read())
    if answer.status == 200:
        return
    assert answer.status == 429, (answer.status, facts)
    seconds = float(facts["retryAfter"].removesuffix("s"))
    assert int(answer.headers["Retry-After"]) >= seconds, "for those who only know HTTP"
    raise Refused(facts["reason"], facts["metadata"], seconds)


def raise_refusal(answer):
    if answer.HasField("error"):
        error = answer.error
        raise Refused(error.reason, error.metadata, seconds_of(error.retry_after))


def seconds_of(duration):
    return duration.ToTimedelta().total_seconds()


WAYS = [over_grpc, over_a_stream_of_grpc, over_a_websocket, over_http]


def until_refused(send):
    """The refusal of the first that is one too many."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        try:
            send()
        except Refused as refused:
            return refused
    raise AssertionError("nothing was refused")


@pytest.mark.parametrize("send", WAYS)
def test_too_many_requests_are_refused_until_the_time_that_the_refusal_says(tmp_path, send):
    with limited(tmp_path, requests_per_second=2) as hub:
        refused = until_refused(lambda: send(hub, BUSY))
        assert refused.quota == "requests_per_second"
        assert 0 < refused.seconds <= 0.5
        send(hub, QUIET)  # Has a quota of its own,
        send(hub, OPS)  # and who is not named has none.
        time.sleep(refused.seconds)
        send(hub, BUSY)


@pytest.mark.parametrize("send", WAYS)
def test_too_many_bytes_are_refused_until_the_time_that_the_refusal_says(tmp_path, send):
    with limited(tmp_path, produce_bytes_per_second=1000) as hub:
        send(hub, BUSY, b"v" * 2500)  # More than a second's worth is let through, and owed.
        refused = until_refused(lambda: send(hub, BUSY, b"v" * 100))
        assert refused.quota == "produce_bytes_per_second"
        assert 0 < refused.seconds <= 3
        send(hub, QUIET, b"v" * 100)
        time.sleep(refused.seconds)
        send(hub, BUSY, b"v" * 100)


def test_reads_count_as_requests_too(tmp_path):
    with limited(tmp_path, requests_per_second=1) as hub:
        until_refused(lambda: over_grpc(hub, BUSY))
        assert outcomes.of_call(hub, "TopicService/GetTopic", topics.GetTopicRequest(topic="orders"),
                                token_of(QUIET)) == "OK"
        wait_until(lambda: outcomes.of_call(hub, "TopicService/GetTopic", topics.GetTopicRequest(topic="orders"),
                                            token_of(BUSY)) == "QUOTA_EXCEEDED", "a look is refused as well")


# ---- What may be open at a time

def stream(hub, principal, name="EventHubService/Subscribe", request=None, channel=None):
    """Opens a stream; its first answer has come."""
    opened = outcomes.start(channel or hub.channel, name,
                            request or events.SubscribeRequest(topics=["orders"]), token_of(principal))
    next(opened)
    return opened


def reason_of_stream(hub, principal, *args, **named):
    """"OK", and it is closed again, or why it cannot be opened."""
    try:
        stream(hub, principal, *args, **named).cancel()
    except grpc.RpcError as error:
        return reason_of(error)
    return "OK"


def test_a_principal_has_as_many_streams_as_it_may(tmp_path):
    watch = ("GroupService/WatchGroup", groups.WatchGroupRequest(group="billing"))
    with limited(tmp_path, max_streams=2) as hub:
        next(outcomes.start(hub.channel, "EventHubService/CommitOffset", events.CommitOffsetRequest(
            group="billing", offsets=[events.OffsetCommit(topic="orders", partition=0, next_offset=0)]),
            token_of(OPS)))
        open_streams = [stream(hub, BUSY), stream(hub, BUSY, *watch)]
        assert reason_of_stream(hub, BUSY) == "QUOTA_EXCEEDED"
        assert reason_of_stream(hub, BUSY, *watch) == "QUOTA_EXCEEDED"
        assert outcomes.of_rpc(hub.channel, "EventHubService/ProduceStream",
                               events.ProduceStreamRequest(request=sent()), token_of(BUSY)) == "QUOTA_EXCEEDED"
        assert reason_of_stream(hub, QUIET) == "OK"
        over_grpc(hub, BUSY)  # A call is no stream.
        open_streams.pop().cancel()
        wait_until(lambda: reason_of_stream(hub, BUSY) == "OK", "its place is free again")


def subscribe(socket, number):
    """"OK", or why a WebSocket's subscription is refused."""
    outcomes.send(socket, number, subscribe=gateway.GatewaySubscribe(
        request=events.SubscribeRequest(topics=["orders"])))
    while (answer := outcomes.receive(socket)).id != number:
        pass
    return answer.error.reason if answer.HasField("error") else "OK"


def test_a_principal_has_as_many_subscriptions_as_it_may_over_all_its_connections(tmp_path):
    with limited(tmp_path, max_subscriptions=2) as hub:
        first, second = (outcomes.connect(hub, token_of(BUSY)) for _ in range(2))
        assert subscribe(first, 1) == "OK"
        over_grpc_too = stream(hub, BUSY)
        assert subscribe(second, 1) == "QUOTA_EXCEEDED"
        assert outcomes.of_http(hub, "GET", "/v1/sse?topic=orders", token=token_of(QUIET))[0] == "OK"
        over_grpc_too.cancel()
        numbers = iter(range(2, 10_000))
        wait_until(lambda: subscribe(second, next(numbers)) == "OK", "the place is free again")
        first.close()
        second.close()


def test_a_principal_has_as_many_connections_of_the_web_as_it_may(tmp_path):
    with limited(tmp_path, max_connections=1) as hub:
        held = outcomes.connect(hub, token_of(BUSY))
        assert outcomes.handshake(hub, token_of(BUSY)) == 429
        assert outcomes.of_http(hub, "GET", "/v1/sse?topic=orders", token=token_of(BUSY))[:2] == (
            "QUOTA_EXCEEDED", 429)
        assert outcomes.handshake(hub, token_of(QUIET)) == "OK"
        held.close()
        wait_until(lambda: outcomes.handshake(hub, token_of(BUSY)) == "OK", "the place is free again")


def test_a_principal_has_streams_on_as_many_connections_of_grpc_as_it_may(tmp_path):
    with limited(tmp_path, max_connections=1) as hub, channel_to(hub) as other:
        on_one = [stream(hub, BUSY), stream(hub, BUSY)]  # However many.
        assert reason_of_stream(hub, BUSY, channel=other) == "QUOTA_EXCEEDED"
        assert outcomes.handshake(hub, token_of(BUSY)) == 429
        assert reason_of_stream(hub, QUIET, channel=other) == "OK"
        on_one.pop().cancel()
        assert reason_of_stream(hub, BUSY, channel=other) == "QUOTA_EXCEEDED"
        on_one.pop().cancel()
        wait_until(lambda: reason_of_stream(hub, BUSY, channel=other) == "OK", "the place is free again")


# ---- Clients

def refusals(hub):
    return Scrape(hub).total("millrace_requests_total", code="RESOURCE_EXHAUSTED")


def test_a_producer_waits_as_it_is_told_and_loses_nothing(tmp_path):
    """Half a megabyte through a hub that takes a hundred thousand bytes a second of it."""
    lines = [b"%06d %s" % (number, b"x" * 1000) for number in range(500)]
    with limited(tmp_path, produce_bytes_per_second=100_000) as hub:
        token_file = tmp_path / "token"
        token_file.write_text(token_of(BUSY))
        began = time.monotonic()
        done = subprocess.run(
            [MILLRACE, "--target", hub.target, "--token-file", token_file, "produce", "orders", "-q"],
            input=b"\n".join(lines) + b"\n", capture_output=True, timeout=DEADLINE)
        assert done.returncode == 0, done.stderr.decode()
        took = time.monotonic() - began
        # The first second's worth goes at once, and the last request is owed.
        assert took > 1
        token_file.write_text(token_of(OPS))
        read = subprocess.run([MILLRACE, "--target", hub.target, "--token-file", token_file, "consume", "orders",
                               "--from-beginning", "--exit-at-end", "-q"], capture_output=True, timeout=DEADLINE)
        assert read.stdout.splitlines() == lines
        assert 0 < refusals(hub) < 200, "it asks again when it was told to, and not all the time"
