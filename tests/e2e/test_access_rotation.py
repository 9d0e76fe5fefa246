"""Keys, tokens and certificates are rotated under load: no request fails that should pass."""

import contextlib
import json
import shutil
import subprocess
import threading

import grpc
import pytest

import tests.support.stubs  # noqa: F401  generates what follows
from millrace.v1 import topic_pb2 as topics
from tests.support import outcomes
from tests.support.access import (DEADLINE, GuardedHub, bearer, channel_to, replace, rule,
                                  token_of)
from tests.support.access_table import produce
from tests.support.hub import MILLRACE
from tests.support.issuer import Issuer
from tests.support.manifests import ROOT
from tests.support.waiting import wait_until

OPS, TEAM = "ops", "team"
RULES = [rule([OPS], ["administer", "inspect"], ["*"], hub=True),
         rule([TEAM], ["produce"], ["orders"])]
WORKERS = 4
ROTATIONS = 3
BETWEEN = 50  # Requests that are made before and after each change.


class Load:
    """Calls `once` again and again, from several threads, and keeps how each call ended."""

    def __init__(self, once):
        self.once = once
        self.ends = []
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(WORKERS)]

    def run(self):
        while not self.stopping.is_set():
            self.ends.append(self.once())

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def go_on(self):
        """Until as many requests have ended as lie between two changes."""
        target = len(self.ends) + BETWEEN
        wait_until(lambda: len(self.ends) >= target, "requests go on")


def create_topic(channel):
    next(outcomes.start(channel, "TopicService/CreateTopic", topics.CreateTopicRequest(topic="orders"),
                        token_of(OPS)))


@contextlib.contextmanager
def guarded(directory, rules, principals, *flags, **more):
    hub = GuardedHub(directory, rules, principals, *flags, **more)
    try:
        yield hub
    finally:
        assert hub.stop() == 0, hub.log()


def test_keys_are_rotated_under_load_and_the_old_ones_are_void_afterwards(tmp_path):
    """As an issuer does it: publish the new key, sign with it, withdraw the old one."""
    issuer = Issuer(tmp_path / "keys.json")
    issuer.add_key("0")
    issuer.publish("0")
    with guarded(tmp_path, RULES, [OPS], jwt=issuer.config()) as hub, channel_to(hub) as channel:
        create_topic(channel)
        signing = ["0"]

        def once():
            token = issuer.token(TEAM, signing[0])
            return outcomes.of_rpc(channel, "EventHubService/Produce", produce("orders"), token)

        first = issuer.token(TEAM, "0")
        with Load(once) as load:
            for rotation in range(ROTATIONS):
                old, new = str(rotation), str(rotation + 1)
                issuer.add_key(new)
                with hub.taken():
                    issuer.publish(old, new)
                load.go_on()
                signing[0] = new
                load.go_on()  # What was signed with the old key is through.
                with hub.taken():
                    issuer.publish(new)
                load.go_on()
        assert set(load.ends) == {"OK"}, [end for end in load.ends if end != "OK"]
        assert outcomes.of_rpc(channel, "EventHubService/Produce", produce("orders"),
                               first) == "UNAUTHENTICATED"


def test_a_bad_access_file_is_not_taken_and_the_old_rules_stay(tmp_path):
    with guarded(tmp_path, RULES, [OPS, TEAM]) as hub, channel_to(hub) as channel:
        create_topic(channel)
        for bad in ("{", json.dumps({"rules": [{"principals": ["*"], "rights": ["fly"], "hub": True}]})):
            before = hub.whole_log().count("access file not taken")
            replace(hub.access.path, bad)
            wait_until(lambda: hub.whole_log().count("access file not taken") > before, "it is refused")
            assert outcomes.of_rpc(channel, "EventHubService/Produce", produce("orders"),
                                   token_of(TEAM)) == "OK"
            assert outcomes.of_rpc(channel, "EventHubService/Produce", produce("orders")) == "UNAUTHENTICATED"


