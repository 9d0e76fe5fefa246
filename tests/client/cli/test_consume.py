"""Receiving records at the command line."""

import re
import signal
import subprocess

from tests.client.cli.command import Terminal, finish, objects, output, refused, run, start


def produce(hub, topic, lines, *arguments):
    output(hub, "produce", topic, "-q", *arguments, stdin="".join(line + "\n" for line in lines).encode())


def read(hub, topic, *arguments):
    return output(hub, "consume", topic, *arguments).decode().splitlines()


def committed(hub, topic, group):
    return {p["partition"]: p["committed_offset"] for p in objects(hub, "offsets", topic, "--group", group)}


def test_the_first_tutorial_shows_messages_at_once(hub):
    output(hub, "topic", "create", "test-topic", "--partitions", 3)
    producer = Terminal(hub, "produce", "test-topic")
    producer.wait_for(b"Ctrl-D")
    consumer = Terminal(hub, "consume", "test-topic", "--from-beginning")
    for line in (b"This is my first event", b"This is my second event", b"third"):
        producer.type(line + b"\n")
        consumer.wait_for(line)
    consumer.process.send_signal(signal.SIGINT)
    assert consumer.finish() == 0
    producer.type(b"\x04")
    producer.wait_for(b"stored 3 records")
    assert producer.finish() == 0


def test_without_a_start_only_new_records_come(hub, topic):
    produce(hub, topic, ["old"])
    assert read(hub, topic, "-e") == []


def test_offsets_say_where_to_begin(hub, topic):
    produce(hub, topic, "abcde", "--partition", 1)
    produce(hub, topic, "xyz", "--partition", 2)
    one = ("--partition", 1, "-e")
    assert read(hub, topic, "--offset", 3, *one) == ["d", "e"]
    assert read(hub, topic, "--offset", 5, *one) == []
    assert read(hub, topic, "--offset", "earliest", *one) == list("abcde")
    assert read(hub, topic, "--offset", "latest", *one) == []
    assert read(hub, topic, *one) == []
    assert sorted(read(hub, topic, "--offset", -2, "-e")) == list("deyz")
    assert sorted(read(hub, topic, "--offset", -100, "-p", 0, "-p", 2, "-e")) == list("xyz")
    refused(hub, 1, "OFFSET_OUT_OF_RANGE", "consume", topic, "--offset", 6, *one)
    refused(hub, 1, "PARTITION_OUT_OF_RANGE", "consume", topic, "--from-beginning", "-p", 7)
    refused(hub, 2, "--partition", "consume", topic, "--offset", 1)


def test_times_say_where_to_begin(hub, topic):
    produce(hub, topic, ["one"], "--partition", 0)
    assert read(hub, topic, "--since", "1h", "-e") == ["one"]
    assert read(hub, topic, "--since", "1h", "--partition", 0, "-e") == ["one"]
    assert read(hub, topic, "--since", "2999-01-01", "-e") == []


def test_several_topics_in_one_reader(hub, topic):
    output(hub, "topic", "create", topic + ".2")
    produce(hub, topic, ["one"])
    produce(hub, topic + ".2", ["two"])
    assert sorted(read(hub, topic, topic + ".2", "--from-beginning", "-e", "-f", r"%t %s\n")) == [
        topic + " one", topic + ".2 two"]
    refused(hub, 3, "TOPIC_NOT_FOUND", "consume", topic, "absent", "-e")


def test_a_topic_may_have_the_name_of_a_command(hub):
    for name in ("topic", "consume", "bench"):
        output(hub, "topic", "create", name)
        produce(hub, name, [name])
        assert read(hub, name, "--from-beginning", "-e") == [name]


def test_a_format_puts_records_together(hub, topic):
    output(hub, "produce", topic, "-q", "-p", 1, "-K", ":", "-H", "h=1", stdin=b"k:v\nw\n")
    shown = read(hub, topic, "--from-beginning", "-e", "-f", r"%t,%p,%o,%k,%s,%K,%S,%h,%E,%%\n")
    assert shown == [f"{topic},1,0,k,v,1,1,h=1,-1,%", f"{topic},1,1,,w,-1,1,h=1,-1,%"]
    assert read(hub, topic, "--from-beginning", "-e", "-K", "=", "-D", ";") == ["k=v;w;"]
    refused(hub, 2, "--format", "consume", topic, "-f", "%s", "-o", "json")


