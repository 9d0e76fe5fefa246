"""What the house rules say of names, sizes and places, as far as a program can tell."""

import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

TOP_LEVEL = {
    "CMakeLists.txt", "README.md", "LICENSE", "proto", "server", "client", "storage", "tests",
    "deploy", ".ci", ".clang-format", ".clang-tidy", ".gitignore",
}
CODE = {".cc", ".h", ".py", ".sh", ".proto", ".java", ".js", ".ts", ".css", ".html"}
SAYS_NOTHING = re.compile(r"(manager|helper|util|misc|common)", re.IGNORECASE)
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
# Most files have fewer than 400.
MOST_LINES = 500
MOST_LINES_OF_A_TEST = 700


def tracked_files():
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True)
    return [name for name in listing.stdout.decode().split("\0") if name and (ROOT / name).exists()]


def code_files():
    this = pathlib.Path(__file__).relative_to(ROOT).as_posix()
    return [name for name in tracked_files() if pathlib.Path(name).suffix in CODE and name != this]


def test_the_top_level_holds_what_the_layout_says():
    assert {name.split("/")[0] for name in tracked_files()} <= TOP_LEVEL


def test_no_file_has_a_name_that_says_nothing():
    assert [name for name in code_files() if SAYS_NOTHING.search(name)] == []


def test_no_class_has_a_name_that_says_nothing():
    declared = re.compile(r"^\s*(?:class|struct|enum class|namespace)\s+(?:\[\[\w+\]\]\s+)?(\w+)", re.M)
    found = []
    for name in code_files():
        if name.endswith((".h", ".cc")):
            found += [(name, word) for word in declared.findall((ROOT / name).read_text())
                      if SAYS_NOTHING.search(word)]
    assert found == []


def test_nothing_is_left_unfinished():
    found = []
    for name in code_files():
        for number, line in enumerate((ROOT / name).read_text().splitlines(), 1):
            if UNFINISHED.search(line):
                found.append(f"{name}:{number}: {line.strip()}")
    assert found == []


def test_files_are_short():
    long = {}
    for name in code_files():
        if name.endswith(".proto"):
            continue  # A contract is read as one text.
        lines = len((ROOT / name).read_text().splitlines())
        if lines > (MOST_LINES_OF_A_TEST if name.startswith("tests/") else MOST_LINES):
            long[name] = lines
    assert long == {}


def test_every_header_guards_itself_with_pragma_once():
    assert [name for name in code_files()
            if name.endswith(".h") and "#pragma once" not in (ROOT / name).read_text()] == []


@pytest.mark.parametrize("folder", ["proto", "server", "client", "storage", "tests", "deploy",
                                    "server/app", "server/grpc", "server/hub", "server/metrics", "storage/batch",
                                    "storage/memory", "storage/rocksdb", "client/cpp", "client/cli",
                                    "client/js", "client/python", "server/web/console", "deploy/image",
                                    "deploy/kubernetes", "deploy/systemd"])
def test_a_folder_has_a_readme(folder):
    assert (ROOT / folder / "README.md").is_file()
