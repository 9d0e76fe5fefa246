"""A Python service with generated stubs and default channel options, nothing else of Millrace."""

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status

import tests.support.stubs  # noqa: F401  generates what follows
from millrace.v1 import event_hub_pb2 as events
from millrace.v1 import hub_pb2, hub_pb2_grpc
from millrace.v1 import record_pb2 as records

DEADLINE = 60  # Seconds a call may take.


@pytest.fixture(scope="module")
def limits(channel):
    return hub_pb2_grpc.HubServiceStub(channel).GetHub(hub_pb2.GetHubRequest(), timeout=DEADLINE).hub.limits


def subscribe(events_stub, **fields):
    return events_stub.Subscribe(events.SubscribeRequest(**fields), timeout=DEADLINE)


def batches_of(frames):
    return [batch for frame in frames if frame.WhichOneof("frame") == "batches"
            for batch in frame.batches.batches]


def everything_in(events_stub, topic, **fields):
    """All records of a topic, as [(partition, offset, record)]."""
    frames = list(subscribe(events_stub, topics=[topic], start=records.StartPosition(earliest=True),
                            end_at_current=True, **fields))
    assert frames[0].WhichOneof("frame") == "session_started"
    assert frames[-1].ending.reason == events.ENDING_REASON_END_REACHED
    return [(batch.partition, batch.base_offset + index, record)
            for batch in batches_of(frames) for index, record in enumerate(batch.records)]


def record_of_size(encoded_bytes):
    """A record whose encoded form has exactly so many bytes (some hundred at least)."""
    record = records.Record(key=b"k", value=bytes(encoded_bytes))
    record.value = record.value[:encoded_bytes - (record.ByteSize() - encoded_bytes)]
    assert record.ByteSize() == encoded_bytes
    return record


def error_of(call):
    """The status code, ErrorInfo and other details of a call that fails."""
    with pytest.raises(grpc.RpcError) as raised:
        call()
    details = {}
    for packed in rpc_status.from_call(raised.value).details:
        for kind in (error_details_pb2.ErrorInfo, error_details_pb2.RetryInfo, error_details_pb2.BadRequest):
            if packed.Is(kind.DESCRIPTOR):
                details[kind.__name__] = kind.FromString(packed.value)
    return raised.value.code(), details["ErrorInfo"], details


def test_every_field_of_a_record_makes_the_round_trip(events_stub, topic):
    sent = records.Record(
        key=b"\x00\xff", value=b"",
        headers=[records.Header(name="traceparent", value=b"00-1"), records.Header(name="absent"),
                 records.Header(name="traceparent", value=b"")])
    sent.event_time.FromMilliseconds(1_700_000_000_123)
    tombstone = records.Record(key=b"gone")
    answer = events_stub.Produce(events.ProduceRequest(topic=topic, partition=1, records=[sent, tombstone]),
                          timeout=DEADLINE)
    assert [(a.partition, a.base_offset, a.record_count) for a in answer.appended] == [(1, 0, 2)]
    assert everything_in(events_stub, topic) == [(1, 0, sent), (1, 1, tombstone)]


def test_a_record_at_the_limit_makes_the_round_trip(events_stub, topic, limits):
    largest = record_of_size(limits.max_record_bytes)
    events_stub.Produce(events.ProduceRequest(topic=topic, partition=0, records=[largest]), timeout=DEADLINE)
    assert everything_in(events_stub, topic) == [(0, 0, largest)]


def test_a_record_over_the_limit_is_refused_with_its_index(events_stub, topic, limits):
    small, large = records.Record(value=b"x"), record_of_size(limits.max_record_bytes + 1)
    code, info, _ = error_of(lambda: events_stub.Produce(
        events.ProduceRequest(topic=topic, partition=0, records=[small, large]), timeout=DEADLINE))
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert (info.reason, info.domain) == ("RECORD_TOO_LARGE", "millrace")
    assert info.metadata["record_index"] == "1"
    assert everything_in(events_stub, topic) == []


