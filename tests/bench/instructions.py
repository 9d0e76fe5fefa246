#!/usr/bin/env python3
"""Counts the instructions a record that the hot path's inner loops execute, and holds them against bounds.

    tests/bench/instructions.py [--build build] [--record]

Time is noisy on machines that are shared; callgrind counts the same on all of them, but for what libraries
choose by the processor. Fails where a work takes over 5 % more than recorded in instructions.json; and where
it takes over 20 % less, so that what was gained is recorded (--record) and kept.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
BOUNDS = HERE / "instructions.json"
RECORDS = 1000  # Of each work, see micro/works.h.
TIMES = 50


def executed(build, work, times):
    """Instructions of a whole run."""
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", build / "bin/millrace-instructions", work,
         str(times)], capture_output=True, text=True, timeout=600)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not found:
        sys.exit(f"cannot count {work}:\n{done.stderr}")
    return int(found[1])


def per_record(build, work):
    """Without what it takes to start: the difference of a longer and a shorter run."""
    return (executed(build, work, 2 * TIMES) - executed(build, work, TIMES)) / (TIMES * RECORDS)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    parser.add_argument("--record", action="store_true", help="write what is counted into instructions.json")
    options = parser.parse_args()
    recorded = json.loads(BOUNDS.read_text())
    counted = {work: round(per_record(options.build.resolve(), work), 1) for work in recorded}
    if options.record:
        BOUNDS.write_text(json.dumps(counted, indent=2) + "\n")
    wrong = 0
    for work, now in counted.items():
        share = now / recorded[work] if recorded[work] else 1
        verdict = "more than recorded" if share > 1.05 else "less: record it" if share < 0.8 else "as recorded"
        wrong += not options.record and verdict != "as recorded"
        print(f"{work}: {now} instructions a record, recorded {recorded[work]}: {verdict}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
