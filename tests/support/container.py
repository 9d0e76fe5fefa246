"""Becomes a container's process: container.py SPECIFICATION, as root in new mount and process namespaces.

The specification is JSON: rootfs, mounts ([source, target, "ro" or "rw"]), user_id, group_id, groups,
environment, directory, command. As Kubernetes does with readOnlyRootFilesystem, runAsUser, capabilities drop
ALL and allowPrivilegeEscalation false: the root file system is read-only, and the process has no capability
and can get none. Seccomp is left out.
"""

import ctypes
import json
import os
import pathlib
import subprocess
import sys

PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 24, 38, 47, 4
DEVICES = ["/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"]
libc = ctypes.CDLL(None, use_errno=True)


def prctl(*arguments):
    if libc.prctl(*arguments, *[0] * (5 - len(arguments))) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {arguments}")


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)


def bind(source, target, access):
    target.parent.mkdir(parents=True, exist_ok=True)
    if pathlib.Path(source).is_dir():
        target.mkdir(exist_ok=True)
    else:
        target.touch()
    mount("--bind", source, target)
    mount("-o", f"remount,bind,nosuid,nodev,{access}" if access == "ro" else "remount,bind,nosuid", target)


def enter(specification):
    rootfs = pathlib.Path(specification["rootfs"])
    mount("--bind", rootfs, rootfs)
    mount("-t", "proc", "proc", rootfs / "proc")
    (rootfs / "dev").mkdir(exist_ok=True)
    for device in DEVICES:
        (rootfs / device[1:]).touch()
        mount("--bind", device, rootfs / device[1:])
    bind("/etc/hosts", rootfs / "etc/hosts", "ro")
    for source, target, access in specification["mounts"]:
        bind(source, rootfs / target[1:], access)
    mount("-o", "remount,bind,ro", rootfs)
    os.chroot(rootfs)
    os.chdir(specification["directory"])


def drop(specification):
    last = int(pathlib.Path("/proc/sys/kernel/cap_last_cap").read_text())
    for capability in range(last + 1):
        prctl(PR_CAPBSET_DROP, capability)
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    os.setgroups(specification["groups"])
    os.setresgid(*[specification["group_id"]] * 3)
    os.setresuid(*[specification["user_id"]] * 3)  # With it go all that root could do.
    prctl(PR_SET_NO_NEW_PRIVS, 1)


if __name__ == "__main__":
    wanted = json.loads(sys.argv[1])
    enter(wanted)
    drop(wanted)
    os.execve(wanted["command"][0], wanted["command"], wanted["environment"])
