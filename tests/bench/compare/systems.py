"""The systems: how each is launched for a class of durability, on an empty directory, on loopback."""

import contextlib
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

START_SECONDS = 120
STOP_SECONDS = 10  # What they leave is thrown away.
HOST = "127.0.0.1"
SERVER_PORTS = (12_000, 32_000)


class LaunchFailure(Exception):
    """A system did not come up, or went away; says what it logged last."""


def free_ports(count):
    """Ports that nobody has, from below those that the kernel gives to clients: a client that tries a
    port of its own range before anybody listens may be connected to itself, and so take it."""
    with contextlib.ExitStack() as held:
        ports = []
        while len(ports) < count:
            candidate = held.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                candidate.bind((HOST, random.randrange(*SERVER_PORTS)))
                ports.append(candidate.getsockname()[1])
        return ports


class Launched:
    """A running system. `launched_at_ns` is the wall clock when its program was started."""

    def __init__(self, command, environment, folder, port):
        self.folder = folder
        self.address = f"{HOST}:{port}"
        self.port = port
        with open(folder / "log", "wb") as log:
            self.launched_at_ns = time.time_ns()
            self.process = subprocess.Popen(
                [str(part) for part in command], cwd=folder, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env={**os.environ, **environment})

    def wait_until_it_listens(self):
        deadline = time.monotonic() + START_SECONDS
        while True:
            if self.process.poll() is not None:
                raise LaunchFailure(f"it ended with status {self.process.returncode}: {self.log()}")
            try:
                socket.create_connection((HOST, self.port), timeout=1).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise LaunchFailure(f"nothing listens after {START_SECONDS} s: {self.log()}")
                time.sleep(0.01)

    def log(self):
        return (self.folder / "log").read_text(errors="replace")[-1500:]

    def memory_mb(self):
        """Resident memory now, and the most since it was started, in MB of 10^6 bytes."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        values = dict(line.split(":", 1) for line in status.splitlines())
        return tuple(int(values[key].split()[0]) * 1024 / 1e6 for key in ("VmRSS", "VmHWM"))

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class System:
    """How to launch one system; `classes` says by which setting it keeps each promise."""

    name = ""
    title = ""
    classes = {}
    is_peer = True
    needs_jvm_warm_up = False

    def __init__(self, cache, root):
        self.cache = cache
        self.root = root

    def prepare(self, folder, port, spare_port, durability):
        """Writes what the launch needs; not part of any measured time."""

    def command(self, folder, port, durability):
        raise NotImplementedError

    def environment(self):
        return {}

    def version(self):
        return (self.cache / f"{self.name}.version").read_text().strip()

    @contextlib.contextmanager
    def running(self, durability, before=lambda address: None, wait=True):
        """Launches it in a directory of its own, which is removed at the end. `before` gets the address when
        everything is prepared; `wait`: go on when it listens."""
        folder = pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=self.cache))
        launched = None
        try:
            port, spare_port = free_ports(2)
            self.prepare(folder, port, spare_port, durability)
            before(f"{HOST}:{port}")
            launched = Launched(self.command(folder, port, durability), self.environment(), folder,
                                port)
            if wait:
                launched.wait_until_it_listens()
            yield launched
        finally:
            if launched:
                launched.stop()
            shutil.rmtree(folder, ignore_errors=True)


class Millrace(System):
    name = "millrace"
    title = "Millrace"
    classes = {"d0": "DURABILITY_BUFFERED", "d1": "DURABILITY_SYNCED"}
    is_peer = False

    def command(self, folder, port, durability):
        return [self.root / "build/bin/millrace-server", "--data-dir", folder / "data", "--listen",
                f"{HOST}:{port}", "--web-listen", "none", "--log-level", "warn"]

    def version(self):
        done = subprocess.run([self.root / "build/bin/millrace-server", "--version"],
                              capture_output=True, text=True, check=True)
        return done.stdout.strip()


class MillraceStubs(Millrace):
    """The same hub, loaded with generated messages only."""

    name = "millrace-stubs"
    title = "Millrace, plain stubs"


class Kafka(System):
    name = "kafka"
    title = "Kafka"
    classes = {"d0": "acks=all", "d2": "acks=all, flush.messages=1"}
    needs_jvm_warm_up = True

    def java(self, *arguments):
        return ["java", *arguments, "-cp", f"{self.cache}/kafka/libs/*"]

    def prepare(self, folder, port, spare_port, durability):
        (folder / "server.properties").write_text(f"""
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{HOST}:{spare_port}
listeners=PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{spare_port}
advertised.listeners=PLAINTEXT://{HOST}:{port}
controller.listener.names=CONTROLLER
log.dirs={folder}/data
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
""")
        done = subprocess.run(
            [*self.java(), "kafka.tools.StorageTool", "format", "-t", "bWlsbHJhY2UtYmVuY2gtMQ", "-c",
             folder / "server.properties"], capture_output=True, text=True)
        if done.returncode:
            raise LaunchFailure(f"formatting failed: {done.stdout[-800:]}{done.stderr[-800:]}")

    def command(self, folder, port, durability):
        # The heap and collector that its own start script gives it.
        return [*self.java("-Xms1g", "-Xmx1g", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
                           "-XX:InitiatingHeapOccupancyPercent=35",
                           "-XX:+ExplicitGCInvokesConcurrent", "-Djava.awt.headless=true"),
                "kafka.Kafka", folder / "server.properties"]


class Nats(System):
    name = "nats"
    title = "NATS JetStream"
    classes = {"d0": "file store, default sync_interval", "d2": "file store, sync_interval: always"}

    def prepare(self, folder, port, spare_port, durability):
        sync = "sync_interval: always" if durability == "d2" else ""
        (folder / "nats.conf").write_text(f"""
listen: "{HOST}:{port}"
max_payload: 8MB
jetstream {{
  store_dir: "{folder}/data"
  max_file_store: 60GB
  {sync}
}}
""")

    def command(self, folder, port, durability):
        return [self.cache / "bin/nats-server", "-c", folder / "nats.conf"]


class Redis(System):
    name = "redis"
    title = "Redis Streams"
    classes = {"d0": "appendfsync everysec", "d1": "appendfsync always"}

    def command(self, folder, port, durability):
        return [self.cache / "redis/root/usr/bin/redis-server", "--bind", HOST, "--port", port,
                "--dir", folder, "--save", "", "--auto-aof-rewrite-percentage", "0", "--appendonly",
                "yes", "--appendfsync", "always" if durability == "d1" else "everysec"]

    def environment(self):
        libraries = sorted({str(path.parent) for path in
                            (self.cache / "redis/root").glob("usr/lib/**/*.so*")})
        return {"LD_LIBRARY_PATH": ":".join(libraries)}


SYSTEMS = {system.name: system for system in (Millrace, MillraceStubs, Kafka, Nats, Redis)}
DEFAULT_SYSTEMS = ("millrace", "kafka", "nats", "redis")
