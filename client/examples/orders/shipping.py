"""Ships each order that is paid: python shipping.py HOST:PORT"""
import json, sys, zlib
from exactly_once import run
from millrace.v1.record_pb2 import Record

def ship(record):
    if json.loads(record.value)["outcome"] != "paid":
        return []
    parcel = f"P{zlib.crc32(record.key):010}"  # The same one, should this run twice for an order.
    return [Record(key=record.key, value=json.dumps({"parcel": parcel}).encode())]

run(sys.argv[1], "payments", "shipments", "shipping", transform=ship)
