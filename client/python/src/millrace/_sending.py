"""A record's way out: collected into batches, numbered, sent over one stream, sent again where it broke.

The hub stores a producer's requests in the order of their numbers and each number once. After anything but an answer
that says "stored", be it a broken stream or a refusal (which uses up no number, so that all behind it are refused as
well), the next epoch is opened: that fences what is still on its way, and tells the last number that was stored.
What is stored is asked for again under its number, for its answer; the rest is numbered anew from there on, in order.
So nothing is lost, stored twice, or stored in another order."""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

import grpc.aio

from millrace._connection import Backoff, Connection, lost
from millrace.errors import Closed, ConnectionLost, MillraceError, TimedOut, from_request_error
from millrace.records import Stored
from millrace.v1 import event_hub_pb2, record_pb2

LOG = logging.getLogger("millrace")
MAX_IN_FLIGHT = 16  # Requests; the hub remembers the answers of more.
MAX_BATCH_BYTES = 256 << 10
MAX_BATCH_RECORDS = 10_000
MAX_BUFFERED_BYTES = 32 << 20


class Outcome(Protocol):
    """What is told where a record was stored: a future of asyncio or of concurrent.futures."""

    def done(self) -> bool: ...
    def set_result(self, result: Stored, /) -> None: ...
    def set_exception(self, exception: BaseException, /) -> None: ...


@dataclass(slots=True, eq=False)
class Batch:
    """Records of one request."""

    topic: str
    partition: int | None
    begun: float
    records: list[record_pb2.Record] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    bytes: int = 0
    sequence: int = 0

    def is_full(self) -> bool:
        return self.bytes >= MAX_BATCH_BYTES or len(self.records) >= MAX_BATCH_RECORDS

    def resolve(self, answer: event_hub_pb2.ProduceResponse) -> None:
        if answer.result_expired:
            for outcome in self.outcomes:
                if not outcome.done():
                    outcome.set_result(Stored(-1, -1))
        for appended in answer.appended:
            indexes = appended.record_indexes or range(len(self.outcomes))
            for at, index in enumerate(indexes):
                if not self.outcomes[index].done():
                    self.outcomes[index].set_result(Stored(appended.partition, appended.base_offset + at))

    def fail_one(self, index: int, error: MillraceError) -> int:
        """Takes one record out, as refused; its size."""
        outcome = self.outcomes.pop(index)
        if not outcome.done():
            outcome.set_exception(error)
        size = self.records.pop(index).ByteSize()
        self.bytes -= size
        return size

    def fail(self, error: MillraceError) -> None:
        for outcome in self.outcomes:
            if not outcome.done():
                outcome.set_exception(error)


class _NextEpoch(Exception):
    """A request was refused: what is behind it has to be numbered anew."""

    def __init__(self, pause: float) -> None:
        self.pause = pause


