#!/usr/bin/env python3
"""Kills the real server under load, as often as wanted, and has its clients' histories judged.

Every 200 kills begin with a new hub and the next seed, so that the histories stay small. A history
in which something is wrong is kept in BUILD/kills/ and named. The last line counts.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys
import time

KILLS_PER_HUB = 200
SECONDS_PER_HUB = 1800  # Nothing takes longer.


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    options = parser.parse_args()
    kept = options.build / "kills"
    kept.mkdir(exist_ok=True)
    # A build that runs meanwhile takes the programs away.
    server = shutil.copy2(options.build / "bin" / "millrace-server", kept / "millrace-server")
    started, failed, left, seed = time.monotonic(), [], options.kills, options.seed
    while left > 0:
        kills = min(left, KILLS_PER_HUB)
        try:
            ended = subprocess.run(
                [options.build / "bin" / "millrace-kill-load", "--server", server,
                 "--kills", str(kills), "--seed", str(seed), "--history", kept / f"seed-{seed}.txt"],
                timeout=SECONDS_PER_HUB, check=False).returncode
        except subprocess.TimeoutExpired:
            ended = "a timeout"
        if ended != 0:
            failed.append(f"seed {seed} ended with {ended}")
        left, seed = left - kills, seed + 1
    seconds = time.monotonic() - started
    print(f"{options.kills} kills in {seconds:.0f} s: {'; '.join(failed) or 'nothing found'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
