"""Takes the payment for each order, or declines it: python payment.py HOST:PORT"""
import json, sys, time
from exactly_once import run
from millrace.v1.record_pb2 import Record

CARD_LIMIT = 100  # Whoever orders for more is declined: there is no bank here.

def pay(record):  # To a real bank give the order's id: this may run twice for an order.
    try:
        outcome = "paid" if json.loads(record.value)["total"] <= CARD_LIMIT else "declined"
    except (ValueError, KeyError, TypeError):
        outcome = "declined"  # This is no order; those behind it shall not wait for it.
    time.sleep(0.02)  # As if a bank were asked.
    return [Record(key=record.key, value=json.dumps({"outcome": outcome}).encode())]

run(sys.argv[1], "orders", "payments", "payment", transform=pay)
