"""The programs are built so that what goes wrong in memory is harder to use."""

import json
import re
import subprocess

import pytest

from tests.support.hub import BUILD, MILLRACE, SERVER

PROGRAMS = pytest.mark.parametrize("program", [SERVER, MILLRACE], ids=lambda path: path.name)
FLAGS = {"-fstack-protector-strong", "-fstack-clash-protection", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"}


def readelf(program, what):
    return subprocess.run(["readelf", "--wide", what, program], check=True, capture_output=True, text=True).stdout


@PROGRAMS
def test_a_program_is_loaded_at_any_address(program):
    assert re.search(r"Type:\s+DYN \(Position-Independent Executable", readelf(program, "--file-header"))


@PROGRAMS
def test_what_the_loader_writes_is_read_only_afterwards(program):
    assert "GNU_RELRO" in readelf(program, "--program-headers")
    dynamic = readelf(program, "--dynamic")
    assert re.search(r"\(FLAGS(_1)?\).*\b(BIND_)?NOW\b", dynamic), "symbols are looked up lazily"
    assert "(TEXTREL)" not in dynamic


@PROGRAMS
def test_nothing_is_writable_and_executable(program):
    headers = readelf(program, "--program-headers")
    segments = re.findall(r"^\s+(LOAD|GNU_STACK)\s+(?:0x\w+\s+){5}([R W E]{3})\s", headers, re.M)
    assert {kind for kind, _ in segments} == {"LOAD", "GNU_STACK"}
    assert [segment for segment in segments if "W" in segment[1] and "E" in segment[1]] == []


@PROGRAMS
def test_an_overrun_stack_ends_the_program(program):
    assert re.search(r"UND __stack_chk_fail\b", readelf(program, "--dyn-syms"))


def test_every_source_is_compiled_with_the_flags():
    commands = {entry["file"]: set(entry["command"].split())
                for entry in json.loads((BUILD / "compile_commands.json").read_text())}
    assert len(commands) > 100
    assert [file for file, flags in commands.items() if not flags >= FLAGS] == []
