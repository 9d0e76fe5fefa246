"""The backup job's script, with a hub beside it."""

import os
import pathlib
import ssl
import subprocess
import urllib.request

import pytest
import yaml

from tests.support.hub import MILLRACE, Hub
from tests.support.manifests import KUBERNETES, combined
from tests.support.pod_security import violations
from tests.support.schemas import VERSIONS, validate
from tests.support.secrets import ACCESS_FILE, CLIENT, HUB, client_environment, mounted_secrets

SCRIPT = KUBERNETES / "components/backup/backup.sh"
RECORDS = 100


def restore_job():
    return yaml.safe_load((SCRIPT.parent / "restore.yaml").read_text())


class Backups:
    """The hub's volume, which is also where the job sees it, and the volume for the backups."""

    def __init__(self, folder, *flags, environment=None):
        self.environment = {"PATH": f"{MILLRACE.parent}:{os.environ['PATH']}"} | (environment or {})
        self.volume, self.backups = folder / "volume", folder / "backups"
        self.volume.mkdir()
        self.backups.mkdir()
        self.hub = Hub(self.volume, *flags)  # Its log is in data; the pod's in hub.

    def fill(self):
        self.hub.millrace("topic", "create", "orders", "--partitions", 2)
        self.hub.millrace("produce", "orders", "-q", input="".join(f"{n}\n" for n in range(RECORDS)).encode())
        return self

    def run(self, keep=3):
        return subprocess.run(["sh", SCRIPT], capture_output=True, text=True, timeout=120, env=self.environment | {
            "MILLRACE_TARGET": self.hub.target, "VOLUME": str(self.volume), "BACKUPS": str(self.backups),
            "KEEP": str(keep)})

    def restore(self, name):
        """Runs the restore job's command, and answers how it ended."""
        container, = restore_job()["spec"]["template"]["spec"]["containers"]
        assert {entry["name"] for entry in container["env"]} == {"BACKUP", "VOLUME", "BACKUPS"}
        return subprocess.run(container["command"], capture_output=True, text=True, timeout=120, env={
            "PATH": os.environ["PATH"], "BACKUP": name, "VOLUME": str(self.volume), "BACKUPS": str(self.backups)})

    def there(self):
        return sorted(path.name for path in self.backups.iterdir())


@pytest.fixture
def backups(tmp_path):
    made = Backups(tmp_path).fill()
    yield made
    made.hub.stop()


def read_of(folder, log):
    """What is in a log, read by a hub of its own."""
    folder.mkdir()
    log.rename(folder / "data")
    hub = Hub(folder)
    try:
        return sorted(map(int, hub.millrace("consume", "orders", "--from-beginning", "-e", "-q").split()))
    finally:
        assert hub.stop() == 0


def test_a_hub_can_be_started_on_a_backup(backups, tmp_path):
    done = backups.run()
    assert done.returncode == 0, done.stderr
    backups.hub.millrace("produce", "orders", "-q", input=b"100\n")  # Too late.
    name, = backups.there()
    assert read_of(tmp_path / "restored", backups.backups / name) == list(range(RECORDS))


def test_a_backup_takes_no_space_of_the_hubs_volume_afterwards(backups):
    assert backups.run().returncode == 0
    assert not (backups.volume / "checkpoints").exists()


def test_the_newest_backups_are_kept(backups):
    for day in (1, 2, 3, 4):
        (backups.backups / f"2026010{day}T031700Z").mkdir()
    (backups.backups / "by-hand").mkdir()
    done = backups.run(keep=3)
    assert done.returncode == 0, done.stderr
    new, = set(backups.there()) - {"20260103T031700Z", "20260104T031700Z", "by-hand"}
    assert new > "20260104T031700Z"


def test_what_a_killed_run_has_left_is_removed(backups):
    for left in (backups.volume / "checkpoints" / "20260101T031700Z", backups.backups / "partial-20260101T031700Z"):
        left.mkdir(parents=True)
        (left / "file").write_text("half")
    assert backups.run().returncode == 0
    assert not (backups.volume / "checkpoints").exists()
    assert [name for name in backups.there() if name.startswith("partial")] == []


