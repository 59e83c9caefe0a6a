"""What every body has: a size, header fields, and a way to be written; and which class takes which type of data."""

import enum
import mimetypes
from abc import ABC, abstractmethod
from typing import Any, AsyncIterator, Dict, Iterable, List, Optional, Tuple, Type, Union

from multidict import CIMultiDict

from . import _original, hdrs
from ._mime import safe_header
from .abc import AbstractStreamWriter
from .helpers import content_disposition_header, sentinel

Headers = Union["CIMultiDict[str]", Dict[str, str], Iterable[Tuple[str, str]], None]


class Payload(ABC):
    """A body, or a part of one."""

    _default_content_type = "application/octet-stream"
    _size: Optional[int] = None
    _consumed = False
    _autoclose = False

    def __init__(
        self,
        value: Any,
        headers: Headers = None,
        content_type: Any = sentinel,
        filename: Optional[str] = None,
        encoding: Optional[str] = None,
        **kwargs: Any,
    ) -> None:
        self._encoding = encoding
        self._filename = filename
        self._headers: "CIMultiDict[str]" = CIMultiDict()
        self._value = value
        if content_type is sentinel or content_type is None:
            guess = mimetypes.guess_type(filename)[0] if filename is not None else None
            content_type = guess or self._default_content_type
        self._headers[hdrs.CONTENT_TYPE] = content_type
        self._headers.update(headers or {})

    @property
    def size(self) -> Optional[int]:
        """Bytes; None if that is not known before they are sent."""
        return self._size

    @property
    def filename(self) -> Optional[str]:
        return self._filename

    @property
    def headers(self) -> "CIMultiDict[str]":
        return self._headers

    @property
    def _binary_headers(self) -> bytes:
        lines = (f"{safe_header(name)}: {safe_header(value)}\r\n" for name, value in self.headers.items())
        return "".join((*lines, "\r\n")).encode()

    @property
    def encoding(self) -> Optional[str]:
        return self._encoding

    @property
    def content_type(self) -> str:
        return self._headers[hdrs.CONTENT_TYPE]

    @property
    def consumed(self) -> bool:
        """Whether it has been sent and cannot be sent again."""
        return self._consumed

    @property
    def autoclose(self) -> bool:
        """Whether there is nothing to close."""
        return self._autoclose

    def set_content_disposition(
        self, disptype: str, quote_fields: bool = True, _charset: str = "utf-8", **params: Any
    ) -> None:
        value = content_disposition_header(disptype, quote_fields=quote_fields, _charset=_charset, **params)
        self._headers[hdrs.CONTENT_DISPOSITION] = value

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Its text. May read a file."""
        raise TypeError("Unable to decode.")

    @abstractmethod
    async def write(self, writer: AbstractStreamWriter) -> None:
        """Writes all of it."""

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: Optional[int]) -> None:
        """Writes the first bytes of it; None: all."""
        await self.write(writer)

    async def as_bytes(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        encoding = self._encoding or encoding
        return self.decode(encoding, errors).encode(encoding)

    def _close(self) -> None:
        pass

    async def close(self) -> None:
        """Gives up what it holds. Does not wait for anything."""
        self._close()


for _theirs in _original.accepted("payload", "Payload"):
    Payload.register(_theirs)


class Pieces(Payload):
    """A payload that knows its pieces: whoever wants it, gets them from here."""

    @abstractmethod
    def _pieces(self, limit: Optional[int] = None) -> AsyncIterator[bytes]:
        """All of it; or at least `limit` bytes, if so many are there."""

    def _body(self) -> Any:
        """The same for the library: bytes, a regular file, or an asynchronous iterator."""
        return self._pieces()

    async def write(self, writer: AbstractStreamWriter) -> None:
        await self.write_with_length(writer, None)

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: Optional[int]) -> None:
        rest = content_length
        async for piece in self._pieces(content_length):
            if rest is None:
                await writer.write(piece)
            elif rest > 0:
                await writer.write(piece[:rest])
                rest -= len(piece)


class LookupError(Exception):
    """Nothing is registered for data of that type."""


class Order(str, enum.Enum):
    normal = "normal"
    try_first = "try_first"
    try_last = "try_last"


PayloadType = Type[Payload]


class PayloadRegistry:
    """Which class of payload takes which type of data."""

    __slots__ = ("_first", "_normal", "_last", "_by_type")

    def __init__(self) -> None:
        self._first: List[Tuple[PayloadType, Any]] = []
        self._normal: List[Tuple[PayloadType, Any]] = []
        self._last: List[Tuple[PayloadType, Any]] = []
        self._by_type: Dict[Any, PayloadType] = {}

    def get(self, data: Any, *args: Any, **kwargs: Any) -> Payload:
        for factory, kind in self._first:
            if isinstance(data, kind):
                return factory(data, *args, **kwargs)
        exact = self._by_type.get(type(data))
        if exact is not None:
            return exact(data, *args, **kwargs)
        if isinstance(data, Payload):
            return data
        for factory, kind in (*self._normal, *self._last):
            if isinstance(data, kind):
                return factory(data, *args, **kwargs)
        raise LookupError()

    def register(self, factory: PayloadType, type: Any, *, order: Order = Order.normal) -> None:
        places = {Order.try_first: self._first, Order.normal: self._normal, Order.try_last: self._last}
        if order not in places:
            raise ValueError(f"Unsupported order {order!r}")
        places[order].append((factory, type))
        if order is Order.normal:
            kinds = type if isinstance(type, tuple) else (type,)
            self._by_type.update((kind, factory) for kind in kinds)
