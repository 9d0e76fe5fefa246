"""An event loop in a thread of its own, for programs that have none."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from millrace.errors import Closed

T = TypeVar("T")


class LoopThread:
    """Runs until `stop`. A daemon: a program that forgets to close ends all the same."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="millrace", daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Its result. An exception that a signal handler raises meanwhile (Ctrl-C) cancels it. Not from the callback of
        a future, which runs in this thread."""
        if threading.current_thread() is self._thread:
            coroutine.close()
            raise RuntimeError("a callback must not wait for the hub")
        if self._loop.is_closed():
            coroutine.close()
            raise Closed("the hub was closed by this program")
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        finally:
            future.cancel()

    def call_soon(self, function: Callable[..., object], *arguments: object) -> None:
        """In the loop, in the order of the calls; does not wait."""
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            raise Closed("the hub was closed by this program") from None

    @property
    def stopped(self) -> bool:
        return self._loop.is_closed()

    def stop(self) -> None:
        """Ends what still runs, then the thread."""
        self.run(self._cancel_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @staticmethod
    async def _cancel_all() -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
