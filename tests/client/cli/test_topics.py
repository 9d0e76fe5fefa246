"""Topics, offsets and the hub's description from the command line."""

import re

import pytest

from tests.client.cli.command import Terminal, objects, output, refused, run

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def test_a_topic_is_created_listed_described_altered_and_deleted(hub):
    assert output(hub, "topic", "create", "life", "--partitions", 2, "--retention", "7d") == (
        b"created topic life with 2 partitions, kept 7d\n")
    listed = {topic["topic"]: topic for topic in objects(hub, "topic", "list")}
    assert TIME.fullmatch(listed["life"].pop("create_time"))
    assert listed["life"] == {"topic": "life", "partition_count": 2, "retention_ms": 604_800_000,
                              "retention_bytes": None}
    output(hub, "topic", "alter", "life", "--partitions", 3, "--retention", "none", "--retention-bytes", "1MiB")
    (described,) = objects(hub, "topic", "describe", "life")
    assert (described["retention_ms"], described["retention_bytes"]) == (None, 1 << 20)
    assert described["partitions"] == [
        {"partition": p, "earliest_offset": 0, "latest_offset": 0, "size_bytes": 0, "last_append_time": None}
        for p in range(3)]
    assert objects(hub, "topic", "delete", "life", "--yes") == [{"topic": "life", "deleted": True}]
    refused(hub, 3, "TOPIC_NOT_FOUND", "topic", "describe", "life")


def test_a_second_topic_of_one_name_is_refused_unless_that_is_expected(hub, topic):
    refused(hub, 1, "TOPIC_EXISTS", "topic", "create", topic)
    assert b"there is topic " in output(hub, "topic", "create", topic, "--if-not-exists")


def test_what_the_hub_refuses_is_told_with_its_reason(hub, topic):
    refused(hub, 1, "INVALID_NAME", "topic", "create", "a b")
    refused(hub, 1, "INVALID_CONFIG", "topic", "alter", topic, "--partitions", 1)
    refused(hub, 1, "LIMIT_EXCEEDED", "topic", "create", "huge", "--partitions", 2_000_000_000)
    refused(hub, 3, "TOPIC_NOT_FOUND", "topic", "delete", "absent", "--yes")


def test_truncating_moves_the_start_and_never_the_end(hub, topic):
    output(hub, "produce", topic, "--partition", 0, stdin=b"a\nb\nc\n")
    output(hub, "produce", topic, "--partition", 1, stdin=b"d\n")
    (cut,) = objects(hub, "topic", "truncate", topic, "--partition", 0, "--before", 2, "--yes")
    assert (cut["partition"], cut["earliest_offset"], cut["latest_offset"]) == (0, 2, 3)
    assert output(hub, "consume", topic, "--partition", 0, "--from-beginning", "-e") == b"c\n"
    refused(hub, 1, "OFFSET_OUT_OF_RANGE", "topic", "truncate", topic, "--partition", 0, "--before", 9, "-y")
    output(hub, "topic", "truncate", topic, "--all", "--yes")
    assert [(p["earliest_offset"], p["latest_offset"]) for p in objects(hub, "offsets", topic)] == [
        (3, 3), (1, 1), (0, 0)]


@pytest.mark.parametrize("answer, code, left", [(b"y\n", 0, False), (b"n\n", 1, True), (b"\n", 1, True)])
def test_deleting_asks_at_a_terminal(hub, topic, answer, code, left):
    terminal = Terminal(hub, "topic", "delete", topic)
    terminal.wait_for(b"[y/N]")
    terminal.type(answer)
    assert terminal.finish() == code
    assert (topic in {t["topic"] for t in objects(hub, "topic", "list")}) == left


def test_deleting_without_a_terminal_needs_yes(hub, topic):
    refused(hub, 2, "--yes", "topic", "delete", topic)
    assert run(hub, "topic", "describe", topic).returncode == 0


def test_offsets_show_ends_times_commits_and_lag(hub, topic):
    output(hub, "produce", topic, "--partition", 1, stdin=b"a\nb\nc\n")
    assert [p["latest_offset"] for p in objects(hub, "offsets", topic)] == [0, 3, 0]
    assert [p["offset_at_time"] for p in objects(hub, "offsets", topic, "--time", "1h")] == [0, 0, 0]
    assert [p["offset_at_time"] for p in objects(hub, "offsets", topic, "--time", "2999-01-01")] == [0, 3, 0]
    output(hub, "consume", topic, "--group", "reader-" + topic, "-n", 2)
    shown = objects(hub, "offsets", topic, "--group", "reader-" + topic)
    assert [(p["committed_offset"] or 0, p["lag"]) for p in shown] == [(0, 0), (2, 1), (0, 0)]
    table = output(hub, "offsets", topic, "--group", "reader-" + topic).decode().splitlines()
    assert table[0].split() == ["PARTITION", "EARLIEST", "LATEST", "RECORDS", "COMMITTED", "LAG"]
    assert table[2].split() == ["1", "0", "3", "3", "2", "1"]


def test_the_hub_describes_itself(hub):
    (info,) = objects(hub, "hub", "info")
    assert info["engine"] == "rocksdb"
    assert info["limits"]["max_record_bytes"] > 0
    assert info["capabilities"]["producer_sequences"] is True
    assert TIME.fullmatch(info["start_time"])
    assert b"max_record_bytes:" in output(hub, "hub", "info")
