"""The image: what is in it, and the hub running in it as the manifests restrict it."""

import hashlib
import json
import os
import pathlib
import re
import stat

import pytest
from spdx_tools.spdx.model import RelationshipType
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

from tests.deploy.conftest import build_image, version
from tests.support.hub import Hub
from tests.support.hub_pod import HubPod
from tests.support.image import ContainerRuntime, first_child
from tests.support.manifests import ROOT, overlay
from tests.support.secrets import mounted_access, mounted_secrets

CONTAINERFILE = (ROOT / "deploy/image/Containerfile").read_text()
RECORDS = 1000


def configuration(oci):
    """The image's OCI configuration."""
    def blob(descriptor):
        algorithm, digest = descriptor["digest"].split(":")
        return json.loads((oci / "blobs" / algorithm / digest).read_text())
    manifest, = json.loads((oci / "index.json").read_text())["manifests"]
    return blob(blob(manifest)["config"])


def test_the_same_packages_and_programs_make_the_same_image(built, tmp_path):
    again = build_image(tmp_path)
    archive = f"millrace-{version()}.tar"
    digests = {hashlib.sha256((folder / archive).read_bytes()).hexdigest() for folder in (built, again)}
    assert len(digests) == 1


def test_the_image_says_how_it_is_run(built):
    image = configuration(built / "oci")
    config, pod, hub = image["config"], overlay("dev").hub_pod, overlay("dev").hub
    identity = pod["securityContext"]
    assert config["User"] == f"{identity['runAsUser']}:{identity['runAsGroup']}"
    assert config["Entrypoint"] == ["/usr/bin/millrace-server"]
    assert set(config["ExposedPorts"]) == {f"{port['containerPort']}/tcp" for port in hub["ports"]}
    assert set(config["Volumes"]) == {mount["mountPath"] for mount in hub["volumeMounts"]}
    assert config["StopSignal"] == "SIGTERM"
    assert config["Labels"]["org.opencontainers.image.version"] == version()
    assert image["os"] == "linux" and image["architecture"]


def test_the_containerfile_makes_the_same_image(built):
    """Of what it says beyond rootfs.sh, which both use."""
    config = configuration(built / "oci")["config"]
    own = re.sub(r"\\\n *", "", CONTAINERFILE.split("FROM scratch")[1])

    def said(instruction):
        return re.search(rf"^{instruction} (.+)$", own, re.M).group(1)
    assert said("USER") == config["User"]
    assert json.loads(said("ENTRYPOINT")) == config["Entrypoint"]
    assert set(said("EXPOSE").split()) == set(config["ExposedPorts"])
    assert {said("VOLUME")} == set(config["Volumes"])
    assert said("WORKDIR") == config["WorkingDir"]
    assert said("STOPSIGNAL") == config["StopSignal"]
    assert set(said("ENV").split()) == set(config["Env"])


def test_the_image_is_small_and_holds_no_means_to_change_it(built, image):
    size = sum(path.lstat().st_size for path in image.rootfs.rglob("*") if path.is_file() and not path.is_symlink())
    assert size < 100e6
    assert (built / f"millrace-{version()}.tar").stat().st_size < 50e6
    names = {path.name for path in image.rootfs.rglob("*")}
    assert not names & {"apt", "apt-get", "perl", "su", "sudo", "mount", "curl", "wget", "python3", "gcc", "bash"}
    privileged = [path for path in image.rootfs.rglob("*")
                  if path.is_file() and not path.is_symlink() and path.stat().st_mode & (stat.S_ISUID | stat.S_ISGID)]
    assert privileged == []


def test_nothing_in_the_image_belongs_to_the_hub_but_its_volume(image):
    owned = [path for path in image.rootfs.rglob("*") if path.lstat().st_uid != 0]
    assert owned == [image.rootfs / "var/lib/millrace"]
    modes = {path: path.stat().st_mode for path in image.rootfs.rglob("*") if path.is_file() or path.is_dir()}
    assert [path for path, mode in modes.items() if mode & stat.S_IWOTH and not mode & stat.S_ISVTX] == []


def test_the_list_of_contents_is_valid_and_complete(built, image):
    text = (image.rootfs / "usr/share/doc/millrace/sbom.spdx.json").read_text()
    assert (built / "sbom.spdx.json").read_text() == text
    document = parse_file(str(built / "sbom.spdx.json"))
    assert validate_full_spdx_document(document) == []
    listed = {package.name: package for package in document.packages}
    installed = {path.name: path.read_text() for path in (image.rootfs / "var/lib/dpkg/status.d").iterdir()}
    assert set(listed) == set(installed) | {"millrace", "millrace-server"}
    assert {"libc6", "libssl3", "dash"} <= set(listed)
    linked = {relation.related_spdx_element_id for relation in document.relationships
              if relation.relationship_type == RelationshipType.STATIC_LINK}
    assert {package.name for package in document.packages if package.spdx_id in linked} == {
        "libgrpc-dev", "libgrpc++-dev", "libprotobuf-dev", "librocksdb-dev", "libabsl-dev"}
    for name, stanza in installed.items():
        assert f"\nVersion: {listed[name].version}\n" in stanza
        assert (image.rootfs / "usr/share/doc" / name / "copyright").exists(), f"the licence of {name} is missing"
    for name in ("millrace", "millrace-server"):
        checksum, = listed[name].checksums
        assert checksum.value == hashlib.sha256((image.rootfs / "usr/bin" / name).read_bytes()).hexdigest()


