"""A request as middlewares see it: one hop, with the head it will have on the wire."""

import asyncio
import re
import sys
import traceback
from http.cookies import Morsel, SimpleCookie
from typing import TYPE_CHECKING, Any, Dict, Iterable, List, Mapping, Optional, Tuple, Type

from multidict import CIMultiDict, CIMultiDictProxy, MultiDict, MultiDictProxy
from yarl import URL

from . import hdrs, helpers
from ._auth import basic_auth
from ._cookie_helpers import parse_cookie_header, preserve_morsel_with_coded_value
from ._cookie_types import TextCookies
from ._describe import ConnectionKey, RequestInfo
from ._response import ClientResponse
from .client_exceptions import InvalidURL
from .http import ACCEPT_ENCODING, SERVER_SOFTWARE, HttpVersion, HttpVersion11

if TYPE_CHECKING:
    from .client import ClientSession

_NO_TOKEN = re.compile(r"[^-!#$%&'*+.^_`|~0-9a-zA-Z]")
_SECURE = ("https", "wss")


def default_port(url: URL) -> Optional[int]:
    return 443 if url.scheme in _SECURE else 80


def host_field(url: URL) -> str:
    """What the Host header says."""
    authority: str = url.raw_authority.rpartition("@")[2]
    usual = ":443" if url.scheme in _SECURE else ":80"
    if authority.endswith(usual):
        authority = authority[: -len(usual)]
    if "." in authority and (authority.endswith(".") or ".:" in authority):
        host, colon, port = authority.partition(":")
        authority = host.rstrip(".") + colon + port
    return authority


def has_credentials(url: URL) -> bool:
    return "@" in url.raw_authority


def with_query(url: URL, params: Any) -> URL:
    """The parameters after those that the URL has."""
    if not params:
        return url
    if not url.raw_query_string:
        return url.with_query(params)
    query: "MultiDict[str]" = MultiDict(url.query)
    query.extend(url.with_query(params).query)
    return url.with_query(query)


