"""Who calls by its certificate, and certificates that are rotated under load: no request fails that should pass."""

import contextlib
import shutil
import subprocess

import pytest

import tests.support.stubs  # noqa: F401  generates what follows
from millrace.v1 import topic_pb2 as topics
from tests.support import outcomes
from tests.support.access import DEADLINE, GuardedHub, rule, token_of
from tests.support.manifests import ROOT
from tests.support.traffic import Entrance, Followers, Load
from tests.support.waiting import wait_until

OPS, TEAM, STRANGER = "ops", "team", "stranger"
RULES = [rule([OPS], ["administer", "inspect"], ["*"], hub=True),
         rule([TEAM], ["produce", "consume"], ["orders"])]
ROTATIONS = 3


class Authority:
    """Vouches for a hub and for clients. What it issues anew is another certificate of the same name."""

    def __init__(self, folder):
        self.folder = folder
        self.issued = 0
        self.issue_all()

    def issue_all(self, *clients):
        subprocess.run([ROOT / "deploy/dev-ca.sh", self.folder, *clients], check=True, timeout=DEADLINE)

    @property
    def certificate(self):
        return (self.folder / "ca.crt").read_text()

    def issue(self, name, to, *, trusted):
        """A folder with a client's new pair, and with whom it trusts; never written to again."""
        self.renew(name)
        to = to / f"{name}-{self.folder.name}-{self.issued}"
        to.mkdir()
        for kind in ("key", "crt"):
            shutil.copy(self.folder / f"{name}.{kind}", to / f"client.{kind}")
        (to / "trusted.crt").write_text(trusted)
        return to

    def renew(self, name):
        self.issued += 1
        for kind in ("key", "crt"):
            (self.folder / f"{name}.{kind}").unlink(missing_ok=True)
        self.issue_all(*([] if name == "hub" else [name]))


class MutualHub(GuardedHub):
    """A hub that knows its callers by certificate, on both ports. Its files are replaced, and waited for."""

    def __init__(self, directory, authority):
        self.files = directory / "of-the-hub"
        self.files.mkdir()
        self.take_pair(authority)
        self.trust(authority.certificate)
        super().__init__(directory, RULES, [OPS], "--tls-cert", self.files / "hub.crt", "--tls-key",
                         self.files / "hub.key", "--tls-client-ca", self.files / "clients.crt")

    def take_pair(self, authority):
        authority.renew("hub")
        for file in ("hub.key", "hub.crt"):
            self.put(file, (authority.folder / file).read_text())

    def trust(self, certificates):
        """Of clients, from now on, those that these vouch for."""
        self.put("clients.crt", certificates)

    def put(self, file, text):
        new = self.files / f"{file}.new"
        new.write_text(text)
        new.chmod(0o600)
        new.replace(self.files / file)

    @contextlib.contextmanager
    def certificates_taken(self):
        """Waits, at its end, until what was written in between is in use."""
        before = self.whole_log().count("certificate taken")
        yield
        wait_until(lambda: self.whole_log().count("certificate taken") > before, "the certificates are taken")


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path / "authority")


@pytest.fixture
def hub(tmp_path, authority):
    running = MutualHub(tmp_path, authority)
    running.authority = authority
    with client(running, authority, OPS).channel() as channel:
        next(outcomes.start(channel, "TopicService/CreateTopic", topics.CreateTopicRequest(topic="orders")))
    yield running
    assert running.stop() == 0, running.log()


def client(hub, authority, name, token=None):
    """A client with a new certificate of its own."""
    folder = authority.issue(name, hub.directory, trusted=hub.authority.certificate)
    return Entrance(hub, token=lambda: token, folder=lambda: folder)


def ends_of(entrance):
    return [way() for way in entrance.ways]


def test_a_certificate_says_who_calls_on_both_ports(hub, authority):
    assert ends_of(client(hub, authority, TEAM)) == ["OK"] * 4
    assert ends_of(client(hub, authority, OPS)) == ["PERMISSION_DENIED"] * 4
    assert ends_of(client(hub, authority, STRANGER)) == ["PERMISSION_DENIED", "PERMISSION_DENIED",
                                                         "HTTP 403", "HTTP 403"]


def test_a_token_beside_a_certificate_decides(hub, authority):
    assert ends_of(client(hub, authority, TEAM, token_of(OPS))) == ["PERMISSION_DENIED"] * 4
    assert ends_of(client(hub, authority, TEAM, "no-such-token")) == ["UNAUTHENTICATED", "UNAUTHENTICATED",
                                                                      "HTTP 401", "HTTP 401"]


def test_the_certificates_of_the_hub_and_of_a_client_are_rotated_under_load(hub, authority):
    folders = [authority.issue(TEAM, hub.directory, trusted=authority.certificate)]
    entrance = Entrance(hub, folder=lambda: folders[-1])
    with Followers(entrance) as followers:
        with Load(*entrance.ways) as load:
            for _ in range(ROTATIONS):
                with hub.certificates_taken():
                    hub.take_pair(authority)
                load.go_on()
                folders.append(authority.issue(TEAM, hub.directory, trusted=authority.certificate))
                load.go_on()
        load.assert_all_passed()
        followers.wait_for(load.produced)


def test_the_authority_of_clients_is_rotated_under_load_and_the_old_one_is_void_afterwards(hub, authority, tmp_path):
    """First both are trusted, then clients get certificates of the new one, then the old one goes."""
    successor = Authority(tmp_path / "successor")
    folders = [authority.issue(TEAM, hub.directory, trusted=authority.certificate)]
    entrance = Entrance(hub, folder=lambda: folders[-1])
    with Followers(entrance) as followers:
        with Load(*entrance.ways) as load:
            load.go_on()
            with hub.certificates_taken():
                hub.trust(authority.certificate + successor.certificate)
            load.go_on()
            folders.append(successor.issue(TEAM, hub.directory, trusted=authority.certificate))
            load.go_on()
            with hub.certificates_taken():
                hub.trust(successor.certificate)
            load.go_on()
        load.assert_all_passed()
        followers.wait_for(load.produced)
    with_the_old_one = Entrance(hub, folder=lambda: folders[0])
    assert ends_of(with_the_old_one) == ["UNAVAILABLE", "UNAVAILABLE", "no connection", "no connection"]
    assert ends_of(entrance) == ["OK"] * 4


def test_who_produces_over_plain_http_is_known_by_its_certificate_too(hub, authority):
    def status(name):
        folder = authority.issue(name, hub.directory, trusted=authority.certificate)
        done = subprocess.run(
            ["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--cacert",
             folder / "trusted.crt", "--cert", folder / "client.crt", "--key", folder / "client.key", "--json",
             '{"records": [{"text": "v"}]}', f"https://localhost:{hub.web_port}/v1/topics/orders/records"],
            capture_output=True, text=True, timeout=DEADLINE)
        return done.stdout

    assert (status(TEAM), status(STRANGER)) == ("200", "403")
