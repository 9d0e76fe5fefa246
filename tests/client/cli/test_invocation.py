"""How the command is called: options, help, exit codes, colours, benchmarks."""

import os
import subprocess

import pytest

from tests.client.cli.command import Terminal, objects, output, refused, run
from tests.support.hub import MILLRACE

COMMANDS = [
    [], ["topic"], ["topic", "create"], ["topic", "list"], ["topic", "describe"], ["topic", "alter"],
    ["topic", "delete"], ["topic", "truncate"], ["produce"], ["consume"], ["offsets"], ["hub"], ["hub", "info"],
    ["bench"], ["bench", "produce"], ["bench", "consume"], ["bench", "latency"]]


def millrace(*arguments, **environment):
    return subprocess.run([MILLRACE, *arguments], capture_output=True, timeout=60, stdin=subprocess.DEVNULL,
                          env={**os.environ, **environment}, text=True)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help(command):
    help_text = millrace(*command, "--help")
    assert (help_text.returncode, help_text.stderr) == (0, "")
    assert "Usage: millrace" in help_text.stdout
    assert "--target HOST:PORT" in help_text.stdout
    if len(command) == 2 or command in (["produce"], ["consume"], ["offsets"]):
        assert "Examples:\n  millrace " in help_text.stdout
    assert max(map(len, help_text.stdout.splitlines())) <= 100


def test_the_help_documents_the_exit_codes():
    assert "Exit codes:\n  0  done" in millrace("--help").stdout


def test_the_version_is_told():
    assert millrace("--version").stdout.startswith("millrace 0.")


@pytest.mark.parametrize("arguments, words", [
    ([], "a command is missing"),
    (["topic"], "a command is missing; there are create, list"),
    (["topics"], 'there is no command "topics"'),
    (["topic", "destroy"], 'there is no command "destroy"'),
    (["--loud"], "there is no option --loud"),
    (["topic", "create"], "TOPIC is required"),
    (["topic", "create", "t", "--loud"], "--loud"),
    (["topic", "create", "t", "--partitions", "0"], "--partitions"),
    (["topic", "create", "t", "--retention", "7"], "--retention"),
    (["topic", "create", "t", "--retention-bytes", "much"], "--retention-bytes"),
    (["topic", "alter", "t"], "say what to change"),
    (["topic", "truncate", "t"], "say what to delete"),
    (["topic", "list", "-o", "xml"], "text and json"),
    (["produce", "t", "-k", "a", "-K", ":"], "excludes"),
    (["produce", "t", "-D", r"\q"], "no escape"),
    (["produce", "t", "-H", "=v"], "name=value"),
    (["produce", "t", "--durability", "maybe"], "buffered"),
    (["consume"], "TOPIC is required"),
    (["consume", "t", "-f", "%z"], "%z"),
    (["consume", "t", "--offset", "soon"], "no offset"),
    (["consume", "t", "--since", "yesterday"], "no time"),
    (["consume", "t", "--from-beginning", "--since", "1h"], "excludes"),
    (["bench", "latency", "--rate", "0"], "no rate"),
])
def test_a_senseless_command_line_is_refused(arguments, words):
    done = millrace(*arguments, MILLRACE_TARGET="localhost:1")
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("millrace: ") and done.stderr.count("\n") == 1
    assert words in done.stderr
    assert done.stdout == ""


def test_a_hub_that_is_not_there_is_named():
    for arguments in (["topic", "list"], ["produce", "t"], ["consume", "t"], ["bench", "produce"]):
        done = millrace(*arguments, MILLRACE_TARGET="localhost:1")
        assert done.returncode == 4
        assert done.stderr.startswith("millrace: UNAVAILABLE: no hub answers at localhost:1 ")
        assert "millrace-server" in done.stderr and done.stderr.count("\n") == 1


