"""TLS on both ports: who is let in, what is refused at start, and certificates that are replaced."""

import http.client
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import time

import grpc
import pytest

import tests.support.stubs  # noqa: F401  generates what follows
from millrace.v1 import hub_pb2, hub_pb2_grpc
from tests.support.hub import MILLRACE, SERVER, Hub

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECONDS = 60
CHANGES = 5


def make_certificates(directory, *clients):
    subprocess.run([ROOT / "deploy/dev-ca.sh", directory, *clients], check=True, timeout=SECONDS)
    return directory


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return make_certificates(tmp_path_factory.mktemp("certificates"), "billing")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """Certificates that another authority vouches for."""
    return make_certificates(tmp_path_factory.mktemp("stranger"), "mallory")


def flags(directory, *more):
    return "--tls-cert", directory / "hub.crt", "--tls-key", directory / "hub.key", *more


@pytest.fixture(scope="module")
def tls_hub(tmp_path_factory, certificates):
    hub = Hub(tmp_path_factory.mktemp("tls"), *flags(certificates))
    yield hub
    assert hub.stop() == 0, hub.log()


@pytest.fixture(scope="module")
def mutual_hub(tmp_path_factory, certificates):
    hub = Hub(tmp_path_factory.mktemp("mutual"),
              *flags(certificates, "--tls-client-ca", certificates / "ca.crt"))
    yield hub
    assert hub.stop() == 0, hub.log()


@pytest.fixture
def start(tmp_path):
    """Starts a hub of the test's own, which must end well afterwards."""
    hubs = []

    def make(*arguments):
        hubs.append(Hub(tmp_path, *arguments))
        return hubs[-1]

    yield make
    for hub in hubs:
        assert hub.stop() == 0, hub.log()


def shown(directory, client):
    """The key and the certificate that a client's stub is given."""
    return (directory / f"{client}.key").read_bytes(), (directory / f"{client}.crt").read_bytes()


def get_hub(hub, authority, key=None, certificate=None):
    """One call on a connection of its own."""
    credentials = grpc.ssl_channel_credentials((authority / "ca.crt").read_bytes(), key, certificate)
    options = [("grpc.use_local_subchannel_pool", 1)]
    with grpc.secure_channel(hub.target, credentials, options) as channel:
        return hub_pb2_grpc.HubServiceStub(channel).GetHub(hub_pb2.GetHubRequest(), timeout=SECONDS).hub


def get(hub, path, authority, client=None):
    """One HTTPS request: the status and the body."""
    context = ssl.create_default_context(cafile=authority / "ca.crt")
    if client:
        context.load_cert_chain(*client)
    connection = http.client.HTTPSConnection("localhost", hub.web_port, timeout=SECONDS, context=context)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def certificate_of(port, authority):
    """The serial number of the certificate that a port shows."""
    context = ssl.create_default_context(cafile=authority / "ca.crt")
    context.set_alpn_protocols(["h2", "http/1.1"])
    with socket.create_connection(("localhost", port), SECONDS) as raw:
        with context.wrap_socket(raw, server_hostname="localhost") as wrapped:
            return wrapped.getpeercert()["serialNumber"]


def millrace(hub, *arguments, **variables):
    return subprocess.run([MILLRACE, "--target", hub.target, *map(str, arguments)], capture_output=True,
                          text=True, timeout=SECONDS, env={**os.environ, **{k: str(v) for k, v in variables.items()}})


# ---- Who is let in


def test_stubs_and_browsers_reach_a_hub_that_speaks_tls(tls_hub, certificates):
    assert get_hub(tls_hub, certificates).version
    assert get(tls_hub, "/readyz", certificates)[0] == 200
    status, page = get(tls_hub, "/", certificates)
    assert status == 200 and b"<html" in page
    assert tls_hub.log().count("tls=server") == 1


