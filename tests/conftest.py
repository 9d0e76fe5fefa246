"""Fixtures of the Python tests."""

import re

import pytest

from tests.support.hub import Hub


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """A hub for the tests of one file; each makes topics of its own."""
    running = Hub(tmp_path_factory.mktemp("hub"))
    yield running
    status = running.stop()
    assert status == 0, running.log()


@pytest.fixture
def topic(request, hub):
    """A new topic with three partitions, named after the test."""
    name = re.sub(r"[^a-zA-Z0-9._-]+", ".", request.node.name)[:200]
    hub.millrace("topic", "create", name, "--partitions", 3)
    return name
