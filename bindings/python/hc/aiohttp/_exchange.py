"""One hop: a request to the core, and the response from it."""

import ctypes
import dataclasses
import functools
import math
import struct
from typing import TYPE_CHECKING, Any, List, Optional, Sequence, Tuple

from multidict import CIMultiDictProxy
from yarl import URL

from .. import _ffi, errors
from .._library import view_of
from . import _failures, _sending, hdrs
from ._engine import Engine, Transfer
from ._response import ClientResponse
from ._settings import Bounds
from .client_exceptions import ClientConnectionError, ClientConnectorDNSError, ClientResponseError
from .tracing import send_all

if TYPE_CHECKING:
    from ._request import ClientRequest


# By asyncio, of a socket. What aiohttp holds of a body that nobody reads is that much above twice its read_bufsize.
_READ_AT_ONCE = 256 << 10


@dataclasses.dataclass
class Call:
    """What all hops of one ClientSession.request() have in common."""

    timeout: Any
    deadline: Optional[float]
    traces: List[Any]
    read_bufsize: int
    auto_decompress: bool
    raise_for_status: Any
    retries: bool
    bounds: Bounds

    def change(self, **given: Any) -> None:
        """What a request says in place of its session; None: nothing."""
        for name, value in given.items():
            if value is not None:
                setattr(self, name, value)


class Fields:
    """A table of hc_header, made with one allocation for the text and one for the pointers."""

    def __init__(self, pairs: Sequence[Tuple[str, Optional[str]]]) -> None:
        texts = [_encoded(text) for pair in pairs for text in pair]
        self.count = len(pairs)
        self._text = ctypes.create_string_buffer(b"".join(filter(None, texts)))
        address = ctypes.addressof(self._text)
        numbers: List[int] = []
        for text in texts:
            numbers += (0, 0) if text is None else (address, len(text))
            address += len(text or b"")
        rows = bytearray(struct.pack(f"={len(numbers)}Q", *numbers))
        self.table = (_ffi.hc_header * self.count).from_buffer(rows)


def _encoded(text: Optional[str]) -> Optional[bytes]:
    if text is None:
        return None
    if not isinstance(text, str):
        raise TypeError(f"Cannot serialize non-str key {text!r}")
    return text.encode("utf-8", "surrogateescape")


