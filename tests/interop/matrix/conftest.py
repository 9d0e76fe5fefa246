"""Fixtures of the language matrix, besides those of tests/interop."""

import pytest

from tests.interop.matrix.languages import Member, Producer
from tests.interop.matrix.orders import PARTITIONS


@pytest.fixture
def topic(request, hub):
    """A new topic with PARTITIONS partitions, named after the test."""
    name = request.node.name.replace("[", ".").replace("]", "")
    hub.millrace("topic", "create", name, "--partitions", PARTITIONS)
    return name


@pytest.fixture
def start(hub, tmp_path):
    """start(Member or Producer, language, …) runs one against the hub, until the end of the test."""
    programs = []

    def run(kind, language, *arguments):
        assert kind in (Member, Producer)
        programs.append(kind(language, tmp_path / f"{len(programs)}-{language}", hub.target, *arguments))
        return programs[-1]

    yield run
    for program in programs:
        program.kill()
