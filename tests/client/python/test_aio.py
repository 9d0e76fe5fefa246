"""What is different with asyncio; what both do is tested with the other."""

import asyncio
import contextlib

import millrace
import millrace.aio
import pytest


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 120))


def test_produce_and_subscribe(hub, topic):
    async def go():
        async with millrace.aio.connect(hub.target) as opened:
            stored = await opened.produce(topic, {"item": "tea"}, key="42", headers={"a": "b"})
            async with opened.subscribe(topic, group="aio") as records:
                record = await anext(records)
                await record.commit()
                assert (await opened.committed("aio"))[topic, stored.partition] == 1
            return stored, record

    stored, record = run(go())
    assert (record.partition, record.offset, record.key, record.json()) == (
        stored.partition, stored.offset, b"42", {"item": "tea"})


def test_many_records_and_the_error_of_one(hub, topic):
    async def go():
        async with millrace.aio.connect(hub.target) as opened:
            with pytest.raises(millrace.TopicNotFound):
                async with opened.producer() as producer:
                    sent = [await producer.send("nowhere" if n == 500 else topic, n, partition=0) for n in range(1000)]
            assert [n for n, each in enumerate(sent) if each.exception()] == [500]
            async with opened.subscribe(topic, start="earliest", end_at_current=True) as records:
                return [record.json() async for record in records]

    assert run(go()) == [n for n in range(1000) if n != 500]


def test_a_task_that_is_cancelled_while_it_waits_loses_no_record(hub, topic):
    async def go():
        async with millrace.aio.connect(hub.target) as opened, opened.subscribe(topic, start="earliest") as records:
            found = []
            for n in range(30):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(anext(records), 0.001 * (n % 5))
                    found.append(None)
                await opened.produce(topic, n, partition=0)
                found.append((await anext(records)).offset)
            return [offset for offset in found if offset is not None]

    assert run(go()) == [*range(30)]


def test_topics(hub):
    async def go():
        async with millrace.aio.connect(hub.target) as opened:
            made = await opened.create_topic("aio", 2)
            assert made in await opened.topics() and made == await opened.topic("aio")
            assert (await opened.update_topic("aio", partitions=3)).partitions == 3
            assert [each.partition for each in await opened.offsets("aio")] == [0, 1, 2]
            await opened.delete_topic("aio")
            with pytest.raises(millrace.TopicNotFound):
                await opened.topic("aio")

    run(go())


def test_connect_needs_a_running_loop(hub):
    with pytest.raises(RuntimeError):
        millrace.aio.connect(hub.target)
