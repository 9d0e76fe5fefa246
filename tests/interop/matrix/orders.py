"""The lines that the tests give to producers, and the records that must come of them."""

import tests.support.stubs  # noqa: F401  generates what follows
from millrace.v1 import event_hub_pb2 as events
from millrace.v1 import record_pb2
from tests.interop.matrix.order_stub import Order
from tests.support.murmur2 import partition_of

PARTITIONS = 6

# What is easily done wrong in one language or another, and then enough keys for every partition.
LINES = [
    "1001,tea,2,350",
    "1002,Grüner Tee 🍵,1,420",
    "1003,a price above 2^53,1,9007199254740993",
    "1004,the largest,2147483647,9223372036854775807",
    "1005,the smallest,-2147483648,-9223372036854775808",
    "1006,,0,0",  # An order of defaults only: its value is empty, and no tombstone.
    "1001",  # Cancelled: a tombstone.
    ",without a number,1,1",  # An empty key is a key.
    "Bestellung-ü-7,Löffel,7,1",
    "Bestellung-ü-7",
    "",  # The empty key's tombstone.
    *(f"{number},cups,{number % 10},{number * 100}" for number in range(2000, 2100)),
    *(f"{number}" for number in range(2000, 2100, 7)),
]


def parts(record):
    """(key, value, headers) with None for what is absent, to compare byte by byte."""
    def present(message, field):
        return getattr(message, field) if message.HasField(field) else None
    return (present(record, "key"), present(record, "value"),
            [(header.name, present(header, "value")) for header in record.headers])


def expected_parts(line, language):
    number, *fields = line.split(",")
    value = None
    if fields:
        value = Order(item=fields[0], quantity=int(fields[1]), price_cents=int(fields[2])).SerializeToString()
    return number.encode(), value, [("source", language.encode()), ("schema", b"\x00\x01\xfe\xff"), ("note", b""),
                                    ("gift", None)]


def expected_text(line):
    number, *fields = line.split(",")
    return f"{fields[1]} x {fields[0]} for {fields[2]} cents" if fields else "cancelled"


def placed(lines, partitions=PARTITIONS):
    """{partition: [line]}, as Kafka's partitioner places them."""
    found = {}
    for line in lines:
        found.setdefault(partition_of(line.split(",")[0].encode(), partitions), []).append(line)
    return found


def stored(stub, topic):
    """{partition: [Record]} of everything that a topic holds; offsets run from 0."""
    found = {}
    for frame in stub.Subscribe(events.SubscribeRequest(
            topics=[topic], start=record_pb2.StartPosition(earliest=True), end_at_current=True), timeout=60,
            wait_for_ready=True):
        for batch in frame.batches.batches:
            records = found.setdefault(batch.partition, [])
            assert batch.base_offset == len(records)
            records.extend(batch.records)
    return found
