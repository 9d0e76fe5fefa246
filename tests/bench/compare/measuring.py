"""One measurement: a system started afresh, one work, what it gave."""

import json
import os
import subprocess
import time

from tests.bench.compare import figures
from tests.bench.compare.systems import LaunchFailure

# Longest that the load program may take on top of what it measures.
LOAD_SECONDS = 420


class Disk:
    """The counters of the device that a folder is on, where the kernel keeps them."""

    def __init__(self, folder):
        number = os.stat(folder).st_dev
        self.key = [str(os.major(number)), str(os.minor(number))]

    def counters(self):
        """Flushes and bytes written since the machine was started; None where unknown."""
        with open("/proc/diskstats", encoding="ascii") as lines:
            for line in lines:
                fields = line.split()
                if fields[:2] == self.key and len(fields) > 18:
                    return {"flushes": int(fields[18]), "written_bytes": int(fields[9]) * 512}
        return None

    @staticmethod
    def difference(after, before):
        return {key: after[key] - before[key] for key in after} if after and before else None


class Bench:
    """Measures works on systems; `cache` holds their programs and the directories of runs."""

    def __init__(self, cache, scale):
        self.cache = cache
        self.scale = scale
        self.disk = Disk(cache)

    def limits(self):
        """What the machine itself gives right now."""
        done = subprocess.run([self.cache / "bin/millrace-bench-limits", self.cache,
                               str(self.scale.limit_seconds)],
                              capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    def sample(self, system, work, durability):
        """One sample: {"metrics"...} or {"error"...}, and the facts around it."""
        os.sync()  # What earlier measurements left dirty shall not burden this one.
        begin = time.monotonic()
        before = self.disk.counters()
        found = {"system": system.name, "work": work.name, "class": durability,
                 "load_average": os.getloadavg()[0]}
        try:
            measure = self.start if work.name == "start" else self.load
            found["metrics"] = measure(system, work, durability)
        except (LaunchFailure, subprocess.SubprocessError, OSError, ValueError) as failure:
            found["error"] = str(failure).strip()[-1500:]
        os.sync()
        found["device"] = Disk.difference(self.disk.counters(), before)
        found["seconds"] = round(time.monotonic() - begin, 2)
        return found

    def command(self, system, durability, address, flags):
        return [str(part) for part in (
            self.cache / "bin/millrace-bench-load", "-system", system.name, "-address", address,
            "-class", durability, *flags)]

    def load(self, system, work, durability):
        with system.running(durability) as launched:
            if system.needs_jvm_warm_up:
                # The broker compiles itself while it works: that is not what is asked here.
                self.run(self.command(system, durability, launched.address, (
                    "-work", "warm-up", "-warm", "0s", "-measured", f"{self.scale.jvm_seconds}s")))
            found = self.run(self.command(system, durability, launched.address,
                                          (*work.flags, *self.scale.times())))
            if launched.process.poll() is not None:
                raise LaunchFailure(f"it went away: {launched.log()}")
            found["peak_rss_mb"] = launched.memory_mb()[1]
            return found

    def run(self, command):
        done = subprocess.run(command, capture_output=True, text=True, timeout=LOAD_SECONDS)
        if done.returncode:
            raise LaunchFailure(done.stderr or f"the load program ended with {done.returncode}")
        return metrics_of(done.stdout)

    def start(self, system, work, durability):
        """The time from the launch of the program to its first acknowledgement of a record, seen by a
        client that was there before it; then its memory when nothing has happened for a while."""
        client = None

        def open_client(address):
            nonlocal client
            client = subprocess.Popen(
                self.command(system, durability, address, work.flags), stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True)
            if client.stdout.readline().strip() != "ready":
                raise LaunchFailure(client.stderr.read())

        try:
            with system.running(durability, before=open_client, wait=False) as launched:
                out, err = client.communicate(timeout=LOAD_SECONDS)
                if client.returncode:
                    raise LaunchFailure(f"{err} {launched.log()}")
                answered = json.loads(out)["metrics"]["first_answer_unix_ns"]
                time.sleep(self.scale.idle_seconds)
                return {"first_answer_ms": (answered - launched.launched_at_ns) / 1e6,
                        "idle_rss_mb": launched.memory_mb()[0]}
        finally:
            if client and client.poll() is None:
                client.kill()
                client.wait()


def metrics_of(output):
    """The metrics that the load program printed, its latencies reduced to percentiles."""
    printed = json.loads(output)
    found = dict(printed["metrics"])
    for name, nanoseconds in printed.get("latencies_ns", {}).items():
        if not nanoseconds:
            raise ValueError(f"no latency was measured ({name})")
        found.update(figures.latency_figures(name, nanoseconds))
    return found
