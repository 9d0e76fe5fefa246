"""Every pod of the manifests is admitted where Pod Security "restricted" is enforced, and is closed beyond that."""

import copy

import pytest

from tests.support.manifests import COMPONENTS, OVERLAYS, combined, overlay
from tests.support.pod_security import containers_of, violations

BUILDS = {name: lambda name=name: overlay(name) for name in OVERLAYS}
BUILDS["everything"] = lambda: combined("base", tuple(COMPONENTS))


@pytest.fixture(params=BUILDS.values(), ids=BUILDS.keys())
def pods(request):
    found = [(name, template["spec"]) for name, template in request.param().pod_templates()]
    assert "StatefulSet/millrace" in dict(found)
    return found


def test_the_namespace_enforces_restricted():
    for name in OVERLAYS:
        labels = overlay(name).one("Namespace")["metadata"]["labels"]
        for mode in ("enforce", "warn", "audit"):
            assert labels[f"pod-security.kubernetes.io/{mode}"] == "restricted"


def test_every_pod_is_admitted(pods):
    assert {name: violations(pod) for name, pod in pods} == {name: [] for name, _ in pods}


def test_every_pod_has_a_user_a_read_only_root_and_no_token(pods):
    for name, pod in pods:
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["enableServiceLinks"] is False, name
        assert pod["securityContext"]["runAsUser"] > 0 and pod["securityContext"]["runAsGroup"] > 0, name
        for container in containers_of(pod):
            assert container["securityContext"]["readOnlyRootFilesystem"] is True, name


def test_every_container_says_what_it_needs(pods):
    for name, pod in pods:
        for container in containers_of(pod):
            assert {"cpu", "memory"} <= set(container["resources"]["requests"]), name
            assert "memory" in container["resources"]["limits"], name


def test_the_service_account_has_no_token_and_no_rights(pods):
    everything = combined("base", tuple(COMPONENTS))
    assert everything.one("ServiceAccount")["automountServiceAccountToken"] is False
    kinds = {found["kind"] for found in everything.objects}
    assert not kinds & {"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"}
    assert {pod["serviceAccountName"] for _, pod in pods} == {everything.one("ServiceAccount")["metadata"]["name"]}


def container(field, value):
    def plant(pod):
        pod["containers"][0]["securityContext"][field] = value
    return plant


def whole_pod(field, value):
    return lambda pod: pod["securityContext"].update({field: value})


PLANTED = {
    "root": whole_pod("runAsUser", 0),
    "maybe root": lambda pod: pod["securityContext"].pop("runAsNonRoot"),
    "root in one container": container("runAsUser", 0),
    "not non-root in one container": container("runAsNonRoot", False),
    "no seccomp": lambda pod: pod["securityContext"].pop("seccompProfile"),
    "seccomp unconfined": whole_pod("seccompProfile", {"type": "Unconfined"}),
    "seccomp unconfined in one container": container("seccompProfile", {"type": "Unconfined"}),
    "AppArmor unconfined": container("appArmorProfile", {"type": "Unconfined"}),
    "SELinux": container("seLinuxOptions", {"type": "spc_t"}),
    "sysctl": whole_pod("sysctls", [{"name": "kernel.msgmax", "value": "1"}]),
    "privileged": container("privileged", True),
    "escalation": container("allowPrivilegeEscalation", True),
    "escalation by default": lambda pod: pod["containers"][0]["securityContext"].pop("allowPrivilegeEscalation"),
    "capability": container("capabilities", {"drop": ["ALL"], "add": ["NET_ADMIN"]}),
    "capabilities kept": container("capabilities", {"drop": ["NET_RAW"]}),
    "no context": lambda pod: pod["containers"][0].pop("securityContext"),
    "proc": container("procMount", "Unmasked"),
    "host network": lambda pod: pod.update(hostNetwork=True),
    "host processes": lambda pod: pod.update(hostPID=True),
    "host IPC": lambda pod: pod.update(hostIPC=True),
    "host port": lambda pod: pod["containers"][0]["ports"][0].update(hostPort=9640),
    "host path": lambda pod: pod.update(volumes=[{"name": "host", "hostPath": {"path": "/"}}]),
    "NFS": lambda pod: pod.update(volumes=[{"name": "far", "nfs": {"server": "nas", "path": "/"}}]),
    "probe of another host": lambda pod: pod["containers"][0]["livenessProbe"]["httpGet"].update(host="10.0.0.1"),
    "init container": lambda pod: pod.update(initContainers=[{"name": "chown", "image": "busybox"}]),
}


@pytest.mark.parametrize("plant", PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_violation_is_found(plant):
    pod = copy.deepcopy(overlay("production").hub_pod)
    plant(pod)
    assert violations(pod) != []
