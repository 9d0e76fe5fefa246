"""Debian's package catalogue as events: the input, the two clients, and what they print."""

import collections
import hashlib
import subprocess
import threading
from dataclasses import dataclass

from tests.support.hub import BUILD, MILLRACE
from tests.support.murmur2 import partition_of

PARTITIONS = 6
CLIENT = BUILD / "bin" / "millrace-catalogue"
# Partition, offset, bytes of key and value, headers; then the key and the value.
FORMAT = r"%p %o %K %S %h\n%k%s\n"


@dataclass(frozen=True)
class Event:
    """A stanza as it must be stored: compared by a hash of its bytes."""

    key: bytes
    headers: bytes
    digest: bytes

    @classmethod
    def of(cls, key, headers, value):
        return cls(key, headers, hashlib.sha256(value).digest())


def stanzas_of_this_machine():
    """The stanzas of `apt-cache dumpavail`, in order."""
    dump = subprocess.run(["apt-cache", "dumpavail"], check=True, capture_output=True).stdout
    return [stanza for stanza in dump.split(b"\n\n") if stanza]


def field_of(stanza, name):
    for line in stanza.split(b"\n"):
        if line.startswith(name + b": "):
            return line[len(name) + 2:].strip()
    return b""


def expected_events(stanzas, count=PARTITIONS):
    """What each of `count` partitions must hold, in order."""
    partitions = collections.defaultdict(list)
    for stanza in stanzas:
        key = field_of(stanza, b"Package")
        headers = b"section=%s,priority=%s" % (field_of(stanza, b"Section"), field_of(stanza, b"Priority"))
        partitions[partition_of(key, count)].append(Event.of(key, headers, stanza))
    return partitions


class CommandLine:
    """The millrace command."""

    @staticmethod
    def publish(target, topic):
        return [MILLRACE, "--target", target, "produce", topic, "-q", "-D", r"\n\n", "--key-field", "Package",
                "--header-field", "section=Section", "--header-field", "priority=Priority"]

    @staticmethod
    def follow(target, topic, group, exit_at_end=False):
        return [MILLRACE, "--target", target, "consume", topic, "--group", group, "--format", FORMAT,
                *(["-e"] if exit_at_end else [])]


class CppClient:
    """The C++ client library, in a small program."""

    @staticmethod
    def publish(target, topic):
        return [CLIENT, "publish", "--target", target, "--topic", topic]

    @staticmethod
    def follow(target, topic, group, exit_at_end=False):
        return [CLIENT, "follow", "--target", target, "--topic", topic, "--group", group,
                *(["--exit-at-end"] if exit_at_end else [])]


class Publisher:
    """A publishing process that is fed in portions."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        self.feeding = None

    def feed(self, stanzas):
        """Hands stanzas over in the background; waits for the portion before."""
        self.wait_until_fed()
        data = b"".join(stanza + b"\n\n" for stanza in stanzas)
        self.feeding = threading.Thread(target=self._write, args=(data,))
        self.feeding.start()

    def _write(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def wait_until_fed(self):
        if self.feeding:
            self.feeding.join()

    def finish(self, seconds=240):
        self.wait_until_fed()
        _, told = self.process.communicate(timeout=seconds)
        assert self.process.returncode == 0, told.decode()


class Follower:
    """A consuming process; keeps what it printed of each partition, as [(offset, Event)]."""

    def __init__(self, command, log):
        self.records = collections.defaultdict(list)
        self.count = 0
        self.log = log
        with open(log, "wb") as told:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=told)
        self.reading = threading.Thread(target=self._read)
        self.reading.start()

    def _read(self):
        out = self.process.stdout
        while (line := out.readline()).endswith(b"\n"):
            partition, offset, key_bytes, value_bytes, headers = line[:-1].split(b" ", 4)
            body = out.read(int(key_bytes) + int(value_bytes) + 1)
            if len(body) <= int(key_bytes) + int(value_bytes):
                break  # Killed while it printed.
            key, value = body[:int(key_bytes)], body[int(key_bytes):-1]
            self.records[int(partition)].append((int(offset), Event.of(key, headers, value)))
            self.count += 1

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.reading.join()

    def finish(self, seconds=240):
        assert self.process.wait(seconds) == 0, self.log.read_text()
        self.reading.join()
