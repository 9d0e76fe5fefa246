"""A copy of the log, made while it is written to, and the drill of going back to it."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.client.cli.command import objects, output, refused
from tests.support.hub import Hub


@pytest.fixture
def restored(tmp_path):
    """Starts hubs on directories; stops them at the end."""
    hubs = []

    def start(data):
        place = tmp_path / f"restored-{len(hubs)}"
        place.mkdir()
        (place / "data").symlink_to(data)
        hubs.append(Hub(place))
        return hubs[-1]

    yield start
    for hub in hubs:
        hub.kill()


def values_of(hub, topic):
    return output(hub, "consume", topic, "--from-beginning", "-e", "--format", "%s\n").split()


def test_a_checkpoint_holds_everything_that_was_acknowledged_before_it(tmp_path, restored):
    hub = Hub(tmp_path)
    try:
        output(hub, "topic", "create", "orders", "--partitions", 3)
        before = [f"before-{i}".encode() for i in range(5000)]
        output(hub, "produce", "orders", stdin=b"\n".join(before) + b"\n")
        output(hub, "consume", "orders", "--group", "billing", "-n", 100)
        committed = objects(hub, "offsets", "orders", "--group", "billing")
        with ThreadPoolExecutor() as pool:
            more = pool.submit(output, hub, "produce", "orders", stdin=b"during\n" * 50_000)
            (made,) = objects(hub, "hub", "checkpoint", tmp_path / "copy")
            more.result()
        assert made["directory"] == str(tmp_path / "copy") and made["size_bytes"] > 0
    finally:
        hub.kill()
    copy = restored(tmp_path / "copy")
    values = values_of(copy, "orders")
    assert sorted(value for value in values if value != b"during") == sorted(before)
    assert values.count(b"during") <= 50_000
    for now, then in zip(objects(copy, "offsets", "orders", "--group", "billing"), committed):
        assert now["committed_offset"] == then["committed_offset"]
    output(copy, "produce", "orders", stdin=b"after\n")
    assert values_of(copy, "orders").count(b"after") == 1


def test_a_hub_on_a_checkpoint_tells_readers_of_the_log_that_it_was_made_of(tmp_path, restored):
    hub = Hub(tmp_path)
    try:
        output(hub, "topic", "create", "orders")
        output(hub, "produce", "orders", stdin=b"a\nb\n")
        output(hub, "hub", "checkpoint", tmp_path / "copy")
        for _ in range(3):
            hub.kill()
            hub.start()
        (told,) = objects(hub, "hub", "info")
    finally:
        hub.kill()
    copy = restored(tmp_path / "copy")
    (now,) = objects(copy, "hub", "info")
    assert now["hub_id"] == told["hub_id"]
    assert now["log_epoch"] > told["log_epoch"]
    copy.kill()
    copy.start()
    assert json.loads(copy.millrace("hub", "info", "-o", "json"))["log_epoch"] > now["log_epoch"]


def test_a_checkpoint_is_made_in_a_new_directory_only(hub, tmp_path):
    refused(hub, 1, "INVALID_DIRECTORY", "hub", "checkpoint", tmp_path)
    refused(hub, 1, "INVALID_DIRECTORY", "hub", "checkpoint", tmp_path / "absent" / "copy")
    (tmp_path / "file").write_text("mine")
    refused(hub, 1, "INVALID_DIRECTORY", "hub", "checkpoint", tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"
