"""/metrics: what a strict reader makes of it, and whether the figures are true right after known work."""

import json
import re
import urllib.request

import pytest

from millrace.v1 import event_hub_pb2 as events
from millrace.v1 import record_pb2 as records
from tests.support.calls import DEADLINE, fill, produce, refusal, values_of
from tests.support.hub import Hub
from tests.support.members import shared_out
from tests.support.scrape import Scrape
from tests.support.waiting import wait_until

PARTITIONS = 3
OTHER = "(other)"


def post(hub, path, body, **headers):
    request = urllib.request.Request(
        f"http://localhost:{hub.web_port}{path}", data=json.dumps(body).encode(),
        headers={"content-type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
        return json.load(answer)


def send(hub, topic, *values):
    post(hub, f"/v1/topics/{topic}/records", {"records": [{"text": value} for value in values]})


# ---- Form


def test_a_strict_parser_reads_it(hub, topic, events_stub):
    fill(events_stub, topic, PARTITIONS)
    scrape = Scrape(hub)
    assert scrape.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert len(scrape.families) > 40
    seen = set()
    for sample in scrape.samples:
        series = (sample.name, tuple(sorted(sample.labels.items())))
        assert series not in seen, f"{series} twice"
        seen.add(series)


def test_every_family_has_a_type_and_a_sentence_of_help(hub):
    for family in Scrape(hub).families:
        assert family.type in ("counter", "gauge", "histogram"), family.name
        assert re.fullmatch(r"[A-Z0-9].+\.", family.documentation), f"{family.name}: {family.documentation}"


def test_names_follow_the_conventions(hub):
    text = Scrape(hub).text
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    for name, kind in kinds.items():
        assert re.fullmatch(r"(millrace|process)_[a-z][a-z0-9_]*[a-z0-9]", name), name
        assert (kind == "counter") == name.endswith("_total"), f"{name} is a {kind}"
        assert not re.search(r"_(ms|millis|us|kb|mb|percent|count|sum|bucket)(_|$)", name), f"{name}: base units"
        assert kind != "histogram" or name.endswith("_seconds"), name
    for family in Scrape(hub).families:
        for sample in family.samples:
            assert all(re.fullmatch(r"[a-z_]+", label) for label in sample.labels), sample


def test_histograms_are_cumulative_and_end_with_infinity(hub, topic, events_stub):
    fill(events_stub, topic, PARTITIONS)
    scrape = Scrape(hub)
    for name in ("millrace_log_append_duration_seconds", "millrace_log_sync_duration_seconds"):
        buckets = [(float(dict(labels)["le"]), value)
                   for labels, value in scrape.values(name + "_bucket").items()]
        buckets.sort()
        counts = [value for _, value in buckets]
        assert counts == sorted(counts)
        assert buckets[-1][0] == float("inf")
        assert counts[-1] == scrape.value(name + "_count") > 0
        assert scrape.value(name + "_sum") > 0


# ---- Values


def test_what_is_produced_and_delivered_is_counted_at_once(hub, topic, events_stub):
    fill(events_stub, topic, PARTITIONS, count=10)
    scrape = Scrape(hub)
    assert scrape.value("millrace_produced_records_total", topic=topic) == 10 * PARTITIONS
    produced_bytes = scrape.value("millrace_produced_bytes_total", topic=topic)
    # An entry of a value of one byte: tag and length of the record, tag and length of the value.
    assert produced_bytes == 10 * PARTITIONS * (2 + 2 + 1)
    assert scrape.value("millrace_delivered_records_total", topic=topic) == 0
    for times in (1, 2):
        assert len(values_of(events_stub, topic)) == PARTITIONS
        scrape = Scrape(hub)
        assert scrape.value("millrace_delivered_records_total", topic=topic) == times * 10 * PARTITIONS
        assert scrape.value("millrace_delivered_bytes_total", topic=topic) == times * produced_bytes


def test_lag_and_members_of_a_group_are_those_of_the_moment(hub, topic, members, events_stub):
    idle = members.join(topic, topic, commits=False).wait_owned(PARTITIONS)
    assert Scrape(hub).value("millrace_group_lag_records", group=topic) == 0
    assert Scrape(hub).value("millrace_group_lag_seconds", group=topic) == 0
    fill(events_stub, topic, PARTITIONS, count=7)
    scrape = Scrape(hub)
    assert scrape.value("millrace_group_lag_records", group=topic) == 7 * PARTITIONS
    assert scrape.value("millrace_group_members", group=topic) == 1
    wait_until(lambda: Scrape(hub).value("millrace_group_lag_seconds", group=topic) > 0, "the lag gets older")
    idle.leave()
    wait_until(lambda: Scrape(hub).value("millrace_group_members", group=topic) == 0, "the member is gone")
    busy = members.join(topic, topic).wait_owned(PARTITIONS)
    wait_until(lambda: Scrape(hub).value("millrace_group_lag_records", group=topic) == 0, "all is committed")
    assert Scrape(hub).value("millrace_group_lag_seconds", group=topic) == 0
    busy.leave()


def test_requests_are_counted_by_method_and_code(hub, topic, events_stub, topics_stub):
    def count(**labels):
        return Scrape(hub).total("millrace_requests_total", **labels)

    good = {"transport": "grpc", "method": "EventHubService/Produce", "code": "OK"}
    bad = {**good, "code": "NOT_FOUND"}
    before = count(**good), count(**bad)
    produce(events_stub, topic, 0, b"a", b"b")
    produce(events_stub, topic, 0, b"c")
    assert refusal(events_stub.Produce, events.ProduceRequest(
        topic="no-such-topic", records=[records.Record(value=b"d")])) == "TOPIC_NOT_FOUND"
    assert (count(**good), count(**bad)) == (before[0] + 2, before[1] + 1)

    http = {"transport": "http", "method": "EventHubService/Produce", "code": "OK"}
    before = count(**http)
    send(hub, topic, "e")
    assert count(**http) == before + 1

    stream = {"transport": "grpc", "method": "EventHubService/ProduceStream", "code": "OK"}
    before = count(**stream)
    requests = [events.ProduceStreamRequest(request=events.ProduceRequest(
        topic=topic, records=[records.Record(value=b"f")])) for _ in range(5)]
    assert len(list(events_stub.ProduceStream(iter(requests), timeout=DEADLINE))) == 5
    assert count(**stream) == before + 5


def test_open_streams_are_counted_while_they_are_open(hub, topic, events_stub):
    def streams():
        return Scrape(hub).value("millrace_open_streams", kind="event_stream")

    before = Scrape(hub).value("millrace_subscriptions")
    with urllib.request.urlopen(f"http://localhost:{hub.web_port}/v1/sse?topic={topic}", timeout=DEADLINE):
        assert streams() == 1
        assert Scrape(hub).value("millrace_subscriptions") == before + 1
        assert Scrape(hub).value("millrace_web_connections") >= 2
    wait_until(lambda: streams() == 0, "the stream is closed")


def test_the_log_the_disk_and_the_process_are_told_of(hub, topic, events_stub):
    produce(events_stub, topic, 0, b"x" * 1000)
    scrape = Scrape(hub)
    assert 0 < scrape.value("millrace_disk_free_bytes") <= scrape.value("millrace_disk_size_bytes")
    assert scrape.value("millrace_log_disk_bytes") > 1000
    assert scrape.value("millrace_log_queue_limit_bytes") == 64 << 20
    assert scrape.value("millrace_rocksdb_memtable_bytes", family="records") > 0
    assert scrape.total("millrace_rocksdb_write_stalls_total") == 0
    assert len(scrape.values("millrace_rocksdb_files", family="records")) == 7
    assert scrape.value("process_resident_memory_bytes") > 1 << 20
    assert scrape.value("process_open_fds") < scrape.value("process_max_fds")
    started = (hub.directory / "port").stat().st_mtime
    assert abs(scrape.value("process_start_time_seconds") - started) < 60
    assert scrape.value("millrace_build_info", engine="rocksdb") == 1
    assert scrape.value("millrace_ready") == 1


def test_every_worker_gets_on(hub, topic, events_stub):
    produce(events_stub, topic, 0, b"x")
    scrape = Scrape(hub)
    workers = {dict(labels)["worker"] for labels in scrape.values("millrace_worker_stuck_seconds")}
    assert workers == {"committer", "syncer", "readers", "deliveries", "workers"}
    assert scrape.total("millrace_worker_stalls_total") == 0
    assert scrape.value("millrace_worker_finished_tasks_total", worker="committer") > 0
    assert scrape.value("millrace_worker_finished_tasks_total", worker="syncer") > 0


# ---- Bounds


@pytest.fixture
def bounded(tmp_path):
    """A hub that gives series of their own to three topics and groups."""
    hub = Hub(tmp_path, "--metrics-max-labels", "3")
    yield hub
    assert hub.stop() == 0, hub.log()


def topics_of(scrape):
    return {dict(labels)["topic"]: value
            for labels, value in scrape.values("millrace_produced_records_total").items()}


def create(hub, topic):
    post(hub, "/v1/call/millrace.v1.TopicService/CreateTopic", {"topic": topic})


def delete(hub, topic):
    post(hub, "/v1/call/millrace.v1.TopicService/DeleteTopic", {"topic": topic})


def test_many_topics_and_groups_share_one_label(bounded):
    for number in range(40):
        create(bounded, f"t{number:02}")
        send(bounded, f"t{number:02}", "a", "b")
        post(bounded, "/v1/call/millrace.v1.EventHubService/CommitOffset",
             {"group": f"g{number:02}", "offsets": [{"topic": f"t{number:02}", "nextOffset": "1"}]})
    scrape = Scrape(bounded)
    assert topics_of(scrape) == {"t00": 2, "t01": 2, "t02": 2, OTHER: 37 * 2}
    lags = {dict(labels)["group"]: value for labels, value in scrape.values("millrace_group_lag_records").items()}
    assert lags == {"g00": 1, "g01": 1, "g02": 1, OTHER: 37}
    assert scrape.value("millrace_topics") == 40
    assert scrape.value("millrace_groups") == 40
    assert {len(scrape.values(name)) for name in scrape.names
            if any("topic" in dict(labels) for labels in scrape.values(name))} == {4}


def test_the_sum_of_the_others_never_falls(bounded):
    for topic in ("a", "b", "c", "d", "e"):
        create(bounded, topic)
        send(bounded, topic, "1", "2", "3")
    assert topics_of(Scrape(bounded)) == {"a": 3, "b": 3, "c": 3, OTHER: 6}
    delete(bounded, "d")
    assert topics_of(Scrape(bounded))[OTHER] == 6
    create(bounded, "d")
    send(bounded, "d", "4")
    assert topics_of(Scrape(bounded))[OTHER] == 7
    delete(bounded, "a")  # Its place is for a topic that is yet to come.
    create(bounded, "f")
    send(bounded, "f", "5")
    assert topics_of(Scrape(bounded)) == {"b": 3, "c": 3, "f": 1, OTHER: 7}
