"""Reading multipart bodies."""

import asyncio
import base64
import binascii
import json
import sys
from typing import Any, AsyncIterator, Dict, List, Mapping, Optional, Tuple, Type, Union, cast
from urllib.parse import parse_qsl

from multidict import CIMultiDictProxy

from ._disposition import content_disposition_filename, parse_content_disposition
from ._multipart_source import Source, parse_headers
from .compression_utils import ZLibBackend, encoding_to_mode
from .hdrs import CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TRANSFER_ENCODING, CONTENT_TYPE
from .helpers import DEFAULT_CHUNK_SIZE, parse_mimetype, reify
from .http_exceptions import BadHttpMessage

Buffer = Union[bytes, bytearray, memoryview]

_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))


class BodyPartReader:
    """One part. Its bytes end at the boundary, or where its Content-Length says."""

    chunk_size = 8192

    def __init__(
        self,
        boundary: bytes,
        headers: "CIMultiDictProxy[str]",
        content: Any,
        *,
        subtype: str = "mixed",
        default_charset: Optional[str] = None,
        max_decompress_size: int = DEFAULT_CHUNK_SIZE,
        client_max_size: int = sys.maxsize,
        max_size_error_cls: Type[Exception] = ValueError,
    ) -> None:
        self.headers = headers
        self._boundary = boundary
        self._source = Source.of(content)
        self._default_charset = default_charset
        self._at_eof = False
        self._is_at_start = True
        self._is_form_data = subtype == "form-data"
        length = None if self._is_form_data else headers.get(CONTENT_LENGTH)
        if length is not None and not (length.isascii() and length.isdigit()):
            raise ValueError(f"invalid Content-Length: {length!r}")
        self._rest = int(length) if length else None  # bytes to come, if that was said
        self._cache: Dict[str, Any] = {}
        self._max_decompress_size = max_decompress_size
        self._client_max_size = client_max_size
        self._max_size_error_cls = max_size_error_cls

    def __aiter__(self) -> "BodyPartReader":
        return self

    async def __anext__(self) -> bytes:
        part = await self.next()
        if part is None:
            raise StopAsyncIteration
        return part

    async def next(self) -> Optional[bytes]:
        return await self.read() or None

    def at_eof(self) -> bool:
        return self._at_eof

    # --------------------------------------------------------------------------------------------------- bytes

    async def read(self, *, decode: bool = False) -> bytes:
        """All that is left of it; with decode without its Content-Transfer-Encoding and Content-Encoding.
        It is a bytearray, as the original's is, and called bytes, as there."""
        data = bytearray()
        while not self._at_eof:
            self._add(data, await self.read_chunk(self.chunk_size))
        if not decode or not data:
            return cast(bytes, data)
        decoded = bytearray()
        async for piece in self.decode_iter(data):
            self._add(decoded, piece)
        return cast(bytes, decoded)

    def _add(self, data: bytearray, piece: Buffer) -> None:
        data += piece
        if len(data) > self._client_max_size:
            raise self._max_size_error_cls(self._client_max_size)

    async def read_chunk(self, size: int = chunk_size) -> bytes:
        """Up to `size` bytes; none at its end. In base64 whole groups of four, so that each chunk can be decoded."""
        if self._at_eof:
            return b""
        count, is_last = await self._next_chunk(size)
        chunk = self._source.take(count)
        self._is_at_start = False
        if self._rest is not None:
            self._rest -= count
        if is_last:
            await self._end()
        return chunk

    async def _next_chunk(self, size: int) -> Tuple[int, bool]:
        """(how long it is, whether it is the last)."""
        least = 1
        while True:
            there, is_rest = await self._wait_for(least)
            count, is_last = min(there, size), is_rest and there <= size
            if is_last or not self._is_base64():
                return count, is_last
            whole = self._whole_groups(count)
            if whole or count == size:
                return whole or count, False
            least = there + 1

    async def _wait_for(self, least: int) -> Tuple[int, bool]:
        """(bytes of this part that are in the buffer, whether these are all)."""
        if self._rest is not None:
            there = await self._source.has(min(least, self._rest))
            count = min(len(self._source.buffer), self._rest)
            return count, count == self._rest or not there
        if self._is_at_start and await self._is_boundary_at(0):
            return 0, True
        marker, buffer = b"\r\n" + self._boundary, self._source.buffer
        start = 0
        while (end := buffer.find(marker, start)) < 0:
            start = max(0, len(buffer) - len(marker) + 1)
            if start >= least:
                return start, False
            if not await self._source.fill():
                raise ValueError("Reading after EOF")
        return end, True

    async def _is_boundary_at(self, position: int) -> bool:
        end = position + len(self._boundary)
        return await self._source.has(end) and self._source.buffer[position:end] == self._boundary

    async def _is_boundary_line_at(self, position: int) -> bool:
        if not await self._is_boundary_at(position):
            return False
        line = self._source.buffer[position : await self._source.line_end(position)].rstrip()
        return line in (self._boundary, self._boundary + b"--")

    def _is_base64(self) -> bool:
        return self.headers.get(CONTENT_TRANSFER_ENCODING, "").lower() == "base64"

    def _whole_groups(self, count: int) -> int:
        """How many of the first bytes are in complete groups of four; other characters do not count."""
        data = bytes(self._source.buffer[:count])
        extra = len(data.translate(None, _NOT_BASE64)) % 4
        while extra:
            count -= 1
            extra -= data[count] not in _NOT_BASE64
        return count

    async def _end(self) -> None:
        self._at_eof = True
        if self._is_at_boundary_line():
            return  # it was empty
        if await self._source.readline() != b"\r\n":
            raise ValueError("Reader did not read all the data or it is malformed")

    def _is_at_boundary_line(self) -> bool:
        return self._rest is None and self._source.buffer.startswith(self._boundary)

    async def readline(self) -> bytes:
        """The next line with its end; the last one has none."""
        if self._at_eof or (self._is_at_start and await self._is_boundary_line_at(0)):
            self._at_eof = True
            return b""
        self._is_at_start = False
        end = await self._source.line_end()
        if await self._is_boundary_line_at(end):
            self._at_eof = True
            line = self._source.take(end)
            return line[:-2] if line.endswith(b"\r\n") else line[:-1]
        return self._source.take(end)

    async def release(self) -> None:
        """Reads it to its end, for nothing."""
        while not self._at_eof:
            await self.read_chunk(self.chunk_size)

    # ------------------------------------------------------------------------------------------------- meaning

    async def text(self, *, encoding: Optional[str] = None) -> str:
        data = await self.read(decode=True)
        return data.decode(encoding or self.get_charset(default="utf-8"))

    async def json(self, *, encoding: Optional[str] = None) -> Optional[Dict[str, Any]]:
        data = await self.read(decode=True)
        if not data:
            return None
        return cast(Dict[str, Any], json.loads(data.decode(encoding or self.get_charset(default="utf-8"))))

    async def form(self, *, encoding: Optional[str] = None) -> List[Tuple[str, str]]:
        data = await self.read(decode=True)
        if not data:
            return []
        charset = encoding if encoding is not None else self.get_charset(default="utf-8")
        try:
            text = data.rstrip().decode(charset)
        except UnicodeDecodeError:
            raise ValueError(f"data cannot be decoded with {charset} encoding") from None
        return parse_qsl(text, keep_blank_values=True, encoding=charset)

    def get_charset(self, default: str) -> str:
        parameters = parse_mimetype(self.headers.get(CONTENT_TYPE, "")).parameters
        return parameters.get("charset", self._default_charset or default)

    @reify
    def name(self) -> Optional[str]:
        return self._of_disposition("name")

    @reify
    def filename(self) -> Optional[str]:
        return self._of_disposition("filename")

    def _of_disposition(self, parameter: str) -> Optional[str]:
        _, parameters = parse_content_disposition(self.headers.get(CONTENT_DISPOSITION))
        return content_disposition_filename(parameters, parameter)

    # ------------------------------------------------------------------------------------------------ decoding

    def decode(self, data: Buffer) -> Buffer:
        """Without its encodings, as far as it fits into max_decompress_size; decode_iter() has no such limit."""
        decoded = self._without_transfer_encoding(data)
        if not self._is_compressed():
            return decoded
        return next(_decompressed(decoded, self._wbits(), self._max_decompress_size), b"")

    async def decode_iter(self, data: Buffer) -> AsyncIterator[Buffer]:
        decoded = self._without_transfer_encoding(data)
        if not self._is_compressed():
            yield decoded
            return
        for piece in _decompressed(decoded, self._wbits(), self._max_decompress_size):
            yield piece
            await asyncio.sleep(0)  # much can be in little data

    def _is_compressed(self) -> bool:
        # RFC 7578, 4.8: not in forms
        return not self._is_form_data and self.headers.get(CONTENT_ENCODING, "identity").lower() != "identity"

    def _wbits(self) -> int:
        encoding = self.headers[CONTENT_ENCODING].lower()
        if encoding not in ("deflate", "gzip"):
            raise RuntimeError(f"unknown content encoding: {encoding}")
        return encoding_to_mode(encoding, suppress_deflate_header=True)

    def _without_transfer_encoding(self, data: Buffer) -> Buffer:
        encoding = self.headers.get(CONTENT_TRANSFER_ENCODING, "binary").lower()
        if encoding == "base64":
            return base64.b64decode(data)
        if encoding == "quoted-printable":
            return binascii.a2b_qp(data)
        if encoding in ("binary", "8bit", "7bit"):
            return data
        raise RuntimeError(f"unknown content transfer encoding: {encoding}")