def test_the_target_is_told_by_option_or_environment(hub):
    assert millrace("topic", "list", "--target", hub.target).returncode == 0
    assert millrace("--target", hub.target, "topic", "list", MILLRACE_TARGET="localhost:1").returncode == 0
    assert millrace("topic", "list", MILLRACE_TARGET=hub.target).returncode == 0


def test_a_token_is_not_sent_in_clear_to_another_machine_unasked(tmp_path):
    token = tmp_path / "token"
    token.write_text("secret")
    refused_here = millrace("topic", "list", "--target", "hub.invalid:1", "--token-file", token)
    assert (refused_here.returncode, refused_here.stdout) == (2, "")
    assert refused_here.stderr.startswith("millrace: without TLS whoever is on the way to hub.invalid:1 can read")
    assert "--tls-ca, or allow it with --token-in-clear\n" in refused_here.stderr
    by_environment = {"MILLRACE_TARGET": "hub.invalid:1", "MILLRACE_TOKEN_FILE": str(token)}
    assert millrace("topic", "list", **by_environment).returncode == 2
    assert millrace("topic", "list", MILLRACE_TOKEN_IN_CLEAR="0", **by_environment).returncode == 2
    # What is allowed gets as far as looking for the hub.
    short = ("--timeout", "100ms")
    for allowed in (["--token-in-clear"], ["--tls"]):
        assert millrace("topic", "list", *allowed, *short, **by_environment).returncode == 4, allowed
    assert millrace("topic", "list", *short, MILLRACE_TOKEN_IN_CLEAR="1", **by_environment).returncode == 4


def test_a_token_goes_to_this_machine_in_clear(hub, tmp_path):
    token = tmp_path / "token"
    token.write_text("secret")
    listed = run(hub, "topic", "list", "--token-file", token)
    assert (listed.returncode, listed.stderr) == (0, b"")


def test_the_output_option_goes_before_and_after_the_command(hub):
    before = output(hub, "-o", "json", "hub", "info")
    assert before == output(hub, "hub", "info", "-o", "json")
    assert before.startswith(b"{")


def test_colours_are_for_terminals_and_can_be_refused(hub):
    assert b"\x1b" not in output(hub, "topic", "list")
    for variables, coloured in (({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
        terminal = Terminal(hub, "topic", "list", env={**os.environ, "TERM": "xterm", **variables})
        terminal.wait_for(b"TOPIC")
        assert (b"\x1b[1m" in terminal.seen) == coloured
        assert terminal.finish() == 0


def test_progress_is_for_terminals(hub, topic):
    done = run(hub, "produce", topic, stdin=b"x\n")
    assert b"\r" not in done.stderr


def test_benchmarks_count_what_the_hub_has_stored(hub, topic):
    (sent,) = objects(hub, "bench", "produce", topic, "--duration", "200ms", "--streams", 2, "--batch", 10)
    assert sent["records"] > 0 and sent["bytes"] == 100 * sent["records"] and sent["records_per_second"] > 0
    assert sum(p["latest_offset"] for p in objects(hub, "offsets", topic)) == sent["records"]
    (read,) = objects(hub, "bench", "consume", topic, "--streams", 2)
    assert read["records"] == 2 * sent["records"]


def test_benchmarks_clean_up_the_topic_they_made(hub):
    (latency,) = objects(hub, "bench", "latency", "--rate", 500, "--duration", "400ms", "--durability", "buffered")
    assert latency["records"] == 200
    for what in ("acknowledged", "received"):
        assert 0 < latency[what]["p50_ms"] <= latency[what]["p99_ms"] <= latency[what]["max_ms"]
    assert b"RECORDS/S" in output(hub, "bench", "consume", "--records", 1000, "--batch", 100)
    assert not [t for t in objects(hub, "topic", "list") if t["topic"].startswith("bench-")]


def test_a_benchmark_of_a_missing_topic_is_refused(hub):
    refused(hub, 3, "TOPIC_NOT_FOUND", "bench", "produce", "absent")
