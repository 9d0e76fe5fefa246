"""A record's way in: one stream after another, read ahead into a bounded buffer; and the commits of a group's member.

Everything runs in one event loop. `give`, `done` and Given.is_void are for the program's thread, whichever it is: they
read and write single attributes only."""

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import grpc.aio

from millrace._connection import Backoff, Connection, lost
from millrace._reading import Reading, ReadingTable
from millrace._values import header_pairs, time_of
from millrace.errors import (
    ConnectionLost,
    InstanceReplaced,
    MemberFenced,
    MillraceError,
    Superseded,
    TimedOut,
    from_request_error,
)
from millrace.v1 import event_hub_pb2, record_pb2

LOG = logging.getLogger("millrace")
READ_AHEAD = 2_000  # Records; a frame may go beyond it.
MAX_FRAME_BYTES = 256 << 10
HEARTBEAT_SECONDS = 5
SILENCE_SECONDS = 3 * HEARTBEAT_SECONDS  # Then the connection counts as broken.


@dataclass(slots=True)
class Given:
    """A record that was received, and what it belongs to."""

    reading: Reading
    generation: int
    batch: record_pb2.RecordBatch
    index: int

    @property
    def next_offset(self) -> int:
        return self.batch.base_offset + self.index + 1

    def fields(self) -> tuple[str, int, int, bytes | None, bytes | None, tuple[tuple[str, bytes | None], ...],
                              datetime | None, datetime | None]:
        """Those of records.ReceivedRecord."""
        record = self.batch.records[self.index]
        return (self.batch.topic, self.batch.partition, self.next_offset - 1,
                record.key if record.HasField("key") else None, record.value if record.HasField("value") else None,
                header_pairs(record), time_of(record, "event_time"), time_of(self.batch, "append_time"))

    def is_void(self) -> bool:
        """The program must not see it any more: it comes again, here or at another member."""
        return self.generation != self.reading.generation or self.reading.revoking


class _Over(Exception):
    """The subscription is at its end."""


