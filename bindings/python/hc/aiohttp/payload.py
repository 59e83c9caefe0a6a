"""Bodies: what a program gives as data, with its size and its header fields, ready to be sent.

A payload of aiohttp's own classes is taken as it is. How a payload reaches the library is in _upload.py.
"""

import asyncio
import codecs
import io
import json
import os
import stat
import warnings
from typing import IO, Any, AsyncIterable, AsyncIterator, Final, List, Optional, Set, TextIO, Tuple, Union

from ..upload import decodes
from . import _original, hdrs
from ._payload_base import (
    LookupError as LookupError,
    Order as Order,
    Payload as Payload,
    PayloadRegistry as PayloadRegistry,
    PayloadType as PayloadType,
    Pieces,
)
from .helpers import DEFAULT_CHUNK_SIZE, guess_filename, parse_mimetype
from .streams import StreamReader
from .typedefs import JSONBytesEncoder, JSONEncoder

__all__ = (
    "PAYLOAD_REGISTRY",
    "get_payload",
    "payload_type",
    "Payload",
    "BytesPayload",
    "StringPayload",
    "IOBasePayload",
    "BytesIOPayload",
    "BufferedReaderPayload",
    "TextIOPayload",
    "StringIOPayload",
    "JsonPayload",
    "AsyncIterablePayload",
)

TOO_LARGE_BYTES_BODY: Final = 2**20

_closing: Set["asyncio.Future[None]"] = set()  # of files; a future that nobody holds may be collected


# -------------------------------------------------------------------------------------------------------- in memory


