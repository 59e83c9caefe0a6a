"""Responses whose bodies are read piece by piece, with backpressure.

A body that nobody reads fills its window (body_window) and then holds the server back. Whoever is done with a response
closes it, best with `async with` or `with`: a short rest is thrown away and the connection kept, else the connection is
closed.
"""

import ctypes
import functools
import warnings
from types import TracebackType
from typing import Any, AsyncIterator, Callable, Dict, Iterator, List, Optional, Type, TypeVar

from . import _ffi, errors
from ._library import Layout, bytes_at, lib, prepared, untyped
from ._news import BlockingNews, LoopNews
from .response import Head, encoding_of, json_of

CAPACITY = 262_144  # bytes read at one time

Piece = TypeVar("Piece")  # bytes, or a view

_read = untyped(lib.hc_response_read)
_take = untyped(lib.hc_response_take)
_CHUNK = Layout(_ffi.hc_chunk, ["bytes.data", "bytes.len", "block"])


class Body(Head):
    """What both kinds of streamed responses have."""

    __slots__ = ("_news", "_pointer", "_count", "_buffer", "_chunk", "_chunk_arguments", "_at_end", "__weakref__")

    def __init__(self, news: Any) -> None:
        self._news = news
        self._handle = 0
        self._handle, self.status = news.taken()
        self._pointer = ctypes.c_void_p(self._handle)
        self._count = ctypes.c_size_t()
        self._buffer: Any = b""
        self._chunk = prepared(_ffi.hc_chunk)
        self._chunk_arguments = self._pointer, ctypes.byref(self._chunk)
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
        """What is there, up to so many bytes. None: nothing is there yet, or it is _at_end."""
        if self._is_over():
            return None
        if len(self._buffer) < limit:
            self._buffer = ctypes.create_string_buffer(limit)
        status = _read(self._pointer, self._buffer, ctypes.c_size_t(limit), ctypes.byref(self._count))
        if status != _ffi.HC_OK:
            self._check_again(status)
            return None
        if self._count.value == 0:
            self._end()
            return None
        return self._buffer[: self._count.value]  # type: ignore[no-any-return]

    def _take(self, made: Callable[[int, int, int], Piece]) -> Optional[Piece]:
        """The next piece as it was received, or rather what is made of it. None: as for _read()."""
        if self._is_over():
            return None
        status = _take(*self._chunk_arguments)
        if status != _ffi.HC_OK:
            self._check_again(status)
            return None
        address, length, block = _CHUNK.struct.unpack_from(self._chunk)
        if length == 0:
            self._end()
            return None
        return made(address, length, block)

    def _is_over(self) -> bool:
        if self._handle == 0 and not self._at_end:
            raise errors.of_code(_ffi.HC_E_CLOSED, "the response is closed")
        return self._handle == 0

    def _check_again(self, status: int) -> None:
        """Nothing is there: not yet, or never."""
        if status == _ffi.HC_E_AGAIN:
            return
        error = errors.of_response(self._handle, status)
        error.method, error.url = self.method, self.asked_url
        raise error

    def _end(self) -> None:
        self._at_end = True
        self.close()

    def close(self) -> None:
        """Gives the rest of the body back. What the head says can still be read."""
        if self._handle == 0:
            return
        self._headers, self._history, self._certificates = self.headers, self.history, self.certificates
        self._all = self._info
        self._buffer = b""
        handle, self._handle = self._handle, 0
        lib.hc_response_free(handle)


def _copied(address: int, length: int, block: int) -> bytes:
    try:
        return bytes_at(address, length)
    finally:
        lib.hc_block_free(block)


def _viewed(address: int, length: int, block: int) -> memoryview:
    """Read-only memory of the library, which is given back when the last view of it goes."""
    memory = _block_type(length).from_address(address)
    memory.block = block
    return memoryview(memory).toreadonly()


@functools.lru_cache(maxsize=64)
def _block_type(length: int) -> Any:
    return type("Block", (ctypes.c_ubyte * length,), {"__del__": lambda self: lib.hc_block_free(self.block)})


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
            if piece is not None or self._at_end:
                return piece or b""
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

    def iter_views(self) -> AsyncIterator[memoryview]:
        """Pieces as they arrive, in the memory into which they were received, read-only. A view may be kept: its memory
        is given back when nobody holds it any more."""
        return Arrivals(self, _viewed)

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Pieces as they arrive."""
        return Arrivals(self, _copied)

    async def __aenter__(self) -> "AsyncStream":
        return self

    async def __aexit__(
        self, _: Optional[Type[BaseException]], __: Optional[BaseException], ___: Optional[TracebackType]
    ) -> None:
        self.close()


class Arrivals(AsyncIterator[Piece]):
    """The pieces of a body as they arrive. No generator: one that is left before its end needs the loop once more."""

    __slots__ = ("_body", "_made")

    def __init__(self, body: Body, made: Callable[[int, int, int], Piece]) -> None:
        self._body = body
        self._made = made

    async def __anext__(self) -> Piece:
        body = self._body
        while True:
            piece = body._take(self._made)
            if piece is not None:
                return piece
            if body._at_end:
                raise StopAsyncIteration
            await body._news.wait()


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
            if piece is not None or self._at_end:
                return piece or b""
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

    def iter_views(self) -> Iterator[memoryview]:
        """Pieces as they arrive, in the memory into which they were received, read-only. A view may be kept: its memory
        is given back when nobody holds it any more."""
        return self._pieces(_viewed)

    def __iter__(self) -> Iterator[bytes]:
        """Pieces as they arrive."""
        return self._pieces(_copied)

    def _pieces(self, made: Callable[[int, int, int], Piece]) -> Iterator[Piece]:
        while True:
            piece = self._take(made)
            if piece is not None:
                yield piece
            elif self._at_end:
                return
            else:
                self._news.wait()

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
