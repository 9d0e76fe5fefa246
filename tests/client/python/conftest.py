"""Fixtures of the Python package's tests."""

import millrace
import pytest


@pytest.fixture
def opened(hub):
    """The library, connected to the file's hub."""
    with millrace.connect(hub.target) as opened:
        yield opened