def test_who_does_not_trust_the_authority_is_not_connected(tls_hub, stranger):
    with pytest.raises(grpc.RpcError) as refusal:
        get_hub(tls_hub, stranger)
    assert refusal.value.code() == grpc.StatusCode.UNAVAILABLE
    with pytest.raises(ssl.SSLCertVerificationError):
        get(tls_hub, "/readyz", stranger)


def test_plain_text_is_not_answered(tls_hub):
    with grpc.insecure_channel(tls_hub.target) as channel, pytest.raises(grpc.RpcError) as refusal:
        hub_pb2_grpc.HubServiceStub(channel).GetHub(hub_pb2.GetHubRequest(), timeout=SECONDS)
    assert refusal.value.code() == grpc.StatusCode.UNAVAILABLE
    connection = http.client.HTTPConnection("localhost", tls_hub.web_port, timeout=SECONDS)
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        connection.request("GET", "/readyz")
        connection.getresponse()
    connection.close()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3_are_spoken_with_forward_secrecy(tls_hub, certificates, version):
    context = ssl.create_default_context(cafile=certificates / "ca.crt")
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["h2", "http/1.1"])
    for port in (tls_hub.port, tls_hub.web_port):
        with socket.create_connection(("localhost", port), SECONDS) as raw:
            with context.wrap_socket(raw, server_hostname="localhost") as wrapped:
                cipher, protocol, _ = wrapped.cipher()
                assert cipher.startswith(("ECDHE-", "TLS_")), (port, cipher, protocol)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_older_versions_and_other_protocols_are_refused(tls_hub):
    for port in (tls_hub.port, tls_hub.web_port):
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        with socket.create_connection(("localhost", port), SECONDS) as raw, pytest.raises(OSError):
            old.wrap_socket(raw)
    other = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    other.check_hostname, other.verify_mode = False, ssl.CERT_NONE
    other.set_alpn_protocols(["ftp"])
    with socket.create_connection(("localhost", tls_hub.web_port), SECONDS) as raw, pytest.raises(OSError):
        other.wrap_socket(raw)


def test_a_client_that_begins_no_handshake_is_let_go(start, certificates):
    hub = start(*flags(certificates, "--web-header-timeout", "500ms"))
    with socket.create_connection(("localhost", hub.web_port), SECONDS) as silent:
        silent.settimeout(SECONDS)
        assert silent.recv(1) == b""


def test_a_certificate_is_asked_for_where_an_authority_is_named(mutual_hub, certificates, stranger):
    assert get_hub(mutual_hub, certificates, *shown(certificates, "billing")).version
    assert get(mutual_hub, "/metrics", certificates,
               (certificates / "billing.crt", certificates / "billing.key"))[0] == 200
    for key, certificate in ((None, None), shown(stranger, "mallory")):
        with pytest.raises(grpc.RpcError) as refusal:
            get_hub(mutual_hub, certificates, key, certificate)
        assert refusal.value.code() == grpc.StatusCode.UNAVAILABLE
    with pytest.raises(OSError):
        get(mutual_hub, "/metrics", certificates, (stranger / "mallory.crt", stranger / "mallory.key"))


def test_a_probe_needs_no_certificate_and_sees_nothing_else(mutual_hub, certificates):
    assert get(mutual_hub, "/healthz", certificates)[0] == 200
    assert get(mutual_hub, "/readyz", certificates)[0] == 200
    for path in ("/", "/metrics", "/v1/ws", "/v1/sse?topic=orders", "/healthz/../metrics"):
        status, body = get(mutual_hub, path, certificates)
        assert status == 401 and b"UNAUTHENTICATED" in body, path


# ---- The command line


