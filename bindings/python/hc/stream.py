"""Responses whose bodies are read piece by piece, with backpressure.

A body that nobody reads fills its window (body_window) and then holds the server back. Whoever is done with a response
closes it, best with `async with` or `with`: a short rest is thrown away and the connection kept, else the connection is
closed.
"""

import asyncio
import ctypes
import functools
import warnings
from types import TracebackType
from typing import Any, AsyncIterator, Callable, Dict, Iterator, List, Optional, Tuple, Type

from . import _ffi, errors
from ._library import Layout, lib, prepared, untyped
from .response import Head, encoding_of, json_of

CAPACITY = 262_144  # bytes read at one time

_read = untyped(lib.hc_response_read)
_take = untyped(lib.hc_response_take)
_free_block = untyped(lib.hc_block_free)
_CHUNK = Layout(_ffi.hc_chunk, ["bytes.data", "bytes.len", "block"])


class News:
    """What the queue tells about a streamed request. It refers to no response, so that one nobody holds any more can be
    collected, which gives its body back."""

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

    async def wait(self) -> None:
        self._waiter = self._create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None


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


class Body(Head):
    """What both kinds of streamed responses have."""

    __slots__ = ("_news", "_pointer", "_count", "_buffer", "_chunk", "_at_end", "__weakref__")

    def __init__(self, news: Any) -> None:
        self._news = news
        self._handle = 0
        self._handle, self.status = news.taken()
        self._pointer = ctypes.c_void_p(self._handle)
        self._count = ctypes.c_size_t()
        self._buffer: Any = b""
        self._chunk = prepared(_ffi.hc_chunk)
        self._at_end = False

    def __del__(self, free: Any = lib.hc_response_free, warn: Any = warnings.warn) -> None:
        try:
            if self._handle and not self._news.is_done:
                warn(f"unclosed response {self!r}", ResourceWarning, source=self)
        finally:
            free(self._handle)

    @property
    def _info(self) -> Dict[str, Any]:
        """Some of it changes until the end."""
        values = self._all
        if self._handle and not self._news.is_done:
            del self._all
        return values

    @property
    def closed(self) -> bool:
        """Whether the body was given back; at its end it is, by itself."""
        return self._handle == 0

    def _read(self, limit: int) -> Optional[bytes]:
        """What is there, up to so many bytes; b"" at the end, None when nothing is there yet."""
        if self._handle == 0:
            return self._after_close()
        if len(self._buffer) < limit:
            self._buffer = ctypes.create_string_buffer(limit)
        status = _read(self._pointer, self._buffer, ctypes.c_size_t(limit), ctypes.byref(self._count))
        if status != _ffi.HC_OK:
            self._check_again(status)
            return None
        if self._count.value == 0:
            return self._end()
        return ctypes.string_at(self._buffer, self._count.value)

    def _take(self) -> Optional[bytes]:
        """The next piece, as it was received, with one copy."""
        if self._handle == 0:
            return self._after_close()
        status = _take(self._pointer, ctypes.byref(self._chunk))
        if status != _ffi.HC_OK:
            self._check_again(status)
            return None
        address, length, block = _CHUNK.struct.unpack_from(self._chunk)
        if length == 0:
            return self._end()
        try:
            return ctypes.string_at(address, length)
        finally:
            _free_block(ctypes.c_void_p(block))

    def _take_view(self) -> Optional[memoryview]:
        """The same without a copy."""
        if self._handle == 0:
            return memoryview(self._after_close())
        status = _take(self._pointer, ctypes.byref(self._chunk))
        if status != _ffi.HC_OK:
            self._check_again(status)
            return None
        address, length, block = _CHUNK.struct.unpack_from(self._chunk)
        if length == 0:
            return memoryview(self._end())
        return _view_of(address, length, block)

    def _after_close(self) -> bytes:
        if self._at_end:
            return b""
        raise errors.of_code(_ffi.HC_E_CLOSED, "the response is closed")

    def _check_again(self, status: int) -> None:
        """Nothing is there: not yet, or never."""
        if status == _ffi.HC_E_AGAIN:
            return
        error = errors.of_response(self._handle, status)
        error.method, error.url = self.method, self.asked_url
        raise error

    def _end(self) -> bytes:
        self._at_end = True
        self.close()
        return b""

    def close(self) -> None:
        """Gives the rest of the body back. What the head says can still be read."""
        if self._handle == 0:
            return
        self._headers, self._history, self._certificates = self.headers, self.history, self.certificates
        self._all = self._info
        self._buffer = b""
        handle, self._handle = self._handle, 0
        lib.hc_response_free(handle)


def _view_of(address: int, length: int, block: int) -> memoryview:
    """Read-only memory of the library, which is given back when the last view of it goes."""
    memory = _block_type(length).from_address(address)
    memory.block = ctypes.c_void_p(block)
    return memoryview(memory).toreadonly()


@functools.lru_cache(maxsize=64)
def _block_type(length: int) -> Any:
    return type("Block", (ctypes.c_ubyte * length,), {"__del__": lambda self: _free_block(self.block)})


