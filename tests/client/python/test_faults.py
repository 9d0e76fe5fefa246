"""The hub is killed in the midst: nothing is lost, nothing is stored or given twice."""

import asyncio
import contextlib
import threading

import millrace
import millrace.aio
import pytest
from tests.client.python.hub_clock import wait_by_the_hubs_clock
from tests.support.hub import Hub
from tests.support.waiting import wait_until

KILLS = 5
PARTITIONS = 3


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """A hub that waits for its members after a restart, however slow the machine is."""
    running = Hub(tmp_path_factory.mktemp("hub"), "--group-settle-time", "60s")
    yield running
    assert running.stop() == 0, running.log()


def kill_under(hub, progress, times=KILLS):
    """Kills the hub again and again, each time after some more progress."""
    for _ in range(times):
        before = progress()
        wait_until(lambda before=before: progress() > before, "it goes on")
        hub.kill()
        hub.start()


class Background:
    """A thread whose exception is the test's."""

    def __init__(self, work):
        self.error = None
        self.thread = threading.Thread(target=self._run, args=(work,))
        self.thread.start()

    def _run(self, work):
        try:
            work()
        except BaseException as error:
            self.error = error

    def join(self):
        self.thread.join(120)
        assert not self.thread.is_alive()
        if self.error is not None:
            raise self.error


def test_a_producer_stores_each_record_once_and_in_order(hub, opened, topic):
    stored = []

    def produce():
        with opened.producer() as producer:
            n = 0
            while len(stored) < 1_000 or not enough.is_set():
                # So many under way that each kill cuts requests off, with and without their answers.
                block = [producer.send(topic, n + i, key=str((n + i) % 20)) for i in range(200)]
                n += 200
                stored.extend(each.result(60) for each in block)

    enough = threading.Event()
    producing = Background(produce)
    kill_under(hub, lambda: len(stored))
    enough.set()
    producing.join()
    with opened.subscribe(topic, start="earliest", end_at_current=True) as records:
        found = list(records)
    assert sorted(record.json() for record in found) == [*range(len(stored))]
    assert {(r.partition, r.offset): r.json() for r in found} == {
        (place.partition, place.offset): n for n, place in enumerate(stored)}
    for partition in range(PARTITIONS):
        numbers = [record.json() for record in found if record.partition == partition]
        assert numbers == sorted(numbers)


def test_many_threads_produce_each_record_once(hub, opened, topic):
    done = []

    def produce(first):
        for n in range(first, first + 100):
            opened.produce(topic, n)
            done.append(n)

    threads = [Background(lambda first=first: produce(first)) for first in range(0, 800, 100)]
    kill_under(hub, lambda: len(done), 2)
    for thread in threads:
        thread.join()
    with opened.subscribe(topic, start="earliest", end_at_current=True) as records:
        assert sorted(record.json() for record in records) == [*range(800)]


def test_a_reader_goes_on_behind_the_last_record(hub, opened, topic):
    read, stop = [], threading.Event()
    records = opened.subscribe(topic, start="earliest")
    reading = Background(lambda: [read.append(record.json()) for record in records])

    def produce():
        n = 0
        while not stop.is_set():
            opened.produce(topic, n, partition=n % PARTITIONS)
            n += 1
        sent.append(n)

    sent = []
    producing = Background(produce)
    kill_under(hub, lambda: len(read))
    stop.set()
    producing.join()
    wait_until(lambda: len(read) >= sent[0], "all is read")
    records.close()
    reading.join()
    assert sorted(read) == [*range(sent[0])]
    for partition in range(PARTITIONS):
        numbers = [n for n in read if n % PARTITIONS == partition]
        assert numbers == sorted(numbers)


