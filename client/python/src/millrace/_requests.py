"""Requests of the contract from what a program gives, and answers as what it is given."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from millrace._values import time_of, to_timestamp
from millrace.records import PartitionOffsets, Topic
from millrace.v1 import event_hub_pb2, record_pb2, topic_pb2

Start = Literal["earliest", "latest"] | datetime
OnOutOfRange = Literal["fail", "earliest", "latest"]
Durability = Literal["default", "buffered", "synced"]
Positions = Mapping[tuple[str, int], int]

DURABILITIES: "dict[Durability, record_pb2.Durability.ValueType]" = {
    "default": record_pb2.DURABILITY_UNSPECIFIED,
    "buffered": record_pb2.DURABILITY_BUFFERED,
    "synced": record_pb2.DURABILITY_SYNCED,
}
_POLICIES: "dict[OnOutOfRange, event_hub_pb2.OutOfRangePolicy.ValueType]" = {
    "fail": event_hub_pb2.OUT_OF_RANGE_POLICY_FAIL,
    "earliest": event_hub_pb2.OUT_OF_RANGE_POLICY_EARLIEST,
    "latest": event_hub_pb2.OUT_OF_RANGE_POLICY_LATEST,
}


def subscribe_request(topics: Sequence[str], group: str, instance_id: str, start: Start | None, positions: Positions,
                      on_out_of_range: OnOutOfRange, end_at_current: bool,
                      allow_missing_topics: bool) -> event_hub_pb2.SubscribeRequest:
    request = event_hub_pb2.SubscribeRequest(
        topics=topics, group=group, instance_id=instance_id, on_out_of_range=_POLICIES[on_out_of_range],
        end_at_current=end_at_current, allow_missing_topics=allow_missing_topics)
    for (topic, partition), offset in positions.items():
        request.positions.add(topic=topic, partition=partition, offset=offset)
    match start:
        case None:
            pass
        case "earliest":
            request.start.earliest = True
        case "latest":
            request.start.latest = True
        case datetime():
            request.start.time.CopyFrom(to_timestamp(start))
        case _:
            raise ValueError(f'start is "earliest", "latest" or a time, not {start!r}')
    return request


def create_topic_request(name: str, partitions: int, retention_age: timedelta | None,
                         retention_bytes: int | None) -> topic_pb2.CreateTopicRequest:
    request = topic_pb2.CreateTopicRequest(topic=name, partition_count=partitions)
    if retention_age is not None:
        request.retention.max_age.FromTimedelta(retention_age)
    if retention_bytes is not None:
        request.retention.max_partition_bytes = retention_bytes
    return request


def update_topic_request(name: str, partitions: int | None, retention_age: timedelta | None,
                         retention_bytes: int | None) -> topic_pb2.UpdateTopicRequest:
    request = topic_pb2.UpdateTopicRequest(
        topic=name, partition_count=partitions, retention_max_partition_bytes=retention_bytes)
    if retention_age is not None:
        request.retention_max_age.FromTimedelta(retention_age)
    return request


def to_topic(message: topic_pb2.Topic) -> Topic:
    age = message.retention.max_age.ToTimedelta()
    return Topic(message.name, message.partition_count, age or None, message.retention.max_partition_bytes or None,
                 time_of(message, "create_time"))


def to_offsets(answer: event_hub_pb2.ListOffsetsResponse) -> list[PartitionOffsets]:
    return [PartitionOffsets(each.partition, each.earliest_offset, each.latest_offset) for each in answer.partitions]
