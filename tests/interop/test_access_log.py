"""One line a change that an administrator makes, from whichever entry: who, what, what came of it."""

import json
import urllib.error
import urllib.request

import grpc
import pytest

import tests.support.stubs  # noqa: F401  generates what follows
from google.protobuf import json_format
from millrace.v1 import group_pb2, group_pb2_grpc, hub_pb2, hub_pb2_grpc, topic_pb2, topic_pb2_grpc
from tests.support.calls import DEADLINE
from tests.support.hub import Hub

SERVICES = {
    "TopicService": (topic_pb2, topic_pb2_grpc.TopicServiceStub),
    "GroupService": (group_pb2, group_pb2_grpc.GroupServiceStub),
    "HubService": (hub_pb2, hub_pb2_grpc.HubServiceStub),
}


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    running = Hub(tmp_path_factory.mktemp("hub"), "--log-format", "json", "--auto-create-topics", "2")
    yield running
    assert running.stop() == 0, running.log()


class Grpc:
    name = "grpc"

    def __init__(self, hub):
        self.channel = grpc.insecure_channel(hub.target)

    def call(self, method, request):
        service, rpc = method.split("/")
        module, stub = SERVICES[service]
        message = json_format.ParseDict(request, getattr(module, rpc + "Request")())
        try:
            getattr(stub(self.channel), rpc)(message, timeout=DEADLINE)
        except grpc.RpcError:
            pass  # The log has it.


class Http:
    name = "http"

    def __init__(self, hub):
        self.url = f"http://localhost:{hub.web_port}/v1/call/millrace.v1."

    def call(self, method, request):
        asked = urllib.request.Request(self.url + method, data=json.dumps(request).encode(),
                                       headers={"content-type": "application/json"})
        try:
            urllib.request.urlopen(asked, timeout=DEADLINE).read()
        except urllib.error.HTTPError:
            pass  # The log has it.


@pytest.fixture(params=[Grpc, Http], ids=["grpc", "http"])
def entry(request, hub):
    return request.param(hub)


def lines(hub, event):
    text = (hub.directory / "hub.log").read_text()
    return [line for line in map(json.loads, text.splitlines()) if line["event"] == event]


def the_line_of(hub, entry, method, request):
    """What the call wrote into the log: exactly one line."""
    before = len(lines(hub, "admin action"))
    entry.call(method, request)
    line, = lines(hub, "admin action")[before:]
    assert (line["method"], line["transport"]) == (method, entry.name)
    assert "127.0.0.1" in line["peer"] or "::1" in line["peer"] or "%5B::1%5D" in line["peer"], line["peer"]
    assert float(line["seconds"]) >= 0
    return line


def test_every_change_of_a_topic_is_a_line(hub, entry):
    topic = f"orders.{entry.name}"
    line = the_line_of(hub, entry, "TopicService/CreateTopic",
                       {"topic": topic, "partitionCount": 3, "retention": {"maxAge": "3600s"}})
    assert (line["topic"], line["partition_count"], line["retention_max_age"]) == (topic, "3", "1h")
    assert line["outcome"] == "OK" and "message" not in line

    line = the_line_of(hub, entry, "TopicService/UpdateTopic", {"topic": topic, "partitionCount": 5})
    assert (line["topic"], line["partition_count"], line["outcome"]) == (topic, "5", "OK")
    line = the_line_of(hub, entry, "TopicService/UpdateTopic",
                       {"topic": topic, "retentionMaxPartitionBytes": "1000"})
    assert (line["retention_max_partition_bytes"], line["outcome"]) == ("1000", "OK")
    assert "partition_count" not in line

    line = the_line_of(hub, entry, "TopicService/TruncateTopic",
                       {"topic": topic, "partitions": [{"partition": 4, "beforeOffset": "0"}]})
    assert (line["topic"], line["before_offsets"], line["outcome"]) == (topic, "4:0", "OK")
    line = the_line_of(hub, entry, "TopicService/DeleteTopic", {"topic": topic})
    assert (line["topic"], line["outcome"]) == (topic, "OK")


def test_a_refused_change_is_a_line_with_the_reason(hub, entry):
    line = the_line_of(hub, entry, "TopicService/DeleteTopic", {"topic": "none"})
    assert line["outcome"] == "TOPIC_NOT_FOUND"
    assert "none" in line["message"]
    line = the_line_of(hub, entry, "GroupService/DeleteGroup", {"group": "none"})
    assert (line["group"], line["outcome"]) == ("none", "GROUP_NOT_FOUND")


def test_groups_and_checkpoints_are_lines_too(hub, entry, tmp_path):
    topic, group = f"bills.{entry.name}", f"billing.{entry.name}"
    entry.call("TopicService/CreateTopic", {"topic": topic})
    hub.millrace("produce", topic, "-q", input=b"a\nb\n")
    hub.millrace("consume", topic, "--group", group, "-n", 1, "-q")
    line = the_line_of(hub, entry, "GroupService/ResetOffsets",
                       {"group": group, "partitions": [{"topic": topic, "partition": -1}],
                        "start": {"earliest": True}})
    assert (line["group"], line["partitions"], line["to"], line["outcome"]) == (
        group, f"{topic}/-1", "earliest", "OK")
    line = the_line_of(hub, entry, "GroupService/ResetOffsets", {"group": group, "shift": "-1"})
    assert (line["partitions"], line["by"]) == ("all", "-1")
    line = the_line_of(hub, entry, "GroupService/DeleteGroup", {"group": group})
    assert line["outcome"] == "OK"
    directory = str(tmp_path / "checkpoint")
    line = the_line_of(hub, entry, "HubService/CreateCheckpoint", {"directory": directory})
    assert (line["directory"], line["outcome"]) == (directory, "OK")


def test_looking_is_no_line(hub, entry):
    before = len(lines(hub, "admin action"))
    for method, request in (("TopicService/ListTopics", {}), ("TopicService/GetTopic", {"topic": "none"}),
                            ("GroupService/ListGroups", {}), ("HubService/GetHub", {})):
        entry.call(method, request)
    assert len(lines(hub, "admin action")) == before


def test_a_name_cannot_forge_a_line(hub, entry):
    forged = 'x" outcome=OK\n{"event":"admin action"}'
    line = the_line_of(hub, entry, "TopicService/DeleteTopic", {"topic": forged})
    assert (line["topic"], line["outcome"]) == (forged, "INVALID_NAME")


def test_a_topic_that_producing_created_is_a_line(hub):
    hub.millrace("produce", "auto", "-q", input=b"a\n")
    line, = lines(hub, "topic created because it was produced to")
    assert (line["topic"], line["partition_count"]) == ("auto", "2")
