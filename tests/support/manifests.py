"""The manifests of deploy/kubernetes, as kustomize builds them."""

import contextlib
import functools
import os
import pathlib
import re
import subprocess
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
KUBERNETES = ROOT / "deploy" / "kubernetes"
KUSTOMIZE = os.environ.get("KUSTOMIZE") or str(ROOT / "build" / "tools" / "kustomize")
OVERLAYS = ["dev", "production"]
# In an order that works: tls patches what the others have brought.
COMPONENTS = ["monitoring", "network-policy", "gateway-ingress", "backup", "access", "tls"]
WITH_GATEWAY_AND_TLS = "gateway-ingress-tls"
SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text):
    """A time as the hub's settings give it: 20s, 1m."""
    number, unit = re.fullmatch(r"(\d+)([a-z]+)", text).groups()
    return int(number) * SECONDS[unit]


class Manifests:
    """What one build gives."""

    def __init__(self, text):
        self.objects = [found for found in yaml.load_all(text, yaml.CSafeLoader) if found]

    def of(self, kind):
        return [found for found in self.objects if found["kind"] == kind]

    def one(self, kind, name=None):
        found, = [each for each in self.of(kind) if name in (None, each["metadata"]["name"])]
        return found

    @property
    def stateful_set(self):
        return self.one("StatefulSet")["spec"]

    @property
    def hub_pod(self):
        return self.stateful_set["template"]["spec"]

    @property
    def hub(self):
        """The hub's container."""
        container, = self.hub_pod["containers"]
        return container

    def pod_templates(self):
        """(name, template) of all that makes pods."""
        for kind, path in (("StatefulSet", "spec template"), ("Deployment", "spec template"), ("Job", "spec template"),
                           ("CronJob", "spec jobTemplate spec template")):
            for found in self.of(kind):
                name = f"{kind}/{found['metadata']['name']}"
                yield name, functools.reduce(dict.__getitem__, path.split(), found)

    def environment(self, container):
        """The variables that a container is started with."""
        variables = {}
        for source in container.get("envFrom", ()):
            variables |= self.one("ConfigMap", source["configMapRef"]["name"])["data"]
        return variables | {entry["name"]: entry["value"] for entry in container.get("env", ())}


def _kustomize(folder):
    done = subprocess.run([KUSTOMIZE, "build", folder], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr  # A warning of something deprecated, say.
    return Manifests(done.stdout)


@contextlib.contextmanager
def _kustomization(base, components):
    """A folder as a team would write it over ours. kustomize takes paths from it to ours, but no absolute ones."""
    with tempfile.TemporaryDirectory() as folder:
        def near(path):
            return os.path.relpath(path, os.path.realpath(folder))
        (pathlib.Path(folder) / "kustomization.yaml").write_text(yaml.safe_dump({
            "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization",
            "resources": [near(base)],
            "components": [near(KUBERNETES / "components" / name) for name in components]}))
        yield folder


@functools.cache
def overlay(name):
    return _kustomize(KUBERNETES / "overlays" / name)


@functools.cache
def combined(base, components):
    """base: "base" or "overlays/dev"; components: names, a tuple."""
    with _kustomization(KUBERNETES / base, components) as folder:
        return _kustomize(folder)
