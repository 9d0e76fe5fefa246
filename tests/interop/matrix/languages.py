"""The examples of every language as processes: what they are told, what they print."""

import dataclasses
import os
import pathlib
import re
import signal
import subprocess

from tests.support.waiting import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "client" / "examples"
BUILT = ROOT / "build" / "polyglot"
PYTHON = ROOT / "build" / "stubs" / "bin" / "python"
CLASSES = f"{EXAMPLES}/java/target/classes:{EXAMPLES}/java/target/lib/*"
EXIT_SECONDS = 60


@dataclasses.dataclass(frozen=True)
class Language:
    """How the two programs of a language are started, and where their sources are."""

    name: str
    producer: tuple
    member: tuple
    sources: tuple  # Of the producer, of the member.
    exit_at_sigterm: int = 0

    def __str__(self):
        return self.name


LANGUAGES = [
    Language("python", (PYTHON, EXAMPLES / "python/order_producer.py"), (PYTHON, EXAMPLES / "python/order_member.py"),
             ("python/order_producer.py", "python/order_member.py")),
    Language("go", (BUILT / "go/order-producer",), (BUILT / "go/order-member",),
             ("go/order-producer/main.go", "go/order-member/main.go")),
    Language("node", ("node", EXAMPLES / "node/dist/order_producer.js"), ("node", EXAMPLES / "node/dist/order_member.js"),
             ("node/src/order_producer.ts", "node/src/order_member.ts")),
    Language("rust", (BUILT / "rust/debug/order_producer",), (BUILT / "rust/debug/order_member",),
             ("rust/src/bin/order_producer.rs", "rust/src/bin/order_member.rs")),
    Language("java", ("java", "-cp", CLASSES, "orders.OrderProducer"), ("java", "-cp", CLASSES, "orders.OrderMember"),
             ("java/src/main/java/orders/OrderProducer.java", "java/src/main/java/orders/OrderMember.java"),
             exit_at_sigterm=128 + signal.SIGTERM),  # As every JVM, however orderly it ended.
    Language("cpp", (BUILT / "cpp/order_producer",), (BUILT / "cpp/order_member",),
             ("cpp/order_producer.cc", "cpp/order_member.cc")),
]

PLACED = re.compile(r"partition (\d+), offset (\d+)")
PROCESSED = re.compile(r"(\d+) (\d+) ([0-9a-f]*) ([^:]*): (.*)")


@dataclasses.dataclass(frozen=True)
class Processed:
    """One line of a member."""

    partition: int
    offset: int
    record: bytes  # Encoded.
    key: str
    text: str


class Program:
    """A running example; what it says goes to files."""

    def __init__(self, language, role, log, *arguments):
        self.language = language
        self.output, self.errors = log.with_suffix(".out"), log.with_suffix(".err")
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "build" / "stubs"), "PYTHONDONTWRITEBYTECODE": "1"}
        with open(self.output, "ab") as out, open(self.errors, "ab") as err:
            self.process = subprocess.Popen([*map(str, getattr(language, role)), *map(str, arguments)],
                                            stdin=subprocess.PIPE, stdout=out, stderr=err, env=environment)

    def lines(self):
        """What it has printed so far, without a last line that is not whole yet."""
        return self.output.read_text(encoding="utf-8").split("\n")[:-1]

    def kill(self):
        """As kill -9, if it still runs."""
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()

    def said(self):
        return f"{self.language}: " + self.errors.read_text(errors="replace")


class Producer(Program):
    """Sends the lines it is given."""

    def __init__(self, language, log, target, topic):
        super().__init__(language, "producer", log, target, topic)

    def send(self, lines):
        self.process.stdin.write("".join(line + "\n" for line in lines).encode())
        self.process.stdin.flush()

    def finish(self):
        """No more lines: waits until all are stored."""
        self.process.stdin.close()
        assert self.process.wait(EXIT_SECONDS) == 0, self.said()

    def places(self):
        """[(partition, offset)], line by line."""
        found = [PLACED.fullmatch(line) for line in self.lines()]
        assert all(found), self.lines()
        return [(int(match[1]), int(match[2])) for match in found]


class Member(Program):
    """Reads a topic as a member of a group."""

    def __init__(self, language, log, target, topic, group, *instance_id):
        super().__init__(language, "member", log, target, topic, group, *instance_id)

    def processed(self):
        found = [PROCESSED.fullmatch(line) for line in self.lines()]
        assert all(found), self.lines()
        return [Processed(int(m[1]), int(m[2]), bytes.fromhex(m[3]), m[4], m[5]) for m in found]

    def wait_processed(self, count):
        wait_until(lambda: self.process.poll() is not None or len(self.lines()) >= count,
                   f"{self.language} has processed {count} records")
        assert self.process.poll() is None, self.said()

    def stop(self):
        """As an orchestrator stops it."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(EXIT_SECONDS) == self.language.exit_at_sigterm, self.said()
