"""Sending records from the command line."""

import pytest

from tests.client.cli.command import Terminal, objects, output, refused, run
from tests.support.murmur2 import partition_of


def records(hub, topic):
    """All records as (key, value, headers), with None for what is missing."""
    return [(record.get("key"), record.get("text", record.get("json")),
             [(header["name"], header.get("text")) for header in record["headers"]])
            for record in objects(hub, "consume", topic, "--from-beginning", "-e")]


def values(hub, topic):
    return output(hub, "consume", topic, "--from-beginning", "-e", "-D", r"\x1f").split(b"\x1f")[:-1]


def test_every_line_is_a_record(hub, topic):
    done = run(hub, "produce", topic, "--partition", 0, stdin=b"one\n\n  two \nlast without newline")
    assert done.returncode == 0
    assert values(hub, topic) == [b"one", b"", b"  two ", b"last without newline"]
    assert done.stderr.decode().startswith("millrace: stored 4 records, 29 B, ")


def test_quiet_says_nothing_and_json_sums_up(hub, topic):
    done = run(hub, "produce", topic, "-q", stdin=b"one\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    (summary,) = objects(hub, "produce", topic, "-q", stdin=b"one\ntwo\n")
    assert summary.pop("seconds") >= 0
    assert summary == {"topic": topic, "records": 2, "bytes": 6, "failed": 0}


def test_keys_decide_the_partition_as_everywhere(hub, topic):
    keys = [f"key-{number}" for number in range(50)]
    output(hub, "produce", topic, "-K", "::", stdin="".join(f"{key}::of {key}\n" for key in keys).encode())
    found = {record["key"]: record for record in objects(hub, "consume", topic, "--from-beginning", "-e")}
    assert {key: found[key]["partition"] for key in keys} == {
        key: partition_of(key.encode(), 3) for key in keys}
    assert all(found[key]["text"] == "of " + key for key in keys)


def test_keys_headers_and_tombstones(hub, topic):
    at = ("--partition", 2)
    output(hub, "produce", topic, *at, "-K", ":", stdin=b"k:v:w\n:empty key\nno key\nk:\n")
    output(hub, "produce", topic, *at, "-K", ":", "-Z", stdin=b"k:\n")
    output(hub, "produce", topic, *at, "-k", "fixed", "-H", "a=1", "-H", "b=", "-H", "c", stdin=b"x\n")
    assert records(hub, topic) == [
        ("k", "v:w", []), ("", "empty key", []), (None, "no key", []), ("k", "", []), ("k", None, []),
        ("fixed", "x", [("a", "1"), ("b", ""), ("c", None)])]


def test_stanzas_with_key_and_headers_from_their_fields(hub, topic):
    first = b"Package: hello\nSection: devel\nDescription: one\n Package: not this"
    second = b"Package: world\nPriority: optional"
    output(hub, "produce", topic, "--partition", 0, "-D", r"\n\n", "--key-field", "package",
           "--header-field", "section=Section", "--header-field", "priority", stdin=first + b"\n\n" + second + b"\n\n")
    assert values(hub, topic) == [first, second]
    assert [(key, headers) for key, _, headers in records(hub, topic)] == [
        ("hello", [("section", "devel")]), ("world", [("priority", "optional")])]


def test_a_record_without_its_key_field_is_refused_and_those_before_it_are_stored(hub, topic):
    done = run(hub, "produce", topic, "-q", "--key-field", "Package", stdin=b"Package: one\nnone\n")
    assert done.returncode == 1
    assert b"record 2 " in done.stderr
    assert values(hub, topic) == [b"Package: one"]


@pytest.mark.parametrize("delimiter, bytes_between", [(r"\0", b"\0"), (r"\x1e", b"\x1e"), ("--", b"--")])
def test_any_delimiter_and_any_bytes(hub, topic, delimiter, bytes_between):
    binary = [bytes(range(1, 30)), b"line\nbreak", b"\xff\xfe", b"-"]
    output(hub, "produce", topic, "--partition", 0, "-D", delimiter, stdin=bytes_between.join(binary))
    assert values(hub, topic) == binary


def test_files_are_read_one_after_the_other(hub, topic, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"1\n2")
    two.write_bytes(b"3\n")
    output(hub, "produce", topic, one, "-", two, "--partition", 0, stdin=b"in between")
    assert values(hub, topic) == [b"1", b"2", b"in between", b"3"]
    output(hub, "produce", topic, one, two, "--partition", 1, "-D", "")
    assert output(hub, "consume", topic, "-p", 1, "--from-beginning", "-e", "-f", "%S:%s;") == b"3:1\n2;2:3\n;"
    refused(hub, 1, "cannot read", "produce", topic, tmp_path / "absent", "-q")


def test_a_record_over_the_limit_is_named(hub, topic):
    done = run(hub, "produce", topic, "-q", stdin=b"fits\n" + b"x" * (2 << 20) + b"\n")
    assert done.returncode == 1
    assert b"RECORD_TOO_LARGE: record 2 of the input" in done.stderr
    assert values(hub, topic) == [b"fits"]


def test_what_cannot_be_sent_is_refused_before_anything_is_read(hub, topic):
    refused(hub, 3, "TOPIC_NOT_FOUND", "produce", "absent", stdin=b"x\n")
    refused(hub, 1, "PARTITION_OUT_OF_RANGE", "produce", topic, "--partition", 3, "-q", stdin=b"x\n")


def test_many_records_arrive_in_order(hub, topic):
    lines = [b"%d" % number for number in range(50_000)]
    output(hub, "produce", topic, "--partition", 0, "--durability", "buffered", stdin=b"\n".join(lines))
    assert values(hub, topic) == lines


def test_at_a_terminal_every_line_is_sent_at_once(hub, topic):
    producer = Terminal(hub, "produce", topic)
    producer.wait_for(b"Ctrl-D")
    for count, line in enumerate((b"first", b"second"), 1):
        producer.type(line + b"\n")
        assert line in output(hub, "consume", topic, "--from-beginning", "-n", count).splitlines()
    producer.type(b"\x04")
    producer.wait_for(b"stored 2 records")
    assert producer.finish() == 0


def test_at_a_terminal_ctrl_c_ends_in_good_order(hub, topic):
    producer = Terminal(hub, "produce", topic, start_new_session=True)
    producer.wait_for(b"Ctrl-D")
    producer.type(b"kept\n")
    assert output(hub, "consume", topic, "--from-beginning", "-n", 1) == b"kept\n"
    producer.process.send_signal(2)
    assert producer.finish() == 0