def test_the_command_speaks_tls_by_flags_and_by_variables(mutual_hub, certificates):
    files = {"MILLRACE_TLS_CA": certificates / "ca.crt", "MILLRACE_CLIENT_CERT": certificates / "billing.crt",
             "MILLRACE_CLIENT_KEY": certificates / "billing.key"}
    assert millrace(mutual_hub, "topic", "create", "orders", **files).returncode == 0
    shown_by_flags = millrace(mutual_hub, "topic", "list", "--tls-ca", files["MILLRACE_TLS_CA"], "--client-cert",
                              files["MILLRACE_CLIENT_CERT"], "--client-key", files["MILLRACE_CLIENT_KEY"])
    assert shown_by_flags.returncode == 0 and "orders" in shown_by_flags.stdout
    measured = millrace(mutual_hub, "bench", "produce", "--duration", "200ms", **files)
    assert measured.returncode == 0, measured.stderr


def test_the_command_says_what_is_wrong(mutual_hub, certificates, tmp_path):
    ca = ("--tls-ca", certificates / "ca.crt")
    for arguments, code, words in (
            ([], 4, "UNAVAILABLE"),  # No TLS.
            (ca, 4, "UNAVAILABLE"),  # No certificate of its own.
            (["--tls-ca", tmp_path / "none"], 2, "none: No such file"),
            ([*ca, "--client-cert", certificates / "billing.crt"], 2, "go together")):
        done = millrace(mutual_hub, "topic", "list", "--timeout", "5s", *arguments)
        assert done.returncode == code, done.stderr
        assert words in done.stderr and done.stderr.count("\n") == 1


# ---- What is refused at start


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=SECONDS)


def expired(directory):
    """A certificate of the hub's key that was valid on one day of 2020."""
    (directory / "ca.cnf").write_text(
        f"[ca]\ndefault_ca=own\n[own]\ndatabase={directory}/index\nnew_certs_dir={directory}\n"
        "rand_serial=yes\ndefault_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n")
    (directory / "index").touch()
    openssl("req", "-new", "-key", directory / "hub.key", "-subj", "/CN=hub", "-out", directory / "hub.csr")
    openssl("ca", "-batch", "-config", directory / "ca.cnf", "-selfsign", "-keyfile", directory / "hub.key",
            "-startdate", "20200101000000Z", "-enddate", "20200102000000Z", "-in", directory / "hub.csr",
            "-out", directory / "hub.crt", "-notext")


def encrypted(directory):
    openssl("pkey", "-in", directory / "hub.key", "-aes256", "-passout", "pass:x", "-out", directory / "new")
    (directory / "new").replace(directory / "hub.key")


