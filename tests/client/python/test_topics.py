"""Topics, and what is told of errors."""

import pathlib
import re
from datetime import timedelta

import millrace
import pytest

README = pathlib.Path(__file__).resolve().parents[3] / "README.md"


def test_topics_are_created_changed_listed_and_deleted(opened):
    made = opened.create_topic("made", 2, retention_age=timedelta(hours=1), retention_bytes=1 << 20)
    assert (made.name, made.partitions, made.retention_age, made.retention_bytes) == (
        "made", 2, timedelta(hours=1), 1 << 20)
    with pytest.raises(millrace.TopicExists):
        opened.create_topic("made")
    assert opened.create_topic("made", 7, exist_ok=True) == made == opened.topic("made")
    changed = opened.update_topic("made", partitions=3, retention_age=timedelta(0))
    assert (changed.partitions, changed.retention_age, changed.retention_bytes) == (3, None, 1 << 20)
    assert changed in opened.topics()
    opened.produce("made", b"", partition=2)
    assert opened.offsets("made") == [millrace.PartitionOffsets(0, 0, 0), millrace.PartitionOffsets(1, 0, 0),
                                      millrace.PartitionOffsets(2, 0, 1)]
    opened.delete_topic("made")
    opened.delete_topic("made", missing_ok=True)
    for call in (opened.topic, opened.delete_topic, opened.offsets):
        with pytest.raises(millrace.TopicNotFound):
            call("made")


def test_a_listing_of_many_pages_is_whole(hub, opened):
    names = {f"many.{n}" for n in range(1_001)}
    for name in names:
        opened.create_topic(name)
    assert names <= {topic.name for topic in opened.topics()}


def test_every_reason_of_the_readme_is_an_exception_that_says_it():
    reasons = set(re.findall(r"^\| `([A-Z_]+)` \| [A-Z_]+ \| ", README.read_text(), re.M))
    assert len(reasons) > 30
    classes = {error.reason: error for error in millrace.MillraceError.__subclasses__()}
    assert set(classes) - {"CONNECTION_LOST", "TIMED_OUT", "CLOSED"} == reasons
    for error in classes.values():
        assert getattr(millrace, error.__name__) is error
        raised = error("why", metadata={"a": "b"})
        assert (str(raised), raised.reason, raised.metadata) == ("why", error.reason, {"a": "b"})


def test_a_hub_that_is_not_there_is_waited_for_as_long_as_asked(tmp_path):
    with millrace.connect("localhost:1", timeout=0.3, delivery_timeout=0.3) as nobody:
        with pytest.raises(millrace.TimedOut):
            nobody.topics()
        with pytest.raises(TimeoutError):
            nobody.produce("orders", b"")