class Subscriber:
    """One subscription. It begins with the first `take`."""

    def __init__(self, connection: Connection, request: event_hub_pb2.SubscribeRequest, *, auto_commit: bool,
                 commit_interval: float) -> None:
        request.max_batch_bytes = MAX_FRAME_BYTES
        request.heartbeat_interval.seconds = HEARTBEAT_SECONDS
        self._connection = connection
        self._request = request
        self._positions = list(request.positions)  # As the program gave them.
        self.auto_commit = auto_commit and bool(request.group)
        self._commit_interval = commit_interval
        self._readings = ReadingTable(in_group=bool(request.group))
        self._buffer: deque[Given] = deque()
        self._session: event_hub_pb2.SessionStarted | None = None  # The present one.
        self._over: BaseException | None = None  # Why no more records come.
        self._changed = asyncio.Condition()
        self._commit_now = asyncio.Event()
        self._committing = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []

    # ---- For the program

    async def take(self, limit: int) -> list[Given]:
        """The next records, `limit` at most; none at the end. Raises what has ended the subscription."""
        if not self._tasks and self._over is None:
            self._tasks = [asyncio.create_task(self._run())]
            if self._request.group:
                self._tasks.append(asyncio.create_task(self._commit_by_itself()))
        if any(reading.revoking for reading in self._readings):
            self._commit_now.set()  # The program is done with what it was given.
        async with self._changed:
            await self._changed.wait_for(lambda: self._buffer or self._over is not None)
            taken = [self._buffer.popleft() for _ in range(min(limit, len(self._buffer)))]
            self._changed.notify_all()  # There is room.
        if not taken and self._over is not None and not isinstance(self._over, _Over):
            raise self._over
        for given in taken:
            if not given.is_void():
                given.reading.given = given.next_offset
        return taken

    @staticmethod
    def give_back(given: Given) -> None:
        """The program does not want it, nor what follows in its partition."""
        if given.generation == given.reading.generation:
            given.reading.given = min(given.reading.given, given.next_offset - 1)

    @staticmethod
    def done(given: Given) -> None:
        """The program is done with it, and with what was before it in its partition."""
        if given.generation == given.reading.generation:
            given.reading.to_commit = max(given.reading.to_commit, given.next_offset)

    async def commit(self, given: Given) -> None:
        """As done; waits until the hub has stored it."""
        if not self._request.group:
            raise ValueError("only a subscription with a group can commit")
        self.done(given)
        reading, backoff = given.reading, Backoff()
        deadline = asyncio.get_running_loop().time() + self._connection.timeout
        while True:
            try:
                await self._commit()
            except MillraceError as error:
                if not error.retryable and not isinstance(error, TimedOut):
                    raise
            if given.generation != reading.generation:
                raise (Superseded("the group was set to another place since this record was read") if reading.assigned
                       else MemberFenced("the partition is another member's since this record was read"))
            if reading.committed >= given.next_offset:
                return
            if reading.refused is not None and reading.answered >= given.next_offset:
                raise reading.refused
            if self._over is not None or asyncio.get_running_loop().time() > deadline:
                raise self._over if isinstance(self._over, MillraceError) else TimedOut("nothing was committed in time")
            await backoff.wait()  # Until there is a session again.

    async def close(self) -> None:
        """Commits what the program is done with, leaves the group, and ends the subscription."""
        running, self._tasks = self._tasks, []
        self._over = _Over()
        if self._session is not None and self._request.group:
            try:
                # An instance comes back to its partitions.
                await self._commit(leave=not self._request.instance_id)
            except MillraceError as error:
                LOG.warning("leaving the group %s: %s", self._request.group, error)
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)
        self._buffer.clear()
        await self._tell()

    # ---- Reading

    async def _run(self) -> None:
        backoff = Backoff()
        while self._over is None:
            pause = 0.0
            try:
                pause = await self._read_stream(backoff)
            except _Over as over:  # What was received is still given, and may be committed.
                self._over = self._over or over
                break
            except (grpc.aio.AioRpcError, MillraceError, TimeoutError) as broken:
                error = lost(broken)
                if not error.retryable:
                    self._over = self._over or error
                LOG.info("reading was interrupted: %s", error)
            self._session = None
            if self._request.group:
                self._buffer.clear()  # Where the next stream begins, the group decides.
            await self._tell()
            if self._over is None:
                await backoff.wait(pause)
        await self._tell()

    async def _read_stream(self, backoff: Backoff) -> float:
        """Until it ends; how long to wait before the next."""
        if not self._request.group:
            known = self._readings.positions()
            names = {(position.topic, position.partition) for position in known}
            known += [each for each in self._positions if (each.topic, each.partition) not in names]
            del self._request.positions[:]
            self._request.positions.extend(known)
        call = self._connection.events.Subscribe(self._request, wait_for_ready=True,
                                                  metadata=self._connection.metadata())
        try:
            while True:
                async with self._changed:
                    await self._changed.wait_for(lambda: len(self._buffer) < READ_AHEAD)
                async with asyncio.timeout(SILENCE_SECONDS if self._session is not None else None):
                    frame = await call.read()
                if not isinstance(frame, event_hub_pb2.SubscribeResponse):
                    raise ConnectionLost("the hub ended the stream", retry_after=0.0)
                backoff.reset()
                if frame.HasField("ending"):
                    return self._take_ending(frame.ending)
                self._take_frame(frame)
                await self._tell()
        finally:
            call.cancel()

    def _take_frame(self, frame: event_hub_pb2.SubscribeResponse) -> None:
        match frame.WhichOneof("frame"):
            case "batches":
                for batch in frame.batches.batches:
                    self._buffer.extend(self._records_of(batch))
            case "session_started":
                self._session = frame.session_started
                self._request.resume_member_id = frame.session_started.member_id
                self._readings.on_session_started(frame.session_started)
            case "assigned":
                self._readings.on_assigned(frame.assigned)
            case "revoking":
                self._readings.on_revoking(frame.revoking)
                self._drop_void_records()
                self._commit_now.set()
            case "lost":
                self._readings.on_lost(frame.lost)
                self._drop_void_records()
            case "repositioned":
                self._readings.on_repositioned(frame.repositioned)
                self._drop_void_records()
            case "partition_error":
                raise from_request_error(frame.partition_error.error)

    def _records_of(self, batch: record_pb2.RecordBatch) -> Iterator[Given]:
        kept = self._readings.on_batch(batch)
        if kept is None:
            return
        reading, skip = kept
        for index in range(skip, len(batch.records)):
            yield Given(reading, reading.generation, batch, index)

    def _drop_void_records(self) -> None:
        self._buffer = deque(given for given in self._buffer if not given.is_void())

    def _take_ending(self, ending: event_hub_pb2.Ending) -> float:
        if ending.retry:
            return ending.retry_after.ToTimedelta().total_seconds()
        if ending.reason == event_hub_pb2.ENDING_REASON_INSTANCE_REPLACED:
            raise InstanceReplaced(ending.message)
        if ending.reason in (event_hub_pb2.ENDING_REASON_END_REACHED, event_hub_pb2.ENDING_REASON_LEFT):
            raise _Over
        raise MillraceError(ending.message)

    # ---- Committing

    async def _commit_by_itself(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._commit_interval):
                    await self._commit_now.wait()
            except TimeoutError:
                pass
            self._commit_now.clear()
            try:
                await self._commit()
            except MillraceError as error:
                LOG.info("a commit of %s will be tried again: %s", self._request.group, error)

    async def _commit(self, *, leave: bool = False) -> None:
        """Everything that the program is done with and the hub does not know of, and gives up what is to go."""
        async with self._committing:
            session = self._session
            if session is None:
                return
            due = [reading for reading in self._readings
                   if reading.assigned and reading.to_commit > max(reading.committed, reading.answered)]
            freed = [reading for reading in self._readings
                     if reading.revoking and not reading.released and reading.given <= reading.to_commit]
            if not due and not freed and not leave:
                return
            for reading in due:
                reading.asked = max(reading.asked, reading.to_commit)
            request = event_hub_pb2.CommitOffsetRequest(
                group=self._request.group, member_id=session.member_id, member_epoch=session.member_epoch, leave=leave,
                offsets=[event_hub_pb2.OffsetCommit(
                    topic=reading.topic, partition=reading.partition, next_offset=reading.to_commit,
                    position_epoch=reading.position_epoch) for reading in due],
                released=[record_pb2.TopicPartition(topic=reading.topic, partition=reading.partition)
                          for reading in freed])
            offsets = [(reading, reading.generation, reading.to_commit) for reading in due]
            answer = await self._connection.call(
                self._connection.events.CommitOffset, request, event_hub_pb2.CommitOffsetResponse, repeat=False,
                timeout=10)
            if session is not self._session:
                return  # What it did, the next session begins with.
            for reading in freed:
                reading.released = True
            for (reading, generation, offset), result in zip(offsets, answer.results, strict=True):
                if generation != reading.generation:
                    continue
                reading.answered, reading.refused = offset, None
                if result.HasField("error"):
                    reading.refused = from_request_error(result.error)
                    LOG.info("%s/%d is not committed: %s", reading.topic, reading.partition, reading.refused)
                else:
                    reading.committed = max(reading.committed, offset)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()
