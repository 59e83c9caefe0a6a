"""What a server answered."""

import asyncio
import codecs
import contextlib
import json
import sys
import traceback
import warnings
from http.cookies import SimpleCookie
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Callable, Dict, NamedTuple, Mapping, Optional, Sequence, Tuple, Type

from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from . import _failures, hdrs, helpers
from ._body import ResponseReader
from ._connection import Connection
from ._cookie_types import TextCookies
from ._describe import RequestInfo
from ._engine import RawHeaders, Transfer
from .client_exceptions import ClientConnectionError, ClientResponseError, ContentTypeError
from .http import HttpVersion
from .streams import EMPTY_PAYLOAD, StreamReader
from .tracing import send_all

if TYPE_CHECKING:
    from .client import ClientSession

_JSON_SUBTYPES = ("json", "rdap")


class ContentDisposition(NamedTuple):
    type: Optional[str]
    parameters: Mapping[str, str]
    filename: Optional[str]


class ClientResponse(helpers.HeadersMixin):
    """The head of a response, and the way to its body.

    Whatever is not asked for stays in the core and costs nothing: version, reason, headers and content are made when
    somebody looks at them.
    """

    status: int = None  # type: ignore[assignment]
    version: Optional[HttpVersion]
    reason: Optional[str]
    content: StreamReader

    _body: Optional[bytes] = None
    _transfer: Optional[Transfer] = None
    _history: "Tuple[ClientResponse, ...]" = ()
    _closed = True
    _released = False
    _in_context = False
    _cookies: Optional[TextCookies] = None
    _raw_cookie_headers: Optional[Tuple[str, ...]] = None
    _source_traceback: Optional[traceback.StackSummary] = None
    _session: "Optional[ClientSession]" = None
    _resolve_charset: "Callable[[ClientResponse, bytes], str]" = lambda *_: "utf-8"
    _request_info: Optional[RequestInfo] = None
    _request_headers: Any = None
    _asked: Any = None  # the template and the target of a plain request
    _read_bufsize = helpers.DEFAULT_CHUNK_SIZE
    output_size = 0

    def __init__(
        self,
        method: str,
        url: URL,
        *,
        writer: Any = None,
        continue100: Any = None,
        timer: Any = None,
        request_info: Optional[RequestInfo] = None,
        traces: Sequence[Any] = (),
        loop: Any = None,
        session: "Optional[ClientSession]" = None,
        request_headers: Any = None,
        original_url: Optional[URL] = None,
        stream_writer: Any = None,
        **kwargs: Any,
    ) -> None:
        self.method = method
        self._real_url = url
        self._request_info = request_info
        self._request_headers = request_headers
        self._original_url = url if original_url is None else original_url
        self._traces = traces
        self._loop = loop
        if session is not None:
            self._session = session
            self._resolve_charset = session._resolve_charset
        if loop is not None and loop.get_debug():
            self._source_traceback = traceback.extract_stack(sys._getframe(1))

    def _start(self, transfer: Transfer) -> None:
        """The head has come."""
        self._transfer = transfer
        self.status = transfer.status
        self._closed = False

    # ------------------------------------------------------------------------------------------- filled on demand

    def __getattr__(self, name: str) -> Any:
        if name in ("version", "reason", "_headers", "_raw_headers"):
            self._load_head()
        elif name == "content":
            self.content = self._made_content()
        else:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return self.__dict__[name]

    def _load_head(self) -> None:
        """All four, but for what somebody has set."""
        version, reason, raw = (11, b"", ()) if self._transfer is None else self._transfer.raw_head()
        fields = [(_text(name), _text(value)) for name, value in raw]
        is_there = self._transfer is not None
        self.__dict__.setdefault("version", HttpVersion(version // 10, version % 10) if is_there else None)
        self.__dict__.setdefault("reason", _text(reason) if is_there else None)
        self.__dict__.setdefault("_raw_headers", raw)
        self.__dict__.setdefault("_headers", CIMultiDictProxy(CIMultiDict(fields)))

    def _made_content(self) -> StreamReader:
        if self._transfer is None:
            return EMPTY_PAYLOAD
        is_chunked = "chunked" in self.headers.get(hdrs.TRANSFER_ENCODING, "").lower()
        reader = ResponseReader(self._transfer, self._read_bufsize, self._real_url, is_chunked)
        if self._released:
            reader.set_exception(ClientConnectionError("Connection closed"))
        return reader

    @property
    def headers(self) -> "CIMultiDictProxy[str]":
        headers: "CIMultiDictProxy[str]" = self._headers
        return headers

    @property
    def raw_headers(self) -> RawHeaders:
        raw: RawHeaders = self._raw_headers
        return raw

    @property
    def cookies(self) -> TextCookies:
        if self._cookies is None:
            self._cookies = SimpleCookie()
            given = self._raw_cookie_headers or self._set_cookie_fields()
            if given:
                self._cookies.update(_parsed_cookies(given))
        return self._cookies

    @cookies.setter
    def cookies(self, cookies: TextCookies) -> None:
        self._cookies = cookies
        self._raw_cookie_headers = tuple(each.OutputString() for each in cookies.values()) if cookies else None

    def _set_cookie_fields(self) -> Tuple[str, ...]:
        return tuple(self.headers.getall(hdrs.SET_COOKIE, ()))

    # --------------------------------------------------------------------------------------------- what it tells

    @property
    def url(self) -> URL:
        """That answered, without its fragment."""
        url = self._real_url
        return url.with_fragment(None) if url.raw_fragment else url

    @property
    def real_url(self) -> URL:
        return self._real_url

    @property
    def host(self) -> str:
        assert self._real_url.host is not None
        return self._real_url.host

    @property
    def request_info(self) -> RequestInfo:
        if self._request_info is None and self._asked is not None:
            template, target = self._asked
            self._request_info = template.request(target).request_info
        elif self._request_info is None:
            headers = self._request_headers
            made = headers if isinstance(headers, CIMultiDictProxy) else CIMultiDictProxy(CIMultiDict(headers or ()))
            self._request_info = RequestInfo(self.url, self.method, made, self._original_url)
        assert self._request_info is not None
        return self._request_info

    @property
    def history(self) -> "Tuple[ClientResponse, ...]":
        """Redirects that led here, the first one first."""
        return self._history

    @property
    def ok(self) -> bool:
        """Whether the status is below 400."""
        return self.status < 400

    @property
    def content_disposition(self) -> Optional[ContentDisposition]:
        raw = self.headers.get(hdrs.CONTENT_DISPOSITION)
        if raw is None:
            return None
        from . import multipart

        kind, parameters = multipart.parse_content_disposition(raw)
        named = MappingProxyType(dict(parameters))
        return ContentDisposition(kind, named, multipart.content_disposition_filename(named))

    @property
    def links(self) -> Any:
        """The Link header: {rel: {"url": URL, ...}}."""
        return helpers.parse_links(self.headers.getall("link", ()), self.url)

    @property
    def connection(self) -> Optional[Connection]:
        """None when the body is here, or given up."""
        transfer = self._transfer
        if transfer is None or transfer.is_done or self._closed:
            return None
        return Connection(transfer, self)

    @property
    def closed(self) -> bool:
        return self._closed or self._transfer is not None and self._transfer.is_done

    @property
    def upload_complete(self) -> "asyncio.Future[None]":
        """Done when the body of the request was sent."""
        done: "asyncio.Future[None]" = self._loop.create_future()
        feed = self._transfer.feed if self._transfer is not None else None
        if feed is None or feed.done():
            done.set_result(None)
        else:
            feed.add_done_callback(lambda _: None if done.done() else done.set_result(None))
        return done

    def __repr__(self) -> str:
        reason = self.reason.encode("ascii", "backslashreplace").decode("ascii") if self.reason else "None"
        return f"<ClientResponse({self.url}) [{self.status} {reason}]>\n{self.headers}\n"

    def raise_for_status(self) -> None:
        if self.ok:
            return
        if not self._in_context:
            self.release()
        raise ClientResponseError(
            self.request_info, self.history, status=self.status, message=self.reason or "", headers=self.headers
        )

    # ------------------------------------------------------------------------------------------------- the body

    async def read(self) -> bytes:
        if self._body is None:
            try:
                self._body = await self._read_all()
                if self._traces:
                    await send_all(self._traces, "on_response_chunk_received", self.method, self.url, self._body)
            except BaseException:
                self.close()
                raise
        elif self._released:
            raise ClientConnectionError("Connection closed")
        return self._body

    async def _read_all(self) -> bytes:
        transfer = self._transfer
        if transfer is None or "content" in self.__dict__ or self._released:
            return await self.content.read()
        pieces = []
        try:
            while True:
                piece = transfer.read()
                if piece:
                    pieces.append(piece)
                elif piece is not None:
                    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
                else:
                    await transfer.wait()
                    if self._released:
                        raise ClientConnectionError("Connection closed")
        except Exception as failure:
            error = _failures.of_body(failure, self._real_url)
            if error is failure:
                raise
            raise error from failure

    def get_encoding(self) -> str:
        kind = helpers.parse_mimetype(self.headers.get(hdrs.CONTENT_TYPE, "").lower())
        encoding = kind.parameters.get("charset")
        if encoding:
            with contextlib.suppress(LookupError, ValueError):
                return codecs.lookup(encoding).name
        if kind.type == "application" and kind.subtype in _JSON_SUBTYPES:
            return "utf-8"
        if self._body is None:
            raise RuntimeError("Cannot compute fallback encoding of a not yet read body")
        return self._resolve_charset(self, self._body)

    async def text(self, encoding: Optional[str] = None, errors: str = "strict") -> str:
        body = await self.read() if self._body is None else self._body
        return body.decode(encoding or self.get_encoding(), errors)

    async def json(
        self,
        *,
        encoding: Optional[str] = None,
        loads: Callable[[str], Any] = json.loads,
        content_type: Optional[str] = "application/json",
    ) -> Any:
        body = await self.read() if self._body is None else self._body
        kind = self.headers.get(hdrs.CONTENT_TYPE, "").lower() if content_type else ""
        if content_type and not _is_expected(kind, content_type):
            raise ContentTypeError(
                self.request_info,
                self.history,
                status=self.status,
                message=f"Attempt to decode JSON with unexpected mimetype: {kind}",
                headers=self.headers,
            )
        stripped = body.strip()
        return loads(stripped.decode(encoding or self.get_encoding())) if stripped else None

    # -------------------------------------------------------------------------------------------------- its end

    def release(self) -> Any:
        """Gives the rest of the body back, and with it the connection."""
        transfer = self._transfer
        if not self._released:
            self._notify_content()
        self._closed = True
        if transfer is not None and transfer.handle and not transfer.at_end:
            self._load_head()
            transfer.release()
        self._session = None
        return helpers.noop()

    def close(self) -> None:
        """The same, and closes the connection if the body was not all there."""
        if self._transfer is not None and not self._loop.is_closed():
            self._transfer.cancel()
        self.release()

    def _notify_content(self) -> None:
        """Whoever reads on is told."""
        self._released = True
        content = self.__dict__.get("content")
        if content is not None:
            if content.exception() is None:
                content.set_exception(ClientConnectionError("Connection closed"))
        elif self._transfer is not None:
            self._transfer.on_body()

    async def wait_for_close(self) -> None:
        feed = self._transfer.feed if self._transfer is not None else None
        if feed is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await feed
        self.release()

    async def __aenter__(self) -> "ClientResponse":
        self._in_context = True
        return self

    async def __aexit__(
        self, _: Optional[Type[BaseException]], __: Optional[BaseException], ___: Optional[TracebackType]
    ) -> None:
        self._in_context = False
        self.release()

    def __del__(self, _warnings: Any = warnings) -> None:
        transfer = self._transfer
        if self._closed or transfer is None or transfer.is_done or not transfer.handle:
            return
        transfer.release()
        if self._loop.get_debug():
            _warnings.warn(f"Unclosed response {object.__repr__(self)}", ResourceWarning, source=self)
            context: Dict[str, Any] = {"client_response": self, "message": "Unclosed response"}
            if self._source_traceback:
                context["source_traceback"] = self._source_traceback
            self._loop.call_exception_handler(context)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _parsed_cookies(fields: Sequence[str]) -> Any:
    from ._cookie_helpers import parse_set_cookie_headers

    return parse_set_cookie_headers(fields)


def _is_expected(given: str, wanted: str) -> bool:
    """JSON is also what is like it: application/problem+json."""
    if wanted == "application/json":
        kind = given.partition(";")[0].strip()
        return kind == wanted or kind.startswith("application/") and kind.endswith("+json")
    return wanted in given