def test_a_request_of_nearly_four_mebibytes_makes_the_round_trip(events_stub, topic, limits):
    record = record_of_size(limits.max_record_bytes // 4 - 1024)
    request = events.ProduceRequest(topic=topic, partition=2, records=[record] * 16)
    assert limits.max_request_bytes * 0.95 < request.ByteSize() <= limits.max_request_bytes
    events_stub.Produce(request, timeout=DEADLINE)
    assert everything_in(events_stub, topic) == [(2, offset, record) for offset in range(16)]


def test_a_request_over_the_limit_is_refused(events_stub, topic, limits):
    record = record_of_size(limits.max_record_bytes // 4)
    request = events.ProduceRequest(topic=topic, partition=2, records=[record] * 17)
    with pytest.raises(grpc.RpcError) as raised:
        events_stub.Produce(request, timeout=DEADLINE)
    assert raised.value.code() in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED)
    assert everything_in(events_stub, topic) == []


def test_the_largest_frames_fit_a_channel_with_default_options(events_stub, topic):
    record = record_of_size(60_000)
    for _ in range(4):
        events_stub.Produce(events.ProduceRequest(topic=topic, partition=0, records=[record] * 64),
                     timeout=DEADLINE)
    largest = 4 * 1024 * 1024 - 64 * 1024
    assert len(everything_in(events_stub, topic, max_batch_bytes=largest)) == 4 * 64


def test_keys_spread_over_partitions_and_stay_together(events_stub, topic):
    sent = [records.Record(key=b"key %d" % (i % 20), value=b"%d" % i) for i in range(200)]
    answer = events_stub.Produce(events.ProduceRequest(topic=topic, records=sent), timeout=DEADLINE)
    assert sum(a.record_count for a in answer.appended) == 200
    placed = {}
    for partition, _, record in everything_in(events_stub, topic):
        assert placed.setdefault(record.key, partition) == partition
    assert len(placed) == 20 and set(placed.values()) == {0, 1, 2}


def test_a_stream_answers_every_request_in_order(events_stub, topic):
    requests = [events.ProduceStreamRequest(request=events.ProduceRequest(
        topic=topic, partition=i % 3, records=[records.Record(value=b"%d" % i)])) for i in range(300)]
    answers = list(events_stub.ProduceStream(iter(requests), timeout=DEADLINE))
    assert [(a.produced.appended[0].partition, a.produced.appended[0].base_offset) for a in answers] == [
        (i % 3, i // 3) for i in range(300)]


def test_a_subscriber_sees_a_record_that_comes_later(events_stub, topic):
    stream = subscribe(events_stub, topics=[topic])
    frames = iter(stream)
    assert next(frames).WhichOneof("frame") == "session_started"
    while next(frames).WhichOneof("frame") != "assigned":
        pass
    events_stub.Produce(events.ProduceRequest(topic=topic, records=[records.Record(value=b"now")]), timeout=DEADLINE)
    for frame in frames:
        if frame.WhichOneof("frame") == "batches":
            assert frame.batches.batches[0].records[0].value == b"now"
            break
    stream.cancel()


def test_a_silent_stream_sends_heartbeats(events_stub, topic):
    request = events.SubscribeRequest(topics=[topic])
    request.heartbeat_interval.FromMilliseconds(100)
    stream = events_stub.Subscribe(request, timeout=DEADLINE)
    kinds = []
    for frame in stream:
        kinds.append(frame.WhichOneof("frame"))
        if kinds.count("heartbeat") == 2:
            break
    stream.cancel()
    assert "session_started" in kinds and "assigned" in kinds


def test_a_group_goes_on_where_it_committed(events_stub, topic):
    for i in range(4):
        events_stub.Produce(events.ProduceRequest(topic=topic, partition=0, records=[records.Record(value=b"%d" % i)]),
                     timeout=DEADLINE)
    first = subscribe(events_stub, topics=[topic], group=topic)
    session = None
    for frame in first:
        if frame.WhichOneof("frame") == "session_started":
            session = frame.session_started
        elif frame.WhichOneof("frame") == "batches":
            break
    committed = events_stub.CommitOffset(events.CommitOffsetRequest(
        group=topic, member_id=session.member_id, member_epoch=session.member_epoch, leave=True,
        offsets=[events.OffsetCommit(topic=topic, partition=0, next_offset=2)]), timeout=DEADLINE)
    assert committed.results[0].committed_next_offset == 2
    first.cancel()

    again = list(subscribe(events_stub, topics=[topic], group=topic, end_at_current=True))
    assert [r.value for batch in batches_of(again) for r in batch.records] == [b"2", b"3"]


def test_a_repeated_sequence_is_stored_once(events_stub, topic):
    producer = events_stub.OpenProducer(events.OpenProducerRequest(), timeout=DEADLINE)
    request = events.ProduceRequest(
        topic=topic, partition=0, records=[records.Record(value=b"once")],
        sequence=records.ProducerSequence(producer_id=producer.producer_id, epoch=producer.epoch, sequence=1))
    first, second = (events_stub.Produce(request, timeout=DEADLINE) for _ in range(2))
    assert (first.duplicate, second.duplicate) == (False, True)
    assert first.appended == second.appended
    assert len(everything_in(events_stub, topic)) == 1


def test_an_unexpected_offset_tells_the_next_one(events_stub, topic):
    request = events.ProduceRequest(topic=topic, partition=0, expected_next_offset=5,
                                    records=[records.Record(value=b"x")])
    code, info, _ = error_of(lambda: events_stub.Produce(request, timeout=DEADLINE))
    assert (code, info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "UNEXPECTED_OFFSET")
    assert info.metadata["next_offset"] == "0"


def test_an_unknown_topic_names_itself(events_stub):
    code, info, _ = error_of(lambda: events_stub.ListOffsets(
        events.ListOffsetsRequest(topic="nobody-made-this"), timeout=DEADLINE))
    assert (code, info.reason, info.domain) == (grpc.StatusCode.NOT_FOUND, "TOPIC_NOT_FOUND", "millrace")
    assert info.metadata["topic"] == "nobody-made-this"


def test_the_standard_health_stub_is_answered(channel):
    health = health_pb2_grpc.HealthStub(channel)
    assert health.Check(health_pb2.HealthCheckRequest(), timeout=DEADLINE).status == (
        health_pb2.HealthCheckResponse.SERVING)
    with pytest.raises(grpc.RpcError) as raised:
        health.Check(health_pb2.HealthCheckRequest(service="nobody"), timeout=DEADLINE)
    assert raised.value.code() == grpc.StatusCode.NOT_FOUND


def test_reflection_serves_the_contract(channel):
    served = ProtoReflectionDescriptorDatabase(channel)
    assert "millrace.v1.EventHubService" in served.get_services()
    assert served.FindFileContainingSymbol("millrace.v1.Record").name == "millrace/v1/record.proto"
