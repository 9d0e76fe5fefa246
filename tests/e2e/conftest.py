"""Fixtures of the tests with a real catalogue."""

import pytest

from tests.e2e.catalogue import stanzas_of_this_machine


@pytest.fixture(scope="module")
def stanzas():
    found = stanzas_of_this_machine()
    assert len(found) > 10_000, "apt's lists are missing: apt-get update"
    return found
