"""What a record costs the hub as the store grows: partitions, subscribers, backlog, groups.

Cost is the processor time of the hub's process, its background work included, over the records (or commits)
of one measurement: unlike a rate it says nothing of the client beside it. Every point of partitions,
subscribers and groups has a hub of its own on an empty directory; the backlog grows in one hub. Ends with 1
where a cost at the largest size is more than `--allowed` times that at the smallest one and their ranges do
not touch.

    python3 -m tests.bench.growth [--only groups,partitions] [--rounds 3] [--seconds 3] [--backlog-gb 32]
"""
import argparse
import dataclasses
import json
import os
import pathlib
import subprocess
import sys

from tests.bench.ceiling import ROOT, hub, settle
from tests.bench.growth_report import Series, row, svg

RECORD_BYTES = 1024
BATCH = 100
LEAST_OF_A_PARTITION = 2_500  # Records, on average, before they are read.
TICKS = os.sysconf("SC_CLK_TCK")


class Programs:
    """The hub at `target` and what loads it."""

    def __init__(self, build, target, pid):
        self.bin, self.target, self.pid = build / "bin", target, pid

    def cpu_seconds(self):
        after_name = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(after_name[11]) + int(after_name[12])) / TICKS

    def cost(self, program, *arguments):
        """(microseconds of the hub for each record, records)."""
        before = self.cpu_seconds()
        done = subprocess.run([self.bin / program, "--target", self.target, *map(str, arguments)],
                              check=True, capture_output=True, text=True)
        records = json.loads(done.stdout)["records"]
        return (self.cpu_seconds() - before) / records * 1e6, records

    def produce(self, seconds, partitions, record_bytes=RECORD_BYTES):
        return self.cost("millrace-load", "--partitions", partitions, "--batch", BATCH, "--record-bytes",
                         record_bytes, "--window", 16, "--warm-up", 0.5, "--seconds", seconds)

    def read(self, records):
        return self.cost("millrace-read", "--records", records)[0]

    def fan_out(self, readers):
        """Of a delivery, with its share of the one write before all deliveries of a record."""
        records = max(10 * BATCH, 200_000 // readers // BATCH * BATCH)
        return self.cost("millrace-read", "--readers", readers, "--records", records, "--produce",
                         BATCH)[0]

    def commit(self, groups, seconds):
        return self.cost("millrace-load", "--mode", "commit", "--durability", "buffered", "--groups", groups,
                         "--warm-up", 0, "--seconds", seconds)[0]


def sizes(largest, base=10):
    size = 1
    while size <= largest:
        yield size
        size *= base


def fresh_hubs(arguments, largest):
    """(size, a hub of its own), for every size of every round."""
    for _ in range(arguments.rounds):
        for size in sizes(largest):
            settle()
            with hub(arguments.build) as where:
                yield size, Programs(arguments.build, *where)


def partitions(arguments):
    """Of 100 B, until every partition has some thousand: a reader pays something once for each partition."""
    produced = Series("partitions", "a record produced, to all partitions in turn", "partitions", {})
    read = Series("partitions", "a record read, from all partitions", "partitions", {})
    for count, programs in fresh_hubs(arguments, 10_000):
        stored = 0
        while stored < LEAST_OF_A_PARTITION * count:
            cost, records = programs.produce(arguments.seconds, count, record_bytes=100)
            produced.add(count, cost)
            stored += records
        read.add(count, programs.read(stored))
    return produced, read


def subscribers(arguments):
    delivered = Series("subscribers", "a record delivered, as it is produced",
                       "subscribers of one partition", {})
    for count, programs in fresh_hubs(arguments, 1_000):
        programs.produce(0.1, 1)
        delivered.add(count, programs.fan_out(count))
    return (delivered,)


def backlog(arguments):
    """One log grows; a cost at a size is that of getting there, or of reading when it is there."""
    filled = Series("backlog", "a record produced, while the log grows to this size", "GB stored", {})
    read = Series("backlog", "a record read, of the log's oldest", "GB stored", {})
    stored = 0
    with hub(arguments.build) as where:
        programs = Programs(arguments.build, *where)
        for size in sizes(arguments.backlog_gb, base=2):
            while stored < size * 1e9:
                cost, records = programs.produce(arguments.seconds, 4)
                stored += records * RECORD_BYTES
                filled.add(size, cost)
            settle()
            for _ in range(arguments.rounds):
                read.add(size, programs.read(200_000))
    return filled, read


def groups(arguments):
    committed = Series("groups", "an offset committed, in all groups in turn", "groups", {})
    produced = Series("groups", "a record produced, beside the groups", "groups", {})
    for count, programs in fresh_hubs(arguments, 10_000):
        programs.produce(0.5, 4)
        committed.add(count, programs.commit(count, arguments.seconds))
        produced.add(count, programs.produce(arguments.seconds, 4)[0])
    return committed, produced


AXES = {axis.__name__: axis for axis in (partitions, subscribers, backlog, groups)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--only", default=",".join(AXES), help="of " + ", ".join(AXES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--backlog-gb", type=int, default=32)
    parser.add_argument("--allowed", type=float, default=1.25, help="growth that is taken for noise")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build" / "bench")
    arguments = parser.parse_args()

    measured = []
    for name in arguments.only.split(","):
        for series in AXES[name](arguments):
            measured.append(series)
            print(row(series), flush=True)
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "growth.json").write_text(
        json.dumps([dataclasses.asdict(series) for series in measured], indent=1) + "\n")
    (arguments.out / "growth.svg").write_text(svg(measured))
    grown = [series for series in measured if series.grows(arguments.allowed)]
    for series in grown:
        print(f"growth.py: {series.axis}: {series.title}: {series.growth():.2f} times as much at the end")
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