BREAKS = {
    "the key of another": (lambda d: shutil.copy(d / "billing.key", d / "hub.key"),
                           "hub.key: is not the key of the first certificate"),
    "a key that everybody may read": (lambda d: (d / "hub.key").chmod(0o644), "hub.key: everybody may read"),
    "a key with a passphrase": (encrypted, "hub.key: the key has a passphrase"),
    "no key": (lambda d: (d / "hub.key").unlink(), "hub.key: No such file"),
    "a key that is none": (lambda d: (d / "hub.key").write_text("key"), "hub.key: holds no private key"),
    "no certificate": (lambda d: (d / "hub.crt").write_text("certificate"), "hub.crt: holds no certificate"),
    "half a certificate": (lambda d: (d / "hub.crt").write_text((d / "hub.crt").read_text().replace("M", "!", 3)),
                           "hub.crt: holds a certificate that cannot be read"),
    "a chain in the wrong order": (
        lambda d: (d / "hub.crt").write_bytes((d / "hub.crt").read_bytes() + (d / "billing.crt").read_bytes()),
        "hub.crt: certificate 2, /CN=billing, does not vouch for the one before it, /CN=hub"),
    "an expired certificate": (expired, "hub.crt: /CN=hub expired on "),
    "a directory": (lambda d: ((d / "hub.crt").unlink(), (d / "hub.crt").mkdir()), "hub.crt: is no file"),
    "no authority": (lambda d: shutil.copy(d / "billing.crt", d / "ca.crt"), "ca.crt: /CN=billing may not vouch"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_cannot_be_used_is_refused_at_start(name, certificates, tmp_path):
    directory = tmp_path / "certificates"
    shutil.copytree(certificates, directory)
    damage, words = BREAKS[name]
    damage(directory)
    done = subprocess.run([SERVER, "--data-dir", tmp_path / "data", "--listen", "localhost:0", "--web-listen", "none",
                           *flags(directory, "--tls-client-ca", directory / "ca.crt")],
                          capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 1, done.stderr
    assert done.stderr.splitlines()[-1].startswith("millrace-server: ") and words in done.stderr
    assert not (tmp_path / "data").exists()  # Said before anything is touched.


@pytest.mark.parametrize("arguments, words", [
    (["--tls-cert", "a"], "--tls-cert and --tls-key go together"),
    (["--tls-key", "a"], "--tls-cert and --tls-key go together"),
    (["--tls-client-ca", "a"], "--tls-client-ca makes no sense without"),
])
def test_half_of_the_flags_make_no_sense(arguments, words, tmp_path):
    done = subprocess.run([SERVER, "--data-dir", tmp_path / "data", *arguments], capture_output=True, text=True,
                          timeout=SECONDS)
    assert done.returncode == 2 and words in done.stderr


# ---- Certificates that are replaced


class Link:
    """A directory of certificates by way of a link, as a Kubernetes Secret is mounted."""

    def __init__(self, folder):
        self.folder, self.path, self.number = folder, folder / "current", 0
        self.renew()

    def renew(self, damage=lambda directory: None):
        """New certificates of the same authority, put in place all at once."""
        self.number += 1
        directory = self.folder / str(self.number)
        if self.number == 1:
            make_certificates(directory)
        else:
            directory.mkdir()
            for name in ("ca.crt", "ca.key"):
                shutil.copy(self.path / name, directory / name)
            make_certificates(directory)
        damage(directory)
        fresh = self.folder / "fresh"
        fresh.symlink_to(directory)
        fresh.replace(self.path)


def until(condition, what):
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def test_new_certificates_are_taken_and_nobody_notices(start, tmp_path):
    link = Link(tmp_path)
    hub = start(*flags(link.path))
    seen = {port: {certificate_of(port, link.path)} for port in (hub.port, hub.web_port)}
    for change in range(CHANGES):
        link.renew()
        # A call, a request and a handshake each on connections of their own, until both have changed.
        deadline = time.monotonic() + SECONDS
        while any(len(numbers) < change + 2 for numbers in seen.values()):
            assert time.monotonic() < deadline, hub.log()
            assert get_hub(hub, link.path).version
            assert get(hub, "/readyz", link.path)[0] == 200
            for port, numbers in seen.items():
                numbers.add(certificate_of(port, link.path))
    until(lambda: hub.log().count("certificate taken") == CHANGES, "the log tells of each")


def test_an_open_connection_stays_when_the_certificate_changes(start, tmp_path):
    link = Link(tmp_path)
    hub = start(*flags(link.path))
    credentials = grpc.ssl_channel_credentials((link.path / "ca.crt").read_bytes())
    with grpc.secure_channel(hub.target, credentials) as channel:
        stub = hub_pb2_grpc.HubServiceStub(channel)
        first = stub.GetHub(hub_pb2.GetHubRequest(), timeout=SECONDS).hub
        link.renew()
        until(lambda: "certificate taken" in hub.log(), "it is taken")
        assert stub.GetHub(hub_pb2.GetHubRequest(), timeout=SECONDS).hub.hub_id == first.hub_id


def test_a_bad_certificate_is_told_of_once_and_the_good_one_stays(start, tmp_path):
    link = Link(tmp_path)
    hub = start(*flags(link.path))
    before = certificate_of(hub.web_port, link.path)
    link.renew(damage=expired)
    until(lambda: "certificate not taken" in hub.log(), "the log tells")
    time.sleep(2.5)  # It looks once a second, and must not say so again.
    assert hub.log().count("certificate not taken") == 1, hub.log()
    assert certificate_of(hub.web_port, link.path) == before
    link.renew()
    until(lambda: certificate_of(hub.web_port, link.path) != before, "the next good one is taken")
