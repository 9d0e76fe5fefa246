"""Group members for tests: each reads its stream in a thread and remembers what it was told."""

import collections
import threading
import time

import grpc

import tests.support.stubs  # noqa: F401  generates what follows
from millrace.v1 import event_hub_pb2 as events
from millrace.v1 import event_hub_pb2_grpc
from millrace.v1 import record_pb2 as records
from tests.support.waiting import wait_until

DEADLINE = 60  # Seconds a test waits for anything.


def pairs(partitions):
    return {(p.topic, p.partition) for p in partitions}


class Member:
    """An open Subscribe stream of a group. By default it commits every frame's records at once."""

    def __init__(self, target, group, topics, *, commits=True, channel=None, **fields):
        self.target, self.group, self.topics, self.commits, self.fields = target, group, topics, commits, fields
        self.told = threading.Condition()  # Guards what follows; notified with every frame.
        self.session = None
        self.frames = []
        self.owned = {}  # (topic, partition): the present Assignment or Repositioned.
        self.revoking = set()
        self.lost = []  # ((topic, partition), cause)
        self.delivered = {}  # (topic, partition): the offset after the last record.
        self.records = collections.defaultdict(list)  # (topic, partition): [offset]
        self.arrivals = []  # (time, (topic, partition)) of every batch.
        self.refused = []  # CommitResults with an error, of commits made by itself.
        self.ended = False
        self.error = None  # The RpcError that ended the stream.
        self.reading = threading.Event()
        self.reading.set()
        self.own_channel = channel is None
        self.channel = channel or grpc.insecure_channel(target, [("grpc.use_local_subchannel_pool", 1)])
        self.stub = event_hub_pb2_grpc.EventHubServiceStub(self.channel)
        self.stream = self.stub.Subscribe(
            events.SubscribeRequest(group=group, topics=topics, **fields), wait_for_ready=True)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        try:
            for frame in self.stream:
                self.reading.wait()
                with self.told:
                    self._take(frame)
                    self.told.notify_all()
                if self.commits and frame.HasField("batches"):
                    self._commit_frame(frame.batches.batches)
        except (grpc.RpcError, AssertionError) as error:
            self.error = error
        with self.told:
            self.ended = True
            self.told.notify_all()

    def _take(self, frame):
        self.frames.append(frame)
        kind = frame.WhichOneof("frame")
        if kind == "session_started":
            self.session = frame.session_started
        elif kind == "assigned":
            for assignment in frame.assigned.assignments:
                place = (assignment.topic, assignment.partition)
                self.owned[place] = assignment
                self.delivered[place] = assignment.start_offset
        elif kind == "repositioned":
            moved = frame.repositioned
            self.owned[moved.topic, moved.partition] = moved
            self.delivered[moved.topic, moved.partition] = moved.to_offset
        elif kind == "revoking":
            self.revoking |= pairs(frame.revoking.partitions)
        elif kind == "lost":
            for place in pairs(frame.lost.partitions):
                self.lost.append((place, frame.lost.cause))
                self.owned.pop(place, None)
                self.revoking.discard(place)
        elif kind == "batches":
            for batch in frame.batches.batches:
                self._take_batch(batch)

    def _take_batch(self, batch):
        place = (batch.topic, batch.partition)
        assert place in self.owned and place not in self.revoking, f"a batch of {place}, which is not ours"
        if batch.position_epoch < self.owned[place].position_epoch:
            return
        self.arrivals.append((time.monotonic(), place))
        self.records[place] += range(batch.base_offset, batch.base_offset + len(batch.records))
        self.delivered[place] = batch.base_offset + len(batch.records)

    def _commit_frame(self, batches):
        try:
            answer = self.commit({(b.topic, b.partition): b.base_offset + len(b.records) for b in batches},
                                 epochs={(b.topic, b.partition): b.position_epoch for b in batches})
        except grpc.RpcError:
            return  # The stream ends, too, and says more.
        self.refused += [result for result in answer.results if result.HasField("error")]

    def wait(self, condition, what):
        """Until condition(self); it is looked at with every frame."""
        with self.told:
            self.told.wait_for(lambda: condition(self) or self.ended, DEADLINE)
            assert condition(self), f"waited in vain until {what}; last frames: {self.frames[-5:]}, error: {self.error}"
        return self

    def wait_started(self):
        return self.wait(lambda m: m.session, "the session started")

    def wait_owned(self, count):
        return self.wait(lambda m: m.session and len(m.owned) == count, f"{count} partitions are assigned")

    def wait_record(self, topic, partition, offset):
        return self.wait(lambda m: m.delivered.get((topic, partition), -1) > offset,
                         f"record {offset} of {topic}/{partition} arrived")

    def wait_heartbeats(self, count):
        """The hub's own clock, for what it does a little later."""
        seen = len(self.frames)
        return self.wait(lambda m: sum(f.HasField("heartbeat") for f in m.frames[seen:]) >= count, "heartbeats come")

    def wait_ended(self):
        return self.wait(lambda m: m.ended, "the stream ended")

    @property
    def ending(self):
        return self.frames[-1].ending if self.frames and self.frames[-1].HasField("ending") else None

    def commit(self, offsets=None, *, epochs=None, released=(), leave=False, **fields):
        """Offsets are {(topic, partition): next_offset}; None: what was delivered."""
        if offsets is None:
            offsets = {place: self.delivered[place] for place in self.owned}
        entries = [events.OffsetCommit(topic=topic, partition=partition, next_offset=offset,
                                       position_epoch=(epochs or {}).get((topic, partition)))
                   for (topic, partition), offset in offsets.items()]
        request = dict(group=self.group, member_id=self.session.member_id, member_epoch=self.session.member_epoch,
                       offsets=entries, leave=leave,
                       released=[records.TopicPartition(topic=t, partition=p) for t, p in released])
        return self.stub.CommitOffset(events.CommitOffsetRequest(**{**request, **fields}), timeout=DEADLINE)

    def leave(self):
        """Commits what was delivered and leaves; the hub then ends the stream."""
        self.commit(leave=True)
        self.wait_ended()
        self.close()

    def close(self):
        """As a process that ends without a word."""
        self.reading.set()
        self.stream.cancel()
        self.thread.join(DEADLINE)
        assert not self.thread.is_alive()
        assert not isinstance(self.error, AssertionError), self.error
        if self.own_channel:
            self.channel.close()

    def again(self, **fields):
        """A new stream with the same settings, of another process as far as the hub can tell."""
        return Member(self.target, self.group, self.topics, **{"commits": self.commits, **self.fields, **fields})