def test_a_hub_with_a_bad_access_file_does_not_start(tmp_path):
    (tmp_path / "access.json").write_text('{"rules": [{"principals": ["a"], "rights": ["fly"], "hub": true}]}')
    done = subprocess.run(
        [ROOT / "build/bin/millrace-server", "--engine", "memory", "--listen", "127.0.0.1:0",
         "--web-listen", "none", "--access-file", tmp_path / "access.json"],
        capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 2
    assert "access.json" in done.stderr and "rules[0].rights[0]" in done.stderr


def test_the_command_line_s_token_file_is_read_for_each_call(tmp_path):
    token_file = tmp_path / "token"
    rules = [rule([OPS], ["administer", "inspect"], ["*"], hub=True)]
    with guarded(tmp_path, rules, [OPS]) as hub:

        def run(*arguments):
            return subprocess.run([MILLRACE, "--target", hub.target, "--token-file", token_file, *arguments],
                                  capture_output=True, text=True, timeout=DEADLINE)

        token_file.write_text("no such token\n")
        refused = run("topic", "list")
        assert refused.returncode == 1 and "UNAUTHENTICATED" in refused.stderr
        token_file.write_text(token_of(OPS) + "\n")
        assert run("topic", "create", "orders").returncode == 0
        checked = run("access", "check", OPS, "administer", "--topic", "orders", "-o", "json")
        answer = json.loads(checked.stdout)
        assert answer["allowed"] and answer["enforced"]
        assert [each["number"] for each in answer["rules"]] == [1]
        refused = json.loads(run("access", "check", TEAM, "produce", "--topic", "orders", "-o", "json").stdout)
        assert refused == {"allowed": False, "enforced": True, "rules": []}


def test_a_token_that_the_command_line_makes_is_accepted_with_its_entry(tmp_path):
    made = json.loads(subprocess.run([MILLRACE, "access", "token", TEAM, "-o", "json"], check=True,
                                     capture_output=True, timeout=DEADLINE).stdout)
    with guarded(tmp_path, RULES, [OPS]) as hub, channel_to(hub) as channel:
        create_topic(channel)
        with hub.taken():
            replace(hub.access.path, json.dumps({"rules": RULES, "tokens": [made["entry"]]}))
        assert outcomes.of_rpc(channel, "EventHubService/Produce", produce("orders"), made["token"]) == "OK"


# ---- Certificates

def issue(directory, *clients):
    subprocess.run([ROOT / "deploy/dev-ca.sh", directory, *clients], check=True, timeout=DEADLINE)


@pytest.fixture
def certificates(tmp_path):
    made = tmp_path / "certificates"
    issue(made, TEAM, OPS, "stranger")
    return made


def secure_channel(hub, certificates, client):
    credentials = grpc.ssl_channel_credentials(
        (certificates / "ca.crt").read_bytes(), (certificates / f"{client}.key").read_bytes(),
        (certificates / f"{client}.crt").read_bytes())
    return grpc.secure_channel(hub.target, credentials, [("grpc.use_local_subchannel_pool", 1)])


def mutual(certificates):
    return ("--tls-cert", certificates / "hub.crt", "--tls-key", certificates / "hub.key",
            "--tls-client-ca", certificates / "ca.crt")


def test_a_certificate_says_who_calls_and_a_token_beside_it_decides(tmp_path, certificates):
    with guarded(tmp_path, RULES, [OPS], *mutual(certificates)) as hub:
        with secure_channel(hub, certificates, OPS) as channel:
            next(outcomes.start(channel, "TopicService/CreateTopic", topics.CreateTopicRequest(topic="orders")))
        with secure_channel(hub, certificates, TEAM) as channel:
            assert outcomes.of_rpc(channel, "EventHubService/Produce", produce("orders")) == "OK"
            assert outcomes.of_rpc(channel, "EventHubService/Produce", produce("orders"),
                                   token_of(OPS)) == "PERMISSION_DENIED"
            assert outcomes.of_rpc(channel, "EventHubService/Produce", produce("orders"),
                                   "no such token") == "UNAUTHENTICATED"
        with secure_channel(hub, certificates, "stranger") as channel:
            assert outcomes.of_rpc(channel, "EventHubService/Produce",
                                   produce("orders")) == "PERMISSION_DENIED"


def test_certificates_are_rotated_under_load(tmp_path, certificates):
    """Every request on a connection of its own, so that each meets the certificate of its moment."""
    with guarded(tmp_path, RULES, [OPS], *mutual(certificates)) as hub:
        with secure_channel(hub, certificates, OPS) as channel:
            next(outcomes.start(channel, "TopicService/CreateTopic", topics.CreateTopicRequest(topic="orders")))

        def once():
            with secure_channel(hub, certificates, TEAM) as channel:
                return outcomes.of_rpc(channel, "EventHubService/Produce", produce("orders"))

        with Load(once) as load:
            for _ in range(ROTATIONS):
                before = hub.whole_log().count("certificate taken")
                renew(certificates, "hub")
                wait_until(lambda: hub.whole_log().count("certificate taken") > before, "it is taken")
                load.go_on()
        assert set(load.ends) == {"OK"}, [end for end in load.ends if end != "OK"]


def renew(certificates, name):
    """A new pair from the same authority, put in the place of the old one."""
    new = certificates / "new"
    new.mkdir(exist_ok=True)
    for file in ("ca.crt", "ca.key"):
        shutil.copy(certificates / file, new / file)
    for file in (f"{name}.crt", f"{name}.key"):
        (new / file).unlink(missing_ok=True)
    issue(new)
    for file in (f"{name}.key", f"{name}.crt"):
        (new / file).replace(certificates / file)


def test_the_metadata_of_a_call_may_name_one_token_only(tmp_path):
    with guarded(tmp_path, RULES, [OPS, TEAM]) as hub, channel_to(hub) as channel:
        create_topic(channel)
        call = channel.unary_unary("/millrace.v1.EventHubService/Produce",
                                   request_serializer=lambda message: message.SerializeToString())
        for metadata in (bearer(token_of(TEAM)) * 2, (("authorization", f"Basic {token_of(TEAM)}"),)):
            with pytest.raises(grpc.RpcError) as raised:
                call(produce("orders"), metadata=metadata, timeout=DEADLINE)
            assert raised.value.code() == grpc.StatusCode.UNAUTHENTICATED