def test_two_members_process_each_record_once(hub, opened, topic):
    """Both outlive the kills and keep their partitions, so what they did and could not commit is not done again."""
    hubs = [millrace.connect(hub.target) for _ in range(2)]
    members = [each.subscribe(topic, group="billing", commit_interval=0.02) for each in hubs]
    processed = [[], []]
    reading = [Background(lambda mine=mine, member=member: [mine.append(r.json()) for r in member])
               for mine, member in zip(processed, members)]
    sent = 0

    def send():
        for n in range(sent, sent + 100):
            opened.produce(topic, n, partition=n % PARTITIONS)

    wait_until(lambda: b'"member_count":2' in hub.millrace("group", "list", "-o", "json"), "both have joined")
    for _ in range(KILLS):
        wait_by_the_hubs_clock(hub, topic)  # Who has what is kept a moment after it changed.
        sending = Background(send)
        wait_until(lambda: len(processed[0]) + len(processed[1]) > sent + 30, "they are at work")
        hub.kill()
        hub.start()
        sending.join()
        sent += 100
        wait_until(lambda: len({*processed[0], *processed[1]}) == sent, "all is processed")
    wait_until(lambda: sum(opened.committed("billing").values()) == sent, "all is committed")
    for member, thread in zip(members, reading):
        member.close()
        thread.join()
    for each in hubs:
        each.close()
    assert sorted(processed[0] + processed[1]) == [*range(sent)]


def test_a_member_that_has_read_ahead_gets_each_record_once(hub, opened, topic):
    with opened.producer() as producer:
        for n in range(1_500):
            producer.send(topic, n)
    with opened.subscribe(topic, group="ahead") as records:
        read = [next(records).json() for _ in range(10)]  # Many more wait in the library.
        hub.kill()
        hub.start()
        opened.produce(topic, 1_500)
        read += [next(records).json() for _ in range(1_491)]
    assert sorted(read) == [*range(1_501)]


def test_a_commit_by_hand_waits_for_the_hub(hub, opened, topic):
    opened.produce(topic, 1)
    with opened.subscribe(topic, group="hand", auto_commit=False) as records:
        record = next(records)
        hub.kill()
        committing = Background(record.commit)
        hub.start()
        committing.join()
        assert opened.committed("hand")[topic, record.partition] == 1
        opened.produce(topic, 2, partition=record.partition)
        assert next(records).json() == 2  # Not the first again.


def test_what_is_not_delivered_in_time_fails_and_later_records_do_not(hub, topic):
    with millrace.connect(hub.target, delivery_timeout=1.0) as hasty, hasty.producer() as producer:
        first = producer.send(topic, "first")
        assert first.result(60).offset == 0
        hub.kill()
        late = producer.send(topic, "late")
        with pytest.raises(millrace.TimedOut):
            late.result(60)
        with pytest.raises(millrace.TimedOut):
            producer.flush()
        hub.start()
        while producer.send(topic, "again").exception(60) is not None:
            pass  # The connection comes back within a few of these.
        with contextlib.suppress(millrace.TimedOut):
            producer.flush()
    with millrace.connect(hub.target) as opened, opened.subscribe(
            topic, start="earliest", end_at_current=True) as records:
        values = [record.text() for record in records]
    assert values[0] == "first" and values.count("late") <= 1 and values[-1] == "again"


def test_the_same_with_asyncio(hub, topic):
    async def go():
        async with millrace.aio.connect(hub.target) as opened:
            read = []

            async def consume():
                async for record in opened.subscribe(topic, group="aio"):
                    read.append(record.json())
                    await record.commit()

            consuming = asyncio.create_task(consume())
            async with opened.producer() as producer:
                for n in range(600):
                    await producer.send(topic, n)
                    if n % 200 == 100:
                        await producer.flush()
                        while len(read) < n:
                            await asyncio.sleep(0.01)
                        await asyncio.to_thread(hub.kill)
                        await producer.send(topic, -n)
                        await asyncio.to_thread(hub.start)
            while len(read) < 603:
                await asyncio.sleep(0.01)
            consuming.cancel()
            return read

    read = asyncio.run(asyncio.wait_for(go(), 120))
    assert sorted(read) == sorted([*range(600), -100, -300, -500])
