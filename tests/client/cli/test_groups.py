"""Consumer groups at the command line."""

import signal
import subprocess

from tests.client.cli.command import finish, objects, output, refused, start


def produce(hub, topic, lines, *arguments):
    output(hub, "produce", topic, "-q", *arguments, stdin="".join(line + "\n" for line in lines).encode())


def join(hub, topic, group, *arguments):
    """A member that runs until it is interrupted, and has said what it reads."""
    member = start(hub, "consume", topic, "--group", group, "--commit-interval", "10ms", *arguments,
                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert b"now reading" in member.stderr.readline()
    return member


def leave(member):
    member.send_signal(signal.SIGINT)
    assert finish(member) == 0


def described(hub, group):
    (shown,) = objects(hub, "group", "describe", group)
    return shown


def test_two_members_share_a_topic_and_the_one_that_stays_takes_over(hub, topic):
    produce(hub, topic, "abc", "-p", 0)
    first = join(hub, topic, topic, "--instance-id", "first")
    assert [first.stdout.readline() for _ in range(3)] == [b"a\n", b"b\n", b"c\n"]
    second = join(hub, topic, topic, "--instance-id", "second")
    shown = described(hub, topic)
    assert sorted(m["instance_id"] for m in shown["members"]) == ["first", "second"]
    assert sorted(len(m["partitions"]) for m in shown["members"]) == [1, 2]
    leave(first)
    assert b"now reading" in second.stderr.readline()
    shown = described(hub, topic)
    assert [(m["instance_id"], len(m["partitions"])) for m in shown["members"]] == [("second", 3)]
    assert shown["lag"] == 0
    refused(hub, 1, "GROUP_HAS_MEMBERS", "group", "delete", topic, "--yes")
    leave(second)
    assert described(hub, topic)["members"] == []
    assert objects(hub, "group", "delete", topic, "--yes") == [{"group": topic, "deleted": True}]
    refused(hub, 3, "GROUP_NOT_FOUND", "group", "describe", topic)
    refused(hub, 3, "GROUP_NOT_FOUND", "group", "watch", topic)


def test_describing_a_group_shows_partitions_and_lag_at_a_glance(hub, topic):
    produce(hub, topic, "abcde", "-p", 1)
    output(hub, "consume", topic, "--group", topic, "-n", 2)
    lines = output(hub, "group", "describe", topic).decode().splitlines()
    assert lines[0].split() == ["group:", topic]
    assert lines[2].startswith("lag:") and "3 records" in lines[2]
    header = next(line for line in lines if line.startswith("TOPIC"))
    assert header.split() == ["TOPIC", "PARTITION", "MEMBER", "COMMITTED", "END", "LAG", "LAG", "TIME"]
    assert any(line.split()[:6] == [topic, "1", "-", "2", "5", "3"] for line in lines)
    (listed,) = [group for group in objects(hub, "group", "list") if group["group"] == topic]
    assert listed == {"group": topic, "member_count": 0, "topics": [topic], "lag": 3}


def test_a_reset_moves_a_group_and_a_dry_run_does_not(hub, topic):
    produce(hub, topic, "abcde", "-p", 1)
    output(hub, "consume", topic, "--group", topic, "-e")
    one = ("--topic", topic, "--partition", 1)

    def reset(*arguments):
        return [(r["from_offset"], r["to_offset"], r["done"]) for r in objects(hub, "group", "reset", topic, *arguments)]

    assert reset("--shift", -2, *one, "--dry-run") == [(5, 3, False)]
    assert described(hub, topic)["lag"] == 0
    assert reset("--shift", -2, *one) == [(5, 3, True)]
    assert output(hub, "consume", topic, "--group", topic, "-e") == b"d\ne\n"
    assert reset("--to-offset", 4, *one) == [(5, 4, True)]
    assert reset("--to-earliest", *one) == [(4, 0, True)]
    assert reset("--to-latest", *one) == [(0, 5, True)]
    assert reset("--to-time", "1h", *one) == [(5, 0, True)]
    refused(hub, 2, "--to-earliest", "group", "reset", topic)
    refused(hub, 2, "--topic", "group", "reset", topic, "--to-latest", "-p", 1)
    refused(hub, 3, "GROUP_NOT_FOUND", "group", "reset", "absent", "--to-latest")


def test_watching_shows_the_group_again_when_it_changes(hub, topic):
    produce(hub, topic, "a", "-p", 0)
    output(hub, "consume", topic, "--group", topic, "-e")
    watch = start(hub, "group", "watch", topic, "--interval", "100ms", "-n", 2, "-o", "json", stdout=subprocess.PIPE)
    assert b'"lag":0' in watch.stdout.readline()
    produce(hub, topic, "b", "-p", 0)
    assert b'"lag":1' in watch.stdout.readline()
    assert finish(watch) == 0
