"""From what a program gives and gets to the contract's messages."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from millrace.v1 import record_pb2

Headers = Mapping[str, bytes | str | None] | Iterable[tuple[str, bytes | str | None]]


def to_bytes(value: object) -> bytes | None:
    """bytes as they are, text as UTF-8, a protobuf message encoded, anything else as JSON; None stays None."""
    match value:
        case None:
            return None
        case bytes():
            return value
        case bytearray() | memoryview():
            return bytes(value)
        case str():
            return value.encode()
        case Message():
            return value.SerializeToString()
        case _:
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def key_to_bytes(key: bytes | str | None) -> bytes | None:
    if key is not None and not isinstance(key, (bytes, str)):
        raise TypeError(f"a key is bytes, text or None, not {type(key).__name__}")
    return to_bytes(key)


def to_record(value: object, key: bytes | str | None, headers: Headers | None,
              event_time: datetime | None) -> record_pb2.Record:
    record = record_pb2.Record(key=key_to_bytes(key), value=to_bytes(value))
    for name, content in headers.items() if isinstance(headers, Mapping) else headers or ():
        record.headers.add(name=name, value=key_to_bytes(content))
    if event_time is not None:
        record.event_time.CopyFrom(to_timestamp(event_time))
    return record


def to_timestamp(time: datetime) -> Timestamp:
    if time.tzinfo is None:
        raise ValueError("a time needs a time zone: datetime.now(UTC)")
    timestamp = Timestamp()
    timestamp.FromDatetime(time)
    return timestamp


def time_of(message: Any, field: str) -> datetime | None:
    """A Timestamp field as a time in UTC; None where it is absent."""
    if not message.HasField(field):
        return None
    time: datetime = getattr(message, field).ToDatetime(tzinfo=UTC)
    return time


def header_pairs(record: record_pb2.Record) -> tuple[tuple[str, bytes | None], ...]:
    return tuple((header.name, header.value if header.HasField("value") else None) for header in record.headers)
