"""A rolling update of each overlay, on processes: nothing is lost, and no partition of a group moves."""

import collections
import json
import os
import subprocess
import threading

import pytest

from tests.support.hub import MILLRACE
from tests.support.hub_pod import HubPod, PlainProcess, Service
from tests.support.manifests import overlay
from tests.support.secrets import CLIENT, HUB, client_environment, mounted_access, mounted_secrets
from tests.support.waiting import wait_until

TOPIC, GROUP, PARTITIONS, KEYS = "orders", "billing", 6, 20
MEMBERS = ["billing-0", "billing-1"]
DEADLINE = 120  # Seconds that clients may take to end.


class Rollout:
    """The StatefulSet's one pod behind its Service, and clients: the command line's, each a process."""

    def __init__(self, directory, manifests):
        self.directory, self.manifests = directory, manifests
        (directory / "volume").mkdir()
        secrets = mounted_secrets(directory)
        volumes = secrets | {"data": directory / "volume"} | mounted_access(directory, TOPIC, GROUP)
        mounts = {mount["name"]: mount["mountPath"] for mount in manifests.hub["volumeMounts"]}
        self.volumes = {place: volumes[name] for name, place in mounts.items()}
        self.environment = os.environ | (client_environment(secrets[CLIENT]) if HUB in mounts else {})
        self.pods = []
        self.service = Service()
        self.clients = []

    def new_pod(self):
        self.pods.append(HubPod(self.manifests, PlainProcess(self.volumes)))
        self.service.pod = self.pods[-1]
        self.pods[-1].start()

    def update(self):
        """What the StatefulSet's controller does: the old pod goes, then a new one comes."""
        status, seconds = self.pods[-1].delete()
        self.new_pod()
        return status, seconds

    def millrace(self, *arguments):
        done = subprocess.run([MILLRACE, "--target", self.service.target, *map(str, arguments)],
                              capture_output=True, text=True, timeout=DEADLINE, env=self.environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def client(self, name, *arguments, **options):
        with open(self.directory / f"{name}.out", "wb") as out, open(self.directory / f"{name}.err", "wb") as err:
            self.clients.append(subprocess.Popen([MILLRACE, "--target", self.service.target, *map(str, arguments)],
                                                 stdout=out, stderr=err, env=self.environment, **options))
        return self.clients[-1]

    def output(self, name):
        return (self.directory / f"{name}.out").read_text()

    def owners(self):
        """{partition: instance id} as the hub sees it."""
        group = json.loads(self.millrace("-o", "json", "group", "describe", GROUP))
        return {owned["partition"]: member["instance_id"] for member in group["members"]
                for owned in member["partitions"]}

    def close(self):
        for client in self.clients:
            if client.poll() is None:
                client.kill()
            client.wait()
        for pod in self.pods:
            pod.kill()
        self.service.close()


class Orders:
    """Writes numbered lines into a producer without a pause, until it is told to stop."""

    def __init__(self, producer):
        self.producer = producer
        self.sent = 0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._send)
        self.thread.start()

    def _send(self):
        while not self.stopping.wait(0.005):
            self.producer.stdin.write(f"{self.sent % KEYS}:{self.sent}\n".encode())
            self.producer.stdin.flush()
            self.sent += 1

    def finish(self):
        self.stopping.set()
        self.thread.join()
        self.producer.stdin.close()
        return self.producer.wait(DEADLINE)


@pytest.fixture(params=["dev", "production"])  # Without TLS, and with it.
def rollout(request, tmp_path):
    running = Rollout(tmp_path, overlay(request.param))
    yield running
    running.close()


def delivered_to(rollout, member):
    """[(partition, number)] in the order in which the member printed them."""
    whole = rollout.output(member).rpartition("\n")[0]
    return [tuple(map(int, line.split())) for line in whole.splitlines()]


def test_a_rolling_update_loses_nothing_and_moves_no_partition(rollout):
    rollout.new_pod()
    rollout.millrace("topic", "create", TOPIC, "--partitions", PARTITIONS)
    for member in MEMBERS:
        rollout.client(member, "consume", TOPIC, "--group", GROUP, "--instance-id", member, "-f", "%p %s\n")
    wait_until(lambda: GROUP in rollout.millrace("group", "list"), "the group is there")
    halves = collections.Counter(dict.fromkeys(MEMBERS, PARTITIONS // 2))
    wait_until(lambda: collections.Counter(rollout.owners().values()) == halves, "both members have their half")
    before = rollout.owners()
    orders = Orders(rollout.client("producer", "produce", TOPIC, "-K", ":", "-q", stdin=subprocess.PIPE))
    try:
        wait_until(lambda: all(delivered_to(rollout, member) for member in MEMBERS), "orders flow")
        for _ in range(2):
            status, seconds = rollout.update()
            assert status == 0, rollout.pods[-2].log()
            assert seconds <= rollout.pods[-2].drain_seconds
            sent = orders.sent  # After the update: these must come through the new pod.
            wait_until(lambda: any(number >= sent for member in MEMBERS for _, number in delivered_to(rollout, member)),
                       "orders flow through the new pod")
    finally:
        produced = orders.finish()
    assert produced == 0, (rollout.directory / "producer.err").read_text()

    everything = set(range(orders.sent))
    wait_until(lambda: {number for member in MEMBERS for _, number in delivered_to(rollout, member)} >= everything,
               "every order is delivered")
    for member in MEMBERS:
        assert {partition for partition, _ in delivered_to(rollout, member)} <= \
            {partition for partition, owner in before.items() if owner == member}, "a partition moved"
    assert rollout.owners() == before
    assert [pod.failures for pod in rollout.pods] == [[], [], []]

    stored = rollout.millrace("consume", TOPIC, "--from-beginning", "-e", "-q", "-f", "%s\n").split()
    assert sorted(map(int, stored)) == sorted(everything), "an order is missing or there twice"
