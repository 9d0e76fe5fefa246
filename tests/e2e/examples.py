"""The programs of client/examples as processes, which a test starts, stops and kills."""

import os
import pathlib
import re
import signal
import subprocess
import sys

from tests.support.stubs import STUBS

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "client" / "examples" / "python"
PROCESSED = re.compile(rb"(\d+) (\d+) (b.*)")


class Example:
    """A running example; what it says goes to files."""

    def __init__(self, name, log, *arguments, stdin=subprocess.DEVNULL):
        self.output, self.errors = log.with_suffix(".out"), log.with_suffix(".err")
        environment = {**os.environ, "PYTHONPATH": str(STUBS), "PYTHONDONTWRITEBYTECODE": "1"}
        with open(self.output, "ab") as out, open(self.errors, "ab") as err:
            self.process = subprocess.Popen([sys.executable, EXAMPLES / name, *map(str, arguments)],
                                            stdin=stdin, stdout=out, stderr=err, env=environment)

    def kill(self):
        """As kill -9."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        """As an orchestrator stops it, or a person with Ctrl-C."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0, self.errors.read_text()

    def processed(self):
        """What group_member.py printed: [(partition, offset, key and value)]."""
        lines = self.output.read_bytes().split(b"\n")[:-1]
        return [(int(m[1]), int(m[2]), m[3]) for m in map(PROCESSED.fullmatch, lines)]
