"""Records as they are sent and received."""

from datetime import UTC, datetime, timedelta, timezone

import millrace
import pytest
from millrace.v1 import record_pb2

EVERYTHING = {"start": "earliest", "end_at_current": True}


def read(hub, *topics, **how):
    with hub.subscribe(*topics, **{**EVERYTHING, **how}) as records:
        return list(records)


@pytest.mark.parametrize(("value", "stored"), [
    (b"\x00\xff", b"\x00\xff"), (bytearray(b"a"), b"a"), ("Tee 🍵", "Tee 🍵".encode()), (b"", b""), ("", b""),
    (None, None), ({"item": "Tüte", "n": [1, None]}, '{"item":"Tüte","n":[1,null]}'.encode()), (7, b"7"), (True, b"true"),
    (record_pb2.TopicPartition(topic="t", partition=1), b"\x0a\x01t\x10\x01"),
])
def test_a_value_is_stored_as_its_type_says(opened, topic, value, stored):
    assert opened.produce(topic, value, partition=0) == millrace.Stored(0, 0)
    assert [record.value for record in read(opened, topic)] == [stored]


def test_what_cannot_be_stored_is_refused_before_it_is_sent(opened, topic):
    for value, error in ((object(), TypeError), (float("nan"), ValueError)):
        with pytest.raises(error):
            opened.produce(topic, value)
    with pytest.raises(TypeError):
        opened.produce(topic, b"", key=42)
    with pytest.raises(ValueError):
        opened.produce(topic, b"", event_time=datetime(2026, 1, 1))
    assert [each.latest for each in opened.offsets(topic)] == [0, 0, 0]


def test_a_record_comes_as_it_was_sent(opened, topic):
    time = datetime(2026, 5, 4, 3, 2, 1, 987654, tzinfo=timezone(timedelta(hours=2)))
    headers = [("a", b"\x00\xff"), ("empty", b""), ("absent", None), ("a", "again")]
    before = datetime.now(UTC)
    stored = opened.produce(topic, {"item": "tea"}, key="42", headers=headers, event_time=time)
    record, = read(opened, topic)
    assert (record.topic, record.partition, record.offset) == (topic, stored.partition, stored.offset)
    assert (record.key, record.json(), record.text()) == (b"42", {"item": "tea"}, '{"item":"tea"}')
    assert record.headers == (("a", b"\x00\xff"), ("empty", b""), ("absent", None), ("a", b"again"))
    assert (record.header("a"), record.header("absent"), record.header("other")) == (b"again", None, None)
    assert record.event_time == time
    assert abs(record.append_time - before) < timedelta(minutes=1)


def test_absent_and_empty_are_told_apart(opened, topic):
    opened.produce(topic, None, key="", partition=0, headers={"h": "v"})
    opened.produce(topic, b"", partition=0)
    tombstone, empty = read(opened, topic)
    assert (tombstone.key, tombstone.value, tombstone.json(), tombstone.text()) == (b"", None, None, None)
    assert (empty.key, empty.value, empty.event_time) == (None, b"", None)


def test_records_of_a_key_stay_together_and_in_order(opened, topic):
    with opened.producer() as producer:
        sent = [(str(n % 7), producer.send(topic, n, key=str(n % 7))) for n in range(700)]
    places = {}
    for key, stored in sent:
        places.setdefault(key, []).append(stored.result(0))
    for stored in places.values():
        assert len({each.partition for each in stored}) == 1
        assert [each.offset for each in stored] == sorted(each.offset for each in stored)
    by_key = {}
    for record in read(opened, topic):
        by_key.setdefault(record.key.decode(), []).append(record.json())
    assert by_key == {str(key): list(range(key, 700, 7)) for key in range(7)}


def test_a_reader_begins_where_it_is_told(opened, topic):
    for n in range(10):
        opened.produce(topic, n, partition=1)
    time = [record.append_time for record in read(opened, topic)][6]
    assert [record.json() for record in read(opened, positions={(topic, 1): 7})] == [7, 8, 9]
    assert read(opened, topic, start=time)[-1].json() == 9
    assert read(opened, topic, start=time)[0].append_time == time
    assert read(opened, topic, start="latest") == []
    with pytest.raises(ValueError):
        opened.subscribe(topic, start="yesterday")


def test_a_position_that_is_not_kept_is_an_error_or_goes_on_where_it_is_told(opened, topic):
    opened.produce(topic, b"", partition=0)
    with pytest.raises(millrace.OffsetOutOfRange) as raised:
        read(opened, positions={(topic, 0): 5})
    assert raised.value.metadata["latest"] == "1" and not raised.value.retryable
    assert len(read(opened, positions={(topic, 0): 5}, on_out_of_range="earliest")) == 1


def test_a_missing_topic_is_an_error_or_waited_for(opened):
    with pytest.raises(millrace.TopicNotFound) as raised:
        next(opened.subscribe("not.yet"))
    assert raised.value.metadata == {"topic": "not.yet"}
    with opened.subscribe("not.yet", start="earliest", allow_missing_topics=True) as records:
        opened.create_topic("not.yet")
        opened.produce("not.yet", "now")
        assert next(records).text() == "now"


@pytest.mark.parametrize("wrong", [{"value": bytes(2 << 20)}, {"value": b"", "key": bytes(70_000)}],
                         ids=["its-value", "its-key"])
def test_a_record_that_is_too_large_is_refused_alone(opened, topic, wrong):
    with pytest.raises(millrace.RecordTooLarge):
        with opened.producer() as producer:
            sent = [producer.send(topic, n, partition=0) for n in range(100)]
            refused = producer.send(topic, partition=0, **wrong)
            sent += [producer.send(topic, n, partition=0) for n in range(100, 200)]
    assert isinstance(refused.exception(0), millrace.RecordTooLarge)
    assert [each.result(0).offset for each in sent] == [*range(200)]
    assert [record.json() for record in read(opened, topic)] == [*range(200)]


def test_large_records_arrive(opened, topic):
    with opened.producer() as producer:
        for size in (10, 1_000_000, 300_000, 0, 1_000_000):
            producer.send(topic, bytes(size), partition=0)
    assert [len(record.value) for record in read(opened, topic)] == [10, 1_000_000, 300_000, 0, 1_000_000]


def test_a_refused_record_fails_and_those_behind_it_are_stored_in_order(opened, topic):
    with pytest.raises(millrace.TopicNotFound):
        with opened.producer() as producer:
            sent = [producer.send("nowhere" if n % 50 == 25 else topic, n, partition=0) for n in range(500)]
    failed = [n for n, each in enumerate(sent) if each.exception(60)]
    assert failed == list(range(25, 500, 50))
    assert [record.json() for record in read(opened, topic)] == [n for n in range(500) if n % 50 != 25]


def test_a_closed_hub_says_so(hub, topic):
    opened = millrace.connect(hub.target)
    producer, records = opened.producer(), opened.subscribe(topic)
    stored = producer.send(topic, b"")
    producer.flush()
    assert stored.result(0).offset == 0
    opened.close()
    opened.close()
    for call in (lambda: opened.produce(topic, b""), lambda: producer.send(topic, b""), lambda: next(records),
                 lambda: opened.topics()):
        with pytest.raises(millrace.Closed):
            call()
