"""Responses whose bodies are read piece by piece, with backpressure.

A body that nobody reads fills its window (body_window) and then holds the server back. Whoever is done with a response
closes it, best with `async with` or `with`: a short rest is thrown away and the connection kept, else the connection is
closed.
"""

import ctypes
import sys
import warnings
from types import TracebackType
from typing import Any, AsyncIterator, Callable, Dict, Iterator, List, Optional, Type, TypeVar, Union

from . import _ffi, errors
from ._blocks import Blocks
from ._library import lib
from ._news import BlockingNews, LoopNews
from .response import Head, encoding_of, json_of

CAPACITY = 262_144  # bytes read at one time

_WORTH_A_BLOCK = 16_384  # bytes
_LARGEST_BLOCK = 1 << 30  # they are much smaller

Piece = TypeVar("Piece")  # bytes, or a view
Answer = TypeVar("Answer")


class Body(Head):
    """What both kinds of streamed responses have."""

    __slots__ = ("_news", "_blocks", "_at_end", "__weakref__")

    def __init__(self, news: Any) -> None:
        self._news = news
        self._handle = 0
        self._handle, self.status = news.taken()
        self._blocks = Blocks(self._handle)
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

    def _read(self, limit: int = sys.maxsize) -> Optional[bytes]:
        """Of the next piece, up to so many bytes. None: nothing is there yet, or it is _at_end."""
        check_size("limit", limit)
        piece = self._asked(self._blocks.read, limit)
        if piece == b"":
            self._end()
            return None
        return piece

    def _view(self) -> Optional[memoryview]:
        """The next piece in the memory into which it was received. None: as for _read()."""
        block = self._asked(self._blocks.take)
        if block is None:
            return None
        if block[1] == 0:
            self._end()
            return None
        return _viewed(*block)

    def _asked(self, question: Callable[..., Optional[Answer]], *limit: int) -> Optional[Answer]:
        """What the library says; a failure says of which request it is."""
        if self._is_over():
            return None
        try:
            return question(*limit)
        except errors.Error as error:
            error.method, error.url = self.method, self.asked_url
            raise

    def _is_over(self) -> bool:
        if self._handle == 0 and not self._at_end:
            raise errors.of_code(_ffi.HC_E_CLOSED, "the response is closed")
        return self._handle == 0

    def _end(self) -> None:
        self._at_end = True
        self.close()

    def close(self) -> None:
        """Gives the rest of the body back. What the head says can still be read."""
        if self._handle == 0:
            return
        self._headers, self._history, self._certificates = self.headers, self.history, self.certificates
        self._all = self._info
        self._blocks.close()
        handle, self._handle = self._handle, 0
        lib.hc_response_free(handle)


class _Block(ctypes.c_ubyte * _LARGEST_BLOCK):  # type: ignore[misc]
    """Memory of the library, which gets it back with the last view of it."""

    handle: int

    def __del__(self, free: Any = lib.hc_block_free) -> None:
        free(self.handle)


def _viewed(address: int, length: int, handle: int) -> memoryview:
    block = _Block.from_address(address)
    block.handle = handle
    return memoryview(block)[:length].toreadonly()


class AsyncStream(Body):
    """A response on an event loop: `async for piece in response`, or read(). One reader at a time."""

    __slots__ = ("_end_upload",)

    def __init__(self, news: LoopNews, end_upload: Callable[[], None]) -> None:
        super().__init__(news)
        self._end_upload = end_upload

    def __del__(self, free: Any = lib.hc_response_free, warn: Any = warnings.warn) -> None:
        if self._handle != 0:
            self._end_upload()
        super().__del__(free, warn)

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
        async for view in self.iter_views():
            for full in pieces.add(view):
                yield full
        if pieces.rest:
            yield pieces.rest

    def iter_views(self) -> AsyncIterator[memoryview]:
        """Pieces as they arrive, in the memory into which they were received, read-only. A view may be kept: its memory
        is given back when nobody holds it any more."""
        return Arrivals(self, self._view)

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Pieces as they arrive."""
        return Arrivals(self, self._read)

    async def __aenter__(self) -> "AsyncStream":
        return self

    async def __aexit__(
        self, _: Optional[Type[BaseException]], __: Optional[BaseException], ___: Optional[TracebackType]
    ) -> None:
        self.close()


class Arrivals(AsyncIterator[Piece]):
    """The pieces of a body as they arrive. No generator: one that is left before its end needs the loop once more."""

    __slots__ = ("_body", "_next")

    def __init__(self, body: Body, following: Callable[[], Optional[Piece]]) -> None:
        self._body = body
        self._next = following

    async def __anext__(self) -> Piece:
        body = self._body
        while True:
            piece = self._next()
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
        for view in self.iter_views():
            yield from pieces.add(view)
        if pieces.rest:
            yield pieces.rest

    def iter_views(self) -> Iterator[memoryview]:
        """Pieces as they arrive, in the memory into which they were received, read-only. A view may be kept: its memory
        is given back when nobody holds it any more."""
        return self._pieces(self._view)

    def __iter__(self) -> Iterator[bytes]:
        """Pieces as they arrive."""
        return self._pieces(self._read)

    def _pieces(self, following: Callable[[], Optional[Piece]]) -> Iterator[Piece]:
        while True:
            piece = following()
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


def check_size(name: str, size: int) -> None:
    if not isinstance(size, int) or size < 1:
        raise errors.of_code(_ffi.HC_E_INVALID, f"{name}: {size!r} is no size")


class Pieces:
    """Cuts what comes into pieces of one size. Each byte is copied once, but a little that would hold a whole block."""

    def __init__(self, size: int) -> None:
        check_size("size", size)
        self.size = size
        self._parts: List[Union[bytes, memoryview]] = []
        self._missing = size

    def add(self, view: memoryview) -> Iterator[bytes]:
        if len(view) < self._missing:
            self._keep(view)
            return
        start = self._missing
        yield b"".join([*self._parts, view[:start]])
        end = len(view) - (len(view) - start) % self.size
        for position in range(start, end, self.size):
            yield view[position : position + self.size].tobytes()
        self._parts, self._missing = [], self.size
        if end < len(view):
            self._keep(view[end:])

    def _keep(self, view: memoryview) -> None:
        self._parts.append(view.tobytes() if len(view) < _WORTH_A_BLOCK else view)
        self._missing -= len(view)

    @property
    def rest(self) -> bytes:
        return b"".join(self._parts)