class BytesPayload(Pieces):
    _value: bytes
    _autoclose = True

    def __init__(self, value: Union[bytes, bytearray, memoryview], *args: Any, **kwargs: Any) -> None:
        if not isinstance(value, (bytes, bytearray, memoryview)):
            raise TypeError(f"value argument must be byte-ish, not {type(value)!r}")
        kwargs.setdefault("content_type", "application/octet-stream")
        super().__init__(value, *args, **kwargs)
        self._size = value.nbytes if isinstance(value, memoryview) else len(value)
        if self._size > TOO_LARGE_BYTES_BODY:
            text = "Sending a large body directly with raw bytes might lock the event loop. "
            text += "You should probably pass an io.BytesIO object instead"
            warnings.warn(text, ResourceWarning, source=self)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return bytes(self._value).decode(encoding, errors)

    async def as_bytes(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return self._value

    async def _pieces(self, limit: Optional[int] = None) -> AsyncIterator[bytes]:
        yield self._value

    def _body(self) -> Any:
        return self._value


def _text_type(encoding: Optional[str], content_type: Optional[str]) -> Tuple[str, str]:
    """(encoding, content type) of text; what is not given follows from the other."""
    if encoding is None:
        encoding = "utf-8"
        if content_type is not None:
            encoding = parse_mimetype(content_type).parameters.get("charset", "utf-8")
    return encoding, content_type if content_type is not None else f"text/plain; charset={encoding}"


class StringPayload(BytesPayload):
    def __init__(
        self,
        value: str,
        *args: Any,
        encoding: Optional[str] = None,
        content_type: Optional[str] = None,
        **kwargs: Any,
    ) -> None:
        encoding, content_type = _text_type(encoding, content_type)
        super().__init__(value.encode(encoding), encoding=encoding, content_type=content_type, *args, **kwargs)


class StringIOPayload(StringPayload):
    def __init__(self, value: IO[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(value.read(), *args, **kwargs)


class JsonPayload(BytesPayload):
    def __init__(
        self,
        value: Any,
        encoding: str = "utf-8",
        content_type: str = "application/json",
        dumps: JSONEncoder = json.dumps,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(dumps(value).encode(encoding), content_type=content_type, encoding=encoding, *args, **kwargs)


class JsonBytesPayload(BytesPayload):
    """For serializers that make bytes."""

    def __init__(
        self, value: Any, dumps: JSONBytesEncoder, content_type: str = "application/json", *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(dumps(value), content_type=content_type, *args, **kwargs)


# ------------------------------------------------------------------------------------------------------------- files


class IOBasePayload(Pieces):
    """From where the file stands to its end, as often as it can be sought."""

    _value: Any
    _start_position: Optional[int] = None

    def __init__(self, value: IO[Any], disposition: Optional[str] = "attachment", *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("filename", guess_filename(value))
        super().__init__(value, *args, **kwargs)
        if self._filename is not None and disposition is not None and hdrs.CONTENT_DISPOSITION not in self.headers:
            self.set_content_disposition(disposition, filename=self._filename)

    @property
    def size(self) -> Optional[int]:
        if decodes(getattr(self._value, "buffer", self._value)):
            return None  # what it gives is longer than its file
        try:
            if self._start_position is None:
                self._start_position = self._value.tell()
            return os.fstat(self._value.fileno()).st_size - self._start_position
        except (AttributeError, OSError):
            return None

    def _rewind(self) -> None:
        """To where it stood first. What cannot be sought can be sent once."""
        try:
            if self._start_position is None:
                self._start_position = self._value.tell()
            else:
                self._value.seek(self._start_position)
        except (AttributeError, OSError):
            self._consumed = True

    def _read(self, count: int) -> bytes:
        data: bytes = self._value.read(count)
        return data

    async def _pieces(self, limit: Optional[int] = None) -> AsyncIterator[bytes]:
        in_thread = asyncio.get_running_loop().run_in_executor
        await in_thread(None, self._rewind)
        rest = limit
        while rest is None or rest > 0:
            count = DEFAULT_CHUNK_SIZE if rest is None else min(rest, DEFAULT_CHUNK_SIZE)
            piece = await in_thread(None, self._read, count)
            if not piece:
                return
            yield piece
            rest = None if rest is None else rest - len(piece)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return self._read_all().decode(encoding, errors)

    def _read_all(self) -> bytes:
        self._rewind()
        return b"".join(iter(lambda: self._read(DEFAULT_CHUNK_SIZE), b""))

    async def as_bytes(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return await asyncio.get_running_loop().run_in_executor(None, self._read_all)

    def _close(self) -> None:
        if self._consumed:
            return
        self._consumed = True
        future = asyncio.get_running_loop().run_in_executor(None, self._value.close)
        _closing.add(future)
        future.add_done_callback(_closing.remove)


class BufferedReaderPayload(IOBasePayload):
    def _body(self) -> Any:
        """The library reads a regular file by itself, through a descriptor of its own."""
        if not _is_regular(self._value):
            return self._pieces()
        if self._value.writable():
            self._value.flush()
        self._rewind()
        return self._value


def _is_regular(file: Any) -> bool:
    try:
        is_plain = type(getattr(file, "raw", None)) is io.FileIO
        return is_plain and stat.S_ISREG(os.fstat(file.fileno()).st_mode)
    except (OSError, ValueError):
        return False


class BytesIOPayload(IOBasePayload):
    _size: int
    _autoclose = True

    def __init__(self, value: io.BytesIO, *args: Any, **kwargs: Any) -> None:
        super().__init__(value, *args, **kwargs)
        self._size = len(value.getbuffer()) - value.tell()

    @property
    def size(self) -> int:
        return self._size

    async def _pieces(self, limit: Optional[int] = None) -> AsyncIterator[bytes]:
        self._rewind()
        while piece := self._read(DEFAULT_CHUNK_SIZE):
            yield piece
            await asyncio.sleep(0)  # a large one does not keep others waiting

    def _body(self) -> Any:
        return self._read_all() if type(self._value) is io.BytesIO else self._pieces()

    async def as_bytes(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return self._read_all()

    def _close(self) -> None:
        pass


class TextIOPayload(IOBasePayload):
    def __init__(
        self,
        value: TextIO,
        *args: Any,
        encoding: Optional[str] = None,
        content_type: Optional[str] = None,
        **kwargs: Any,
    ) -> None:
        encoding, content_type = _text_type(encoding, content_type)
        super().__init__(value, content_type=content_type, encoding=encoding, *args, **kwargs)

    @property
    def size(self) -> Optional[int]:
        """That of the file, if it is sent in the encoding that it has."""
        stored = getattr(self._value, "encoding", None)
        is_same = stored and codecs.lookup(stored).name == codecs.lookup(self._encoding or "utf-8").name
        return super().size if is_same else None

    def _read(self, count: int) -> bytes:
        text: str = self._value.read(count)
        return text.encode(self._encoding or "utf-8")

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        self._rewind()
        text: str = self._value.read()
        return text


# --------------------------------------------------------------------------------------------------------- iterators


class AsyncIterablePayload(Pieces):
    _iter: Optional[AsyncIterator[bytes]] = None
    _value: AsyncIterable[bytes]
    _cached_chunks: Optional[List[bytes]] = None  # once as_bytes() has read them
    _autoclose = True

    def __init__(self, value: AsyncIterable[bytes], *args: Any, **kwargs: Any) -> None:
        if not isinstance(value, AsyncIterable):
            text = "value argument must support collections.abc.AsyncIterable interface, "
            raise TypeError(text + f"got {type(value)!r}")
        kwargs.setdefault("content_type", "application/octet-stream")
        super().__init__(value, *args, **kwargs)
        self._iter = value.__aiter__()

    async def _pieces(self, limit: Optional[int] = None) -> AsyncIterator[bytes]:
        """To the end, whatever the limit: an iterator may close something there."""
        if self._cached_chunks is not None:
            for piece in self._cached_chunks:
                yield piece
        elif self._iter is not None:
            self._consumed = True  # also if this is not the end: what it gave is gone
            async for piece in self._iter:
                yield piece
            self._iter = None

    def _body(self) -> Any:
        return self._pieces() if self._cached_chunks is None else b"".join(self._cached_chunks)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        if self._cached_chunks is None:
            raise TypeError("Unable to decode - content not cached. Call as_bytes() first.")
        return b"".join(self._cached_chunks).decode(encoding, errors)

    async def as_bytes(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        if self._cached_chunks is None:
            if self._iter is None:
                return b""
            self._cached_chunks = [piece async for piece in self._iter]
            self._iter = None
        return b"".join(self._cached_chunks)


class StreamReaderPayload(AsyncIterablePayload):
    def __init__(self, value: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(value.iter_any(), *args, **kwargs)


# ---------------------------------------------------------------------------------------------------------- registry

PAYLOAD_REGISTRY = PayloadRegistry()


def get_payload(data: Any, *args: Any, **kwargs: Any) -> Payload:
    return PAYLOAD_REGISTRY.get(data, *args, **kwargs)


def register_payload(factory: PayloadType, type: Any, *, order: Order = Order.normal) -> None:
    PAYLOAD_REGISTRY.register(factory, type, order=order)


class payload_type:
    """A decorator of payload classes: which data they take."""

    def __init__(self, type: Any, *, order: Order = Order.normal) -> None:
        self.type = type
        self.order = order

    def __call__(self, factory: PayloadType) -> PayloadType:
        register_payload(factory, self.type, order=self.order)
        return factory


PAYLOAD_REGISTRY.register(BytesPayload, (bytes, bytearray, memoryview))
PAYLOAD_REGISTRY.register(StringPayload, str)
PAYLOAD_REGISTRY.register(StringIOPayload, io.StringIO)
PAYLOAD_REGISTRY.register(TextIOPayload, io.TextIOBase)
PAYLOAD_REGISTRY.register(BytesIOPayload, io.BytesIO)
PAYLOAD_REGISTRY.register(BufferedReaderPayload, (io.BufferedReader, io.BufferedRandom))
PAYLOAD_REGISTRY.register(IOBasePayload, io.IOBase)
PAYLOAD_REGISTRY.register(StreamReaderPayload, (StreamReader, *_original.accepted("streams", "StreamReader")))
PAYLOAD_REGISTRY.register(AsyncIterablePayload, AsyncIterable, order=Order.try_last)
