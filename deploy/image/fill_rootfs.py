#!/usr/bin/env python3
"""Makes the image's root file system of unpacked packages: fill_rootfs.py ROOT PROGRAMS_DIRECTORY LINKED...

LINKED are the packages, installed here, whose archives are part of our programs.

Run by mmdebstrap while the packages are still in apt's cache. Writes dpkg's database of them, from that the
list of what is in the image (SPDX), adds our programs and the user, and removes what a hub never reads.
"""

import os
import pathlib
import shutil
import subprocess
import sys

import sbom

USER_ID = 10001
DATA = "var/lib/millrace"
ROOTS = "usr/share/grpc/roots.pem"  # Whom `millrace --tls` trusts where the system names nobody.
SBOM = "usr/share/doc/millrace/sbom.spdx.json"
# Of usr/share/doc the copyright files stay: the licences ask for it.
UNREAD = ["usr/share/man", "usr/share/locale", "usr/share/info", "usr/share/lintian", "usr/share/bug",
          "usr/share/gcc", "usr/share/gdb", "usr/share/polkit-1", "etc/cron.daily", "etc/logrotate.d", "lib/systemd",
          "usr/lib/x86_64-linux-gnu/gconv", "usr/lib/aarch64-linux-gnu/gconv"]
PASSWD = f"""\
root:x:0:0:root:/root:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
millrace:x:{USER_ID}:{USER_ID}:The Millrace hub:/{DATA}:/usr/sbin/nologin
"""
GROUP = f"""\
root:x:0:
nogroup:x:65534:
millrace:x:{USER_ID}:
"""
NSSWITCH = """\
passwd: files
group: files
hosts: files dns
"""


def write_packages(root):
    """One file a package in var/lib/dpkg/status.d, where scanners look in images without dpkg."""
    database = root / "var/lib/dpkg/status.d"
    database.mkdir(parents=True)
    for archive in sorted((root / "var/cache/apt/archives").glob("*.deb")):
        control = subprocess.run(["dpkg-deb", "--field", archive], check=True, capture_output=True, text=True).stdout
        name = sbom.fields(control)["Package"]
        (database / name).write_text(control.replace("\n", "\nStatus: install ok installed\n", 1))
    return database


def write_linked(root, database, packages):
    """To scanners they are installed too: what is wrong with one of them is wrong with our programs."""
    for name in packages:
        status = subprocess.run(["dpkg-query", "--status", name], check=True, capture_output=True, text=True).stdout
        (database / name).write_text(status)
        licence = pathlib.Path("usr/share/doc", name, "copyright")
        (root / licence).parent.mkdir(parents=True)
        shutil.copy("/" / licence, root / licence)


def remove_unread(root):
    for name in UNREAD:
        shutil.rmtree(root / name, ignore_errors=True)
    for path in sorted((root / "usr/share/doc").rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif path.name != "copyright" and not (path.is_symlink() and path.parent.name == "doc"):
            path.unlink()


def add_ours(root, programs):
    for program in ("millrace-server", "millrace"):
        shutil.copy(programs / program, root / "usr/bin" / program)
    (root / ROOTS).parent.mkdir(parents=True)
    shutil.copy("/" + ROOTS, root / ROOTS)
    (root / "etc/passwd").write_text(PASSWD)
    (root / "etc/group").write_text(GROUP)
    (root / "etc/nsswitch.conf").write_text(NSSWITCH)
    (root / DATA).mkdir(parents=True)
    os.chown(root / DATA, USER_ID, USER_ID)
    (root / DATA).chmod(0o750)


def main():
    root, programs = map(pathlib.Path, sys.argv[1:3])
    linked = sys.argv[3:]
    os.umask(0o022)
    database = write_packages(root)
    remove_unread(root)
    write_linked(root, database, linked)
    add_ours(root, programs)
    (root / SBOM).parent.mkdir(parents=True)
    version = subprocess.run([programs / "millrace-server", "--version"], check=True, capture_output=True, text=True)
    (root / SBOM).write_text(sbom.document(
        database, linked, version.stdout.split()[-1],
        [root / "usr/bin/millrace-server", root / "usr/bin/millrace"], int(os.environ["SOURCE_DATE_EPOCH"])))


if __name__ == "__main__":
    main()
