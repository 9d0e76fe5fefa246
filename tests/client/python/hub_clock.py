"""Waiting for what the hub does a little later."""

import grpc
from millrace.v1 import event_hub_pb2, event_hub_pb2_grpc


def wait_by_the_hubs_clock(hub, topic):
    """For a second: until so many heartbeats came."""
    with grpc.insecure_channel(hub.target) as channel:
        stream = event_hub_pb2_grpc.EventHubServiceStub(channel).Subscribe(event_hub_pb2.SubscribeRequest(
            topics=[topic], heartbeat_interval={"nanos": 500_000_000}), wait_for_ready=True)
        beats = (frame for frame in stream if frame.HasField("heartbeat"))
        for _ in range(2):
            next(beats)
        stream.cancel()
