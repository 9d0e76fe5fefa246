#!/usr/bin/env python3
"""Fan-out to WebSockets beside a bare Boost.Beast broadcast loop, in one run, in turn.

A producer's events of 256 B go to 1,000 WebSockets: through the hub (gRPC, the log, a subscription each), and
through `millrace-web-broadcast`, which hands every message on and does nothing else. Both have two threads
for their sockets and the same client (`millrace-web-fan-out`), which checks that every reader is sent every
event once and in order. Then the latency from a produce to a WebSocket's frame, and the memory that idle
connections take. Ends with 1 where a target is missed.

    tests/bench/web_fan_out.py [--seconds 10] [--rounds 3] [--only fan-out,latency,idle]
"""
import argparse
import contextlib
import dataclasses
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from ceiling import ROOT, process, settle, shown

READERS = 1000
EVENT_BYTES = 256
LEAST_SHARE = 0.80
RATE, RATE_READERS, MOST_P99_MS = 5000, 10, 10
IDLE, MOST_IDLE_MB = 10_000, 600
# How many events some readers may have and others not, and what is to be seen then. One: each goes to everybody
# before the next is sent, so that nobody can put two into a message. 256: the producer is never waited for.
AT_FULL_SPEED = 256
WINDOWS = {AT_FULL_SPEED: "at full speed", 1: "one at a time"}


@contextlib.contextmanager
def server(command, *port_files):
    """A program in an empty folder of its own; gives its process id and the ports that it writes."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="millrace-bench-"))
    try:
        with process(command, cwd=folder) as child:
            while not all((folder / name).exists() for name in port_files):
                if child.poll() is not None:
                    sys.exit(f"web_fan_out.py: {command[0]} did not start")
                time.sleep(0.05)
            yield child.pid, *(f"127.0.0.1:{(folder / name).read_text().strip()}" for name in port_files)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Bench:
    def __init__(self, build, seconds):
        self.bin, self.seconds = build.resolve() / "bin", seconds

    def measure(self, pid, web, *arguments):
        done = subprocess.run(
            [self.bin / "millrace-web-fan-out", "--pid", str(pid), "--web", web, "--seconds", str(self.seconds),
             *map(str, arguments)], capture_output=True, text=True, timeout=self.seconds + 120)
        if done.returncode:
            sys.exit(f"web_fan_out.py: {done.stderr}")
        return json.loads(done.stdout)

    def hub(self, *arguments):
        settle()
        command = [self.bin / "millrace-server", "--data-dir", "data", "--listen", "127.0.0.1:0", "--port-file",
                   "port", "--web-listen", "127.0.0.1:0", "--web-port-file", "web-port",
                   "--max-connections", "100", "--web-max-connections", str(IDLE + 100), "--log-level", "warn"]
        with server(command, "port", "web-port") as (pid, grpc, web):
            return self.measure(pid, web, "--grpc", grpc, *arguments)

    def stalls(self):
        """How much of two seconds the machine's processors were taken away from a program, see stalls.cc."""
        settle()
        return json.loads(subprocess.run([self.bin / "millrace-stalls", "2"], capture_output=True, check=True).stdout)

    def bare(self, *arguments):
        settle()
        command = [self.bin / "millrace-web-broadcast", "--port-file", "port"]
        with server(command, "port") as (pid, web):
            return self.measure(pid, web, *arguments)


@dataclasses.dataclass
class Row:
    name: str
    samples: list = dataclasses.field(default_factory=list)

    def rates(self, figure):
        return [sample[figure] for sample in self.samples]

    def median(self, figure):
        return statistics.median(self.rates(figure))


def fan_out_round(bench, window, rows):
    """Every row once. The bare loop also as if its events were as long as what the hub makes of them, and in
    messages of as many events as the hub put into one."""
    load = ["--connections", READERS, "--window", window]
    for subprotocol in ("json", "proto"):
        hub = bench.hub(*load, "--event-bytes", EVENT_BYTES, "--subprotocol", subprotocol)
        rows[f"hub, {subprotocol}"].samples.append(hub)
        rows["bare loop"].samples.append(bench.bare(*load, "--event-bytes", EVENT_BYTES))
        as_long = round(hub["bytes_per_delivery"])
        batch = round(hub["events_per_frame"])
        rows[f"bare loop, as {subprotocol}"].samples.append(
            bench.bare(*load, "--event-bytes", as_long, "--batch", batch))


