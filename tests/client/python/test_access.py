"""A hub that asks who calls."""

import millrace
import pytest
from tests.support.access import GuardedHub, rule, token_of


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    running = GuardedHub(
        tmp_path_factory.mktemp("hub"),
        [rule(["team"], ["administer", "produce", "consume"], ["orders"])], ["team"])
    yield running
    assert running.stop() == 0, running.log()


def test_the_token_says_who_calls_over_calls_and_streams(hub):
    with millrace.connect(hub.target, token=token_of("team")) as opened:
        opened.create_topic("orders")
        assert opened.produce("orders", "tea").offset == 0
        assert next(opened.subscribe("orders", start="earliest")).text() == "tea"


def test_a_function_is_asked_for_the_token_of_the_moment(hub):
    given = ["no such token"]
    with millrace.connect(hub.target, token=lambda: given[0]) as opened:
        with pytest.raises(millrace.MillraceError) as refused:
            opened.topics()
        assert refused.value.reason == "UNAUTHENTICATED"
        given[0] = token_of("team")
        opened.topics()