class Members:
    """Opens members of one hub and closes them at the end of the test."""

    def __init__(self, target):
        self.target = target
        self.opened = []

    def join(self, group, topics, **fields):
        topics = [topics] if isinstance(topics, str) else topics
        self.opened.append(Member(self.target, group, topics, **fields))
        return self.opened[-1]

    def again(self, member, **fields):
        self.opened.append(member.again(**fields))
        return self.opened[-1]

    def close(self):
        for member in self.opened:
            member.close()


def shared_out(members, count):
    """Waits until the members have `count` partitions between them, none twice and evenly."""
    def settled():
        owned = [place for member in members for place in list(member.owned)]
        sizes = [len(member.owned) for member in members]
        return len(owned) == count == len(set(owned)) and max(sizes) - min(sizes) <= 1
    wait_until(settled, f"{len(members)} members share {count} partitions")
    return [set(member.owned) for member in members]


def read_by(*members):
    """{(topic, partition): {offset}} of what they got between them."""
    found = {}
    for member in members:
        for place, offsets in list(member.records.items()):
            found.setdefault(place, set()).update(offsets)
    return found


def read_once_by(*members):
    """The same as sorted lists, in which a record that came twice is there twice."""
    found = {}
    for member in members:
        for place, offsets in list(member.records.items()):
            found[place] = sorted(found.get(place, []) + offsets)
    return found
