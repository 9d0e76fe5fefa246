"""A producer and a consumer for the Millrace event hub.

    with millrace.connect("localhost:9640") as hub:
        hub.produce("orders", {"item": "tea"}, key="42")
        for record in hub.subscribe("orders", group="billing"):
            print(record.key, record.json())

START HERE: `Hub` says what each call promises. millrace.aio has the same for asyncio, millrace.errors what is raised,
and millrace.v1 the contract's generated stubs, for what is not here."""

from millrace import errors as _errors
from millrace._hub import Hub, Producer, Subscription, connect
from millrace.errors import *  # noqa: F403
from millrace.records import PartitionOffsets, Record, Stored, Topic

__all__ = ["Hub", "PartitionOffsets", "Producer", "Record", "Stored", "Subscription", "Topic", "connect",
           *_errors.__all__]