class RunningPod:
    """An overlay's pod, of the image."""

    def __init__(self, image, folder, manifests):
        self.image, self.manifests = image, manifests
        group = manifests.hub_pod["securityContext"]["fsGroup"]
        self.volumes = {"data": folder / "volume", "backups": folder / "backups", "script": folder / "script"}
        for volume in self.volumes.values():
            volume.mkdir()
            os.chown(volume, 0, group)  # As a kubelet gives a volume to fsGroup.
            volume.chmod(0o2775)
        self.volumes |= mounted_secrets(folder, group) | mounted_access(folder, "orders", "billing")
        for parent in (folder, *list(folder.parents)[:2]):
            parent.chmod(0o755)  # The hub's user has to get through.
        self.pod = HubPod(manifests, ContainerRuntime(image, self.volumes)).start()

    def run(self, pod, container, command=None, **options):
        environment = self.manifests.environment(container) | {"MILLRACE_TARGET": f"127.0.0.1:{self.pod.ports['grpc']}"}
        status, out, err = self.image.run(
            self.image.specification(pod, container, self.volumes, environment, command), **options)
        assert status == 0, err
        return out

    def exec(self, *command, **options):
        """As kubectl exec: in the hub's own container."""
        return self.run(self.manifests.hub_pod, self.manifests.hub, list(command), **options)

    def job(self, *command, **options):
        """The backup job's container, which has a client's certificate; its own command if none is given."""
        template = self.manifests.one("CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        container, = template["containers"]
        config = next(volume["configMap"]["name"] for volume in template["volumes"] if volume["name"] == "script")
        for name, text in self.manifests.one("ConfigMap", config)["data"].items():
            (self.volumes["script"] / name).write_text(text)
        return self.run(template, container, [str(word) for word in command] or None, **options)

    def facts(self):
        """What the kernel says of the hub's process."""
        process = pathlib.Path("/proc", str(first_child(self.pod.process)))
        status = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines())
        root, = [line.split() for line in (process / "mountinfo").read_text().splitlines() if line.split()[4] == "/"]
        return status, root[5].split(",")


@pytest.fixture
def run_pod(image, tmp_path):
    started = []

    def run_pod(name):
        started.append(RunningPod(image, tmp_path, overlay(name)))
        return started[-1]

    yield run_pod
    for pod in started:
        pod.pod.kill()


def test_the_hub_does_its_main_job_under_the_manifests_restrictions(run_pod, tmp_path_factory):
    running = run_pod("production")
    status, root_mount = running.facts()
    user, group = (running.manifests.hub_pod["securityContext"][name] for name in ("runAsUser", "runAsGroup"))
    assert status["Uid"].split() == [str(user)] * 4 and status["Gid"].split() == [str(group)] * 4
    assert {status[name].strip("0") for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {""}
    assert status["NoNewPrivs"] == "1"
    assert "ro" in root_mount

    running.job("/usr/bin/millrace", "topic", "create", "orders", "--partitions", 3)
    lines = "".join(f"{number % 7}:{number}\n" for number in range(RECORDS))
    running.job("/usr/bin/millrace", "produce", "orders", "-K", ":", "-q", input=lines)
    read = running.job("/usr/bin/millrace", "consume", "orders", "--group", "billing", "-n", RECORDS, "-q",
                       "-f", "%s\n")
    assert sorted(map(int, read.split())) == list(range(RECORDS))
    assert "backed up to /backup/" in running.job()
    exit_status, seconds = running.pod.delete()
    assert exit_status == 0, running.pod.log()
    assert seconds <= running.pod.drain_seconds

    backup, = running.volumes["backups"].iterdir()
    restored = tmp_path_factory.mktemp("restored")
    backup.rename(restored / "data")
    hub = Hub(restored)
    try:
        read = hub.millrace("consume", "orders", "--from-beginning", "-e", "-q", "-f", "%s\n")
        assert sorted(map(int, read.split())) == list(range(RECORDS))
    finally:
        assert hub.stop() == 0


def test_a_container_can_write_to_its_volume_only(run_pod):
    running = run_pod("dev")
    for place in ("/usr/bin", "/etc", "/tmp", "/var/lib"):
        with pytest.raises(AssertionError, match="Read-only file system"):
            running.exec("/bin/dash", "-c", f"echo something >{place}/something")
    written = running.exec("/bin/dash", "-c", "echo something >/var/lib/millrace/it; cat /var/lib/millrace/it")
    assert written == "something\n"


def test_the_healthcheck_tells_a_hub_that_answers_from_one_that_does_not(run_pod):
    running = run_pod("dev")
    command = json.loads(re.search(r"^HEALTHCHECK .* CMD (\[.*\])$", CONTAINERFILE, re.M).group(1))
    running.exec(*command)
    assert running.pod.delete()[0] == 0
    with pytest.raises(AssertionError):
        running.exec(*command)
