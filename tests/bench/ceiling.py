#!/usr/bin/env python3
"""The hub's produce rate beside a ceiling: a throwaway server of the same shape with no checks at all.

Every row is measured in one run, the ceiling and the hub in turn, each started afresh on an empty
directory. The ceiling is a folder with build.sh, which puts `server` and `load` into the folder given to
it (`server ADDRESS SYNC`, `load ADDRESS STREAMS BATCH BYTES WINDOW SUBSCRIBERS SECONDS`).

    tests/bench/ceiling.py --ceiling FOLDER [--seconds 60] [--rounds 1]
"""
import argparse
import contextlib
import json
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
# name, streams, records a request, bytes a value, window, least share of the ceiling
WORK = [
    ("100 B, batches of 1,000", 4, 1000, 100, 16, 0.70),
    ("1 KB, batches of 100", 4, 100, 1024, 16, 0.70),
    ("100 B, single records", 4, 1, 100, 64, 0.90),
]
UNARY_CALLERS = [1, 16]


@contextlib.contextmanager
def process(command, **kwargs):
    """A process that is ended when the block is left."""
    child = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, **kwargs)
    try:
        yield child
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(30)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


@contextlib.contextmanager
def hub(build):
    """A hub on an empty directory; gives its address and its process id."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="millrace-bench-"))
    port_file = folder / "port"
    command = [build / "bin/millrace-server", "--data-dir", folder / "data", "--listen",
               "127.0.0.1:0", "--port-file", port_file, "--web-listen", "none", "--log-level", "warn"]
    try:
        with process(command) as child:
            while not port_file.exists():
                if child.poll() is not None:
                    sys.exit("ceiling.py: the hub did not start")
                time.sleep(0.05)
            yield f"127.0.0.1:{port_file.read_text().strip()}", child.pid
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def settle():
    """Writes back what earlier measurements left dirty, so that it does not burden the next."""
    subprocess.run(["sync"], check=True)


def measure_hub(build, seconds, mode, streams, batch, size, window, durability):
    settle()
    with hub(build) as (target, _):
        done = subprocess.run(
            [build / "bin/millrace-load", "--target", target, "--mode", mode, "--durability",
             durability, "--streams", str(streams), "--batch", str(batch), "--record-bytes",
             str(size), "--window", str(window), "--seconds", str(seconds)],
            check=True, capture_output=True, text=True)
    return json.loads(done.stdout)["records_per_second"]


def wait_for_listener(host, port, child):
    """It first removes what an earlier run left, which may take seconds."""
    while True:
        if child.poll() is not None:
            sys.exit("ceiling.py: the ceiling did not start")
        try:
            socket.create_connection((host, port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)


def measure_ceiling(folder, seconds, streams, batch, size, window, durability):
    settle()
    host, port = "127.0.0.1", 19650
    address = f"{host}:{port}"
    with process([folder / "server", address, 1 if durability == "synced" else 0]) as child:
        wait_for_listener(host, port, child)
        done = subprocess.run(
            [folder / "load", address, str(streams), str(batch), str(size), str(window), "0",
             str(seconds)], check=True, capture_output=True, text=True)
    return float(re.search(r"produce (\d+) rec/s", done.stdout).group(1))


def shown(rates):
    median = statistics.median(rates)
    if len(rates) == 1:
        return f"{median:,.0f}"
    return f"{median:,.0f} ({min(rates):,.0f}-{max(rates):,.0f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ceiling", type=pathlib.Path, required=True)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--no-unary", action="store_true")
    arguments = parser.parse_args()

    ceiling = pathlib.Path(tempfile.mkdtemp(prefix="millrace-ceiling-"))
    missed = 0
    try:
        subprocess.run(["bash", arguments.ceiling / "build.sh", ceiling], check=True)
        print("| work | durability | ceiling rec/s | hub rec/s | share | target |")
        print("|---|---|---|---|---|---|", flush=True)
        for name, streams, batch, size, window, least in WORK:
            for durability in ("buffered", "synced"):
                top, ours = [], []
                for _ in range(arguments.rounds):
                    top.append(measure_ceiling(ceiling, arguments.seconds, streams, batch, size,
                                               window, durability))
                    ours.append(measure_hub(arguments.build, arguments.seconds, "stream", streams,
                                            batch, size, window, durability))
                share = statistics.median(ours) / statistics.median(top)
                missed += share < least
                print(f"| {streams} streams, {name} | {durability} | {shown(top)} | {shown(ours)} "
                      f"| {share:.0%} | {least:.0%} |", flush=True)
        for callers in [] if arguments.no_unary else UNARY_CALLERS:
            for durability in ("buffered", "synced"):
                ours = [measure_hub(arguments.build, arguments.seconds, "unary", callers, 1, 100, 1,
                                    durability) for _ in range(arguments.rounds)]
                print(f"| unary, {callers} callers, 100 B | {durability} | - | {shown(ours)} | - "
                      "| - |", flush=True)
    finally:
        shutil.rmtree(ceiling, ignore_errors=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
