"""Every rpc, every command of a WebSocket and every path asks who calls and what they may."""

import pathlib
import re

import pytest

import tests.support.stubs  # noqa: F401  generates what follows
from millrace.v1 import gateway_pb2 as gateway
from tests.support import outcomes
from tests.support.access import GuardedHub, channel_to, rule, token_of
from tests.support.access_table import COMMANDS, G, H, PATHS, RPCS, T, rpcs_of_the_contract
from tests.support.waiting import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
REFUSALS = {"PERMISSION_DENIED", "UNAUTHENTICATED"}
NOBODY = "nobody"  # Is known, and may nothing.
# Over HTTP the records of these have a path of their own, and streams have theirs.
NOT_CALLED_OVER_HTTP = {"EventHubService/Produce", "EventHubService/Transact"}
NEEDS = {**{name: case.needs for name, case in (RPCS | COMMANDS).items()},
         **{path: needs for path, needs in PATHS.items() if needs}}


def rules_of(principal, needs):
    for right, on in needs:
        yield rule([principal], [right], ["t-*"] if on == T else (), ["g-*"] if on == G else (),
                   hub=on == H)


def may(name):
    """The principal that has what it takes, and no more."""
    return f"may/{name}"


def lacks(name, which):
    """The one that has all of that but one right."""
    return f"lacks/{name}/{which}"


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    rules, principals = [], [NOBODY]
    for name, needs in NEEDS.items():
        rules += rules_of(may(name), needs)
        principals.append(may(name))
        for which in range(len(needs)):
            rules += rules_of(lacks(name, which), needs[:which] + needs[which + 1:])
            principals.append(lacks(name, which))
    # A connection takes some right, whichever.
    rules.append(rule([who for command in COMMANDS for who in [may(command)] + [
        lacks(command, which) for which in range(len(NEEDS[command]))]], ["inspect"], ["elsewhere"]))
    running = GuardedHub(tmp_path_factory.mktemp("hub"), rules, principals)
    yield running
    assert running.stop() == 0, running.log()


@pytest.fixture(scope="module")
def channel(hub):
    with channel_to(hub) as made:
        yield made


def test_the_table_names_every_rpc_of_the_contract():
    assert set(RPCS) == set(rpcs_of_the_contract())


def test_the_table_names_every_command_of_a_websocket():
    commands = gateway.GatewayRequest.DESCRIPTOR.oneofs_by_name["command"].fields
    assert set(COMMANDS) == {field.name for field in commands}


def test_the_table_names_every_path_of_the_web():
    guide = (ROOT / "server/web/README.md").read_text()
    rows = re.findall(r"^\| (`(?:GET|POST) .*?) \|", guide, re.MULTILINE)
    assert set(PATHS) == {path for row in rows for path in re.findall(r"`((?:GET|POST) [^`]+)`", row)}


def assert_asks_for_each_right(name, outcome):
    """That the rpc does, whose `outcome(token)` is told."""
    assert outcome(None) == "UNAUTHENTICATED"
    assert outcome("no such token") == "UNAUTHENTICATED"
    assert outcome(token_of(NOBODY)) == "PERMISSION_DENIED"
    for which in range(len(RPCS[name].needs)):
        assert outcome(token_of(lacks(name, which))) == "PERMISSION_DENIED", RPCS[name].needs[which]
    assert outcome(token_of(may(name))) not in REFUSALS


@pytest.mark.parametrize("name", RPCS)
def test_an_rpc_asks_for_each_right_that_it_needs(channel, name):
    request = RPCS[name].request(f"t-{name.replace('/', '.')}", f"g-{name.replace('/', '.')}")

    assert_asks_for_each_right(name, lambda token: outcomes.of_rpc(channel, name, request, token))


@pytest.mark.parametrize("name", [
    name for name, method in rpcs_of_the_contract().items()
    if not (method.client_streaming or method.server_streaming or name in NOT_CALLED_OVER_HTTP)])
def test_the_same_rpc_asks_for_the_same_over_http(hub, name):
    request = RPCS[name].request(f"t-http.{name.replace('/', '.')}", f"g-http.{name.replace('/', '.')}")

    assert_asks_for_each_right(name, lambda token: outcomes.of_call(hub, name, request, token))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_of_a_websocket_asks_for_each_right_that_it_needs(hub, name):
    action = COMMANDS[name].request(f"t-ws.{name}", f"g-ws.{name}")

    def outcome(principal):
        socket = outcomes.connect(hub, token_of(principal))
        try:
            return outcomes.of_command(socket, 1, name, action)
        finally:
            socket.close()

    for which in range(len(COMMANDS[name].needs)):
        assert outcome(lacks(name, which)) == "PERMISSION_DENIED", COMMANDS[name].needs[which]
    assert outcome(may(name)) not in REFUSALS


def request_of(hub, path, token):
    """The reason and the status of a request to a path of the table."""
    method, target = path.split(" ")
    if target == "/v1/ws":
        status = outcomes.handshake(hub, token)
        return {401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED"}.get(status, status)
    if target == "/v1/sse":
        return outcomes.of_http(hub, method, "/v1/sse?topic=t-sse", token=token)[0]
    body = {"records": [{"key": "k", "text": "v"}]} if method == "POST" else None
    return outcomes.of_http(hub, method, target.replace("TOPIC", "t-post"), body, token)[0]


@pytest.mark.parametrize("path", [path for path, needs in PATHS.items() if needs])
def test_a_path_asks_for_the_right_that_it_needs(hub, path):
    assert request_of(hub, path, None) == "UNAUTHENTICATED"
    assert request_of(hub, path, "no-such-token") == "UNAUTHENTICATED"
    assert request_of(hub, path, token_of(NOBODY)) == "PERMISSION_DENIED"
    assert request_of(hub, path, token_of(may(path))) not in REFUSALS


@pytest.mark.parametrize("path", [path for path, needs in PATHS.items() if needs == ()])
def test_probes_and_the_console_s_files_are_open(hub, path):
    assert request_of(hub, path, None) == "OK"


def test_an_unauthenticated_answer_of_http_says_how_to_authenticate(hub):
    _, status, facts = outcomes.of_http(hub, "GET", "/metrics")
    assert status == 401
    assert facts["metadata"] == {"right": "inspect"}


def test_refusals_and_admin_actions_are_logged_with_the_principal(hub, channel):
    name = "TopicService/CreateTopic"
    topic = RPCS[name].request("t-logged", "g")
    assert outcomes.of_rpc(channel, name, topic, token_of(may(name))) == "OK"
    made = [line for line in hub.whole_log().splitlines()
            if "admin action" in line and "t-logged" in line]
    assert len(made) == 1 and may(name) in made[0]

    def refused():
        outcomes.of_rpc(channel, name, topic, token_of(lacks(name, 0)))
        return [line for line in hub.whole_log().splitlines()
                if "access refused" in line and name in line and lacks(name, 0) in line]

    # Of many in a second some are only counted.
    told = wait_until(refused, "a refusal is logged")
    assert "t-logged" in told[0] and "PERMISSION_DENIED" in told[0]
    assert all(token_of(NOBODY) not in line for line in hub.whole_log().splitlines())
