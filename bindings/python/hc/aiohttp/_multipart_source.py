"""The bytes under a multipart body: lines, and the header fields of parts."""

from typing import Any, List, Optional

from multidict import CIMultiDict, CIMultiDictProxy

from ._mime import TOKEN
from .helpers import DEFAULT_CHUNK_SIZE
from .http_exceptions import InvalidHeader, LineTooLong

_LONGEST_LINE = 2**19  # of what is not a header field


class Source:
    """A stream with what was read too far: parts and readers that follow each other share it."""

    def __init__(self, content: Any) -> None:
        self.buffer = bytearray()
        self.has_ended = False
        self._content = content

    @classmethod
    def of(cls, content: Any) -> "Source":
        return content if isinstance(content, cls) else cls(content)

    async def fill(self) -> bool:
        """Reads more, if there is more."""
        if not self.has_ended:
            data = await self._content.read(DEFAULT_CHUNK_SIZE)
            self.buffer += data
            self.has_ended = not data
        return not self.has_ended

    def take(self, count: int) -> bytes:
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data

    async def has(self, count: int) -> bool:
        """Whether so many bytes are there, or come."""
        while len(self.buffer) < count:
            if not await self.fill():
                return False
        return True

    async def line_end(self, start: int = 0, limit: Optional[int] = None) -> int:
        """Where the line that starts there ends, with its end; or where the stream does."""
        seen = start
        while (end := self.buffer.find(b"\n", seen)) < 0:
            seen = len(self.buffer)
            self._check_line(seen - start, limit)
            if not await self.fill():
                return len(self.buffer)
        self._check_line(end + 1 - start, limit)
        return end + 1

    def _check_line(self, length: int, limit: Optional[int]) -> None:
        if limit is not None and length > limit:
            raise LineTooLong(bytes(self.buffer[:100]) + b"...", limit)
        if length > _LONGEST_LINE:
            raise ValueError("Chunk too big")

    async def readline(self, limit: Optional[int] = None) -> bytes:
        return self.take(await self.line_end(0, limit))


def parse_headers(lines: List[bytes]) -> "CIMultiDictProxy[str]":
    headers: "CIMultiDict[str]" = CIMultiDict()
    for line in lines:
        raw_name, colon, raw_value = line.partition(b":")
        name = raw_name.decode("utf-8", "surrogateescape")
        value = raw_value.strip(b" \t").decode("utf-8", "surrogateescape")
        if not colon or not name or not TOKEN >= set(name):
            raise InvalidHeader(line)
        if any(character in value for character in "\r\n\0"):
            raise InvalidHeader(line)
        headers.add(name, value)
    return CIMultiDictProxy(headers)