class Sender:
    """Sends for one producer. Belongs to one event loop; `add` is called in it, too."""

    def __init__(self, connection: Connection, durability: "record_pb2.Durability.ValueType",
                 delivery_timeout: float) -> None:
        self._connection = connection
        self._durability = durability
        self._delivery_timeout = delivery_timeout
        self._open: dict[tuple[str, int | None], Batch] = {}  # The last of `waiting` that may take more records.
        self._waiting: deque[Batch] = deque()
        self._sent: deque[Batch] = deque()  # Numbered and without an answer, in order.
        self._written = 0  # How many of them this stream was given.
        self._buffered = 0
        self._producer = event_hub_pb2.OpenProducerResponse()
        self._next_sequence = 1
        self._failed: MillraceError | None = None  # The first since the last flush.
        self._writable = asyncio.Event()
        self._changed = asyncio.Condition()
        self._closed = False
        self._task: asyncio.Task[None] | None = None

    def has_room(self) -> bool:
        return self._buffered < MAX_BUFFERED_BYTES

    async def wait_for_room(self) -> None:
        async with self._changed:
            await self._changed.wait_for(self.has_room)

    def add(self, topic: str, partition: int | None, record: record_pb2.Record, outcome: Outcome) -> None:
        """Takes a record in; its outcome is told once. Never waits."""
        if self._closed:
            outcome.set_exception(Closed("the producer is closed"))
            return
        size = record.ByteSize()
        batch = self._open.get((topic, partition))
        if batch is None or batch.bytes + size > MAX_BATCH_BYTES:
            batch = self._open[topic, partition] = Batch(topic, partition, asyncio.get_running_loop().time())
            self._waiting.append(batch)
        batch.records.append(record)
        batch.outcomes.append(outcome)
        batch.bytes += size
        self._buffered += size
        if batch.is_full():
            del self._open[topic, partition]
        self._writable.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def flush(self) -> None:
        """Until everything that was added before is answered. Raises the first error since the last flush."""
        before = {*self._sent, *self._waiting}
        async with self._changed:
            await self._changed.wait_for(
                lambda: before.isdisjoint(self._sent) and before.isdisjoint(self._waiting))
        error, self._failed = self._failed, None
        if error is not None:
            raise error

    async def close(self) -> None:
        """What is not answered by now fails."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._fail_all(Closed("the producer was closed before the hub answered"))
        await self._tell()

    # ---- The task

    async def _run(self) -> None:
        backoff = Backoff()
        while True:
            while not self._sent and not self._waiting:
                self._writable.clear()
                await self._writable.wait()
            pause = 0.0
            try:
                await self._open_epoch()
                await self._stream(backoff)
            except _NextEpoch as refused:
                pause = refused.pause
            except (grpc.aio.AioRpcError, MillraceError) as broken:
                error = lost(broken)
                if not error.retryable and not isinstance(error, TimedOut):
                    self._fail_all(error)
                LOG.info("producing was interrupted: %s", error)
            self._expire()
            await self._tell()
            await backoff.wait(pause)

    async def _open_epoch(self) -> None:
        request = event_hub_pb2.OpenProducerRequest(producer_id=self._producer.producer_id)
        self._producer = await self._connection.call(
            self._connection.events.OpenProducer, request, event_hub_pb2.OpenProducerResponse,
            repeat=False, timeout=min(self._connection.timeout, self._delivery_timeout))
        self._next_sequence = self._producer.last_sequence + 1
        for batch in self._sent:
            if batch.sequence > self._producer.last_sequence:
                batch.sequence = self._take_number()
        self._written = 0
        self._writable.set()

    def _take_number(self) -> int:
        self._next_sequence += 1
        return self._next_sequence - 1

    async def _stream(self, backoff: Backoff) -> None:
        call = self._connection.events.ProduceStream(metadata=self._connection.metadata())
        writer = asyncio.create_task(self._write(call))
        try:
            while True:
                answer = await call.read()
                if not isinstance(answer, event_hub_pb2.ProduceStreamResponse):
                    raise ConnectionLost("the hub ended the stream", retry_after=0.0)
                backoff.reset()
                self._take_answer(answer)
                await self._tell()
        finally:
            writer.cancel()
            call.cancel()
            await asyncio.wait([writer])

    async def _write(self, call: grpc.aio.StreamStreamCall[event_hub_pb2.ProduceStreamRequest,
                                                           event_hub_pb2.ProduceStreamResponse]) -> None:
        try:
            while True:
                batch = self._next_to_write()
                if batch is None:
                    self._writable.clear()
                    await self._writable.wait()
                    continue
                await call.write(event_hub_pb2.ProduceStreamRequest(request=event_hub_pb2.ProduceRequest(
                    topic=batch.topic, partition=batch.partition, records=batch.records, durability=self._durability,
                    sequence=record_pb2.ProducerSequence(producer_id=self._producer.producer_id,
                                                         epoch=self._producer.epoch, sequence=batch.sequence))))
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            pass  # The stream is over: reading says why.

    def _next_to_write(self) -> Batch | None:
        if self._written == len(self._sent):
            if not self._waiting or len(self._sent) >= MAX_IN_FLIGHT:
                return None
            batch = self._waiting.popleft()
            if self._open.get((batch.topic, batch.partition)) is batch:
                del self._open[batch.topic, batch.partition]
            batch.sequence = self._take_number()
            self._sent.append(batch)
        self._written += 1
        return self._sent[self._written - 1]

    # ---- Outcomes

    def _take_answer(self, answer: event_hub_pb2.ProduceStreamResponse) -> None:
        if not answer.HasField("error"):
            batch = self._drop_first()
            batch.resolve(answer.produced)
            self._writable.set()  # For what waited for its place.
            return
        error = from_request_error(answer.error)
        if error.retryable or error.reason in ("SEQUENCE_GAP", "PRODUCER_UNKNOWN"):
            raise _NextEpoch(error.retry_after or 0.0)
        index = int(error.metadata.get("record_index", -1))
        if 0 <= index < len(self._sent[0].records) > 1:
            self._failed = self._failed or error
            self._buffered -= self._sent[0].fail_one(index, error)  # The others are sent again.
        else:
            self._fail(self._drop_first(), error)
        raise _NextEpoch(0.0)

    def _drop_first(self) -> Batch:
        batch = self._sent.popleft()
        self._written -= 1
        self._buffered -= batch.bytes
        return batch

    def _fail(self, batch: Batch, error: MillraceError) -> None:
        self._failed = self._failed or error
        batch.fail(error)

    def _expire(self) -> None:
        """Gives up what has waited for too long. Only between two epochs, when no number is in use."""
        latest = asyncio.get_running_loop().time() - self._delivery_timeout
        for batches in self._sent, self._waiting:
            for batch in [batch for batch in batches if batch.begun < latest]:
                batches.remove(batch)
                self._forget(batch, TimedOut("the record was not delivered in time; it may be stored all the same"))

    def _fail_all(self, error: MillraceError) -> None:
        for batches in self._sent, self._waiting:
            while batches:
                self._forget(batches.popleft(), error)

    def _forget(self, batch: Batch, error: MillraceError) -> None:
        if self._open.get((batch.topic, batch.partition)) is batch:
            del self._open[batch.topic, batch.partition]
        self._buffered -= batch.bytes
        self._fail(batch, error)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()
