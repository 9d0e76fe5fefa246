"""The hub for programs without an event loop: what millrace.aio does, from a thread in the background."""

import threading
from collections import deque
from concurrent.futures import Future
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

import grpc

from millrace import aio
from millrace._connection import Token
from millrace._loop_thread import LoopThread
from millrace._requests import Durability, OnOutOfRange, Positions, Start
from millrace._sending import MAX_BUFFERED_BYTES, Sender
from millrace._subscribing import Given, Subscriber
from millrace._values import Headers, to_record
from millrace.records import PartitionOffsets, Record, Stored, Topic

RECORDS_AT_ONCE = 100  # Taken over from the background with one change of threads.


class Producer:
    """Sends many records: they collect into requests, and several requests are under way at a time. When the
    connection breaks, what has no answer is sent again, in order, and stored once.

        with hub.producer() as producer:
            for line in lines:
                producer.send("log", line)

    Leaving the `with` block waits until all is stored, and raises the first error. Threads: any."""

    def __init__(self, loop: LoopThread, sender: Sender) -> None:
        self._loop = loop
        self._sender = sender
        self._room = threading.Condition()
        self._buffered = 0  # Bytes.

    def send(self, topic: str, value: object, *, key: bytes | str | None = None, headers: Headers | None = None,
             partition: int | None = None, event_time: datetime | None = None) -> Future[Stored]:
        """Takes a record in, and waits only where 32 MiB are not answered yet. The future is done when the record is
        stored, or refused for good, or was not delivered within the hub's `delivery_timeout`. Arguments as for
        Hub.produce."""
        record = to_record(value, key, headers, event_time)
        size = record.ByteSize()
        with self._room:
            self._room.wait_for(lambda: self._buffered < MAX_BUFFERED_BYTES)
            self._buffered += size
        stored: Future[Stored] = Future()
        stored.set_running_or_notify_cancel()
        stored.add_done_callback(lambda _: self._make_room(size))
        self._loop.call_soon(self._sender.add, topic, partition, record, stored)
        return stored

    def flush(self) -> None:
        """Waits until everything that was sent before is answered. Raises the first error since the last flush."""
        self._loop.run(self._sender.flush())

    def close(self) -> None:
        """What is not answered by now fails with Closed. Use `flush` before, or `with`. Idempotent."""
        if not self._loop.stopped:
            self._loop.run(self._sender.close())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        try:
            if error is None:
                self.flush()
        finally:
            self.close()

    def _make_room(self, size: int) -> None:
        with self._room:
            self._buffered -= size
            self._room.notify_all()


