"""What mypy --strict accepts, and, where it is told to ignore one, what it finds (an ignore without a mistake fails)."""

from collections.abc import Awaitable
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any, assert_type

import millrace
import millrace.aio


def with_threads() -> None:
    with millrace.connect("localhost:9640", durability="synced") as hub:
        assert_type(hub.produce("orders", {"item": "tea"}, key="42", headers={"a": b"b"}), millrace.Stored)
        with hub.producer() as producer:
            assert_type(producer.send("orders", None, key=b"42", event_time=datetime.now(UTC)), Future[millrace.Stored])
        for record in hub.subscribe("orders", group="billing"):
            assert_type(record, millrace.Record)
            assert_type(record.value, bytes | None)
            assert_type(record.json(), Any)
            record.commit()
        assert_type(hub.topics(), list[millrace.Topic])
        assert_type(hub.committed("billing"), dict[tuple[str, int], int])

        hub.produce("orders", b"", key=42)  # type: ignore[arg-type]
        hub.subscribe("orders", start="newest")  # type: ignore[arg-type]
        millrace.connect(durability="sync")  # type: ignore[arg-type]
        record.value = b""  # type: ignore[misc]


async def with_asyncio() -> None:
    async with millrace.aio.connect() as hub:
        assert_type(await hub.produce("orders", "tea"), millrace.Stored)
        async for record in hub.subscribe("orders"):
            assert_type(record, millrace.aio.Record)
            commit: Awaitable[None] = record.commit()
            await commit
        for wrong in hub.subscribe("orders"):  # type: ignore[attr-defined]
            print(wrong)
    try:
        pass
    except millrace.TopicNotFound as error:
        assert_type(error.metadata, dict[str, str])
        assert_type(error.retry_after, float | None)