def milliseconds(seconds: Optional[float]) -> int:
    """0 is no limit."""
    if not seconds or seconds < 0 or seconds == math.inf:
        return 0
    return max(1, -int(-seconds * 1000 // 1))


@functools.lru_cache(maxsize=64)
def _clocks(total: Any, connect: Any, sock_connect: Any, sock_read: Any) -> Any:
    """The core's clocks; the others are as the session has them."""
    clocks = _ffi.hc_request().timeouts
    ctypes.memset(ctypes.byref(clocks), 0xFF, ctypes.sizeof(clocks))  # HC_UNSET
    clocks.total_ms = milliseconds(total)
    clocks.connect_ms = milliseconds(connect)
    clocks.sock_connect_ms = milliseconds(sock_connect)
    clocks.sock_read_ms = milliseconds(sock_read)
    return clocks


async def send(request: "ClientRequest") -> ClientResponse:
    """What stands behind all middlewares."""
    session, call = request.session, request._call
    connector = session._connector
    if connector is None or connector.closed:
        raise ClientConnectionError("Connector is closed.")
    engine = connector._started(is_traced=bool(call.traces))
    names = connector._names
    was_moved = names is None or names.has_moved(request.url)
    try:
        transfer = await _sent(engine, request, call)
    except ClientConnectorDNSError:
        if names is None or was_moved or not names.has_moved(request.url):
            raise
        transfer = await _sent(engine, request, call)
    return _response(request, transfer, call)


async def _sent(engine: Engine, request: "ClientRequest", call: Call) -> Transfer:
    """Until there is a response."""
    transfer = _submitted(engine, request, call)
    try:
        await (_traced_head(transfer, request, call) if call.traces else transfer.head())
    except errors.Error as failure:
        raise explained(failure, transfer, request) from failure
    return transfer


def _submitted(engine: Engine, request: "ClientRequest", call: Call) -> Transfer:
    target = filled(engine, request)
    if call.deadline is not None:
        target.timeouts.total_ms = milliseconds(max(call.deadline - engine.loop.time(), 0.001))
    upload = _sending.put_body(target, request, call.traces)
    try:
        transfer = engine.submit(target, ctypes.byref(target))
    except errors.Error as failure:
        raise _failures.of_head(failure, request) from failure
    transfer.upload = upload
    if not call.traces:
        _sending.feed(transfer)
    return transfer


def filled(engine: Engine, request: "ClientRequest") -> Any:
    """A hc_request with everything but the body."""
    connector: Any = request.session._connector
    call: Call = request._call
    request.complete_head(connector.force_close)
    target = engine.new_request()
    url = request.url if connector._names is None else connector._names.wire_url(request.url)
    fields = Fields(request.head_fields(url))
    target.method = view_of(request.method.encode())
    target.url = view_of(str(url).encode("ascii"))
    target.headers, target.header_count = fields.table, fields.count
    target.decompress = _ffi.HC_ON if call.auto_decompress else _ffi.HC_OFF
    target.body_window = min(max(2 * call.read_bufsize, 1024) + _READ_AT_ONCE, 2**30)
    target.expect_continue = _ffi.HC_ON if request.expect100 else _ffi.HC_OFF
    if not call.retries:
        target.retry_stale = _ffi.HC_OFF
    timeout = call.timeout
    target.timeouts = _clocks(timeout.total, timeout.connect, timeout.sock_connect, timeout.sock_read)
    if request._body is None and request.headers.get(hdrs.CONTENT_LENGTH) == "0":
        target.body = view_of(b"")
    target.kept = [fields]  # for as long as the struct
    if request.is_ssl():
        target.kept.append(_set_tls(target, request, connector))
    if request.proxy is not None:
        target.kept.append(_set_proxy(target, request, request.proxy))
    return target


def _set_tls(target: Any, request: "ClientRequest", connector: Any) -> Any:
    given = connector._ssl if request.ssl is True else request.ssl
    identity = connector._identities.of(given, request.server_hostname)
    if identity is not None:
        target.tls = identity._handle
    return identity


def _set_proxy(target: Any, request: "ClientRequest", proxy: URL) -> Optional[Fields]:
    auth = request.proxy_auth
    if auth is not None:
        proxy = proxy.with_user(auth.login).with_password(auth.password)
    target.proxy = view_of(str(proxy).encode("ascii").rstrip(b"/"))
    pairs = _proxy_fields(request)
    if not pairs:
        return None
    fields = Fields(pairs)
    target.proxy_headers, target.proxy_header_count = fields.table, fields.count
    return fields


def _proxy_fields(request: "ClientRequest") -> List[Tuple[str, Optional[str]]]:
    """`proxy_headers` are for tunnels. What a forwarded request says to the proxy stands in its own headers."""
    own = request.headers.getall(hdrs.PROXY_AUTHORIZATION, ())
    for_tunnel = list(request.proxy_headers.items()) if request.proxy_headers and request.is_ssl() else []
    if own and hdrs.PROXY_AUTHORIZATION not in dict(for_tunnel):
        for_tunnel += [(hdrs.PROXY_AUTHORIZATION, value) for value in own]
    return for_tunnel


def explained(failure: errors.Error, transfer: Optional[Transfer], request: "ClientRequest") -> BaseException:
    """What aiohttp would raise."""
    if transfer is not None and transfer.upload is not None and transfer.upload.failure is not None:
        told = _sending.of_upload(transfer.upload.failure, request)
        failure.__cause__ = transfer.upload.failure
        return told
    return _failures.of_head(failure, request)


async def _traced_head(transfer: Transfer, request: "ClientRequest", call: Call) -> None:
    """The head, and on the way to it the signals of the core, in order."""
    engine, number = transfer.engine, transfer.number
    assert engine.events is not None
    engine.by_number[number] = transfer
    try:
        while True:
            is_over = transfer.done()
            names = engine.events.setdefault(number, [])  # the session's thread may add to it at any time
            is_news = bool(names)
            while names:
                name = names.pop(0)
                await _send_signal(name, request, call)
                if name == "request_headers_sent":
                    _sending.feed(transfer)  # not before, so that its signals come after that one
            if is_over:
                return await transfer.head()
            if not is_news:
                await transfer.wait()
    except BaseException:
        transfer.cancel()
        raise
    finally:
        engine.by_number.pop(number, None)  # first: what comes from now on is dropped as it comes
        engine.events.pop(number, None)


async def _send_signal(name: str, request: "ClientRequest", call: Call) -> None:
    values: Tuple[Any, ...] = ()
    if name.startswith("dns_"):
        values = (request.url.raw_host,)
    elif name == "request_headers_sent":
        values = (request.method, request.url, request.headers)
    await send_all(call.traces, "on_" + name, *values)


def _response(request: "ClientRequest", transfer: Transfer, call: Call) -> ClientResponse:
    response = request.response_class(
        request.method,
        request.original_url,
        writer=None,
        continue100=None,
        timer=None,
        request_info=None if request.response_class is ClientResponse else request.request_info,
        request_headers=CIMultiDictProxy(request.headers),
        original_url=request.original_url,
        traces=call.traces,
        loop=request.loop,
        session=request.session,
    )
    response._read_bufsize = call.read_bufsize
    response._start(transfer)
    if any(call.bounds):
        _check_bounds(response, call.bounds)
    return response


def _check_bounds(response: ClientResponse, bounds: Bounds) -> None:
    """Bounds that were asked for and may be below the core's."""
    line, field, count = bounds
    told = None
    if line and len(response.reason or "") + len("HTTP/1.1 200 ") > line:
        told = f"Got more than {line} bytes when reading: the status line"
    if field and any(len(name) > field or len(value) > field for name, value in response.raw_headers):
        told = f"Got more than {field} bytes when reading: a header field"
    if count and len(response.raw_headers) > count:
        told = "Too many headers received"
    if told is not None:
        response.close()
        raise ClientResponseError(response.request_info, (), status=400, message=told, headers=response.headers)