class Subscription:
    """Records as they come, for a `for` loop: without an end, but with `end_at_current`. After a break of the
    connection it goes on behind the last record.

    With a group it is a member from the first record that is asked for until it is closed: by `close`, by leaving its
    own `with` block, or the hub's. Closing commits what the loop is done with and leaves the group, so that the others
    have its partitions at once. Threads: one at a time, but `close` from any: it ends the loop."""

    def __init__(self, loop: LoopThread, subscriber: Subscriber) -> None:
        self._loop = loop
        self._subscriber = subscriber
        self._ready: deque[Given] = deque()
        self._last: Given | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Record:
        if self._last is not None and self._subscriber.auto_commit:
            self._subscriber.done(self._last)
        self._last = None
        while True:
            while self._ready:
                given = self._ready.popleft()
                if not given.is_void():
                    self._last = given
                    return Record(*given.fields(), lambda: self._loop.run(self._subscriber.commit(given)))
                self._subscriber.give_back(given)
            self._ready.extend(self._loop.run(self._subscriber.take(RECORDS_AT_ONCE)))
            if not self._ready:
                raise StopIteration

    def close(self) -> None:
        """Idempotent."""
        if not self._loop.stopped:
            self._loop.run(self._subscriber.close())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Hub:
    """A hub, see `connect`. Threads: any."""

    def __init__(self, target: str, *, timeout: float, durability: Durability, delivery_timeout: float,
                 credentials: grpc.ChannelCredentials | None, token: Token | None, token_in_clear: bool) -> None:
        async def connect() -> aio.Hub:  # In the loop that it belongs to.
            return aio.connect(target, timeout=timeout, durability=durability, delivery_timeout=delivery_timeout,
                               credentials=credentials, token=token, token_in_clear=token_in_clear)

        self._loop = LoopThread()
        try:
            self._hub = self._loop.run(connect())
        except BaseException:
            self._loop.stop()
            raise

    # ---- Records

    def produce(self, topic: str, value: object, *, key: bytes | str | None = None, headers: Headers | None = None,
                partition: int | None = None, event_time: datetime | None = None) -> Stored:
        """Sends one record and waits until it is stored, once, whatever happens to the connection meanwhile.

        `value`: bytes as they are, text as UTF-8, a protobuf message encoded, None as a tombstone, anything else as
        JSON. Records of one `key` go to one partition and stay in order. `headers`: a mapping or pairs. `event_time`
        needs a time zone. To send many records, use `producer`, or many threads.

        Raises what the hub refuses (TopicNotFound, RecordTooLarge, ...), and TimedOut after `delivery_timeout`."""
        return self._loop.run(self._hub.produce(
            topic, value, key=key, headers=headers, partition=partition, event_time=event_time))

    def producer(self) -> Producer:
        """A producer of many records."""
        return Producer(self._loop, self._hub._make_sender())

    def subscribe(self, *topics: str, group: str = "", instance_id: str = "", start: Start | None = None,
                  positions: Positions | None = None, auto_commit: bool = True, commit_interval: float = 1.0,
                  on_out_of_range: OnOutOfRange = "fail", end_at_current: bool = False,
                  allow_missing_topics: bool = False) -> Subscription:
        """Reads topics, in all their partitions.

        `group`: shares them with the other members, from what the group has committed on. By default (`auto_commit`)
        a record counts as processed when the loop asks for the next one; what is processed is committed every
        `commit_interval` seconds, and when the subscription is closed. So an exception in the loop, a `break` or a
        crash repeats records, and loses none. With auto_commit=False, only `record.commit()` commits.
        `instance_id`: a stable name of this member, such as its pod's: it comes back to its partitions.

        `start`: where to begin without a position: "earliest", "latest" or a time. By default the latest, with a group
        the earliest. `positions`: {(topic, partition): offset} to begin at; not with a group.
        `on_out_of_range`: where to go on when the records at a position are no longer kept.
        `end_at_current`: ends the loop when everything that is there now has been given.

        The loop raises what the hub refuses: TopicNotFound, InstanceReplaced, OffsetOutOfRange, LogEpochChanged, ..."""
        return Subscription(self._loop, self._hub._make_subscriber(
            topics, group, instance_id, start, positions, auto_commit, commit_interval, on_out_of_range, end_at_current,
            allow_missing_topics))

    # ---- Topics

    def create_topic(self, name: str, partitions: int = 1, *, retention_age: timedelta | None = None,
                     retention_bytes: int | None = None, exist_ok: bool = False) -> Topic:
        """A new topic, or with `exist_ok` the one of that name, as it is. Raises TopicExists."""
        return self._loop.run(self._hub.create_topic(
            name, partitions, retention_age=retention_age, retention_bytes=retention_bytes, exist_ok=exist_ok))

    def topic(self, name: str) -> Topic:
        """Raises TopicNotFound."""
        return self._loop.run(self._hub.topic(name))

    def topics(self) -> list[Topic]:
        """All topics, by name."""
        return self._loop.run(self._hub.topics())

    def update_topic(self, name: str, *, partitions: int | None = None, retention_age: timedelta | None = None,
                     retention_bytes: int | None = None) -> Topic:
        """Changes what is given; a retention of 0 keeps records without that limit. More partitions may move keys."""
        return self._loop.run(self._hub.update_topic(
            name, partitions=partitions, retention_age=retention_age, retention_bytes=retention_bytes))

    def delete_topic(self, name: str, *, missing_ok: bool = False) -> None:
        """Deletes a topic and all its records."""
        self._loop.run(self._hub.delete_topic(name, missing_ok=missing_ok))

    def offsets(self, topic: str) -> list[PartitionOffsets]:
        """What each partition of a topic holds."""
        return self._loop.run(self._hub.offsets(topic))

    def committed(self, group: str) -> dict[tuple[str, int], int]:
        """{(topic, partition): the offset that the group reads next}"""
        return self._loop.run(self._hub.committed(group))

    # ---- The end

    def close(self) -> None:
        """Closes all subscriptions and producers, then the connection. Idempotent."""
        if self._loop.stopped:
            return
        try:
            self._loop.run(self._hub.close())
        finally:
            self._loop.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def connect(target: str = "localhost:9640", *, timeout: float = 30.0, durability: Durability = "default",
            delivery_timeout: float = 120.0, credentials: grpc.ChannelCredentials | None = None,
            token: Token | None = None, token_in_clear: bool = False) -> Hub:
    """A hub. Does not wait for it: the first call does, `timeout` seconds at most, as every call does for its answer.

    `durability` is what "stored" means: "synced" (survives a power cut), "buffered" (survives a kill of the hub), or
    what the hub does by default. `delivery_timeout`: how many seconds a record is tried to be delivered.
    `credentials`: for a hub that speaks TLS, grpc.ssl_channel_credentials(...). `token`: says who you are, where the
    hub asks; a function is asked for every call and stream, so that it can give a newer one. Without credentials a
    token goes to this machine only (localhost, 127.0.0.0/8, [::1], unix:PATH): elsewhere whoever is on the way can read
    it, and that is a ValueError unless `token_in_clear` allows it."""
    return Hub(target, timeout=timeout, durability=durability, delivery_timeout=delivery_timeout,
               credentials=credentials, token=token, token_in_clear=token_in_clear)