class AsyncStream(Body):
    """A response on an event loop: `async for piece in response`, or read(). One reader at a time."""

    __slots__ = ("_end_upload",)

    def __init__(self, news: LoopNews, end_upload: Callable[[], None]) -> None:
        super().__init__(news)
        self._end_upload = end_upload

    def close(self) -> None:
        """Gives the rest of the body back. What the head says can still be read."""
        if self._handle != 0:
            super().close()
            self._end_upload()

    async def read_some(self, limit: int = CAPACITY) -> bytes:
        """What has arrived, at least one byte and at most `limit`; b"" at the end of the body."""
        while True:
            piece = self._read(limit)
            if piece is not None:
                return piece
            await self._news.wait()

    async def read(self) -> bytes:
        """The rest of the body."""
        return b"".join([piece async for piece in self])

    async def text(self) -> str:
        """The rest of the body as text; see Response.encoding."""
        body = await self.read()
        return body.decode(encoding_of(self.charset, body), "replace")

    async def json(self, **options: Any) -> Any:
        """The rest of the body through json.loads, with its options."""
        return json_of(self.charset, await self.read(), options)

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """Pieces of exactly `size` bytes, but the last."""
        pieces = Pieces(size)
        async for piece in self:
            for full in pieces.add(piece):
                yield full
        if pieces.rest:
            yield pieces.rest

    async def iter_views(self) -> AsyncIterator[memoryview]:
        """Pieces as they arrive, in the memory into which they were received, read-only. A view may be kept: its memory
        is given back when nobody holds it any more."""
        while True:
            view = self._take_view()
            if view is None:
                await self._news.wait()
            elif view:
                yield view
            else:
                return

    def __aiter__(self) -> "AsyncStream":
        """Pieces as they arrive."""
        return self

    async def __anext__(self) -> bytes:
        while True:
            piece = self._take()
            if piece:
                return piece
            if piece is not None:
                raise StopAsyncIteration
            await self._news.wait()

    async def __aenter__(self) -> "AsyncStream":
        return self

    async def __aexit__(
        self, _: Optional[Type[BaseException]], __: Optional[BaseException], ___: Optional[TracebackType]
    ) -> None:
        self.close()


class BlockingStream(Body):
    """The same for blocking calls: `for piece in response`, or read()."""

    __slots__ = ("_give_back",)

    def __init__(self, news: BlockingNews, end: Callable[[], None]) -> None:
        super().__init__(news)
        self._give_back = end  # the queue

    def read_some(self, limit: int = CAPACITY) -> bytes:
        """What has arrived, at least one byte and at most `limit`; b"" at the end of the body."""
        while True:
            piece = self._read(limit)
            if piece is not None:
                return piece
            self._news.wait()

    def close(self) -> None:
        """Gives the rest of the body back. What the head says can still be read."""
        if self._handle != 0:
            super().close()
            self._give_back()

    def read(self) -> bytes:
        """The rest of the body."""
        return b"".join(self)

    def text(self) -> str:
        """The rest of the body as text; see Response.encoding."""
        body = self.read()
        return body.decode(encoding_of(self.charset, body), "replace")

    def json(self, **options: Any) -> Any:
        """The rest of the body through json.loads, with its options."""
        return json_of(self.charset, self.read(), options)

    def iter_chunked(self, size: int) -> Iterator[bytes]:
        """Pieces of exactly `size` bytes, but the last."""
        pieces = Pieces(size)
        for piece in self:
            yield from pieces.add(piece)
        if pieces.rest:
            yield pieces.rest

    def __iter__(self) -> Iterator[bytes]:
        """Pieces as they arrive."""
        while True:
            piece = self._take()
            if piece is None:
                self._news.wait()
            elif piece:
                yield piece
            else:
                return

    def iter_views(self) -> Iterator[memoryview]:
        """Pieces as they arrive, in the memory into which they were received, read-only. A view may be kept: its memory
        is given back when nobody holds it any more."""
        while True:
            view = self._take_view()
            if view is None:
                self._news.wait()
            elif view:
                yield view
            else:
                return

    def __enter__(self) -> "BlockingStream":
        return self

    def __exit__(
        self, _: Optional[Type[BaseException]], __: Optional[BaseException], ___: Optional[TracebackType]
    ) -> None:
        self.close()


class Pieces:
    """Cuts what comes into pieces of one size."""

    def __init__(self, size: int) -> None:
        if size < 1:
            raise errors.of_code(_ffi.HC_E_INVALID, f"size: {size} is no size")
        self.size = size
        self._parts: List[bytes] = []
        self._length = 0

    def add(self, piece: bytes) -> Iterator[bytes]:
        self._parts.append(piece)
        self._length += len(piece)
        if self._length < self.size:
            return
        whole = b"".join(self._parts)
        end = self._length - self._length % self.size
        for start in range(0, end, self.size):
            yield whole[start : start + self.size]
        self._parts, self._length = [whole[end:]], self._length - end

    @property
    def rest(self) -> bytes:
        return b"".join(self._parts)
