"""The installed CMake package of the C++ client, used by a project that knows nothing else."""

import pathlib
import shutil
import subprocess

import pytest

from tests.support.hub import BUILD

PROJECT = pathlib.Path(__file__).resolve().parent / "cpp_package"


def run(*command, **options):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=600, **options)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """Where Millrace is installed for these tests."""
    directory = tmp_path_factory.mktemp("prefix")
    run("cmake", "--install", BUILD, "--prefix", directory)
    return directory


def test_the_install_holds_programs_headers_library_and_package(prefix):
    assert (prefix / "bin" / "millrace").is_file()
    assert (prefix / "bin" / "millrace-server").is_file()
    assert (prefix / "include" / "millrace" / "producer.h").is_file()
    assert list(prefix.rglob("libmillrace_client.a"))
    assert list(prefix.rglob("millrace-config.cmake")) + list(prefix.rglob("millraceConfig.cmake"))


def test_an_outside_project_builds_sends_and_receives(prefix, hub, tmp_path):
    shutil.copytree(PROJECT, tmp_path / "outside")
    run("cmake", "-S", tmp_path / "outside", "-B", tmp_path / "build", "-G", "Ninja",
        f"-DCMAKE_PREFIX_PATH={prefix}", "-DCMAKE_BUILD_TYPE=Release")
    run("cmake", "--build", tmp_path / "build")
    assert run(tmp_path / "build" / "outside", hub.target) == "greeting hello\n"