def _decompressed(data: Buffer, wbits: int, most: int) -> Any:
    """Pieces of up to `most` bytes; of several gzip members one after the other."""
    rest = bytes(data)
    while rest:
        member = ZLibBackend.decompressobj(wbits=wbits)
        while not member.eof:
            piece = member.decompress(rest, most)
            rest = member.unconsumed_tail
            if piece:
                yield piece
            elif not rest:
                return
        rest = member.unused_data


class MultipartReader:
    """The parts of a multipart body, one after the other; those that are multipart themselves are readers again."""

    #: What from_response() gives.
    response_wrapper_cls: Any = None
    #: For parts that are multipart; None: the same class.
    multipart_reader_cls: Optional[Type["MultipartReader"]] = None
    #: For all other parts.
    part_reader_cls: Type[BodyPartReader] = BodyPartReader

    def __init__(
        self,
        headers: Mapping[str, str],
        content: Any,
        *,
        client_max_size: int = sys.maxsize,
        max_field_size: int = 8190,
        max_headers: int = 128,
        max_size_error_cls: Type[Exception] = ValueError,
    ) -> None:
        self._mimetype = parse_mimetype(headers[CONTENT_TYPE])
        assert self._mimetype.type == "multipart", "multipart/* content type expected"
        if "boundary" not in self._mimetype.parameters:
            raise ValueError(f"boundary missed for Content-Type: {headers[CONTENT_TYPE]}")
        self.headers = headers
        self._boundary = ("--" + self._get_boundary()).encode()
        self._source = Source.of(content)
        self._default_charset: Optional[str] = None
        self._last_part: Union["MultipartReader", BodyPartReader, None] = None
        self._at_eof = False
        self._at_bof = True
        self._max_field_size = max_field_size
        self._max_headers = max_headers
        self._limits: Dict[str, Any] = {"client_max_size": client_max_size, "max_size_error_cls": max_size_error_cls}

    def __aiter__(self) -> "MultipartReader":
        return self

    async def __anext__(self) -> Union["MultipartReader", BodyPartReader]:
        part = await self.next()
        if part is None:
            raise StopAsyncIteration
        return part

    @classmethod
    def from_response(cls, response: Any) -> Any:
        return cls.response_wrapper_cls(response, cls(response.headers, response.content))

    def at_eof(self) -> bool:
        return self._at_eof

    async def next(self) -> Union["MultipartReader", BodyPartReader, None]:
        """The next part; what was not read of the last one is skipped. None after the last."""
        while not self._at_eof:
            await self._go_to_boundary()
            if self._at_eof:
                break
            self._last_part = await self.fetch_next_part()
            if not await self._is_charset(self._last_part):
                return self._last_part
        return None

    async def _is_charset(self, part: Union["MultipartReader", BodyPartReader]) -> bool:
        """RFC 7578, 4.6: a part of a form that is the charset of those after it."""
        if self._mimetype.subtype != "form-data" or not isinstance(part, BodyPartReader):
            return False
        _, parameters = parse_content_disposition(part.headers.get(CONTENT_DISPOSITION))
        if parameters.get("name") != "_charset_":
            return False
        charset = await part.read_chunk(32)
        if len(charset) > 31:
            raise RuntimeError("Invalid default charset")
        self._default_charset = charset.strip().decode()
        return True

    async def release(self) -> None:
        """Reads to the last boundary, for nothing."""
        while not self._at_eof:
            item = await self.next()
            if item is None:
                break
            await item.release()

    async def finish(self) -> None:
        """After the last boundary: to the end of the stream if it is near, so that its connection can be used again."""
        await self._source.fill()

    async def fetch_next_part(self) -> Union["MultipartReader", BodyPartReader]:
        headers = await self._read_headers()
        return self._get_part_reader(headers)

    def _get_part_reader(self, headers: "CIMultiDictProxy[str]") -> Union["MultipartReader", BodyPartReader]:
        if parse_mimetype(headers.get(CONTENT_TYPE, "")).type == "multipart":
            kind = self.multipart_reader_cls or type(self)
            sizes: Dict[str, Any] = {"max_field_size": self._max_field_size, "max_headers": self._max_headers}
            return kind(headers, self._source, **sizes, **self._limits)
        meaning: Dict[str, Any] = {"subtype": self._mimetype.subtype, "default_charset": self._default_charset}
        return self.part_reader_cls(self._boundary, headers, self._source, **meaning, **self._limits)

    def _get_boundary(self) -> str:
        boundary = self._mimetype.parameters["boundary"]
        if len(boundary) > 70:
            raise ValueError(f"boundary {boundary!r} is too long (70 chars max)")
        return boundary

    async def _go_to_boundary(self) -> None:
        """Before the first part, and after a part that is multipart, there may be text that belongs to nobody."""
        may_skip = self._at_bof
        self._at_bof = False
        if self._last_part is not None:
            await self._last_part.release()
            may_skip = isinstance(self._last_part, MultipartReader)
            self._last_part = None
        while True:
            line = await self._source.readline()
            if line.rstrip() in (self._boundary, self._boundary + b"--"):
                self._at_eof = line.rstrip() != self._boundary
                return
            if not line and may_skip:
                raise ValueError(f"Could not find starting boundary {self._boundary!r}")
            if not may_skip:
                raise ValueError(f"Invalid boundary {line.rstrip()!r}, expected {self._boundary!r}")

    async def _read_headers(self) -> "CIMultiDictProxy[str]":
        lines: List[bytes] = []
        while line := (await self._source.readline(self._max_field_size)).rstrip(b"\r\n"):
            lines.append(line)
            if len(lines) > self._max_headers:
                raise BadHttpMessage("Too many headers received")
        return parse_headers(lines)
