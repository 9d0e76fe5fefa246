"""Clients at work by every way that there is, while a test changes something under them."""

import functools
import threading

import grpc
import websocket

import tests.support.stubs  # noqa: F401  generates what follows
from millrace.v1 import event_hub_pb2 as events
from millrace.v1 import gateway_pb2 as gateway
from millrace.v1 import record_pb2 as records
from tests.support import outcomes
from tests.support.access import DEADLINE, channel_to
from tests.support.access_table import produce
from tests.support.calls import reason_of
from tests.support.waiting import wait_until

ENOUGH = 10  # Requests of each way that are made before and after each change.
TOPIC = "orders"


def everything(**more):
    """Asks for all records of the topic."""
    return events.SubscribeRequest(topics=[TOPIC], start=records.StartPosition(earliest=True), **more)


def on_a_socket(talk):
    """Hands a method of Entrance an open socket; where there is none, that is how the request ends."""
    @functools.wraps(talk)
    def told(self):
        try:
            socket = self.socket()
        except websocket.WebSocketBadStatusException as refused:
            return f"HTTP {refused.status_code}"
        except (OSError, websocket.WebSocketException):  # Of TLS, too.
            return "no connection"
        try:
            return talk(self, socket)
        finally:
            socket.close()
    return told


class Entrance:
    """How one client comes in: with a token, or with the certificate in a folder. Both are asked for at each of its
    connections, so that what was rotated is used from then on."""

    def __init__(self, hub, *, token=lambda: None, folder=lambda: None):
        self.hub, self.token, self.folder = hub, token, folder

    @property
    def ways(self):
        return [self.produce_over_grpc, self.read_over_grpc, self.produce_over_websocket, self.read_over_websocket]

    def channel(self):
        folder = self.folder()
        if folder is None:
            return channel_to(self.hub)
        credentials = grpc.ssl_channel_credentials(*((folder / file).read_bytes() for file in (
            "trusted.crt", "client.key", "client.crt")))
        return grpc.secure_channel(self.hub.target, credentials, [("grpc.use_local_subchannel_pool", 1)])

    def socket(self):
        return outcomes.connect(self.hub, self.token(), self.folder())

    def produce_over_grpc(self):
        with self.channel() as channel:
            return outcomes.of_rpc(channel, "EventHubService/Produce", produce(TOPIC), self.token())

    def read_over_grpc(self):
        with self.channel() as channel:
            try:
                for _ in self.frames(channel, everything(end_at_current=True)):
                    pass
            except grpc.RpcError as error:
                return reason_of(error)
            return "OK"

    def frames(self, channel, request):
        return outcomes.start(channel, "EventHubService/Subscribe", request, self.token())

    @on_a_socket
    def produce_over_websocket(self, socket):
        return outcomes.of_command(socket, 1, "produce", produce(TOPIC))

    @on_a_socket
    def read_over_websocket(self, socket):
        outcomes.send(socket, 1, subscribe=gateway.GatewaySubscribe(request=everything(end_at_current=True)))
        while True:
            answer = outcomes.receive(socket)
            if answer.HasField("error"):
                return answer.error.reason
            if answer.frame.HasField("ending"):
                return "OK" if answer.frame.ending.reason == events.ENDING_REASON_END_REACHED else "ended"


class Load:
    """Goes each of the ways again and again, each in a thread of its own, and keeps how each request ended."""

    def __init__(self, *ways):
        self.ends = {way.__name__: [] for way in ways}
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(way,)) for way in ways]

    def run(self, way):
        while not self.stopping.is_set():
            self.ends[way.__name__].append(way())

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def go_on(self):
        """Until each way has been gone as often as lies between two changes."""
        before = {name: len(ends) for name, ends in self.ends.items()}
        wait_until(lambda: all(len(ends) >= before[name] + ENOUGH for name, ends in self.ends.items()),
                   "requests go on")

    def assert_all_passed(self):
        failed = {name: [end for end in ends if end != "OK"] for name, ends in self.ends.items()}
        assert not any(failed.values()), failed

    @property
    def produced(self):
        """Records that were stored."""
        return sum(ends.count("OK") for name, ends in self.ends.items() if name.startswith("produce"))


class Followers:
    """Two subscriptions, over gRPC and over a WebSocket, that stay open over all changes."""

    def __init__(self, entrance):
        self.records = {"gRPC": 0, "WebSocket": 0}
        self.channel = entrance.channel()
        self.stream = entrance.frames(self.channel, everything())
        self.socket = entrance.socket()
        outcomes.send(self.socket, 1, subscribe=gateway.GatewaySubscribe(request=everything()))
        self.threads = [threading.Thread(target=self.follow, args=("gRPC", self.stream)),
                        threading.Thread(target=self.follow, args=("WebSocket", self.of_socket()))]

    def of_socket(self):
        while True:
            yield outcomes.receive(self.socket).frame

    def follow(self, name, frames):
        try:
            for frame in frames:
                self.records[name] += sum(len(batch.records) for batch in frame.batches.batches)
        except (grpc.RpcError, OSError, websocket.WebSocketException):
            pass  # It is over; what did not arrive is missed.

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stream.cancel()
        self.socket.shutdown()
        for thread in self.threads:
            thread.join(DEADLINE)
        self.channel.close()

    def wait_for(self, count):
        """Until both have had so many records, each once."""
        wait_until(lambda: min(self.records.values()) >= count, f"{count} records arrive: {self.records}")
        assert set(self.records.values()) == {count}
