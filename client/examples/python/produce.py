"""Sends lines "key:value" as records: python produce.py HOST:PORT TOPIC < LINES"""
import sys
import grpc
from millrace.v1 import event_hub_pb2 as pb, event_hub_pb2_grpc
from millrace.v1.record_pb2 import Record

target, topic = sys.argv[1:]
hub = event_hub_pb2_grpc.EventHubServiceStub(grpc.insecure_channel(target))
for line in sys.stdin.buffer:
    key, _, value = line.rstrip(b"\n").partition(b":")
    answer = hub.Produce(pb.ProduceRequest(topic=topic, records=[Record(key=key, value=value)]), timeout=30)
    for stored in answer.appended:
        print(f"partition {stored.partition}, offset {stored.base_offset}")
