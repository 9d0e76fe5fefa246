"""Secrets as cert-manager fills them and a kubelet mounts them."""

import os
import shutil
import subprocess

from tests.support.manifests import ROOT

HUB, CLIENT = "tls", "client-tls"  # The volumes that hold them.
SECONDS = 60


def mounted_secrets(folder, group=None):
    """{volume: folder with tls.crt, tls.key and ca.crt}, readable by the group as with fsGroup."""
    authority = folder / "authority"
    subprocess.run([ROOT / "deploy/dev-ca.sh", authority, CLIENT], check=True, timeout=SECONDS)
    volumes = {}
    for volume, name in ((HUB, "hub"), (CLIENT, CLIENT)):
        volumes[volume] = folder / volume
        volumes[volume].mkdir()
        for file, of in (("tls.crt", f"{name}.crt"), ("tls.key", f"{name}.key"), ("ca.crt", "ca.crt")):
            shutil.copy(authority / of, volumes[volume] / file)
            (volumes[volume] / file).chmod(0o440)
            if group is not None:
                os.chown(volumes[volume] / file, 0, group)
    return volumes


def client_environment(folder):
    """For the command line: who it trusts and what it shows."""
    return {"MILLRACE_TLS_CA": f"{folder}/ca.crt", "MILLRACE_CLIENT_CERT": f"{folder}/tls.crt",
            "MILLRACE_CLIENT_KEY": f"{folder}/tls.key"}
