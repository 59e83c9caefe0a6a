"""Iterators over what is awaited, and queues of items."""

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, AsyncIterator, Awaitable, Callable, Deque, Generic, Optional, Tuple, TypeVar

if TYPE_CHECKING:
    from .streams import StreamReader

Item = TypeVar("Item")


class EofStream(Exception):
    """A DataQueue is at its end."""


class AsyncStreamIterator(AsyncIterator[Item]):
    """Awaits the same function until it gives nothing any more."""

    __slots__ = ("read_func",)

    def __init__(self, read_func: Callable[[], Awaitable[Item]]) -> None:
        self.read_func = read_func

    def __aiter__(self) -> "AsyncStreamIterator[Item]":
        return self

    async def __anext__(self) -> Item:
        try:
            item = await self.read_func()
        except EofStream:
            raise StopAsyncIteration from None
        if item == b"":
            raise StopAsyncIteration
        return item


class ChunkTupleAsyncStreamIterator(AsyncIterator[Tuple[bytes, bool]]):
    """The same for readchunk(), whose end is another."""

    __slots__ = ("_stream",)

    def __init__(self, stream: "StreamReader") -> None:
        self._stream = stream

    def __aiter__(self) -> "ChunkTupleAsyncStreamIterator":
        return self

    async def __anext__(self) -> Tuple[bytes, bool]:
        item = await self._stream.readchunk()
        if item == (b"", False):
            raise StopAsyncIteration
        return item


class DataQueue(Generic[Item]):
    """Items in order, for one reader."""

    def __init__(self, loop: Optional[asyncio.AbstractEventLoop] = None) -> None:
        self._loop = loop
        self._eof = False
        self._waiter: "Optional[asyncio.Future[None]]" = None
        self._exception: Optional[BaseException] = None
        self._buffer: Deque[Tuple[Item, int]] = deque()

    def __len__(self) -> int:
        return len(self._buffer)

    def is_eof(self) -> bool:
        return self._eof

    def at_eof(self) -> bool:
        return self._eof and not self._buffer

    def exception(self) -> Optional[BaseException]:
        return self._exception

    def set_exception(self, exc: BaseException, exc_cause: Optional[BaseException] = None) -> None:
        if exc_cause is not None:
            exc.__cause__ = exc_cause
        self._eof, self._exception = True, exc
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_exception(exc)

    def feed_data(self, data: Item, size: int = 0) -> None:
        self._buffer.append((data, size))
        resolve(self._waiter)

    def feed_eof(self) -> None:
        self._eof = True
        resolve(self._waiter)

    async def read(self) -> Item:
        if not self._buffer and not self._eof:
            assert self._waiter is None
            self._waiter = (self._loop or asyncio.get_running_loop()).create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        if self._buffer:
            item, size = self._buffer.popleft()
            self._went(size)
            return item
        if self._exception is not None:
            raise self._exception
        raise EofStream

    def _went(self, size: int) -> None:
        """An item of that size was read."""

    def __aiter__(self) -> AsyncStreamIterator[Item]:
        return AsyncStreamIterator(self.read)


class FlowControlDataQueue(DataQueue[Item]):
    """The same, which holds a protocol back beyond twice the limit."""

    def __init__(self, protocol: Any, limit: int, *, loop: Optional[asyncio.AbstractEventLoop] = None) -> None:
        super().__init__(loop=loop)
        self._size = 0
        self._protocol = protocol
        self._limit = limit * 2

    def feed_data(self, data: Item, size: int = 0) -> None:
        super().feed_data(data, size)
        self._size += size
        if self._size > self._limit and not self._protocol._reading_paused:
            self._protocol.pause_reading()

    def _went(self, size: int) -> None:
        self._size -= size
        if self._size < self._limit and self._protocol._reading_paused:
            self._protocol.resume_reading()


def resolve(waiter: "Optional[asyncio.Future[None]]") -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)
