"""A hub that asks who calls."""

import time

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


def test_a_producer_waits_as_a_quota_says_and_loses_nothing(tmp_path):
    """Two hundred thousand bytes at fifty thousand a second: the first second's worth goes at once, the last is owed."""
    values = [f"{number:03} " + "x" * 1000 for number in range(200)]
    running = GuardedHub(tmp_path, [rule(["team"], ["administer", "produce", "consume"], ["orders"])], ["team"],
                         quotas=[{"principals": ["team"], "produce_bytes_per_second": 50_000}])
    with millrace.connect(running.target, token=token_of("team")) as opened:
        opened.create_topic("orders")
        began = time.monotonic()
        with opened.producer() as producer:
            for number, value in enumerate(values):
                producer.send("orders", value)
                if number % 50 == 49:
                    producer.flush()
        assert time.monotonic() - began > 2
        stored = opened.subscribe("orders", start="earliest")
        assert [next(stored).text() for _ in values] == values
    assert running.stop() == 0, running.log()
