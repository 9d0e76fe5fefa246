#!/usr/bin/env python3
"""Kills the real server under load, as often as wanted, and has its clients' histories judged.

Every 200 kills begin with a new hub and the next seed, so that the histories stay small. A history
in which something is wrong is kept in BUILD/kills/ and named. The last line counts.
"""

import argparse
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

KILLS_PER_HUB = 200
SECONDS_PER_HUB = 1800  # Nothing takes longer.


def run(command):
    """Its exit status. No hub outlives it."""
    process = subprocess.Popen(command, start_new_session=True)
    try:
        return process.wait(SECONDS_PER_HUB)
    except subprocess.TimeoutExpired:
        return "a timeout"
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    options = parser.parse_args()
    kept = options.build / "kills"
    kept.mkdir(exist_ok=True)
    started, failed, left, seed = time.monotonic(), [], options.kills, options.seed
    with tempfile.TemporaryDirectory() as programs:  # A build that runs meanwhile takes the others away.
        load, server = (shutil.copy2(options.build / "bin" / name, programs)
                        for name in ("millrace-kill-load", "millrace-server"))
        while left > 0:
            kills = min(left, KILLS_PER_HUB)
            ended = run([load, "--server", server, "--kills", str(kills), "--seed", str(seed),
                         "--history", kept / f"seed-{seed}.txt"])
            if ended != 0:
                failed.append(f"seed {seed} ended with {ended}")
            left, seed = left - kills, seed + 1
    seconds = time.monotonic() - started
    print(f"{options.kills} kills in {seconds:.0f} s: {'; '.join(failed) or 'nothing found'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
