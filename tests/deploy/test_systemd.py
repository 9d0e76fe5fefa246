"""The unit of deploy/systemd: systemd accepts it, it closes the hub off, and the hub can work in it."""

import os
import re
import shutil
import signal
import subprocess

import pytest

from tests.support.hub import MILLRACE, SERVER
from tests.support.image import first_child
from tests.support.manifests import ROOT, seconds
from tests.support.waiting import wait_until

UNIT = ROOT / "deploy/systemd/millrace.service"
SYSUSERS = ROOT / "deploy/systemd/millrace.sysusers.conf"
EXPOSURE = 15  # Tenths, of 100; systemd's own services are between 20 and 96.
NOT_HARDENING = {"User", "Group", "Type", "Environment", "EnvironmentFile", "ExecStart", "Restart", "RestartSec",
                 "TimeoutStopSec", "LimitNOFILE", "OOMScoreAdjust", "StateDirectory", "StateDirectoryMode"}


def settings():
    """[(name, value)] of the service."""
    service = UNIT.read_text().split("[Service]")[1].split("[Install]")[0]
    return [tuple(line.split("=", 1)) for line in service.splitlines() if line and not line.startswith("#")]


@pytest.fixture
def system(tmp_path):
    """A root with this machine's targets, the hub's program, and the unit."""
    shutil.copytree("/usr/lib/systemd/system", tmp_path / "usr/lib/systemd/system", symlinks=True)
    for folder in ("usr/bin", "usr/lib/sysusers.d", "etc"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    shutil.copy(SERVER, tmp_path / "usr/bin/millrace-server")
    shutil.copy(UNIT, tmp_path / "usr/lib/systemd/system/millrace.service")
    shutil.copy(SYSUSERS, tmp_path / "usr/lib/sysusers.d/millrace.conf")
    return tmp_path


def analyze(system, *arguments):
    return subprocess.run(["systemd-analyze", *arguments, f"--root={system}", "--no-pager"],
                          capture_output=True, text=True, timeout=60)


def change(system, old, new):
    unit = system / "usr/lib/systemd/system/millrace.service"
    text = unit.read_text()
    assert old in text
    unit.write_text(text.replace(old, new))


def complaints(system):
    done = analyze(system, "verify", "--man=no", "millrace.service")
    said = [line for line in done.stderr.splitlines() if "millrace" in line]
    return said or ([] if done.returncode == 0 else [done.stderr])


def test_systemd_accepts_the_unit(system):
    assert complaints(system) == []


@pytest.mark.parametrize(("old", "new"), [
    ("ProtectHome=yes", "ProtectHoem=yes"), ("RestartSec=1s", "RestartSec=soon"),
    ("ExecStart=/usr/bin/millrace-server", "ExecStart=/usr/bin/millrace-hub"),
], ids=["unknown name", "bad value", "missing program"])
def test_systemd_refuses_a_planted_mistake(system, old, new):
    change(system, old, new)
    assert complaints(system) != []


def exposed(system):
    return analyze(system, "security", "--offline=true", f"--threshold={EXPOSURE}", "millrace.service").returncode != 0


def test_the_service_is_closed_off(system):
    assert not exposed(system)


def test_a_service_without_the_sandbox_is_found_out(system):
    for name, value in settings():
        if name not in NOT_HARDENING:
            change(system, f"\n{name}={value}\n", "\n")
    assert exposed(system)


def test_the_user_is_made(system):
    subprocess.run(["systemd-sysusers", f"--root={system}"], check=True, capture_output=True, timeout=60)
    users = dict(line.split(":", 1) for line in (system / "etc/passwd").read_text().splitlines())
    given = dict(settings())
    user = users[given["User"]].split(":")
    assert 0 < int(user[1]) < 1000 and user[4] == "/var/lib/" + given["StateDirectory"] and "nologin" in user[5]


def test_the_unit_says_what_the_hub_knows():
    text = subprocess.run([SERVER, "--help"], check=True, capture_output=True, text=True).stdout
    given = dict(settings())
    name, _, directory = given["Environment"].partition("=")
    assert f"(Env:{name})" in text
    assert directory.startswith(f"/var/lib/{given['StateDirectory']}/")
    drain = re.search(r"--drain-timeout TIME=(\w+)", text).group(1)
    assert seconds(given["TimeoutStopSec"]) > seconds(drain)


def allowed_calls():
    """The names of SystemCallFilter=, groups taken apart as systemd does."""
    listing = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager"],
                             check=True, capture_output=True, text=True).stdout
    groups, name = {}, None
    for line in listing.splitlines():
        if line.startswith("@"):
            name = line.strip()
            groups[name] = set()
        elif line.startswith("#"):
            break  # What belongs to no group.
        elif line.strip() and not line.strip().startswith("#"):
            groups[name].add(line.strip())

    def calls(of):
        return set().union(*(calls(each) if each.startswith("@") else {each} for each in groups[of]))
    allowed = set()
    for name, value in settings():
        if name == "SystemCallFilter":
            for group in value.removeprefix("~").split():
                allowed = allowed - calls(group) if value.startswith("~") else allowed | calls(group)
    return allowed | calls("@default")


def traced(directory):
    """The system calls of a hub from its start to its end, with its main job between."""
    port_file, trace = directory / "port", directory / "trace"
    hub = subprocess.Popen(["strace", "-f", "-qq", "-e", "signal=none", "-o", trace,
                            SERVER, "--data-dir", directory / "data", "--port-file", port_file,
                            "--listen", "127.0.0.1:0", "--web-listen", "127.0.0.1:0"],
                           stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: port_file.exists() and port_file.read_text().strip(), "the hub serves")

        def millrace(*arguments, **options):
            target = f"127.0.0.1:{port_file.read_text().strip()}"
            return subprocess.run([MILLRACE, "--target", target, *arguments], check=True, capture_output=True,
                                  timeout=120, **options).stdout
        millrace("topic", "create", "orders", "--partitions", "2")
        millrace("produce", "orders", "-q", input=b"a\nb\nc\n")
        assert len(millrace("consume", "orders", "--group", "billing", "-n", "3", "-q").split()) == 3
        millrace("hub", "checkpoint", str(directory / "checkpoint"))
        millrace("topic", "delete", "orders", "--yes")
    finally:
        os.kill(first_child(hub), signal.SIGTERM)  # strace itself would let go of the hub and leave it.
        assert hub.wait(120) == 0
    return set(re.findall(r"^\d+ +(?:<\.\.\. )?(\w+)(?:\(| resumed>)", trace.read_text(), re.M))


def test_the_hub_calls_nothing_that_the_unit_forbids(tmp_path):
    allowed = allowed_calls()
    assert len(allowed) > 200 and not allowed & {"mount", "ptrace", "bpf", "setuid", "reboot", "init_module"}
    used = traced(tmp_path)
    assert {"openat", "accept4", "fdatasync", "execve", "exit_group"} <= used
    assert used - allowed == set()
