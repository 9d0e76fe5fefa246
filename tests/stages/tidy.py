"""Runs clang-tidy over the C++ files named on standard input, and prints what it finds: tidy.py BUILD REPORT.

A file that passed is not looked at again before it, something that it includes, or a rule changes: what passed is
kept by a hash of the preprocessed file in millrace-tidy in $XDG_CACHE_HOME or ~/.cache. The whole takes an hour of a
core the first time. Writes a line a file into REPORT; exits with 1 if one failed.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

COMPILER, TIDY = "clang++-14", "clang-tidy-14"
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "millrace-tidy"


def main(build, report):
    commands = compile_commands(build)
    # Of what it says of itself not the machine's processor.
    version = [line for line in output([TIDY, "--version"]).splitlines() if b"version" in line]
    rules = b"".join(version) + pathlib.Path(".clang-tidy").read_bytes()
    failed = False
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool, open(report, "a") as lines:
        files = sys.stdin.read().split()
        for file, found in zip(files, pool.map(lambda each: check(build, each, commands[each], rules), files)):
            print(f"{file}:\n{found}" if found else file, flush=True)
            print("failed" if found else "passed", file, sep="\t", file=lines, flush=True)
            failed = failed or bool(found)
    return 1 if failed else 0


def compile_commands(build):
    """The arguments for each source file, by its path in the repository."""
    root = pathlib.Path.cwd()
    entries = json.loads((build / "compile_commands.json").read_text())
    return {os.path.relpath(entry["file"], root): shlex.split(entry["command"])[1:] for entry in entries}


def check(build, file, arguments, rules):
    """What is wrong with a file; nothing where nothing is."""
    passed = CACHE / key(build, arguments, rules)
    if passed.exists():
        return ""
    done = subprocess.run([TIDY, "-p", build, "--quiet", "--extra-arg=-Wno-unknown-warning-option", file],
                          capture_output=True, text=True, check=False)
    # Its own troubles, without how many warnings it left out.
    troubles = [line for line in done.stderr.splitlines() if not line.endswith("generated.")]
    if done.returncode == 0 and not done.stdout and not troubles:
        CACHE.mkdir(parents=True, exist_ok=True)
        passed.touch()
        return ""
    return "\n".join([done.stdout, *troubles]).strip() or f"{TIDY} ended with {done.returncode}"


def key(build, arguments, rules):
    """Of all that clang-tidy goes by. Comments count: some tell it to leave a line alone."""
    source = list(arguments)
    at = source.index("-o")
    del source[at:at + 2]
    text = output([COMPILER, *source, "-E", "-P", "-C", "-w"], cwd=build)
    return hashlib.sha256(rules + text).hexdigest()


def output(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, **options).stdout


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), sys.argv[2]))
