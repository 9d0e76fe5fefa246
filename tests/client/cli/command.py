"""The millrace command, run against a hub."""

import json
import os
import pty
import select
import subprocess
import time

from tests.support.hub import MILLRACE

SECONDS = 60


def start(hub, *arguments, **options):
    """A command that goes on running; give it to finish() or kill it."""
    return subprocess.Popen([MILLRACE, "--target", hub.target, *map(str, arguments)], **options)


def run(hub, *arguments, stdin=b"", **options):
    """A command until its end, whatever that is."""
    return subprocess.run([MILLRACE, "--target", hub.target, *map(str, arguments)], input=stdin,
                          capture_output=True, timeout=SECONDS, **options)


def output(hub, *arguments, **options):
    """What a command prints that must end well."""
    done = run(hub, *arguments, **options)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def objects(hub, *arguments, **options):
    """The objects that a command prints with -o json."""
    return [json.loads(line) for line in output(hub, *arguments, "-o", "json", **options).splitlines()]


def refused(hub, exit_code, words, *arguments, **options):
    """A command that must fail, with one line on standard error and nothing printed."""
    done = run(hub, *arguments, **options)
    message = done.stderr.decode()
    assert done.returncode == exit_code, message
    assert message.startswith("millrace: ") and message.count("\n") == 1
    assert words in message
    assert done.stdout == b""


def finish(process):
    """The exit code of a started command."""
    try:
        return process.wait(SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


class Terminal:
    """A command at a terminal of its own."""

    def __init__(self, hub, *arguments, **options):
        self.end, other = pty.openpty()
        self.process = start(hub, *arguments, stdin=other, stdout=other, stderr=other, **options)
        os.close(other)
        self.seen = b""

    def type(self, text):
        os.write(self.end, text)

    def wait_for(self, text):
        """Waits until the terminal shows it."""
        deadline = time.monotonic() + SECONDS
        while text not in self.seen:
            assert select.select([self.end], [], [], deadline - time.monotonic())[0], self.seen
            try:
                self.seen += os.read(self.end, 4096)
            except OSError as error:  # The command has ended.
                raise AssertionError(self.seen) from error

    def finish(self):
        code = finish(self.process)
        os.close(self.end)
        return code
