"""W3C Trace Context: from a call's metadata or header into the records, and to whoever reads them."""

import http.client
import json
import urllib.request

import pytest

from millrace.v1 import event_hub_pb2 as events
from millrace.v1 import record_pb2 as records
from tests.support.calls import DEADLINE

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
OTHER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
TRACESTATE = "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"

INVALID = [
    "", "00", TRACEPARENT.upper(), TRACEPARENT + "-00", TRACEPARENT[:-1], TRACEPARENT.replace("-", "_"),
    "ff" + TRACEPARENT[2:], "00-" + "0" * 32 + TRACEPARENT[35:], TRACEPARENT[:36] + "0" * 16 + "-01",
]


def headers_of(stub, topic):
    """[(name, value)] of each record of the topic, in order."""
    found = []
    for frame in stub.Subscribe(events.SubscribeRequest(
            topics=[topic], start=records.StartPosition(earliest=True), end_at_current=True), timeout=DEADLINE):
        for batch in frame.batches.batches:
            found += [[(header.name, header.value.decode()) for header in record.headers]
                      for record in batch.records]
    return found


def produce(stub, topic, *records_, metadata=()):
    stub.Produce(events.ProduceRequest(topic=topic, partition=0, records=records_), timeout=DEADLINE,
                 metadata=metadata)


def plain(value=b"v", **headers):
    return records.Record(value=value, headers=[
        records.Header(name=name, value=value.encode()) for name, value in headers.items()])


def test_a_produce_call_gives_its_trace_to_its_records(topic, events_stub):
    produce(events_stub, topic, plain(), plain(source="web"),
            metadata=[("traceparent", TRACEPARENT), ("tracestate", TRACESTATE)])
    trace = [("traceparent", TRACEPARENT), ("tracestate", TRACESTATE)]
    assert headers_of(events_stub, topic) == [trace, [("source", "web"), *trace]]


def test_a_record_that_has_a_trace_keeps_it(topic, events_stub):
    produce(events_stub, topic, plain(traceparent=OTHER), plain(),
            metadata=[("traceparent", TRACEPARENT), ("tracestate", TRACESTATE)])
    assert headers_of(events_stub, topic) == [
        [("traceparent", OTHER)], [("traceparent", TRACEPARENT), ("tracestate", TRACESTATE)]]


def test_a_call_without_a_trace_leaves_records_as_they_are(topic, events_stub):
    produce(events_stub, topic, plain(source="web"), metadata=[("tracestate", TRACESTATE)])
    assert headers_of(events_stub, topic) == [[("source", "web")]]


@pytest.mark.parametrize("traceparent", INVALID)
def test_an_invalid_trace_is_ignored(topic, events_stub, traceparent):
    produce(events_stub, topic, plain(), metadata=[("traceparent", traceparent)])
    assert headers_of(events_stub, topic) == [[]]


def test_two_traces_are_none(hub, topic, events_stub):
    connection = http.client.HTTPConnection("localhost", hub.web_port, timeout=DEADLINE)
    connection.putrequest("POST", f"/v1/topics/{topic}/records")
    for name, value in (("content-type", "application/octet-stream"), ("content-length", "1"),
                        ("traceparent", TRACEPARENT), ("traceparent", OTHER)):
        connection.putheader(name, value)
    connection.endheaders(b"v")
    assert connection.getresponse().status == 200
    connection.close()
    assert headers_of(events_stub, topic) == [[]]


def test_a_broken_tracestate_is_left_out(topic, events_stub):
    produce(events_stub, topic, plain(), metadata=[("traceparent", TRACEPARENT), ("tracestate", "no list")])
    assert headers_of(events_stub, topic) == [[("traceparent", TRACEPARENT)]]


def test_a_transaction_gives_its_trace_to_all_that_it_appends(topic, events_stub):
    opened = events_stub.OpenProducer(events.OpenProducerRequest(), timeout=DEADLINE)
    events_stub.Transact(events.TransactRequest(
        appends=[events.ProduceRequest(topic=topic, partition=0, records=[plain()]),
                 events.ProduceRequest(topic=topic, partition=1, records=[plain()])],
        sequence=records.ProducerSequence(producer_id=opened.producer_id, epoch=opened.epoch, sequence=1)),
        timeout=DEADLINE, metadata=[("traceparent", TRACEPARENT)])
    assert headers_of(events_stub, topic) == [[("traceparent", TRACEPARENT)]] * 2


def test_a_stream_gives_nothing_to_its_records(topic, events_stub):
    request = events.ProduceStreamRequest(request=events.ProduceRequest(
        topic=topic, partition=0, records=[plain(), plain(traceparent=OTHER)]))
    assert len(list(events_stub.ProduceStream(iter([request]), timeout=DEADLINE,
                                              metadata=[("traceparent", TRACEPARENT)]))) == 1
    assert headers_of(events_stub, topic) == [[], [("traceparent", OTHER)]]


@pytest.mark.parametrize("content_type, body", [
    ("application/json", json.dumps({"records": [{"text": "v"}]}).encode()),
    ("application/octet-stream", b"v"),
    ("application/x-protobuf", events.ProduceRequest(records=[plain()]).SerializeToString()),
])
def test_a_post_gives_its_trace_to_its_records(hub, topic, events_stub, content_type, body):
    for traceparent in (TRACEPARENT, "nonsense"):
        request = urllib.request.Request(
            f"http://localhost:{hub.web_port}/v1/topics/{topic}/records", data=body,
            headers={"content-type": content_type, "traceparent": traceparent, "tracestate": TRACESTATE})
        with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
            assert answer.status == 200
    assert sorted(headers_of(events_stub, topic)) == [
        [], [("traceparent", TRACEPARENT), ("tracestate", TRACESTATE)]]
