"""What a server answered."""

import codecs
import ctypes
import itertools
import json
import re
from typing import Any, Dict, Iterator, NamedTuple, Optional, Tuple

from . import _ffi
from ._library import MEMORY, Layout, Owner, bytes_at, bytes_of, lib, prepared
from .errors import check
from .headers import Headers

_INFO = Layout(_ffi.hc_response_info)
_FIELD = Layout(_ffi.hc_header)
_ATTEMPT = Layout(_ffi.hc_attempt)
_HOP = Layout(_ffi.hc_hop)
_VERSIONS = {0: "", 10: "HTTP/1.0", 11: "HTTP/1.1", 20: "HTTP/2"}

_CHARSET = re.compile(r"""charset\s*=\s*["']?([^\s;"']+)""", re.IGNORECASE)
_DECLARED = re.compile(rb"""<(?:meta[^>]*charset|\?xml[^>]*encoding)\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before utf-16: its mark begins with that one's
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Timing(NamedTuple):
    """When things happened, in seconds after the submit; None: it did not. Of several attempts the last one counts."""

    started: Optional[float]  #: a connection slot was given
    resolved: Optional[float]  #: the name has an address
    connected: Optional[float]  #: TCP connected; None on a reused connection
    secured: Optional[float]  #: TLS done; None on a reused connection
    ready: Optional[float]  #: the connection may carry the request
    sent: Optional[float]  #: request head and body written
    first_byte: Optional[float]  #: first byte of the response head
    done: Optional[float]  #: last byte


class Remote(NamedTuple):
    """The other end of a connection."""

    address: str
    port: int


class Hop(NamedTuple):
    """A redirect that was followed: the answer, and the request that got it."""

    status: int
    method: str
    url: str
    headers: Headers


class Attempt(NamedTuple):
    """A connection that a request tried."""

    code: int  #: HC_OK: it brought the answer; HC_E_CANCELLED: it was not needed any more; or how it failed
    connection: int  #: its number; 0: it came to no socket
    address: str  #: numeric; empty: it was to ride an idle connection, and none was alive
    port: int
    reused: bool  #: it rode an idle connection
    hop: int  #: redirects followed before
    timing: Timing  #: of this attempt alone
    message: str  #: of a failure, one line


class Head(Owner):
    """The head of a response, and how it came about. Read from the library's memory when somebody asks for it."""

    __slots__ = ("status", "method", "asked_url", "_handle", "_headers", "_history", "_certificates", "_all")

    status: int  #: 200, 404, ...
    method: str  #: as it was asked for
    asked_url: str  #: the same
    _handle: int  # 0: given up
    _headers: Headers
    _history: Tuple[Hop, ...]
    _certificates: Tuple[bytes, ...]
    _all: Dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        """Fills the slots that are filled on demand; a slot that has its value never comes here."""
        if name == "_headers":
            self._headers = Headers(list(_fields_at(self._info["headers"], self._info["header_count"])))
        elif name == "_history":
            self._history = tuple(_hops_at(self._info["history"], self._info["history_count"]))
        elif name == "_certificates":
            self._certificates = tuple(_certificates_of(self._handle))
        elif name == "_all":
            self._all = _info_of(self._handle)
        else:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return object.__getattribute__(self, name)

    def __repr__(self) -> str:
        return f"<hc.{type(self).__name__} {self.status} {self.reason} {self.url}>"

    @property
    def _info(self) -> Dict[str, Any]:
        return self._all

    @property
    def ok(self) -> bool:
        """Whether the status is below 400."""
        return self.status < 400

    @property
    def reason(self) -> str:
        """The words after the status code; may be empty."""
        return str(self._info["reason"])

    @property
    def headers(self) -> Headers:
        return self._headers

    @property
    def url(self) -> str:
        """Of the answer: after redirects, without user and password."""
        return str(self._info["url"])

    @property
    def history(self) -> Tuple[Hop, ...]:
        """Redirects that were followed, the first one first."""
        return self._history

    @property
    def certificates(self) -> Tuple[bytes, ...]:
        """Of the server, its own first, as far as it sent them; as the request's `certificates` asked for them: "der" or
        "pem". Empty without that, and without TLS."""
        return self._certificates

    @property
    def http_version(self) -> str:
        """ "HTTP/1.0", "HTTP/1.1" or "HTTP/2"."""
        number = self._info["http_version"]
        return _VERSIONS.get(number, f"HTTP/{number // 10}.{number % 10}")

    @property
    def charset(self) -> Optional[str]:
        """What the Content-Type says."""
        found = _CHARSET.search(self.headers.get("content-type", ""))
        return found.group(1) if found else None

    @property
    def timing(self) -> Timing:
        return _timing_of(self._info)

    @property
    def elapsed(self) -> float:
        """Seconds from the submit to the last byte; 0 until that is here."""
        return self.timing.done or 0.0

    @property
    def connection(self) -> int:
        """Number of the connection in its session, from 1."""
        return int(self._info["connection"])

    @property
    def reused(self) -> bool:
        """Whether the connection had served before."""
        return bool(self._info["reused"] == _ffi.HC_ON)

    @property
    def attempts(self) -> int:
        """Connections tried; each address of a race counts."""
        return int(self._info["attempts"])

    def attempt(self, nth: int) -> Attempt:
        """About one of them, in the order of their start, from 0; while the response is not closed."""
        attempt = prepared(_ffi.hc_attempt)
        check(lib.hc_response_attempt(self._handle, nth, ctypes.byref(attempt)))
        return _attempt_of(_ATTEMPT.read(attempt))

    @property
    def remote(self) -> Remote:
        """Numeric address and port of the server."""
        return Remote(self._info["remote_address"], self._info["remote_port"])


class Response(Head):
    """What a server answered, with its whole body.

    Nothing but the status and a small body is read before somebody asks for it: until then it stays in the library's
    memory. A response outlives its session, may be read by several threads, and is immutable.
    """

    __slots__ = ("_address", "_length", "_body")

    _body: bytes

    def __init__(
        self, handle: int, status: int, address: int, length: int, memory: Any = MEMORY, small: int = 16384
    ) -> None:
        self.status = status
        self._handle = handle
        if length <= small:
            self._body = memory[address : address + length]
        else:
            self._address = address
            self._length = length

    def __del__(self, free: Any = lib.hc_response_free) -> None:
        free(self._handle)

    def __getattr__(self, name: str) -> Any:
        if name == "_body":
            self._body = bytes_at(self._address, self._length)
            return self._body
        return super().__getattr__(name)

    @property
    def body(self) -> bytes:
        return self._body

    @property
    def encoding(self) -> str:
        """How `text` decodes the body: as the Content-Type says, by its byte order mark, as its HTML or XML declares,
        or else UTF-8 if it is that, and Windows-1252 if not."""
        return encoding_of(self.charset, self._body)

    @property
    def text(self) -> str:
        """The body as text. What cannot be decoded becomes U+FFFD."""
        return self._body.decode(self.encoding, "replace")

    def json(self, **options: Any) -> Any:
        """The body through json.loads, with its options."""
        return json_of(self.charset, self._body, options)


def encoding_of(charset: Optional[str], body: bytes) -> str:
    declared = _DECLARED.search(body[:1024])
    for name in (charset, _marked(body), declared and declared.group(1).decode("ascii", "replace")):
        if name and _is_known(name):
            return name
    return "utf-8" if _is_utf8(body) else "cp1252"


def json_of(charset: Optional[str], body: bytes, options: Dict[str, Any]) -> Any:
    if charset and _is_known(charset):
        return json.loads(body.decode(charset, "replace"), **options)
    return json.loads(body, **options)


def _info_of(handle: int) -> Dict[str, Any]:
    info = prepared(_ffi.hc_response_info)
    lib.hc_response_get_info(handle, ctypes.byref(info))
    values: Dict[str, Any] = _INFO.read(info)
    for name in ("reason", "remote_address", "url"):
        values[name] = _text_at(values[name + ".data"], values[name + ".len"])
    return values


def _timing_of(values: Dict[str, Any]) -> Timing:
    times = (values[f"timing.{name}_ns"] for name in Timing._fields)
    return Timing(*(None if time == _ffi.HC_UNSET else time / 1e9 for time in times))


def _attempt_of(values: Dict[str, Any]) -> Attempt:
    address, message = (_text_at(values[name + ".data"], values[name + ".len"]) for name in ("address", "message"))
    is_reused = values["reused"] == _ffi.HC_ON
    status, connection, port, hop = (values[name] for name in ("status", "connection", "port", "hop"))
    return Attempt(status, connection, address, port, is_reused, hop, _timing_of(values), message)


def _certificates_of(handle: int) -> Iterator[bytes]:
    for nth in itertools.count():
        certificate = bytes_of(lib.hc_response_certificate(handle, nth))
        if not certificate:
            return
        yield certificate


def _text_at(address: int, length: int) -> str:
    return bytes_at(address, length).decode("utf-8", "surrogateescape")


def _hops_at(address: int, count: int) -> Iterator[Hop]:
    table = bytes_at(address, count * _HOP.struct.size)
    for row in _HOP.struct.iter_unpack(table):
        hop = dict(zip(_HOP.names, row))
        method, url = (_text_at(hop[name + ".data"], hop[name + ".len"]) for name in ("method", "url"))
        yield Hop(hop["http_status"], method, url, Headers(list(_fields_at(hop["headers"], hop["header_count"]))))


def _fields_at(address: int, count: int) -> Iterator[Tuple[bytes, bytes]]:
    table = bytes_at(address, count * _FIELD.struct.size)
    for name, name_length, value, value_length in _FIELD.struct.iter_unpack(table):
        yield bytes_at(name, name_length), bytes_at(value, value_length)


def _marked(body: bytes) -> Optional[str]:
    return next((name for mark, name in _MARKS if body.startswith(mark)), None)


def _is_known(name: str) -> bool:
    try:
        b"x".decode(name, "replace")  # looks it up; refuses codecs that make no text, such as base64
    except (LookupError, ValueError):
        return False
    return True


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
