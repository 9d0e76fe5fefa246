"""How far a subscription has come in each partition, and what of the hub's frames that changes. No I/O in here.

A partition's place outlives its stream. An independent reader asks the next stream to go on behind the last record
that it received. A member of a group is sent what follows the group's commit, and skips what it was given before."""

from collections.abc import Iterator
from dataclasses import dataclass

from millrace.errors import MillraceError
from millrace.v1 import event_hub_pb2, record_pb2


@dataclass(slots=True, eq=False)
class Reading:
    """One partition. Offsets are those to go on from."""

    topic: str
    partition: int
    received: int = 0  # Behind the last record that was received.
    log_epoch: int | None = None  # Vouches for `received`.
    given: int = 0  # Behind the last record that the program was given.
    to_commit: int = 0  # Behind the last one that it is done with.
    asked: int = 0  # The most that the hub was asked to commit, answered or not.
    committed: int = 0
    position_epoch: int = 0
    generation: int = 0  # Raised when the place is set anew: records of an older one are void.
    assigned: bool = False  # To the present stream.
    revoking: bool = False  # It is about to go to another member.
    released: bool = False  # And the hub was told to take it.
    answered: int = 0  # The most that this session was asked to commit and answered, with yes or no.
    refused: MillraceError | None = None  # Its last no.

    def move_to(self, offset: int, log_epoch: int | None) -> None:
        self.received = self.given = self.to_commit = self.asked = self.committed = offset
        self.log_epoch = log_epoch
        self.generation += 1


class ReadingTable:
    """All partitions of a subscription."""

    def __init__(self, *, in_group: bool) -> None:
        self._in_group = in_group
        self._readings: dict[tuple[str, int], Reading] = {}
        self._session_log_epoch: int | None = None

    def __iter__(self) -> Iterator[Reading]:
        return iter(self._readings.values())

    def positions(self) -> list[record_pb2.Position]:
        """Where an independent reader goes on."""
        return [record_pb2.Position(topic=each.topic, partition=each.partition, offset=each.received,
                                    log_epoch=each.log_epoch) for each in self]

    def on_session_started(self, frame: event_hub_pb2.SessionStarted) -> None:
        self._session_log_epoch = frame.log_epoch or None
        for each in self:
            each.assigned = each.revoking = each.released = False
            each.answered, each.refused = 0, None

    def on_assigned(self, frame: event_hub_pb2.Assigned) -> None:
        for assignment in frame.assignments:
            name = assignment.topic, assignment.partition
            reading = self._readings.get(name)
            if reading is None:
                reading = self._readings[name] = Reading(*name)
                reading.move_to(assignment.start_offset, self._session_log_epoch)
            elif self._in_group:
                self._go_on_in_group(reading, assignment.start_offset)
            reading.assigned, reading.revoking, reading.released = True, False, False
            reading.position_epoch = assignment.position_epoch

    def _go_on_in_group(self, reading: Reading, start: int) -> None:
        if not reading.committed <= start <= max(reading.asked, reading.committed):
            reading.move_to(start, self._session_log_epoch)  # Somebody else committed, or the group was reset.
            return
        reading.committed = start
        reading.received = max(start, reading.given)  # What was received and not given to the program comes again.

    def on_revoking(self, frame: event_hub_pb2.Revoking) -> None:
        for name in frame.partitions:
            if reading := self._readings.get((name.topic, name.partition)):
                reading.revoking = True

    def on_lost(self, frame: event_hub_pb2.Lost) -> None:
        for name in frame.partitions:
            if reading := self._readings.pop((name.topic, name.partition), None):
                reading.generation += 1
                reading.assigned = False

    def on_repositioned(self, frame: event_hub_pb2.Repositioned) -> None:
        if reading := self._readings.get((frame.topic, frame.partition)):
            reading.move_to(frame.to_offset, None)
            reading.position_epoch = frame.position_epoch

    def on_batch(self, batch: record_pb2.RecordBatch) -> tuple[Reading, int] | None:
        """Whose records these are, and how many of them were received before. None: they are void."""
        reading = self._readings.get((batch.topic, batch.partition))
        if reading is None or not reading.assigned or batch.position_epoch < reading.position_epoch:
            return None
        end = batch.base_offset + len(batch.records)
        if end <= reading.received:
            return None
        skip = max(0, reading.received - batch.base_offset)
        reading.received, reading.log_epoch = end, batch.log_epoch
        return reading, skip
