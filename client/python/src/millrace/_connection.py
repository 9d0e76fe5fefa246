"""The channel to a hub, and calls over it."""

import asyncio
import random
import re
from collections.abc import Callable
from typing import Any, TypeVar

import grpc
import grpc.aio

from millrace.errors import MillraceError, TimedOut, from_rpc_error
from millrace.v1 import event_hub_pb2_grpc, topic_pb2_grpc

A = TypeVar("A")
Token = str | Callable[[], str]

_OPTIONS = [
    ("grpc.keepalive_time_ms", 20_000),  # A connection that is silent is probed,
    ("grpc.keepalive_timeout_ms", 10_000),  # and given up.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.max_receive_message_length", -1),  # A hub may allow larger records than gRPC does by default.
]


# What is sent there stays on this machine. Names are not looked up.
_THIS_MACHINE = re.compile(r"unix:.+|(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d*)?", re.ASCII | re.IGNORECASE)


class Backoff:
    """How long to wait before the next attempt: a random time below a bound that doubles up to 5 s."""

    def __init__(self) -> None:
        self._bound = 0.1

    def reset(self) -> None:
        self._bound = 0.1

    async def wait(self, at_least: float = 0.0) -> None:
        await asyncio.sleep(max(at_least, random.uniform(0.02, self._bound)))
        self._bound = min(self._bound * 2, 5.0)


class Connection:
    """Belongs to the event loop that it was made in."""

    def __init__(self, target: str, timeout: float, credentials: grpc.ChannelCredentials | None,
                 token: Token | None, token_in_clear: bool) -> None:
        stays_here = _THIS_MACHINE.fullmatch(target) is not None
        if token and credentials is None and not token_in_clear and not stays_here:
            raise ValueError(f"Without TLS whoever is on the way to {target} can read the token: "
                             "give credentials, or ask for it with token_in_clear=True.")
        self.timeout = timeout
        self._token = token
        options = [*_OPTIONS, ("grpc.enable_http_proxy", 0)] if stays_here else _OPTIONS
        self._channel = (grpc.aio.insecure_channel(target, options) if credentials is None
                         else grpc.aio.secure_channel(target, credentials, options))
        self.events = event_hub_pb2_grpc.EventHubServiceStub(self._channel)
        self.topics = topic_pb2_grpc.TopicServiceStub(self._channel)

    def metadata(self) -> list[tuple[str, str]]:
        """What says who calls; asked for anew for every call."""
        token = self._token() if callable(self._token) else self._token
        return [("authorization", f"Bearer {token}")] if token else []

    async def call(self, method: Callable[..., Any], request: Any, answer: type[A], *, repeat: bool = True,
                   timeout: float | None = None) -> A:
        """One call. Waits for a hub that is away, `timeout` at most; `repeat`: also calls again where the connection
        broke or the hub says that a repetition helps. Raises a MillraceError."""
        deadline = asyncio.get_running_loop().time() + (self.timeout if timeout is None else timeout)
        backoff = Backoff()
        while True:
            left = deadline - asyncio.get_running_loop().time()
            try:
                response = await method(request, timeout=max(left, 0.001), wait_for_ready=True,
                                        metadata=self.metadata())
                assert isinstance(response, answer)
                return response
            except grpc.aio.AioRpcError as rpc_error:
                error = from_rpc_error(rpc_error)
            wait = error.retry_after
            if not repeat or wait is None or asyncio.get_running_loop().time() + wait >= deadline:
                raise error
            await backoff.wait(wait)

    async def close(self) -> None:
        await self._channel.close()


def lost(error: BaseException) -> MillraceError:
    """What a stream's end means."""
    if isinstance(error, grpc.aio.AioRpcError):
        return from_rpc_error(error)
    if isinstance(error, MillraceError):
        return error
    return TimedOut(str(error) or "the hub fell silent", retry_after=0.0)