class ClientRequest:
    """Its attributes may be changed until it is sent."""

    GET_METHODS = {hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS, hdrs.METH_TRACE}
    POST_METHODS = {hdrs.METH_PATCH, hdrs.METH_POST, hdrs.METH_PUT}
    ALL_METHODS = GET_METHODS | POST_METHODS | {hdrs.METH_DELETE}
    DEFAULT_HEADERS: Dict[str, str] = {hdrs.ACCEPT: "*/*", hdrs.ACCEPT_ENCODING: ACCEPT_ENCODING}

    auth: Any = None
    response: Optional[ClientResponse] = None
    _body: Any = None
    _call: Any = None  # what the hops of one ClientSession.request() share
    _skip_auto_headers: "Optional[CIMultiDict[None]]" = None
    _source_traceback: Optional[traceback.StackSummary] = None

    def __init__(
        self,
        method: str,
        url: URL,
        *,
        params: Any = None,
        headers: Any = None,
        skip_auto_headers: Optional[Iterable[str]] = None,
        data: Any = None,
        cookies: Any = None,
        auth: Any = None,
        version: Any = HttpVersion11,
        compress: Any = None,
        chunked: Optional[bool] = None,
        expect100: bool = False,
        loop: Optional[asyncio.AbstractEventLoop] = None,
        response_class: Optional[Type[ClientResponse]] = None,
        proxy: Optional[URL] = None,
        proxy_auth: Any = None,
        timer: Any = None,
        session: "Optional[ClientSession]" = None,
        ssl: Any = True,
        proxy_headers: Any = None,
        traces: Optional[List[Any]] = None,
        trust_env: bool = False,
        server_hostname: Optional[str] = None,
    ) -> None:
        found = _NO_TOKEN.search(method)
        if found:
            raise ValueError(
                f"Method cannot contain non-token characters {method!r} (found at least {found.group()!r})"
            )
        self.original_url = with_query(url, params)
        self.url = self.original_url.with_fragment(None) if url.raw_fragment else self.original_url
        self.method = method.upper()
        self.chunked = chunked
        self.compress = compress
        self.loop = loop if loop is not None else asyncio.get_event_loop()
        self.response_class: Type[ClientResponse] = response_class or ClientResponse
        self.server_hostname = server_hostname
        self.expect100 = expect100
        self._session = session
        self._ssl = True if ssl is None else ssl
        self._traces = [] if traces is None else traces
        if self.loop.get_debug():
            self._source_traceback = traceback.extract_stack(sys._getframe(1))
        self.update_version(version)
        self.update_host(self.url)
        self.update_headers(headers)
        self.update_auto_headers(skip_auto_headers)
        self.update_cookies(cookies)
        self.update_content_encoding(data)
        self.update_auth(auth, trust_env)
        self.update_proxy(proxy, proxy_auth, proxy_headers)
        self.update_body_from_data(data)
        if data is not None or self.method not in self.GET_METHODS:
            self.update_transfer_encoding()
        self.update_expect_continue(expect100)

    # --------------------------------------------------------------------------------------------- what it tells

    def is_ssl(self) -> bool:
        return self.url.scheme in _SECURE

    @property
    def ssl(self) -> Any:
        return self._ssl

    @property
    def host(self) -> str:
        host = self.url.raw_host
        assert host is not None
        return host

    @property
    def port(self) -> Optional[int]:
        return self.url.port

    @property
    def session(self) -> "ClientSession":
        assert self._session is not None
        return self._session

    @property
    def skip_auto_headers(self) -> "CIMultiDict[None]":
        return self._skip_auto_headers if self._skip_auto_headers is not None else CIMultiDict()

    @property
    def request_info(self) -> RequestInfo:
        return RequestInfo(self.url, self.method, CIMultiDictProxy(self.headers), self.original_url)

    @property
    def connection_key(self) -> ConnectionKey:
        headers = self.proxy_headers
        number = hash(tuple(headers.items())) if headers else None
        identity = self._ssl, self.proxy, self.proxy_auth, number, self.server_hostname
        return ConnectionKey(self.url.raw_host or "", self.url.port, self.is_ssl(), *identity)

    @property
    def body(self) -> Any:
        """A Payload; b"" when there is none."""
        return self._body if self._body is not None else b""

    @body.setter
    def body(self, value: Any) -> None:
        self._update_body(value)

    # ------------------------------------------------------------------------------------------ how it is made up

    def update_host(self, url: URL) -> None:
        if not url.raw_authority:
            raise InvalidURL(url)
        if has_credentials(url):
            self.auth = basic_auth(url.user or "", url.password or "")

    def update_version(self, version: Any) -> None:
        if isinstance(version, str):
            major, _, minor = version.partition(".")
            try:
                version = HttpVersion(int(major), int(minor))
            except ValueError:
                raise ValueError(f"Can not parse http version number: {version}") from None
        self.version = version

    def update_headers(self, headers: Any) -> None:
        self.headers: "CIMultiDict[str]" = CIMultiDict()
        self.headers[hdrs.HOST] = host_field(self.url)
        if not headers:
            return
        for name, value in headers.items() if isinstance(headers, (dict, MultiDictProxy, MultiDict)) else headers:
            if name.lower() == "host":
                self.headers[name] = value
            else:
                self.headers.add(name, value)

    def update_auto_headers(self, skip_auto_headers: Optional[Iterable[str]]) -> None:
        skipped: Any = ()
        if skip_auto_headers is not None:
            skipped = self._skip_auto_headers = CIMultiDict((name, None) for name in sorted(skip_auto_headers))
        for name, value in self.DEFAULT_HEADERS.items():
            if name not in self.headers and name not in skipped:
                self.headers[name] = value
        if hdrs.USER_AGENT not in self.headers and hdrs.USER_AGENT not in skipped:
            self.headers[hdrs.USER_AGENT] = SERVER_SOFTWARE

    def update_cookies(self, cookies: Any) -> None:
        if not cookies:
            return
        jar: TextCookies = SimpleCookie()
        if hdrs.COOKIE in self.headers:
            jar.update(parse_cookie_header(self.headers.get(hdrs.COOKIE, "")))  # type: ignore[arg-type]
            del self.headers[hdrs.COOKIE]
        for name, value in cookies.items() if isinstance(cookies, Mapping) else cookies:
            jar[name] = preserve_morsel_with_coded_value(value) if isinstance(value, Morsel) else value
        self.headers[hdrs.COOKIE] = jar.output(header="", sep=";").strip()

    def update_content_encoding(self, data: Any) -> None:
        if not data:
            self.compress = None  # an empty body stays empty
        elif self.headers.get(hdrs.CONTENT_ENCODING):
            if self.compress:
                raise ValueError("compress can not be set if Content-Encoding header is set")
        elif self.compress:
            if not isinstance(self.compress, str):
                self.compress = "deflate"
            if self.compress not in ("deflate", "gzip"):
                raise ValueError("compress must be one of True, False, 'deflate', or 'gzip'")
            self.headers[hdrs.CONTENT_ENCODING] = self.compress
            self.chunked = True

    def update_transfer_encoding(self) -> None:
        if "chunked" in self.headers.get(hdrs.TRANSFER_ENCODING, "").lower():
            if self.chunked:
                raise ValueError('chunked can not be set if "Transfer-Encoding: chunked" header is set')
            self.chunked = True
            self.headers.pop(hdrs.CONTENT_LENGTH, None)
        elif self.chunked:
            if hdrs.CONTENT_LENGTH in self.headers:
                raise ValueError("chunked can not be set if Content-Length header is set")
            self.headers[hdrs.TRANSFER_ENCODING] = "chunked"

    def update_auth(self, auth: Any, trust_env: bool = False) -> None:
        auth = self.auth if auth is None else auth
        if auth is None:
            return
        if not _is_auth(auth):
            raise TypeError("BasicAuth() tuple is required instead")
        self.headers[hdrs.AUTHORIZATION] = auth.encode()

    def update_expect_continue(self, expect: bool = False) -> None:
        if expect:
            self.headers[hdrs.EXPECT] = "100-continue"
        self.expect100 = self.headers.get(hdrs.EXPECT, "").lower() == "100-continue"

    def update_proxy(self, proxy: Optional[URL], proxy_auth: Any, proxy_headers: Any) -> None:
        self.proxy = proxy
        if proxy is None:
            self.proxy_auth = self.proxy_headers = None
            return
        if proxy_auth is not None and not _is_auth(proxy_auth):
            raise ValueError("proxy_auth must be None or BasicAuth() tuple")
        self.proxy_auth = proxy_auth
        if proxy_headers is not None and not isinstance(proxy_headers, (MultiDict, MultiDictProxy)):
            proxy_headers = CIMultiDict(proxy_headers)
        self.proxy_headers = proxy_headers

    # ---------------------------------------------------------------------------------------------------- the body

    def update_body_from_data(self, body: Any) -> None:
        if body is None:
            self._body = None
            if self.method not in self.GET_METHODS and not self.chunked and hdrs.CONTENT_LENGTH not in self.headers:
                self.headers[hdrs.CONTENT_LENGTH] = "0"
            return
        self._body = made = as_payload(body, self.headers)
        if not self.chunked and hdrs.CONTENT_LENGTH not in self.headers:
            if made.size is not None:
                self.headers[hdrs.CONTENT_LENGTH] = str(made.size)
            else:
                self.chunked = True
        for name, value in made.headers.items():
            if name not in self.headers and name not in self.skip_auto_headers:
                self.headers[name] = value

    def _update_body(self, body: Any) -> None:
        self.headers.pop(hdrs.CONTENT_LENGTH, None)
        if self.chunked:
            self.headers.pop(hdrs.TRANSFER_ENCODING, None)
        self.update_body_from_data(body)
        if body is not None or self.method not in self.GET_METHODS:
            self.update_transfer_encoding()

    async def update_body(self, body: Any) -> None:
        """Another body, in place of the one it has."""
        if self._body is not None and hasattr(self._body, "close"):
            await self._body.close()
        self._update_body(body)

    # ------------------------------------------------------------------------------------------------ on the wire

    def complete_head(self, force_close: bool) -> None:
        """What aiohttp adds at the last moment."""
        if self.method in self.POST_METHODS and hdrs.CONTENT_TYPE not in self.skip_auto_headers:
            self.headers.setdefault(hdrs.CONTENT_TYPE, "application/octet-stream")
        if hdrs.CONNECTION not in self.headers:
            if force_close:
                if self.version == HttpVersion11:
                    self.headers[hdrs.CONNECTION] = "close"
            elif self.version == (1, 0):
                self.headers[hdrs.CONNECTION] = "keep-alive"

    def content_length(self) -> Optional[int]:
        """What the header says."""
        given = self.headers.get(hdrs.CONTENT_LENGTH)
        if given is None:
            return None
        if not given.isascii() or not given.isdigit():
            raise ValueError(f"Invalid Content-Length header: {given!r}")
        return int(given)

    def head_fields(self, url: URL) -> List[Tuple[str, Optional[str]]]:
        """Without what the core writes for that URL, and None for what it would write and shall not."""
        host = host_field(url)
        skipped = _OF_THE_CORE if self.proxy is None else (*_OF_THE_CORE, "proxy-authorization")
        fields: List[Tuple[str, Optional[str]]] = [
            (name, value)
            for name, value in self.headers.items()
            if name.lower() not in skipped and (value != host or name.lower() != "host")
        ]
        return fields + [(name, None) for name in _AUTOMATIC if name not in self.headers]


_OF_THE_CORE = ("content-length", "transfer-encoding", "expect")
_AUTOMATIC = (hdrs.ACCEPT, hdrs.ACCEPT_ENCODING, hdrs.USER_AGENT, hdrs.CONTENT_TYPE)


def _is_auth(auth: Any) -> bool:
    """Of ours or of aiohttp's."""
    return isinstance(auth, helpers.BasicAuth) or type(auth).__name__ == "BasicAuth" and hasattr(auth, "encode")


def as_payload(body: Any, headers: Any) -> Any:
    """Whatever `data` may be, as a Payload: ours, or aiohttp's as it is."""
    from . import payload
    from .formdata import FORMS, FormData

    if hasattr(body, "write") and hasattr(body, "size") and hasattr(body, "headers"):
        return body
    if isinstance(body, FORMS):
        return body()
    try:
        return payload.PAYLOAD_REGISTRY.get(body, disposition=None)
    except payload.LookupError:
        return FormData(body)()
