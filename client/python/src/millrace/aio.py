"""The same for asyncio:

    async with millrace.aio.connect("localhost:9640") as hub:
        await hub.produce("orders", {"item": "tea"}, key="42")
        async for record in hub.subscribe("orders", group="billing"):
            ...

What each call promises is said at its namesake in millrace.Hub. Everything belongs to the event loop in which `connect`
was called."""

import asyncio
import weakref
from collections.abc import Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

import grpc

from millrace._connection import Connection, Token
from millrace._requests import (
    DURABILITIES,
    Durability,
    OnOutOfRange,
    Positions,
    Start,
    create_topic_request,
    subscribe_request,
    to_offsets,
    to_topic,
    update_topic_request,
)
from millrace._sending import Sender
from millrace._subscribing import Given, Subscriber
from millrace._values import Headers, to_record
from millrace.errors import TopicExists, TopicNotFound
from millrace.records import AsyncRecord, PartitionOffsets, Stored, Topic
from millrace.v1 import event_hub_pb2, topic_pb2

Record = AsyncRecord
__all__ = ["Hub", "Producer", "Record", "Subscription", "connect"]


class Producer:
    """See millrace.Producer."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def send(self, topic: str, value: object, *, key: bytes | str | None = None, headers: Headers | None = None,
                   partition: int | None = None, event_time: datetime | None = None) -> asyncio.Future[Stored]:
        """Returns when the record is taken in; the future is done when it is stored."""
        record = to_record(value, key, headers, event_time)
        if not self._sender.has_room():
            await self._sender.wait_for_room()
        stored: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
        stored.add_done_callback(lambda done: done.cancelled() or done.exception())  # `flush` tells it, too.
        self._sender.add(topic, partition, record, stored)
        return stored

    async def flush(self) -> None:
        await self._sender.flush()

    async def close(self) -> None:
        await self._sender.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        try:
            if error is None:
                await self.flush()
        finally:
            await self.close()


class Subscription:
    """See millrace.Subscription."""

    def __init__(self, subscriber: Subscriber) -> None:
        self._subscriber = subscriber
        self._last: Given | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Record:
        if self._last is not None and self._subscriber.auto_commit:
            self._subscriber.done(self._last)
        self._last = None
        while taken := await self._subscriber.take(1):
            given = taken[0]
            if given.is_void():
                continue
            self._last = given
            return Record(*given.fields(), lambda: self._subscriber.commit(given))
        raise StopAsyncIteration

    async def close(self) -> None:
        await self._subscriber.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class Hub:
    """See millrace.Hub."""

    def __init__(self, target: str, *, timeout: float, durability: Durability, delivery_timeout: float,
                 credentials: grpc.ChannelCredentials | None, token: Token | None, token_in_clear: bool) -> None:
        self._connection = Connection(target, timeout, credentials, token, token_in_clear)
        self._durability = DURABILITIES[durability]
        self._delivery_timeout = delivery_timeout
        self._own_producer: Producer | None = None
        # What is to be closed with the hub; what runs is kept alive by its tasks.
        self._opened: weakref.WeakSet[Sender | Subscriber] = weakref.WeakSet()

    # ---- Records

    async def produce(self, topic: str, value: object, *, key: bytes | str | None = None,
                      headers: Headers | None = None, partition: int | None = None,
                      event_time: datetime | None = None) -> Stored:
        if self._own_producer is None:
            self._own_producer = self.producer()
        return await (await self._own_producer.send(
            topic, value, key=key, headers=headers, partition=partition, event_time=event_time))

    def producer(self) -> Producer:
        return Producer(self._make_sender())

    def _make_sender(self) -> Sender:
        sender = Sender(self._connection, self._durability, self._delivery_timeout)
        self._opened.add(sender)
        return sender

    def subscribe(self, *topics: str, group: str = "", instance_id: str = "", start: Start | None = None,
                  positions: Positions | None = None, auto_commit: bool = True, commit_interval: float = 1.0,
                  on_out_of_range: OnOutOfRange = "fail", end_at_current: bool = False,
                  allow_missing_topics: bool = False) -> Subscription:
        return Subscription(self._make_subscriber(
            topics, group, instance_id, start, positions, auto_commit, commit_interval, on_out_of_range, end_at_current,
            allow_missing_topics))

    def _make_subscriber(self, topics: Sequence[str], group: str, instance_id: str, start: Start | None,
                         positions: Positions | None, auto_commit: bool, commit_interval: float,
                         on_out_of_range: OnOutOfRange, end_at_current: bool,
                         allow_missing_topics: bool) -> Subscriber:
        request = subscribe_request(topics, group, instance_id, start, positions or {}, on_out_of_range, end_at_current,
                                    allow_missing_topics)
        subscriber = Subscriber(self._connection, request, auto_commit=auto_commit, commit_interval=commit_interval)
        self._opened.add(subscriber)
        return subscriber

    # ---- Topics

    async def create_topic(self, name: str, partitions: int = 1, *, retention_age: timedelta | None = None,
                           retention_bytes: int | None = None, exist_ok: bool = False) -> Topic:
        try:
            answer = await self._connection.call(
                self._connection.topics.CreateTopic,
                create_topic_request(name, partitions, retention_age, retention_bytes), topic_pb2.CreateTopicResponse,
                repeat=exist_ok)
        except TopicExists:
            if not exist_ok:
                raise
            return await self.topic(name)
        return to_topic(answer.topic)

    async def topic(self, name: str) -> Topic:
        answer = await self._connection.call(
            self._connection.topics.GetTopic, topic_pb2.GetTopicRequest(topic=name), topic_pb2.GetTopicResponse)
        return to_topic(answer.topic)

    async def topics(self) -> list[Topic]:
        found: list[Topic] = []
        request = topic_pb2.ListTopicsRequest()
        while True:
            answer = await self._connection.call(
                self._connection.topics.ListTopics, request, topic_pb2.ListTopicsResponse)
            found += map(to_topic, answer.topics)
            request.page_token = answer.next_page_token
            if not request.page_token:
                return found

    async def update_topic(self, name: str, *, partitions: int | None = None, retention_age: timedelta | None = None,
                           retention_bytes: int | None = None) -> Topic:
        answer = await self._connection.call(
            self._connection.topics.UpdateTopic, update_topic_request(name, partitions, retention_age, retention_bytes),
            topic_pb2.UpdateTopicResponse)
        return to_topic(answer.topic)

    async def delete_topic(self, name: str, *, missing_ok: bool = False) -> None:
        try:
            await self._connection.call(
                self._connection.topics.DeleteTopic, topic_pb2.DeleteTopicRequest(topic=name),
                topic_pb2.DeleteTopicResponse, repeat=missing_ok)
        except TopicNotFound:
            if not missing_ok:
                raise

    async def offsets(self, topic: str) -> list[PartitionOffsets]:
        return to_offsets(await self._connection.call(
            self._connection.events.ListOffsets, event_hub_pb2.ListOffsetsRequest(topic=topic),
            event_hub_pb2.ListOffsetsResponse))

    async def committed(self, group: str) -> dict[tuple[str, int], int]:
        answer = await self._connection.call(
            self._connection.events.GetCommittedOffsets, event_hub_pb2.GetCommittedOffsetsRequest(group=group),
            event_hub_pb2.GetCommittedOffsetsResponse)
        return {(each.topic, each.partition): each.next_offset for each in answer.offsets
                if each.HasField("next_offset")}

    # ---- The end

    async def close(self) -> None:
        for each in list(self._opened):
            await each.close()
        await self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def connect(target: str = "localhost:9640", *, timeout: float = 30.0, durability: Durability = "default",
            delivery_timeout: float = 120.0, credentials: grpc.ChannelCredentials | None = None,
            token: Token | None = None, token_in_clear: bool = False) -> Hub:
    """See millrace.connect. To be called in a running event loop."""
    asyncio.get_running_loop()
    return Hub(target, timeout=timeout, durability=durability, delivery_timeout=delivery_timeout,
               credentials=credentials, token=token, token_in_clear=token_in_clear)
