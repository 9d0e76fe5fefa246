"""What a program is given: records, where they are stored, topics."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Stored:
    """Where a record was stored. Both are -1 where the hub stored it before and no longer knows where."""

    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class ReceivedRecord:
    """A record as it was read."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None  # None is a tombstone: the key is gone.
    headers: tuple[tuple[str, bytes | None], ...]
    event_time: datetime | None  # By the producer's clock, where it said so.
    append_time: datetime | None  # By the hub's clock.

    def json(self) -> Any:
        """The value, read as JSON; None for a tombstone."""
        return None if self.value is None else json.loads(self.value)

    def text(self) -> str | None:
        """The value, read as UTF-8; None for a tombstone."""
        return None if self.value is None else self.value.decode()

    def header(self, name: str) -> bytes | None:
        """The last header of this name. None: there is none, or it has no value."""
        return next((value for each, value in reversed(self.headers) if each == name), None)


@dataclass(frozen=True, slots=True)
class Record(ReceivedRecord):
    """A record of a subscription of millrace.Hub."""

    _commit: Callable[[], None] = field(repr=False, compare=False)

    def commit(self) -> None:
        """Says that this record, and those before it in its partition, are processed, and waits until the hub has
        stored it. MemberFenced: the partition went to another member meanwhile, which processes the record again."""
        self._commit()


@dataclass(frozen=True, slots=True)
class AsyncRecord(ReceivedRecord):
    """A record of a subscription of millrace.aio.Hub."""

    _commit: Callable[[], Awaitable[None]] = field(repr=False, compare=False)

    async def commit(self) -> None:
        """As Record.commit."""
        await self._commit()


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic and how long it keeps its records."""

    name: str
    partitions: int
    retention_age: timedelta | None  # None: no limit by age.
    retention_bytes: int | None  # Of one partition. None: no limit by size.
    created: datetime | None


@dataclass(frozen=True, slots=True)
class PartitionOffsets:
    """What a partition holds: the records from `earliest` on, before `latest`."""

    partition: int
    earliest: int
    latest: int
