"""Bodies that are read piece by piece: what `response.content` is."""

import asyncio
import logging
import warnings
from collections import deque
from typing import Any, Callable, Deque, List, Optional, Tuple

from ._queues import (
    AsyncStreamIterator as AsyncStreamIterator,
    ChunkTupleAsyncStreamIterator as ChunkTupleAsyncStreamIterator,
    DataQueue,
    EofStream,
    FlowControlDataQueue,
    resolve,
)

__all__ = ("DataQueue", "EMPTY_PAYLOAD", "EofStream", "FlowControlDataQueue", "StreamReader")

_log = logging.getLogger("hc.aiohttp.internal")
_DEFAULT_LIMIT = 2**18


class StreamReader:
    """Bytes in the order in which feed_data() gets them; one coroutine at a time reads.

    async for line in reader: ...
    async for piece in reader.iter_chunked(1024): ...    # no more than that
    async for piece in reader.iter_any(): ...            # as it comes

    `protocol` is held back (pause_reading) beyond twice the limit, and let go (resume_reading) below it.
    """

    def __init__(self, protocol: Any, limit: int, *, timer: Any = None, loop: Any = None) -> None:
        self._protocol = protocol
        self._low_water = limit
        self._high_water = limit * 2
        self._loop = loop
        self._timer = timer
        self._buffer: Deque[bytes] = deque()
        self._offset = 0  # of the first piece: so much of it was read
        self._size = 0
        self._cursor = 0  # bytes read in all
        self._splits: Optional[Deque[int]] = None  # where HTTP chunks end
        self._eof = False
        self._waiter: "Optional[asyncio.Future[None]]" = None
        self._eof_waiter: "Optional[asyncio.Future[None]]" = None
        self._exception: Optional[BaseException] = None
        self._eof_callbacks: List[Callable[[], None]] = []
        self.total_bytes = 0
        self.total_compressed_bytes: Optional[int] = None

    def __repr__(self) -> str:
        parts = [type(self).__name__]
        if self._size:
            parts.append(f"{self._size} bytes")
        if self._eof:
            parts.append("eof")
        if self._low_water != _DEFAULT_LIMIT:
            parts.append(f"low={self._low_water} high={self._high_water}")
        if self._waiter:
            parts.append(f"w={self._waiter!r}")
        if self._exception:
            parts.append(f"e={self._exception!r}")
        return f"<{' '.join(parts)}>"

    # ------------------------------------------------------------------------------------------------- the writer

    def feed_data(self, data: bytes, size: int = 0) -> bool:
        assert not self._eof, "feed_data after feed_eof"
        if data:
            self._append(data)
            self._wake()
            if self._size > self._high_water:
                self._hold_back()
        return False

    def _append(self, data: bytes) -> None:
        self._buffer.append(data)
        self._size += len(data)
        self.total_bytes += len(data)

    def _hold_back(self) -> None:
        if self._protocol is not None and not getattr(self._protocol, "_reading_paused", False):
            self._protocol.pause_reading()

    def _let_go(self) -> None:
        if self._protocol is not None and getattr(self._protocol, "_reading_paused", False):
            self._protocol.resume_reading()

    def feed_eof(self) -> None:
        self._eof = True
        self._wake()
        resolve(self._eof_waiter)
        self._let_go()
        callbacks, self._eof_callbacks = self._eof_callbacks, []
        for callback in callbacks:
            call(callback)

    def set_exception(self, exc: BaseException, exc_cause: Optional[BaseException] = None) -> None:
        if exc_cause is not None:
            exc.__cause__ = exc_cause
        self._exception = exc
        self._eof_callbacks.clear()
        for waiter in (self._waiter, self._eof_waiter):
            if waiter is not None and not waiter.done():
                waiter.set_exception(exc)

    def begin_http_chunk_receiving(self) -> None:
        if self._splits is None:
            if self.total_bytes:
                raise RuntimeError("Called begin_http_chunk_receiving when some data was already fed")
            self._splits = deque()

    def end_http_chunk_receiving(self) -> None:
        if self._splits is None:
            raise RuntimeError("Called end_chunk_receiving without calling begin_chunk_receiving first")
        last = self._splits[-1] if self._splits else 0
        if self.total_bytes != last:
            self._splits.append(self.total_bytes)
            self._wake()

    def _wake(self) -> None:
        resolve(self._waiter)

    # ------------------------------------------------------------------------------------------------- what it is

    def get_read_buffer_limits(self) -> Tuple[int, int]:
        return self._low_water, self._high_water

    def set_read_chunk_size(self, n: int) -> None:
        """Lets so much be buffered, for readers of large pieces."""
        if n > self._low_water:
            self._low_water, self._high_water = n, n * 2

    def exception(self) -> Optional[BaseException]:
        return self._exception

    def is_eof(self) -> bool:
        """Nothing more will come."""
        return self._eof

    def at_eof(self) -> bool:
        """The same, and everything was read."""
        return self._eof and not self._buffer

    @property
    def total_raw_bytes(self) -> int:
        return self.total_bytes if self.total_compressed_bytes is None else self.total_compressed_bytes

    def on_eof(self, callback: Callable[[], None]) -> None:
        if self._eof:
            call(callback)
        else:
            self._eof_callbacks.append(callback)

    async def wait_eof(self) -> None:
        if self._eof:
            return
        assert self._eof_waiter is None
        self._eof_waiter = self._new_future()
        try:
            await self._eof_waiter
        finally:
            self._eof_waiter = None

    def unread_data(self, data: bytes) -> None:
        """Puts bytes back in front."""
        message = "unread_data() is deprecated and will be removed in future releases (#3260)"
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        if not data:
            return
        if self._offset:
            self._buffer[0], self._offset = self._buffer[0][self._offset :], 0
        self._buffer.appendleft(data)
        self._size += len(data)
        self._cursor -= len(data)

    # ------------------------------------------------------------------------------------------------- the reader

    def _new_future(self) -> "asyncio.Future[None]":
        return (self._loop or asyncio.get_running_loop()).create_future()

    async def _wait(self, name: str) -> None:
        """Until something has come."""
        if not getattr(self._protocol, "connected", True):
            raise RuntimeError("Connection closed.")
        self._check_alone(name)
        self._waiter = self._new_future()
        try:
            if self._timer is None:
                await self._waiter
            else:
                with self._timer:
                    await self._waiter
        finally:
            self._waiter = None

    def _check_alone(self, name: str) -> None:
        # Nobody could say which of two would get the next bytes.
        if self._waiter is not None:
            raise RuntimeError(f"{name}() called while another coroutine is already waiting for incoming data")

    def _check(self) -> None:
        if self._exception is not None:
            raise self._exception

    async def _wait_for_data(self, name: str) -> None:
        self._check()
        while not self._buffer and not self._eof:
            await self._wait(name)

    async def read(self, n: int = -1) -> bytes:
        """Up to n bytes of what is there, at least one; everything with -1. b"" is the end."""
        if n == 0:
            self._check()
            return b""
        if n < 0:
            return await self._read_all()
        self.set_read_chunk_size(n)
        await self._wait_for_data("read")
        return self._taken(n)

    async def _read_all(self) -> bytes:
        pieces: List[bytes] = []
        while True:
            piece = await self.readany()
            if not piece:
                return b"".join(pieces)
            pieces.append(piece)

    async def readany(self) -> bytes:
        """All that is there."""
        await self._wait_for_data("readany")
        return self._taken(-1)

    async def readexactly(self, n: int) -> bytes:
        self._check()
        pieces: List[bytes] = []
        while n > 0:
            piece = await self.read(n)
            if not piece:
                partial = b"".join(pieces)
                raise asyncio.IncompleteReadError(partial, len(partial) + n)
            pieces.append(piece)
            n -= len(piece)
        return b"".join(pieces)

    async def readline(self, *, max_line_length: Optional[int] = None) -> bytes:
        return await self.readuntil(max_size=max_line_length)

    async def readuntil(self, separator: bytes = b"\n", *, max_size: Optional[int] = None) -> bytes:
        """Up to a separator, with it, or to the end."""
        if not separator:
            raise ValueError("Separator should be at least one-byte string")
        self._check()
        limit = max_size or self._high_water
        line = bytearray()
        while True:
            is_whole = self._move_until(line, separator)
            if len(line) > limit:
                raise _line_too_long(bytes(line), limit)
            if is_whole or self._eof and not self._buffer:
                return bytes(line)
            if not self._buffer:
                await self._wait("readuntil")
                self._check()

    def _move_until(self, line: bytearray, separator: bytes) -> bool:
        """Appends the first piece to a line, or as much of it as belongs there. Whether the line is at its end."""
        if not self._buffer:
            return False
        searched = max(0, len(line) - len(separator) + 1)
        line += self._taken_piece(-1)
        found = line.find(separator, searched)
        if found < 0:
            return False
        rest = bytes(line[found + len(separator) :])
        del line[found + len(separator) :]
        if rest:
            self._put_back(rest)
        return True

    def _put_back(self, rest: bytes) -> None:
        self._buffer.appendleft(rest)
        self._size += len(rest)
        self._cursor -= len(rest)

    async def readchunk(self) -> Tuple[bytes, bool]:
        """A piece, and whether an HTTP chunk ends with it. (b"", False) is the end."""
        while True:
            self._check()
            while self._splits:
                end = self._splits.popleft()
                if end == self._cursor:
                    return b"", True
                if end > self._cursor:
                    return self._taken(end - self._cursor), True
                _log.warning("Skipping HTTP chunk end due to data consumption beyond chunk boundary")
            if self._buffer:
                return self._taken_piece(-1), False
            if self._eof:
                return b"", False
            await self._wait("readchunk")

    def read_nowait(self, n: int = -1) -> bytes:
        self._check()
        if self._waiter and not self._waiter.done():
            raise RuntimeError("Called while some coroutine is waiting for incoming data.")
        return self._taken(n)

    def _taken(self, n: int) -> bytes:
        """Of what is there, so many bytes; -1: all."""
        if len(self._buffer) == 1 and n < 0:
            return self._taken_piece(-1)
        pieces: List[bytes] = []
        while self._buffer and n != 0:
            piece = self._taken_piece(n)
            pieces.append(piece)
            n = max(0, n - len(piece)) if n > 0 else n
        return b"".join(pieces)

    def _taken_piece(self, n: int) -> bytes:
        """Of the first piece, up to so many bytes; -1: the rest."""
        first, start = self._buffer[0], self._offset
        if 0 <= n < len(first) - start:
            piece = first[start : start + n]
            self._offset += n
        else:
            piece = first[start:] if start else first
            self._buffer.popleft()
            self._offset = 0
        self._size -= len(piece)
        self._cursor += len(piece)
        if self._splits is not None:
            self._forget_splits()
        if self._size < self._low_water:
            self._let_go()
        return piece

    def _forget_splits(self) -> None:
        while self._splits and self._splits[0] < self._cursor:
            self._splits.popleft()

    # ---------------------------------------------------------------------------------------------- iteration

    def __aiter__(self) -> AsyncStreamIterator[bytes]:
        return AsyncStreamIterator(self.readline)

    def iter_chunked(self, n: int) -> AsyncStreamIterator[bytes]:
        """Pieces of at most n bytes."""
        self.set_read_chunk_size(n)
        return AsyncStreamIterator(lambda: self.read(n))

    def iter_any(self) -> AsyncStreamIterator[bytes]:
        """What is there, as soon as something is."""
        return AsyncStreamIterator(self.readany)

    def iter_chunks(self) -> ChunkTupleAsyncStreamIterator:
        """(piece, whether an HTTP chunk ends with it)."""
        return ChunkTupleAsyncStreamIterator(self)


class EmptyStreamReader(StreamReader):
    """No body."""

    def __init__(self) -> None:
        super().__init__(None, _DEFAULT_LIMIT)
        self._eof = True
        self._saw_end = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def set_exception(self, exc: BaseException, exc_cause: Optional[BaseException] = None) -> None:
        pass

    def feed_eof(self) -> None:
        pass

    def feed_data(self, data: bytes, n: int = 0) -> bool:
        return False

    async def readchunk(self) -> Tuple[bytes, bool]:
        if not self._saw_end:
            self._saw_end = True
            return b"", False
        return b"", True


EMPTY_PAYLOAD = EmptyStreamReader()


def call(callback: Callable[[], None]) -> None:
    """Whatever it raises is only logged."""
    try:
        callback()
    except Exception:
        _log.exception("Exception in eof callback")


def _line_too_long(line: bytes, limit: int) -> Exception:
    from .http_exceptions import LineTooLong

    return LineTooLong(line[:100] + b"...", limit)
