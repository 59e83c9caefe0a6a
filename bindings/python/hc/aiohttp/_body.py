"""The body of a response, pulled from the core as it is read."""

import asyncio
import sys
from typing import Any, Optional, Tuple

from . import _failures
from ._engine import Transfer
from .streams import StreamReader, call


class ResponseReader(StreamReader):
    """Takes pieces from a transfer when they are asked for. What nobody asks for holds the server back."""

    def __init__(self, transfer: Transfer, limit: int, url: Any, is_chunked: bool) -> None:
        super().__init__(None, limit, loop=transfer.engine.loop)
        self._transfer: Optional[Transfer] = transfer
        self._url = url
        self._is_chunked = is_chunked
        self._eof = transfer.at_end

    def _pull(self, limit: int) -> Optional[bytes]:
        """Straight from the core: b"" at the end, None: nothing is there yet."""
        transfer = self._transfer
        if transfer is None:
            self._check()
            return b""
        try:
            piece = transfer.read(limit if limit > 0 else sys.maxsize)  # a read_bufsize of 0 is no end
        except Exception as failure:
            self._fail(failure)
            raise AssertionError("unreachable")
        if piece == b"":
            self._transfer = None
            self.feed_eof()
        return piece

    def _fail(self, failure: BaseException) -> None:
        self._transfer = None
        error = _failures.of_body(failure, self._url)
        self.set_exception(error)
        raise error from failure

    def set_exception(self, exc: BaseException, exc_cause: Optional[BaseException] = None) -> None:
        if self._transfer is not None:
            transfer, self._transfer = self._transfer, None
            transfer.on_body()
        super().set_exception(exc, exc_cause)

    async def _wait(self, name: str) -> None:
        self._check_alone(name)
        piece = self._pull(self._high_water)
        if piece is None:
            await self._wait_for_news()
        elif piece:
            self._append(piece)

    async def _wait_for_news(self) -> None:
        transfer = self._transfer
        assert transfer is not None
        self._waiter = waiter = transfer.engine.create_future()
        transfer._waiter = waiter
        try:
            await waiter
        finally:
            self._waiter = transfer._waiter = None
        self._check()

    async def _direct(self, limit: int, name: str) -> bytes:
        """The next piece, when nothing is buffered here."""
        self._check()
        while True:
            self._check_alone(name)
            piece = self._pull(limit)
            if piece is not None:
                self.total_bytes += len(piece)
                self._cursor += len(piece)
                return piece
            await self._wait_for_news()

    async def read(self, n: int = -1) -> bytes:
        if n <= 0 or self._buffer or self._eof:
            return await super().read(n)
        return await self._direct(n, "read")

    async def readany(self) -> bytes:
        if self._buffer or self._eof:
            return await super().readany()
        return await self._direct(self._high_water, "readany")

    async def readchunk(self) -> Tuple[bytes, bool]:
        """Where HTTP chunks end, the core does not tell: each piece counts as one."""
        if self._buffer:
            self._check()
            return self._taken_piece(-1), self._is_chunked
        piece = await self.readany()
        return piece, self._is_chunked and piece != b""

    def read_nowait(self, n: int = -1) -> bytes:
        if not self._buffer and not self._eof:
            self._look()
        return super().read_nowait(n)

    def _look(self) -> None:
        """Buffers what is there already."""
        if self._transfer is not None and self._waiter is None:
            piece = self._pull(self._high_water)
            if piece:
                self._append(piece)

    def is_eof(self) -> bool:
        transfer = self._transfer
        return self._eof or transfer is not None and transfer.is_done and transfer.failure is None

    def at_eof(self) -> bool:
        if not self._eof and not self._buffer and self._exception is None:
            try:
                self._look()
            except Exception:  # the next read tells
                return False
        return super().at_eof()

    def on_eof(self, callback: Any) -> None:
        if self.is_eof():
            call(callback)
        elif self._transfer is not None:
            self._transfer.when_done(callback)

    async def wait_eof(self) -> None:
        while not self.is_eof():
            self._check()
            await self._until_end()

    async def _until_end(self) -> None:
        assert self._transfer is not None
        ended: "asyncio.Future[None]" = self._transfer.engine.create_future()
        self._transfer.when_done(lambda: None if ended.done() else ended.set_result(None))
        await ended
