"""Where a token may go without TLS. No hub is needed: a connection is made before it connects."""

import asyncio
import threading

import grpc
import millrace
import millrace.aio
import pytest

ELSEWHERE = ["hub.example:9640", "10.0.0.1:9640", "[::2]:9640", "[::1].example:9640", "localhost.example:9640",
             "127.0.0.1.example:9640", "localhost:80@hub.example", "localhost://hub.example:9640",
             "ipv4:127.0.0.1:9640,10.0.0.1:9640", "localhost:9640\n", ""]


def loop_threads():
    """The threads of the hubs that are open."""
    return {thread for thread in threading.enumerate() if thread.name == "millrace"}


@pytest.mark.parametrize("target", ["localhost", "LocalHost:9640", "127.1.2.3:9640", "[::1]:9640", "unix:/run/hub.sock"])
def test_a_token_goes_to_this_machine_in_clear(target):
    millrace.connect(target, token="secret").close()


@pytest.mark.parametrize("target", ELSEWHERE)
def test_a_token_is_not_sent_elsewhere_in_clear_unasked(target):
    before = loop_threads()
    with pytest.raises(ValueError, match="token_in_clear"):
        millrace.connect(target, token=lambda: "secret")
    assert loop_threads() == before


def test_asyncio_has_the_same_rule():
    async def connect(**more):
        await millrace.aio.connect("hub.example:9640", token="secret", **more).close()

    with pytest.raises(ValueError, match="token_in_clear"):
        asyncio.run(connect())
    asyncio.run(connect(token_in_clear=True))


@pytest.mark.parametrize("allowed", [{"credentials": grpc.ssl_channel_credentials()}, {"token_in_clear": True}],
                         ids=lambda allowed: next(iter(allowed)))
def test_a_token_goes_anywhere_by_tls_or_where_asked_for(allowed):
    millrace.connect("hub.example:9640", token="secret", **allowed).close()


def test_without_a_token_nothing_is_refused():
    millrace.connect("hub.example:9640").close()