def fan_out(bench, rounds):
    print("| events | server | deliveries/s | of the bare loop's | events a frame | frames/s | bytes a delivery "
          "| server's µs a delivery |\n|---|---|---|---|---|---|---|---|", flush=True)
    missed = 0
    for window, window_name in WINDOWS.items():
        names = ["bare loop", *(f"{kind}{subprotocol}" for subprotocol in ("json", "proto")
                                for kind in ("hub, ", "bare loop, as "))]
        rows = {name: Row(name) for name in names}
        for _ in range(rounds):
            fan_out_round(bench, window, rows)
        top = rows["bare loop"].median("deliveries_per_second")
        for row in rows.values():
            share = row.median("deliveries_per_second") / top
            missed += window == AT_FULL_SPEED and row.name.startswith("hub") and share < LEAST_SHARE
            print(f"| {window_name} | {row.name} | {shown(row.rates('deliveries_per_second'))} | {share:.0%} "
                  f"| {row.median('events_per_frame'):.1f} | {row.median('frames_per_second'):,.0f} "
                  f"| {row.median('bytes_per_delivery'):.0f} | {row.median('server_us_per_delivery'):.2f} |",
                  flush=True)
    return missed


def latency(bench, rounds):
    """All rows in turn in each round, and before each how much of its time the machine takes away just then."""
    load = ("--connections", RATE_READERS, "--rate", RATE, "--event-bytes", EVENT_BYTES)
    measure = {"bare loop": lambda: bench.bare(*load)}
    for durability, flags in {"buffered": [], "synced": ["--synced"]}.items():
        for subprotocol in ("json", "proto"):
            measure[f"hub, {durability}, {subprotocol}"] = (
                lambda flags=flags, subprotocol=subprotocol: bench.hub(*load, "--subprotocol", subprotocol, *flags))
    samples = {name: [] for name in measure}
    for _ in range(rounds):
        for name, run in measure.items():
            stalls = bench.stalls()
            samples[name].append({**run()["latency"], **stalls})
    print(f"\n| {RATE:,} events/s to {RATE_READERS} readers, ms | p50 | p99 (range) | p99.9 | most "
          "| the machine's own stalls | longest |\n|---|---|---|---|---|---|---|", flush=True)
    missed = 0
    for name, taken in samples.items():
        p50, p99, p999, most = (statistics.median(sample[figure] for sample in taken) / 1000
                                for figure in ("p50_us", "p99_us", "p999_us", "max_us"))
        range_of = [end(sample["p99_us"] for sample in taken) / 1000 for end in (min, max)]
        missed += name.startswith("hub") and p99 >= MOST_P99_MS
        print(f"| {name} | {p50:.2f} | {p99:.2f} ({range_of[0]:.2f}-{range_of[1]:.2f}) | {p999:.2f} | {most:.2f} "
              f"| {statistics.median(sample['share'] for sample in taken):.1%} "
              f"| {max(sample['longest_ms'] for sample in taken):.1f} |", flush=True)
    return missed


def idle(bench):
    seen = bench.hub("--connections", IDLE, "--idle")
    print(f"\n{IDLE:,} idle WebSockets with a subscription each: the hub has {seen['resident_megabytes']:.0f} MB "
          "resident", flush=True)
    return seen["resident_megabytes"] >= MOST_IDLE_MB


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="fan-out,latency,idle")
    arguments = parser.parse_args()
    bench = Bench(arguments.build, arguments.seconds)
    works = {"fan-out": lambda: fan_out(bench, arguments.rounds),
             "latency": lambda: latency(bench, arguments.rounds), "idle": lambda: idle(bench)}
    missed = sum(works[work]() for work in arguments.only.split(","))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