def test_a_backup_that_fails_says_so_and_removes_no_older_one(backups):
    older = [f"2026010{day}T031700Z" for day in (1, 2, 3, 4)]
    for name in older:
        (backups.backups / name).mkdir()
    backups.hub.stop()
    done = backups.run(keep=1)
    assert done.returncode != 0 and done.stderr
    assert backups.there() == older


def test_a_backup_is_restored_and_the_log_of_before_kept(backups, tmp_path):
    assert backups.run().returncode == 0
    backups.hub.millrace("produce", "orders", "-q", input=b"100\n")
    assert backups.hub.stop() == 0
    (backups.volume / "data").rename(backups.volume / "hub")
    done = backups.restore(*backups.there())
    assert done.returncode == 0, done.stderr
    assert read_of(tmp_path / "before", backups.volume / "hub-before-restore") == list(range(RECORDS + 1))
    assert read_of(tmp_path / "restored", backups.volume / "hub") == list(range(RECORDS))


def test_the_log_of_before_is_never_overwritten(backups):
    assert backups.run().returncode == 0
    for name in ("hub", "hub-before-restore"):
        (backups.volume / name).mkdir()
        (backups.volume / name / "log").write_text(name)
    assert backups.restore(*backups.there()).returncode != 0
    assert (backups.volume / "hub" / "log").read_text() == "hub"
    assert (backups.volume / "hub-before-restore" / "log").read_text() == "hub-before-restore"


def test_restoring_a_backup_that_is_not_there_changes_nothing(backups):
    (backups.volume / "hub").mkdir()
    assert backups.restore("20260101T031700Z").returncode != 0
    assert sorted(path.name for path in backups.volume.iterdir() if path.is_dir()) == ["data", "hub"]


@pytest.fixture
def guarded(tmp_path):
    """With TLS and the access file as the components bring them, and the operations' certificate."""
    secrets = mounted_secrets(tmp_path)
    tls = [f"--{flag}={secrets[HUB] / file}" for flag, file in
           (("tls-cert", "tls.crt"), ("tls-key", "tls.key"), ("tls-client-ca", "ca.crt"))]
    environment = client_environment(secrets[CLIENT])
    made = Backups(tmp_path, *tls, f"--access-file={ACCESS_FILE}", environment=environment)
    yield made
    made.hub.stop()


def metrics_status(guarded):
    """What Prometheus is answered."""
    trust = ssl.create_default_context(cafile=guarded.environment["MILLRACE_TLS_CA"])
    trust.load_cert_chain(guarded.environment["MILLRACE_CLIENT_CERT"], guarded.environment["MILLRACE_CLIENT_KEY"])
    url = f"https://localhost:{guarded.hub.web_port}/metrics"
    with urllib.request.urlopen(url, timeout=60, context=trust) as answer:
        return answer.status


def test_the_operations_certificate_may_back_up_and_scrape_and_no_more(guarded):
    done = guarded.run()
    assert done.returncode == 0, done.stderr
    assert len(guarded.there()) == 1
    assert metrics_status(guarded) == 200
    with pytest.raises(AssertionError, match="PERMISSION_DENIED"):
        guarded.hub.millrace("topic", "create", "orders", env=guarded.environment)


def test_the_restore_job_is_valid_and_mounts_what_the_backup_job_does():
    job = restore_job()
    validate(job, VERSIONS[-1])
    pod = job["spec"]["template"]["spec"]
    assert violations(pod) == []
    backup = combined("base", ("backup",)).one("CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"]

    def claims(of):
        return {volume["name"]: volume["persistentVolumeClaim"] for volume in of["volumes"]
                if "persistentVolumeClaim" in volume}
    assert claims(pod) == claims(backup)
    assert pod["securityContext"] == backup["securityContext"]


def test_the_job_runs_this_script():
    job = combined("base", ("backup",))
    template = job.one("CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    container, = template["containers"]
    script, = [mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] == "script"]
    config = next(volume["configMap"]["name"] for volume in template["volumes"] if volume["name"] == "script")
    assert container["command"] == ["/bin/sh", f"{script}/{pathlib.Path(SCRIPT).name}"]
    assert job.one("ConfigMap", config)["data"] == {SCRIPT.name: SCRIPT.read_text()}
