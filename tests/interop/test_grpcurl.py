"""What a person does with grpcurl: no proto files at hand, reflection alone."""

import base64
import json
import os
import subprocess

from google.rpc.error_details_pb2 import ErrorInfo

GRPCURL = os.environ.get("GRPCURL", "grpcurl")
SERVICES = ["EventHubService", "GroupService", "HubService", "InspectionService", "TopicService"]


def run(hub, *arguments, requests=None, options=()):
    """grpcurl OPTIONS HOST:PORT ARGUMENTS, with the requests on standard input."""
    command = [GRPCURL, "-plaintext", "-max-time", "60", *options]
    text = None
    if requests is not None:
        command += ["-d", "@"]
        text = "\n".join(json.dumps(request) for request in requests)
    return subprocess.run([*command, hub.target, *arguments], input=text, capture_output=True,
                          text=True, timeout=90)


def messages_of(text):
    """grpcurl prints one JSON document after another."""
    decoder, at, found = json.JSONDecoder(), 0, []
    while at < len(text.rstrip()):
        while text[at].isspace():
            at += 1
        message, at = decoder.raw_decode(text, at)
        found.append(message)
    return found


def call(hub, method, *requests):
    """Calls a method of millrace.v1; the answers, all of them."""
    done = run(hub, f"millrace.v1.{method}", requests=requests)
    assert done.returncode == 0, done.stderr
    return messages_of(done.stdout)


def error_of(hub, method, request):
    """Calls a method that fails: the status code's number, the message and the ErrorInfo."""
    done = run(hub, f"millrace.v1.{method}", requests=[request], options=["-format-error"])
    assert done.returncode != 0, done.stdout
    error = json.loads(done.stderr[done.stderr.index("{"):])
    [info] = [d for d in error["details"] if d["@type"] == "type.googleapis.com/google.rpc.ErrorInfo"]
    # grpcurl shows what reflection does not describe as bytes.
    return error["code"], error["message"], ErrorInfo.FromString(base64.b64decode(info["@value"]))


def base64_of(text):
    return base64.b64encode(text.encode()).decode()


def test_list_names_every_service(hub):
    listed = run(hub, "list").stdout.split()
    assert {f"millrace.v1.{name}" for name in SERVICES} <= set(listed)
    assert "grpc.health.v1.Health" in listed


def test_describe_shows_a_service_and_a_message(hub):
    service = run(hub, "describe", "millrace.v1.EventHubService").stdout
    assert "rpc Produce ( .millrace.v1.ProduceRequest )" in service
    record = run(hub, "describe", "millrace.v1.Record").stdout
    assert "optional bytes key = 1;" in record


def test_health_check_answers_serving(hub):
    done = run(hub, "grpc.health.v1.Health/Check", requests=[{}])
    assert json.loads(done.stdout) == {"status": "SERVING"}


def test_get_hub_tells_version_engine_capabilities_and_limits(hub):
    [answer] = call(hub, "HubService/GetHub", {})
    told = answer["hub"]
    assert told["engine"] == "rocksdb"
    assert told["version"]
    assert told["capabilities"]["atomic_produce"] is True
    assert told["capabilities"]["time_basis"] == "TIME_BASIS_APPEND_TIME"
    assert int(told["limits"]["max_record_bytes"]) == 1 << 20


def test_send_and_tail_speak_json_and_text(hub, topic):
    call(hub, "InspectionService/Send",
         {"topic": topic, "partition": 1, "key": "42", "json": {"item": "tea", "count": 3},
          "headers": [{"name": "source", "text": "grpcurl"}]})
    call(hub, "InspectionService/Send", {"topic": topic, "partition": 1, "text": "no JSON: grüße"})
    call(hub, "InspectionService/Send", {"topic": topic, "partition": 1, "binary": "/wA="})
    call(hub, "InspectionService/Send", {"topic": topic, "partition": 1, "key": "42"})

    shown = call(hub, "InspectionService/Tail",
                 {"topic": topic, "from_beginning": True, "end_at_current": True})
    assert [int(record.get("offset", 0)) for record in shown] == [0, 1, 2, 3]
    assert {record["partition"] for record in shown} == {1}
    assert shown[0]["key"] == "42"
    assert shown[0]["json"] == {"item": "tea", "count": 3}
    assert shown[0]["headers"] == [{"name": "source", "text": "grpcurl"}]
    assert shown[0]["append_time"]
    assert shown[1]["text"] == "no JSON: grüße"
    assert shown[2]["binary"] == "/wA="
    assert not {"json", "text", "binary"} & shown[3].keys()  # A tombstone.


