#!/usr/bin/env python3
"""Measures Spring's KafkaTemplate over a Millrace hub and over a Kafka broker, on this machine:

    tests/bench/spring_template.py [--cache FOLDER] [--rounds N]

Build with tests/run.sh and `mvn -f client/java package` before; peers/install.sh CACHE kafka puts the broker
into the cache. Rounds take turns, and the median of each counts.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench.compare.systems import Kafka, Millrace  # noqa: E402

# What promises the same on both sides: written to the log, survives a kill; and what the hub does by default.
RUNS = (
    ("hub, buffered", Millrace, "d0", ["millrace.durability=buffered"]),
    ("hub, synced", Millrace, "d1", ["millrace.durability=synced"]),
    ("Kafka, acks=all", Kafka, "d0", ["acks=all"]),
)


def measure(system, durability, settings):
    bench = ROOT / "client/java/bench/target"
    with system.running(durability) as launched:
        done = subprocess.run(
            ["java", "-Xmx1g", "-cp", f"{bench}/classes:{bench}/libs/*", "dev.millrace.bench.TemplateBench",
             "kafka" if isinstance(system, Kafka) else "millrace", launched.address, *settings],
            capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise SystemExit(f"the bench failed: {done.stdout[-500:]}{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])["records_per_second"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    caches = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
    parser.add_argument("--cache", type=pathlib.Path, default=caches / "millrace-bench")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", help="only runs whose name has this in it")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    runs = [run for run in RUNS if not options.only or options.only in run[0]]
    results = {name: [] for name, *_ in runs}
    for _ in range(options.rounds):
        for name, system, durability, settings in runs:
            results[name].append(measure(system(options.cache, ROOT), durability, settings))
            print(f"{name}: {results[name][-1]:,} records/s", file=sys.stderr)
    print("| KafkaTemplate over | records/s of 100 B |\n| --- | --- |")
    for name, figures in results.items():
        print(f"| {name} | {round(statistics.median(figures)):,} |")


if __name__ == "__main__":
    main()