def test_json_is_stable(hub, topic):
    output(hub, "produce", topic, "-q", "-p", 0, "-D", r"\0", "-K", "|", "-Z", "-H", "h=1", "-H", "n", stdin=b"\0".join(
        [b'k|{"b": 1.10, "a": [true, null]}', b"plain \"text\"", b"\xff|\x80", b"gone|", b"9007199254740993"]))
    lines = output(hub, "consume", topic, "--from-beginning", "-e", "-o", "json").decode().splitlines()
    shown = [re.sub(r'"append_time":"[-0-9T:]{19}\.\d{3}Z",', "", line) for line in lines]
    headers = '"headers":[{"name":"h","text":"1"},{"name":"n"}]'
    start_of = [f'{{"topic":"{topic}","partition":0,"offset":{offset},' for offset in range(5)]
    assert shown == [
        start_of[0] + '"key":"k",' + headers + ',"json":{"b":1.10,"a":[true,null]}}',
        start_of[1] + headers + ',"text":"plain \\"text\\""}',
        start_of[2] + '"key_binary":"/w==",' + headers + ',"binary":"gA=="}',
        start_of[3] + '"key":"gone",' + headers + "}",
        start_of[4] + headers + ',"text":"9007199254740993"}']
    assert all('"append_time"' in line for line in lines)


def test_a_group_goes_on_where_it_stopped(hub, topic):
    produce(hub, topic, [str(number) for number in range(10)], "--partition", 0)
    assert read(hub, topic, "--group", topic, "-n", 4) == ["0", "1", "2", "3"]
    assert committed(hub, topic, topic)[0] == 4
    assert read(hub, topic, "--group", topic, "-e") == ["4", "5", "6", "7", "8", "9"]
    assert read(hub, topic, "--group", topic, "-e", "--from-beginning") == []
    assert read(hub, topic, "--group", topic + ".other", "-e")[:2] == ["0", "1"]


def test_a_group_commits_as_it_goes(hub, topic):
    produce(hub, topic, "abc", "--partition", 0)
    consumer = start(hub, "consume", topic, "--group", topic, "--commit-interval", "10ms", stdout=subprocess.PIPE)
    assert [consumer.stdout.readline() for _ in range(3)] == [b"a\n", b"b\n", b"c\n"]
    while committed(hub, topic, topic)[0] != 3:
        assert consumer.poll() is None
    consumer.kill()
    finish(consumer)


def test_ctrl_c_commits_and_ends_well(hub, topic):
    produce(hub, topic, "abc", "--partition", 0)
    for interrupt in (signal.SIGINT, signal.SIGTERM):
        group = f"{topic}.{interrupt}"
        consumer = start(hub, "consume", topic, "--group", group, "--commit-interval", "1h", stdout=subprocess.PIPE)
        assert [consumer.stdout.readline() for _ in range(3)] == [b"a\n", b"b\n", b"c\n"]
        consumer.send_signal(interrupt)
        assert finish(consumer) == 0
        assert committed(hub, topic, group)[0] == 3


def test_a_group_takes_neither_partitions_nor_offsets(hub, topic):
    refused(hub, 2, "--partition", "consume", topic, "--group", "g", "-p", 0)
    refused(hub, 2, "--offset", "consume", topic, "--group", "g", "--offset", 3)


def test_a_reader_that_goes_away_is_no_error(hub, topic):
    produce(hub, topic, ["x" * 100] * 20_000)
    consumer = start(hub, "consume", topic, "--from-beginning", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert consumer.stdout.readline() == b"x" * 100 + b"\n"
    consumer.stdout.close()
    assert finish(consumer) == 0
    assert consumer.stderr.read() == b""


def test_deleting_the_topic_ends_its_reader(hub, topic):
    produce(hub, topic, ["x"])
    consumer = start(hub, "consume", topic, "--from-beginning", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert consumer.stdout.readline() == b"x\n"
    output(hub, "topic", "delete", topic, "--yes")
    assert finish(consumer) == 3
    assert b"TOPIC_NOT_FOUND" in consumer.stderr.read()


def test_the_count_ends_a_reader(hub, topic):
    produce(hub, topic, "abcde", "--partition", 0)
    assert read(hub, topic, "--from-beginning", "-n", 2) == ["a", "b"]
    assert run(hub, "consume", topic, "-n", 0).returncode == 2
