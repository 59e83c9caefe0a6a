"""What the queue tells about a streamed request, and how its reader waits for that."""

import asyncio
from typing import Callable, Optional, Tuple

from ._library import lib


class News:
    """Refers to no response, so that one nobody holds any more can be collected, which gives its body back."""

    __slots__ = ("handle", "status", "failure", "is_done")

    def __init__(self) -> None:
        self.handle = 0  # of the response, until somebody takes it
        self.status = 0
        self.failure: Optional[BaseException] = None
        self.is_done = False

    def done(self) -> bool:
        """Whether the wait for the head is over."""
        return self.handle != 0 or self.failure is not None

    def set_exception(self, error: BaseException) -> None:
        """The request failed before its head."""
        self.failure, self.is_done = error, True
        self.on_body()

    def on_head(self, handle: int, status: int) -> None:
        self.handle, self.status = handle, status
        self.on_body()

    def on_body(self) -> None:
        """There is something to read."""
        raise NotImplementedError

    def on_done(self) -> None:
        self.is_done = True
        self.on_body()

    def taken(self) -> Tuple[int, int]:
        """Handle and status of a response that has come."""
        if self.failure is not None:
            raise self.failure
        handle, self.handle = self.handle, 0
        return handle, self.status

    def __del__(self) -> None:
        if self.handle != 0:  # its head came when nobody waited for it any more
            lib.hc_response_free(self.handle)


class LoopNews(News):
    __slots__ = ("_waiter", "_create_future")

    def __init__(self, create_future: Callable[[], "asyncio.Future[None]"]) -> None:
        super().__init__()
        self._create_future = create_future
        self._waiter: Optional["asyncio.Future[None]"] = None

    def on_body(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def wait(self) -> "asyncio.Future[None]":
        self._waiter = waiter = self._create_future()
        return waiter


class BlockingNews(News):
    __slots__ = ("_has_come", "_until")

    def __init__(self, until: Callable[[Callable[[], bool]], None]) -> None:
        super().__init__()
        self._has_come = False
        self._until = until  # drains the queue until the condition holds

    def on_body(self) -> None:
        self._has_come = True

    def wait(self) -> None:
        self._has_come = False
        self._until(lambda: self._has_come)