def test_tail_ends_at_its_limit(hub, topic):
    for text in ("a", "b", "c"):
        call(hub, "InspectionService/Send", {"topic": topic, "partition": 0, "text": text})
    shown = call(hub, "InspectionService/Tail",
                 {"topic": topic, "partition": 0, "offset": 1, "limit": 1})
    assert [record["text"] for record in shown] == ["b"]


def test_produce_and_subscribe_carry_the_same_records(hub, topic):
    records = [{"key": base64_of("k"), "value": base64_of(f"event {i}")} for i in range(5)]
    [answer] = call(hub, "EventHubService/Produce", {"topic": topic, "partition": 2, "records": records})
    assert answer["appended"] == [{"partition": 2, "record_count": 5}]  # base_offset 0 is left out.

    frames = call(hub, "EventHubService/Subscribe",
                  {"topics": [topic], "start": {"earliest": True}, "end_at_current": True})
    assert "session_started" in frames[0]
    assert frames[-1]["ending"]["reason"] == "ENDING_REASON_END_REACHED"
    batches = [batch for frame in frames for batch in frame.get("batches", {}).get("batches", [])]
    assert [record for batch in batches for record in batch["records"]] == records
    assert {batch["partition"] for batch in batches} == {2}


def test_produce_stream_answers_in_order_and_survives_a_refusal(hub, topic):
    def request(**fields):
        return {"request": {"topic": topic, "partition": 0, **fields}}

    record = {"value": base64_of("x")}
    answers = call(hub, "EventHubService/ProduceStream",
                   request(records=[record]), request(records=[]), request(records=[record, record]))
    assert answers[0]["produced"]["appended"][0]["record_count"] == 1
    assert answers[1]["error"]["reason"] == "EMPTY_REQUEST"
    assert answers[2]["produced"]["appended"][0] == {"base_offset": "1", "record_count": 2}


def test_commit_and_committed_offsets(hub, topic):
    call(hub, "InspectionService/Send", {"topic": topic, "partition": 0, "text": "x"})
    [committed] = call(hub, "EventHubService/CommitOffset",
                       {"group": topic, "offsets": [{"topic": topic, "partition": 0, "next_offset": 1}]})
    assert committed["results"][0]["committed_next_offset"] == "1"
    [read] = call(hub, "EventHubService/GetCommittedOffsets", {"group": topic})
    assert [(o["topic"], o["next_offset"]) for o in read["offsets"]] == [(topic, "1")]


def test_an_unknown_topic_is_refused_with_its_reason(hub):
    code, message, info = error_of(
        hub, "EventHubService/Produce",
        {"topic": "nobody-made-this", "records": [{"value": base64_of("x")}]})
    assert code == 5  # NOT_FOUND
    assert "nobody-made-this" in message
    assert info.reason == "TOPIC_NOT_FOUND"
    assert info.domain == "millrace"
    assert info.metadata["topic"] == "nobody-made-this"


def test_a_partition_out_of_range_is_refused_with_its_reason(hub, topic):
    code, _, info = error_of(hub, "InspectionService/Send",
                                {"topic": topic, "partition": 3, "text": "x"})
    assert code == 11  # OUT_OF_RANGE
    assert info.reason == "PARTITION_OUT_OF_RANGE"


def test_a_bad_name_is_refused_with_its_reason(hub):
    code, _, info = error_of(hub, "TopicService/CreateTopic", {"topic": "no spaces"})
    assert code == 3  # INVALID_ARGUMENT
    assert info.reason == "INVALID_NAME"


def test_a_topic_that_exists_is_refused_with_its_reason(hub, topic):
    code, _, info = error_of(hub, "TopicService/CreateTopic", {"topic": topic})
    assert code == 6  # ALREADY_EXISTS
    assert info.reason == "TOPIC_EXISTS"


def test_a_position_beyond_the_end_is_refused_with_the_offsets_there_are(hub, topic):
    code, _, info = error_of(
        hub, "EventHubService/Subscribe",
        {"positions": [{"topic": topic, "partition": 0, "offset": "7"}]})
    assert code == 11  # OUT_OF_RANGE
    assert info.reason == "OFFSET_OUT_OF_RANGE"
    assert info.metadata["latest"] == "0"
