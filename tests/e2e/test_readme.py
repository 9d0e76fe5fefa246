"""The README's five-minute tour prints what the README says."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from tests.support.hub import BUILD, MILLRACE

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = BUILD / "tools"
PATH = f"{MILLRACE.parent}:{TOOLS}:{os.environ['PATH']}"


def steps_of_the_tour():
    """What the README's console blocks show: [(command, output)]."""
    steps = []
    for block in re.findall(r"^```console\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S):
        for step in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, output = step.partition("\n")
            steps.append((command, output))
    return steps


def test_the_tour_prints_what_the_readme_says(hub):
    steps = steps_of_the_tour()
    assert len(steps) > 5
    environment = {**os.environ, "PATH": PATH, "MILLRACE_TARGET": hub.target, "NO_COLOR": "1"}
    for command, output in steps:
        if command.startswith("grpcurl") and not shutil.which("grpcurl", path=PATH):
            pytest.skip("grpcurl is not there for the last steps")
        done = subprocess.run(["bash", "-c", command.replace("localhost:9640", hub.target)],
                              env=environment, cwd=ROOT, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        assert done.stdout == output, command
