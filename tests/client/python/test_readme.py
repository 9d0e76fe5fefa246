"""The README's programs run as they stand, and stop as it says."""

import os
import pathlib
import re
import signal
import subprocess
import sys

import pytest
from tests.support.waiting import wait_until

README = pathlib.Path(__file__).resolve().parents[3] / "client" / "python" / "README.md"
PROGRAMS = re.findall(r"```python\n(.*?)```", README.read_text(), re.S)
GROUPS = [re.search(r'group="(\w+)"', program)[1] for program in PROGRAMS]


@pytest.fixture
def run(hub, tmp_path):
    """run(program) starts it against the test's hub."""
    programs = []

    def start(text):
        file, log = tmp_path / f"program{len(programs)}.py", tmp_path / f"log{len(programs)}"
        assert "localhost:9640" in text
        file.write_text(text.replace("localhost:9640", hub.target))
        with open(log, "wb") as out:
            programs.append(subprocess.Popen([sys.executable, file], stdout=out, stderr=out,
                                             env={**os.environ, "PYTHONUNBUFFERED": "1"}))
        return programs[-1], log

    yield start
    for program in programs:
        program.kill()
        program.wait()


def test_there_are_programs():
    assert GROUPS == ["billing", "shipping", "audit"]


@pytest.mark.parametrize("program", PROGRAMS, ids=GROUPS)
def test_a_program_of_the_readme_reads_until_it_is_interrupted(program, run, hub, opened):
    group = re.search(r'group="(\w+)"', program)[1]
    opened.create_topic("orders", 3, exist_ok=True)
    opened.produce("orders", {"item": "cups"}, key="43")
    process, log = run(program)
    wait_until(lambda: process.poll() is not None or sum(opened.committed(group).values()) > 0,
               "it has committed something")
    assert process.poll() is None, log.read_text()
    process.send_signal(signal.SIGINT)
    process.wait(60)
    assert "cups" in log.read_text() and log.read_text().rstrip().endswith("KeyboardInterrupt")
    total = sum(each.latest for each in opened.offsets("orders"))
    assert '"member_count":0' in describe(hub, group)
    assert 0 < sum(opened.committed(group).values()) <= total


def test_sigterm_leaves_as_the_readme_says(run, hub, opened):
    line = re.search(r"`(signal\.signal\(.*?\))`", README.read_text())[1]
    opened.create_topic("orders", 3, exist_ok=True)
    opened.produce("orders", {"item": "cups"}, key="43")
    process, log = run("import signal, sys\n" + line + "\n" + PROGRAMS[0].replace("billing", "stopped"))
    wait_until(lambda: "cups" in log.read_text(), "it reads")
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0, log.read_text()
    assert '"member_count":0' in describe(hub, "stopped")


def describe(hub, group):
    return hub.millrace("group", "describe", group, "-o", "json").decode()
