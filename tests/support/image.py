"""The image's root file system, run under a manifest's restrictions."""

import json
import os
import pathlib
import signal
import subprocess
import sys

CONTAINER = pathlib.Path(__file__).with_name("container.py")


class Image:
    """An unpacked image, an OCI bundle as umoci makes it, and how to run a manifest's container of it."""

    def __init__(self, bundle):
        self.rootfs = bundle / "rootfs"
        self.process = json.loads((bundle / "config.json").read_text())["process"]

    def specification(self, pod, container, volumes, environment, command=None):
        """`volumes`: {name: folder}. The manifest's fields are taken as they are; a missing one is an error."""
        both = pod["securityContext"] | container["securityContext"]
        assert both["readOnlyRootFilesystem"] and both["runAsNonRoot"] and not both["allowPrivilegeEscalation"]
        assert both["capabilities"] == {"drop": ["ALL"]}
        own = dict(variable.split("=", 1) for variable in self.process["env"])
        return {
            "rootfs": str(self.rootfs),
            "mounts": [[str(volumes[mount["name"]]), mount["mountPath"], "ro" if mount.get("readOnly") else "rw"]
                       for mount in container["volumeMounts"]],
            "user_id": both["runAsUser"], "group_id": both["runAsGroup"], "groups": [both["fsGroup"]],
            "environment": own | environment, "directory": self.process["cwd"],
            "command": command or container.get("command") or self.process["args"] + container.get("args", []),
        }

    def start(self, specification, **options):
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--", sys.executable, CONTAINER,
                   json.dumps(specification)]
        return subprocess.Popen(command, stdin=options.pop("stdin", subprocess.DEVNULL), **options)

    def run(self, specification, **options):
        """(exit status, standard output, standard error)"""
        given = options.pop("input", None)
        process = self.start(specification, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True, **options)
        out, err = process.communicate(given, timeout=300)
        return process.returncode, out, err


def first_child(process):
    """The process id, out here, of what unshare has made process 1 in there."""
    return int(pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])


class ContainerRuntime:
    """Runs the hub's container of an image, with the pod's volumes, {name: folder}. For HubPod."""

    def __init__(self, image, volumes):
        self.image, self.volumes = image, volumes

    @property
    def volume(self):
        return self.volumes["data"]

    def path(self, in_pod):
        return in_pod

    def start(self, pod, environment, log):
        specification = self.image.specification(pod, pod["containers"][0], self.volumes, environment)
        return self.image.start(specification, stdout=log, stderr=log)

    def signal(self, process, number):
        # unshare itself passes on how the hub ended.
        os.kill(first_child(process), signal.Signals(number))
