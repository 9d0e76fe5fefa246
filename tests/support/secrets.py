"""Secrets as cert-manager fills them, and an access file as a team writes it, as a kubelet mounts them."""

import json
import os
import shutil
import subprocess

from tests.support.manifests import KUBERNETES, ROOT

HUB, CLIENT, ACCESS = "tls", "client-tls", "access"  # The volumes that hold them.
OPERATIONS = "millrace-operations"  # Whom the client's certificate names.
ACCESS_FILE = KUBERNETES / "components/access/access.json"
SECONDS = 60


def mounted_secrets(folder, group=None):
    """{volume: folder with tls.crt, tls.key and ca.crt}, readable by the group as with fsGroup."""
    authority = folder / "authority"
    subprocess.run([ROOT / "deploy/dev-ca.sh", authority, OPERATIONS], check=True, timeout=SECONDS)
    volumes = {}
    for volume, name in ((HUB, "hub"), (CLIENT, OPERATIONS)):
        volumes[volume] = folder / volume
        volumes[volume].mkdir()
        for file, of in (("tls.crt", f"{name}.crt"), ("tls.key", f"{name}.key"), ("ca.crt", "ca.crt")):
            shutil.copy(authority / of, volumes[volume] / file)
            (volumes[volume] / file).chmod(0o440)
            if group is not None:
                os.chown(volumes[volume] / file, 0, group)
    return volumes


def mounted_access(folder, topic, group):
    """A folder with the component's access file, and a rule for what the client does with topic and group."""
    access = json.loads(ACCESS_FILE.read_text())
    access["rules"].append({"principals": [OPERATIONS], "topics": [topic], "groups": [group],
                            "rights": ["produce", "consume", "commit", "administer", "inspect"]})
    (folder / ACCESS).mkdir()
    (folder / ACCESS / "access.json").write_text(json.dumps(access))
    return {ACCESS: folder / ACCESS}


def client_environment(folder):
    """For the command line: who it trusts and what it shows."""
    return {"MILLRACE_TLS_CA": f"{folder}/ca.crt", "MILLRACE_CLIENT_CERT": f"{folder}/tls.crt",
            "MILLRACE_CLIENT_KEY": f"{folder}/tls.key"}
