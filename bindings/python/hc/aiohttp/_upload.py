"""From payloads to what the library takes as a body."""

import asyncio
import functools
from typing import Any, AsyncIterator, Optional, Union

from .abc import AbstractStreamWriter


def body_of(payload: Any) -> Any:
    """Bytes, a regular file that stands where it begins, or an asynchronous iterator of bytes. For payloads of every
    kind: ours, those of programs, and aiohttp's own."""
    return payload._body() if _knows_its_body(payload.__class__) else _written(payload)


async def pieces_of(payload: Any) -> AsyncIterator[bytes]:
    """All bytes of a payload; for those who must see them on their way."""
    pieces = payload._pieces() if _knows_its_body(payload.__class__) else _written(payload)
    async for piece in pieces:
        yield piece


@functools.lru_cache(maxsize=None)
def _knows_its_body(kind: Any) -> bool:
    """Whether what it writes is what _body() gives: a class derived from one of ours may write something else."""
    for base in kind.__mro__:
        if "_body" in vars(base):
            return True
        if "write" in vars(base) or "write_with_length" in vars(base):
            return False
    return False


async def _written(payload: Any) -> AsyncIterator[bytes]:
    """What its write() writes. The next piece is asked for when the last one was taken."""
    pipe = _Pipe()
    task = asyncio.ensure_future(payload.write(pipe))
    task.add_done_callback(lambda _: pipe.pieces.put_nowait(None))
    try:
        while (piece := await pipe.pieces.get()) is not None:
            yield piece
            pipe.pieces.task_done()
    finally:
        task.cancel()
    await task


class _Pipe(AbstractStreamWriter):
    def __init__(self) -> None:
        self.pieces: "asyncio.Queue[Optional[bytes]]" = asyncio.Queue()

    async def write(self, chunk: Union[bytes, bytearray, memoryview]) -> None:
        if chunk:
            self.output_size += len(chunk)
            self.pieces.put_nowait(bytes(chunk))
            await self.pieces.join()

    async def write_eof(self, chunk: bytes = b"") -> None:
        await self.write(chunk)

    async def drain(self) -> None:
        pass

    def enable_compression(self, encoding: str = "deflate", strategy: Optional[int] = None) -> None:
        raise NotImplementedError("a payload cannot compress the body: give compress= to the request")

    def enable_chunking(self) -> None:
        pass

    async def write_headers(self, status_line: str, headers: Any) -> None:
        raise NotImplementedError("the head of a request is the library's")
