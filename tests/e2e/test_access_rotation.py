"""Keys and tokens are rotated under load: no request fails that should pass."""

import contextlib
import http.client
import json
import subprocess

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
from tests.support.traffic import Entrance, Followers, Load
from tests.support.waiting import wait_until

OPS, TEAM = "ops", "team"
RULES = [rule([OPS], ["administer", "inspect"], ["*"], hub=True),
         rule([TEAM], ["produce", "consume"], ["orders"])]
ROTATIONS = 3


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


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_keys_are_rotated_under_load_and_the_old_ones_are_void_afterwards(tmp_path, algorithm):
    """As an issuer does it: publish the new key, sign with it, withdraw the old one."""
    issuer = Issuer(tmp_path / "keys.json", algorithm)
    issuer.add_key("0")
    issuer.publish("0")
    with guarded(tmp_path, RULES, [OPS], jwt=issuer.config()) as hub, channel_to(hub) as channel:
        create_topic(channel)
        signing = ["0"]
        entrance = Entrance(hub, token=lambda: issuer.token(TEAM, signing[0]))
        first = issuer.token(TEAM, "0")
        with Followers(entrance) as followers:
            with Load(*entrance.ways) as load:
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
            load.assert_all_passed()
            followers.wait_for(load.produced)
        void = Entrance(hub, token=lambda: first)
        assert [way() for way in void.ways] == ["UNAUTHENTICATED", "UNAUTHENTICATED", "HTTP 401", "HTTP 401"]


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


def test_the_metadata_of_a_call_names_one_token_and_no_more(tmp_path):
    with guarded(tmp_path, RULES, [OPS, TEAM]) as hub, channel_to(hub) as channel:
        create_topic(channel)
        call = channel.unary_unary("/millrace.v1.EventHubService/Produce",
                                   request_serializer=lambda message: message.SerializeToString())
        for metadata in (bearer(token_of(TEAM)) * 2, (("authorization", f"Basic {token_of(TEAM)}"),),
                         (("authorization", "Bearer "),), (("authorization", ""),)):
            with pytest.raises(grpc.RpcError) as raised:
                call(produce("orders"), metadata=metadata, timeout=DEADLINE)
            assert raised.value.code() == grpc.StatusCode.UNAUTHENTICATED, metadata


def test_so_does_a_request_to_the_web(tmp_path):
    rules = [*RULES, rule(["anonymous"], ["inspect"], hub=True)]  # Who shows nothing may look.
    with guarded(tmp_path, rules, [OPS, TEAM]) as hub:
        for values in (["Bearer "], ["Bearer"], [""], [f"Basic {token_of(OPS)}"], [f"Bearer {token_of(OPS)}"] * 2):
            assert status_of(hub, values) == 401, values
        assert status_of(hub, []) == 200
        assert status_of(hub, [f"Bearer {token_of(OPS)}"]) == 200
        assert outcomes.handshake(hub, "") == 401, "a subprotocol that ends where the token should be"
        assert outcomes.handshake(hub) == "OK"


def status_of(hub, authorizations):
    """Of a look at the figures, with these values of the header."""
    connection = http.client.HTTPConnection("localhost", hub.web_port, timeout=DEADLINE)
    with contextlib.closing(connection):
        connection.putrequest("GET", "/metrics")
        for value in authorizations:
            connection.putheader("Authorization", value)
        connection.endheaders()
        return connection.getresponse().status
