"""Multipart bodies: writing them, and what is needed to read those of responses."""

import base64
import binascii
import re
import uuid
from types import TracebackType
from typing import Any, AsyncIterator, Iterator, List, Mapping, Optional, Sequence, Tuple, Type, Union
from urllib.parse import urlencode

from multidict import CIMultiDict

from . import _original
from ._disposition import (
    BadContentDispositionHeader as BadContentDispositionHeader,
    BadContentDispositionParam as BadContentDispositionParam,
    content_disposition_filename as content_disposition_filename,
    parse_content_disposition as parse_content_disposition,
)
from ._multipart_reader import BodyPartReader as BodyPartReader, MultipartReader as MultipartReader
from ._payload_base import Pieces
from ._upload import body_of, pieces_of
from .abc import AbstractStreamWriter
from .compression_utils import compressed
from .hdrs import CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TRANSFER_ENCODING
from .helpers import DEFAULT_CHUNK_SIZE
from .log import internal_logger
from .payload import JsonPayload, LookupError, Order, Payload, StringPayload, get_payload, register_payload

__all__ = (
    "MultipartReader",
    "MultipartWriter",
    "BodyPartReader",
    "BadContentDispositionHeader",
    "BadContentDispositionParam",
    "parse_content_disposition",
    "content_disposition_filename",
)

_MOST_JOINED = 2**20  # bytes; a larger body goes piece by piece, without a copy of the whole
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~\w]+", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

_Part = Tuple[Payload, Optional[str], Optional[str]]  # with its content coding and its transfer encoding


class MultipartResponseWrapper:
    """The reader of a response's body, which gives the connection back at the end."""

    def __init__(self, resp: Any, stream: MultipartReader) -> None:
        self.resp = resp
        self.stream = stream
        self._is_released = False

    def __aiter__(self) -> "MultipartResponseWrapper":
        return self

    async def __anext__(self) -> Union[MultipartReader, BodyPartReader]:
        part = await self.next()
        if part is None:
            raise StopAsyncIteration
        return part

    def at_eof(self) -> bool:
        return self._is_released or bool(self.resp.content.at_eof())

    async def next(self) -> Union[MultipartReader, BodyPartReader, None]:
        item = await self.stream.next()
        if self.stream.at_eof():
            await self.stream.finish()
            await self.release()
        return item

    async def release(self) -> None:
        self._is_released = True
        released = self.resp.release()
        if released is not None:
            await released


MultipartReader.response_wrapper_cls = MultipartResponseWrapper


