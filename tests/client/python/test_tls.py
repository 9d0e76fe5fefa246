"""A hub that speaks TLS."""

import pathlib
import subprocess

import grpc
import millrace
import pytest
from tests.support.hub import Hub

DEV_CA = pathlib.Path(__file__).resolve().parents[3] / "deploy" / "dev-ca.sh"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    directory = tmp_path_factory.mktemp("certificates")
    subprocess.run([DEV_CA, directory], check=True, timeout=60)
    return directory


@pytest.fixture(scope="module")
def hub(tmp_path_factory, certificates):
    running = Hub(tmp_path_factory.mktemp("hub"), "--tls-cert", certificates / "hub.crt",
                  "--tls-key", certificates / "hub.key")
    yield running
    assert running.stop() == 0, running.log()


def test_its_authority_is_what_a_client_needs(hub, certificates):
    authority = grpc.ssl_channel_credentials((certificates / "ca.crt").read_bytes())
    with millrace.connect(hub.target, credentials=authority) as opened:
        opened.create_topic("orders")
        assert opened.produce("orders", "tea").offset == 0
        assert next(opened.subscribe("orders", group="billing")).text() == "tea"


def test_without_it_nothing_is_sent(hub):
    with millrace.connect(hub.target, timeout=1.0) as opened, pytest.raises(millrace.TimedOut):
        opened.topics()
