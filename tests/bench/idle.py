#!/usr/bin/env python3
"""What a hub costs that has 10,000 partitions and 1,000 open subscriptions and nothing to do.

    tests/bench/idle.py [--seconds 60]
"""
import argparse
import pathlib
import subprocess
import sys

from ceiling import ROOT, hub


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    with hub(arguments.build) as (target, pid):
        done = subprocess.run(
            [arguments.build / "bin/millrace-idle", "--target", target, "--pid", str(pid),
             "--seconds", str(arguments.seconds)])
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