class BodyPartReaderPayload(Pieces):
    """A part that is being read, sent on as it comes."""

    _value: BodyPartReader

    def __init__(self, value: BodyPartReader, *args: Any, **kwargs: Any) -> None:
        super().__init__(value, *args, **kwargs)
        given = {"name": value.name, "filename": value.filename}
        parameters = {name: text for name, text in given.items() if text is not None}
        if parameters:
            self.set_content_disposition("attachment", True, **parameters)

    async def as_bytes(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        raise TypeError("Unable to read body part as bytes. Use write() to consume.")

    async def _pieces(self, limit: Optional[int] = None) -> AsyncIterator[bytes]:
        self._consumed = True
        while chunk := await self._value.read_chunk(DEFAULT_CHUNK_SIZE):
            async for piece in self._value.decode_iter(chunk):
                yield bytes(piece)


_readers = (BodyPartReader, *_original.accepted("multipart", "BodyPartReader"))
register_payload(BodyPartReaderPayload, _readers, order=Order.try_first)


class MultipartWriter(Pieces):
    """A body of parts."""

    _autoclose = True

    def __init__(self, subtype: str = "mixed", boundary: Optional[str] = None) -> None:
        boundary = boundary if boundary is not None else uuid.uuid4().hex
        if not boundary.isascii():
            raise ValueError("boundary should contain ASCII only chars")
        self._boundary = boundary.encode()
        super().__init__(None, content_type=f"multipart/{subtype}; boundary={self._boundary_value}")
        self._parts: List[_Part] = []
        self._is_form_data = subtype == "form-data"

    def __enter__(self) -> "MultipartWriter":
        return self

    def __exit__(
        self,
        exc_type: Optional[Type[BaseException]],
        exc_val: Optional[BaseException],
        exc_tb: Optional[TracebackType],
    ) -> None:
        pass

    def __iter__(self) -> Iterator[_Part]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)

    def __bool__(self) -> bool:
        return True

    @property
    def consumed(self) -> bool:
        return self._consumed or any(getattr(part, "consumed", False) for part, _, _ in self._parts)

    @property
    def boundary(self) -> str:
        return self._boundary.decode("ascii")

    @property
    def _boundary_value(self) -> str:
        """As it stands in the header field: in quotes if it is no token."""
        value = self.boundary
        if _TOKEN.fullmatch(value):
            return value
        if _CONTROL.search(value):
            raise ValueError("boundary value contains invalid characters")
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'

    # --------------------------------------------------------------------------------------------------- parts

    def append(self, obj: Any, headers: Optional[Mapping[str, str]] = None) -> Payload:
        headers = headers if headers is not None else CIMultiDict()
        if isinstance(obj, Payload):
            obj.headers.update(headers)
            return self.append_payload(obj)
        try:
            part = get_payload(obj, headers=headers)
        except LookupError:
            raise TypeError(f"Cannot create payload from {obj!r}") from None
        return self.append_payload(part)

    def append_payload(self, payload: Payload) -> Payload:
        if self._is_form_data:
            self._prepare_field(payload)
            encodings: Tuple[Optional[str], Optional[str]] = (None, None)
        else:
            encodings = _encodings_of(payload)
            if payload.size is not None and encodings == (None, None):
                payload.headers[CONTENT_LENGTH] = str(payload.size)
        self._parts.append((payload, *encodings))
        return payload

    def _prepare_field(self, payload: Payload) -> None:
        """RFC 7578, 4.2, 4.7 and 4.8."""
        assert not {CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TRANSFER_ENCODING} & payload.headers.keys()
        if CONTENT_DISPOSITION not in payload.headers:
            payload.set_content_disposition("form-data", name=f"section-{len(self._parts)}")

    def append_json(self, obj: Any, headers: Optional[Mapping[str, str]] = None) -> Payload:
        return self.append_payload(JsonPayload(obj, headers=headers if headers is not None else CIMultiDict()))

    def append_form(
        self, obj: Union[Sequence[Tuple[str, str]], Mapping[str, str]], headers: Optional[Mapping[str, str]] = None
    ) -> Payload:
        assert isinstance(obj, (Sequence, Mapping))
        data = urlencode(list(obj.items()) if isinstance(obj, Mapping) else obj, doseq=True)
        headers = headers if headers is not None else CIMultiDict()
        kind = "application/x-www-form-urlencoded"
        return self.append_payload(StringPayload(data, headers=headers, content_type=kind))

    # ------------------------------------------------------------------------------------------------- as a body

    @property
    def size(self) -> Optional[int]:
        """None if one of the parts does not know its own, or is encoded on its way."""
        total = len(self._boundary) + 6
        for part, encoding, te_encoding in self._parts:
            if encoding or te_encoding or part.size is None:
                return None
            total += len(self._head_of(part)) + part.size + 2
        return total

    def _head_of(self, part: Payload) -> bytes:
        return b"--" + self._boundary + b"\r\n" + part._binary_headers

    def _tail(self) -> bytes:
        return b"--" + self._boundary + b"--\r\n"

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        parts = (self._head_of(part).decode(encoding, errors) + part.decode() for part, _, _ in self._parts)
        return "".join(parts)

    async def as_bytes(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        pieces = []
        for part, _, _ in self._parts:
            pieces += [self._head_of(part), await part.as_bytes(encoding, errors), b"\r\n"]
        return b"".join((*pieces, self._tail()))

    async def write(self, writer: AbstractStreamWriter, close_boundary: bool = True) -> None:
        async for piece in self._pieces(None, close_boundary):
            await writer.write(piece)

    async def _pieces(self, limit: Optional[int] = None, close_boundary: bool = True) -> AsyncIterator[bytes]:
        for part, encoding, te_encoding in self._parts:
            assert not self._is_form_data or "name=" in part.headers[CONTENT_DISPOSITION]
            yield self._head_of(part)
            pieces = pieces_of(part)
            if encoding:
                pieces = compressed(pieces, encoding, suppress_deflate_header=True)
            if te_encoding:
                pieces = _transfer_encoded(pieces, te_encoding)
            async for piece in pieces:
                yield piece
            yield b"\r\n"
        if close_boundary:
            yield self._tail()

    def _body(self) -> Any:
        """One piece if it is small and in memory; a request with it needs no task to feed it."""
        size = self.size
        if size is None or size > _MOST_JOINED:
            return self._pieces()
        pieces: List[Any] = []
        for part, _, _ in self._parts:
            body = body_of(part)
            if not isinstance(body, (bytes, bytearray, memoryview)):
                return self._pieces()
            pieces += [self._head_of(part), body, b"\r\n"]
        return b"".join((*pieces, self._tail()))

    async def close(self) -> None:
        if self._consumed:
            return
        self._consumed = True
        for number, (part, _, _) in enumerate(self._parts):
            if getattr(part, "autoclose", True) or part.consumed:
                continue
            try:
                await part.close()
            except Exception as failure:  # the others are closed all the same
                internal_logger.error("Failed to close multipart part %d: %s", number, failure, exc_info=True)


def _encodings_of(payload: Payload) -> Tuple[Optional[str], Optional[str]]:
    encoding = payload.headers.get(CONTENT_ENCODING, "").lower()
    if encoding not in ("", "deflate", "gzip", "identity"):
        raise RuntimeError(f"unknown content encoding: {encoding}")
    te_encoding = payload.headers.get(CONTENT_TRANSFER_ENCODING, "").lower()
    if te_encoding not in ("", "base64", "quoted-printable", "binary"):
        raise RuntimeError(f"unknown content transfer encoding: {te_encoding}")
    return None if encoding in ("", "identity") else encoding, None if te_encoding in ("", "binary") else te_encoding


async def _transfer_encoded(pieces: AsyncIterator[bytes], encoding: str) -> AsyncIterator[bytes]:
    rest = b""
    async for piece in pieces:
        if encoding == "quoted-printable":
            yield binascii.b2a_qp(piece)
            continue
        rest += piece
        whole = len(rest) // 3 * 3
        if whole:
            yield base64.b64encode(rest[:whole])
            rest = rest[whole:]
    if rest:
        yield base64.b64encode(rest)
