"""Plants bugs in copies of sources, one at a time, and shows whether the tests catch each.

Only the changed source is compiled anew, beside the objects that the build has; the sources stay as
they are.
"""

import dataclasses
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEST_SECONDS = 300


@dataclasses.dataclass
class Bug:
    what: str
    path: str  # Of the source, from the root.
    before: str  # A text that is there once,
    after: str  # and what takes its place.
    program: str  # The test program that is to notice,
    filter: str = "*"  # and which of its tests are run.


class Planter:
    """Builds test programs with a changed source in them. `environment` is theirs besides."""

    def __init__(self, build, folder, environment):
        self.build = pathlib.Path(build).resolve()
        self.folder = pathlib.Path(folder)
        self.environment = dict(os.environ, **environment)
        self.commands = {entry["file"]: entry for entry in json.loads(self._ninja("-t", "compdb"))}
        self.links = {}

    def _ninja(self, *arguments):
        return subprocess.run(["ninja", "-C", self.build, *arguments], check=True, capture_output=True,
                              text=True).stdout

    def _compile(self, path, text):
        copy = self.folder / pathlib.Path(path).name
        copy.write_text(text)
        command = self.commands[str(ROOT / path)]["command"]
        kept, skip = [], False
        for word in shlex.split(command):
            if skip:
                skip = False
            elif word in ("-o", "-MF", "-MT", "-c"):
                skip = True
            elif word != "-MD" and "ccache" not in word and not word.startswith("-O"):
                kept.append(word)
        result = copy.with_suffix(".o")
        subprocess.run([*kept, "-w", "-O1", "-o", result, "-c", copy], check=True, cwd=self.build)
        return result

    def _link(self, program, made):
        if program not in self.links:
            last = self._ninja("-t", "commands", f"bin/{program}").splitlines()[-1]
            self.links[program] = shlex.split(last.removeprefix(": && ").removesuffix(" && :"))
        words = list(self.links[program])
        # What is given first comes before what a library has of the same names.
        words[words.index("-o") + 1] = str(self.folder / "test")
        words.insert(1, str(made)) if made else None
        subprocess.run(words, check=True, cwd=self.build)

    def run(self, bug, text=None):
        """The exit status of the test program, and what it printed. Without a text: as it is."""
        self._link(bug.program, self._compile(bug.path, text) if text is not None else None)
        try:
            run = subprocess.run([self.folder / "test", f"--gtest_filter={bug.filter}"], text=True,
                                 errors="replace", capture_output=True, env=self.environment,
                                 timeout=TEST_SECONDS)
        except subprocess.TimeoutExpired:
            return -1, "no end"
        return run.returncode, run.stdout


def who_noticed(status, text):
    """Which rule or test a failed run names."""
    rule = re.search(r"(seed \d+): broken rule: ([^\\\n]*)", text)
    if rule:
        return f"{rule[2]} ({rule[1]})"
    failed = dict.fromkeys(re.findall(r"\[  FAILED  \] ([\w/]+\.[\w/]+)", text))
    return ", ".join(list(failed)[:3]) + (", ..." if len(failed) > 3 else "") or f"its end, status {status}"


def plant_all(bugs, build, environment):
    """Prints a line a bug. Answers how many were not caught, or could not be planted."""
    missed = 0
    with tempfile.TemporaryDirectory(prefix="millrace-planted-") as folder:
        planter = Planter(build, folder, environment)
        clean = {}
        for bug in bugs:
            source = (ROOT / bug.path).read_text()
            if source.count(bug.before) != 1:
                print(f"NOT PLANTED  {bug.what}: its text is there {source.count(bug.before)} times", flush=True)
                missed += 1
                continue
            if (bug.program, bug.filter) not in clean:
                status, text = planter.run(bug)
                if status != 0:
                    sys.exit(f"{bug.program} fails without a bug planted:\n{text[-4000:]}")
                clean[bug.program, bug.filter] = True
            status, text = planter.run(bug, source.replace(bug.before, bug.after))
            print(f"caught       {bug.what}: {who_noticed(status, text)}" if status
                  else f"NOT CAUGHT   {bug.what}", flush=True)
            missed += status == 0
    print(f"caught {len(bugs) - missed} of {len(bugs)}")
    return missed
