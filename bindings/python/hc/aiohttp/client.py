"""Sessions: what programs send their requests with."""

import asyncio
import inspect
import json as json_module
import sys
import traceback
import warnings
from types import TracebackType
from typing import Any, Awaitable, Callable, Coroutine, Dict, FrozenSet, Generator, Iterable, List, Optional, Sequence, Tuple, Type

from multidict import CIMultiDict, MultiDict, MultiDictProxy, istr
from yarl import URL

from . import _original, _tls, hdrs, helpers
from ._exchange import Call, ClientTimeout
from ._journey import REDIRECTS, Journey, check_status, cookies_of, timed
from ._plain import Plain
from ._request import ClientRequest
from ._response import ClientResponse
from .client_exceptions import InvalidURL, InvalidUrlClientError, NonHttpUrlClientError
from .client_ws import ClientWebSocketResponse
from .connector import BaseConnector, TCPConnector
from .cookiejar import CookieJar
from .helpers import sentinel
from .http import HttpVersion, HttpVersion11
from .tracing import Trace

__all__ = ("ClientSession", "ClientTimeout", "request")

DEFAULT_TIMEOUT = ClientTimeout(total=5 * 60, sock_connect=30)
_TIMEOUTS: Tuple[Any, ...] = (ClientTimeout, *_original.accepted("client", "ClientTimeout"))
_LINE, _FIELD, _FIELDS = 8190, 8190, 128  # the original's bounds of a response head

_AUTH_IS_DEPRECATED = (
    "The '{}' parameter is deprecated and will be removed in v4; pass {}={{'{}': "
    "aiohttp.encode_basic_auth(login, password)}} instead"
)


def _warn_of_auth(auth: Any, proxy_auth: Any, stacklevel: int) -> None:
    if auth is not None:
        message = _AUTH_IS_DEPRECATED.format("auth", "headers", "Authorization")
        warnings.warn(message, DeprecationWarning, stacklevel=stacklevel)
    if proxy_auth is not None:
        message = _AUTH_IS_DEPRECATED.format("proxy_auth", "proxy_headers", "Proxy-Authorization")
        warnings.warn(message, DeprecationWarning, stacklevel=stacklevel)


class ClientSession:
    """Headers, cookies and other defaults over a connector; make one and keep it."""

    _source_traceback: Optional[traceback.StackSummary] = None
    _connector: Optional[BaseConnector] = None

    def __init__(
        self,
        base_url: Any = None,
        *,
        connector: Optional[BaseConnector] = None,
        loop: Optional[asyncio.AbstractEventLoop] = None,
        cookies: Any = None,
        headers: Any = None,
        proxy: Any = None,
        proxy_auth: Any = None,
        skip_auto_headers: Optional[Iterable[str]] = None,
        auth: Any = None,
        json_serialize: Callable[[Any], str] = json_module.dumps,
        json_serialize_bytes: Optional[Callable[[Any], bytes]] = None,
        request_class: Type[ClientRequest] = ClientRequest,
        response_class: Type[ClientResponse] = ClientResponse,
        ws_response_class: Type[ClientWebSocketResponse] = ClientWebSocketResponse,
        version: HttpVersion = HttpVersion11,
        cookie_jar: Any = None,
        connector_owner: bool = True,
        raise_for_status: Any = False,
        read_timeout: Any = sentinel,
        conn_timeout: Optional[float] = None,
        timeout: Any = sentinel,
        auto_decompress: bool = True,
        trust_env: bool = False,
        requote_redirect_url: bool = True,
        trace_configs: Optional[List[Any]] = None,
        read_bufsize: int = 2**18,
        max_line_size: int = _LINE,
        max_field_size: int = _FIELD,
        max_headers: int = _FIELDS,
        fallback_charset_resolver: Callable[[ClientResponse, bytes], str] = lambda r, b: "utf-8",
        middlewares: Sequence[Any] = (),
        ssl_shutdown_timeout: Any = sentinel,
    ) -> None:
        self._base_url = _checked_base(base_url)
        self._base_url_origin = None if self._base_url is None else self._base_url.origin()
        if loop is None:
            loop = connector._loop if isinstance(connector, BaseConnector) else None
        self._loop = loop or asyncio.get_running_loop()
        self._timeout = _session_timeout(timeout, read_timeout, conn_timeout)
        if ssl_shutdown_timeout is not sentinel:
            message = "The ssl_shutdown_timeout parameter is deprecated and will be removed in aiohttp 4.0"
            warnings.warn(message, DeprecationWarning, stacklevel=2)
        if connector is None:
            connector = TCPConnector(loop=self._loop)
        if not isinstance(connector, BaseConnector):
            raise TypeError(f"connector must be one of hc.aiohttp's, not {type(connector).__module__}'s")
        if connector._loop is not self._loop:
            raise RuntimeError("Session and connector have to use same event loop")
        if self._loop.get_debug():
            self._source_traceback = traceback.extract_stack(sys._getframe(1))
        self._cookie_jar = CookieJar(loop=self._loop) if cookie_jar is None else cookie_jar
        if cookies:
            self._cookie_jar.update_cookies(cookies)
        _warn_of_auth(auth, proxy_auth, stacklevel=3)
        self._connector = connector
        self._connector_owner = connector_owner
        self._default_auth = auth
        self._default_proxy = proxy
        self._default_proxy_auth = proxy_auth
        self._version = version
        self._json_serialize = json_serialize
        self._json_serialize_bytes = json_serialize_bytes
        self._raise_for_status = raise_for_status
        self._auto_decompress = auto_decompress
        self._trust_env = trust_env
        self._requote_redirect_url = requote_redirect_url
        self._read_bufsize = read_bufsize
        self._bounds = (max_line_size, max_field_size, max_headers)
        self._default_headers: "CIMultiDict[str]" = CIMultiDict(headers) if headers else CIMultiDict()
        self._skip_auto_headers: FrozenSet[istr] = frozenset(istr(name) for name in skip_auto_headers or ())
        self._request_class = request_class
        self._response_class = response_class
        self._ws_response_class = ws_response_class
        self._trace_configs = trace_configs or []
        for trace_config in self._trace_configs:
            trace_config.freeze()
        self._resolve_charset = fallback_charset_resolver
        self._middlewares = tuple(middlewares)
        self._retry_connection = True
        self._plain = Plain(self)
        _grow(connector, self._bounds)

    def __init_subclass__(cls) -> None:
        message = f"Inheritance class {cls.__name__} from ClientSession is discouraged"
        warnings.warn(message, DeprecationWarning, stacklevel=2)

    # -------------------------------------------------------------------------------------------------- requests

    def request(self, method: str, url: Any, **kwargs: Any) -> "_RequestContextManager":
        """Sends a request; await what it returns, or enter it."""
        return _RequestContextManager(self._request(method, url, **kwargs))

    def get(self, url: Any, *, allow_redirects: bool = True, **kwargs: Any) -> "_RequestContextManager":
        return _RequestContextManager(self._request(hdrs.METH_GET, url, allow_redirects=allow_redirects, **kwargs))

    def options(self, url: Any, *, allow_redirects: bool = True, **kwargs: Any) -> "_RequestContextManager":
        return _RequestContextManager(self._request(hdrs.METH_OPTIONS, url, allow_redirects=allow_redirects, **kwargs))

    def head(self, url: Any, *, allow_redirects: bool = False, **kwargs: Any) -> "_RequestContextManager":
        return _RequestContextManager(self._request(hdrs.METH_HEAD, url, allow_redirects=allow_redirects, **kwargs))

    def post(self, url: Any, *, data: Any = None, **kwargs: Any) -> "_RequestContextManager":
        return _RequestContextManager(self._request(hdrs.METH_POST, url, data=data, **kwargs))

    def put(self, url: Any, *, data: Any = None, **kwargs: Any) -> "_RequestContextManager":
        return _RequestContextManager(self._request(hdrs.METH_PUT, url, data=data, **kwargs))

    def patch(self, url: Any, *, data: Any = None, **kwargs: Any) -> "_RequestContextManager":
        return _RequestContextManager(self._request(hdrs.METH_PATCH, url, data=data, **kwargs))

    def delete(self, url: Any, **kwargs: Any) -> "_RequestContextManager":
        return _RequestContextManager(self._request(hdrs.METH_DELETE, url, **kwargs))

    def ws_connect(self, url: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("hc.aiohttp has no WebSockets yet")

    def _request(self, method: str, str_or_url: Any, **options: Any) -> Coroutine[Any, Any, ClientResponse]:
        if options.keys() - _REQUEST_OPTIONS:
            unknown = min(options.keys() - _REQUEST_OPTIONS)
            raise TypeError(f"ClientSession._request() got an unexpected keyword argument {unknown!r}")
        return self._respond(method, str_or_url, options)

    async def _respond(self, method: str, given: Any, options: Dict[str, Any]) -> ClientResponse:
        if self.closed:
            raise RuntimeError("Session is closed")
        allows_redirects = options.get("allow_redirects", True)
        if options and (len(options) > 1 or "allow_redirects" not in options):
            return await timed(self._journey(method, given, **options))
        started = self._loop.time()
        response = await self._plain.send(self, method, given)
        if response is None:
            return await timed(self._journey(method, given, **options))
        self._keep_cookies(response)
        if allows_redirects and response.status in REDIRECTS:
            journey = self._journey(method, given, **options)
            return await journey.resume(response, started)
        if self._raise_for_status:
            await check_status(response, self._raise_for_status)
        return response

    def _journey(
        self,
        method: str,
        str_or_url: Any,
        *,
        params: Any = None,
        data: Any = None,
        json: Any = None,
        cookies: Any = None,
        headers: Any = None,
        skip_auto_headers: Optional[Iterable[str]] = None,
        auth: Any = None,
        allow_redirects: bool = True,
        max_redirects: int = 10,
        compress: Any = None,
        chunked: Optional[bool] = None,
        expect100: bool = False,
        raise_for_status: Any = None,
        read_until_eof: bool = True,
        proxy: Any = None,
        proxy_auth: Any = None,
        timeout: Any = sentinel,
        verify_ssl: Optional[bool] = None,
        fingerprint: Optional[bytes] = None,
        ssl_context: Any = None,
        ssl: Any = True,
        server_hostname: Optional[str] = None,
        proxy_headers: Any = None,
        trace_request_ctx: Any = None,
        read_bufsize: Optional[int] = None,
        auto_decompress: Optional[bool] = None,
        max_line_size: Optional[int] = None,
        max_field_size: Optional[int] = None,
        max_headers: Optional[int] = None,
        middlewares: Optional[Sequence[Any]] = None,
    ) -> Journey:
        """What is to be done for a request."""
        assert self._connector is not None
        ssl = _tls.merged(ssl, verify_ssl, ssl_context, fingerprint)
        _warn_of_auth(auth, proxy_auth, stacklevel=3)
        data = self._merged_data(data, json)
        if not isinstance(chunked, bool) and chunked is not None:
            warnings.warn("Chunk size is deprecated #1615", DeprecationWarning)
        url = self._build_url(str_or_url)
        if url.scheme not in self._connector.allowed_protocol_schema_set:
            raise NonHttpUrlClientError(url)
        proxy = self._default_proxy if proxy is None else proxy
        clocks = self._request_timeout(timeout)
        traces = [Trace(self, each, each.trace_config_ctx(trace_request_ctx)) for each in self._trace_configs]
        call = Call(
            timeout=clocks,
            deadline=self._loop.time() + clocks.total if clocks.total and clocks.total > 0 else None,
            traces=traces,
            read_bufsize=self._read_bufsize if read_bufsize is None else read_bufsize,
            auto_decompress=self._auto_decompress if auto_decompress is None else auto_decompress,
            retries=self._retry_connection,
            bounds=self._merged_bounds(max_line_size, max_field_size, max_headers),
            raise_for_status=self._raise_for_status if raise_for_status is None else raise_for_status,
        )
        return Journey(
            session=self,
            call=call,
            method=method.upper(),
            url=url,
            headers=self._prepare_headers(headers),
            params=params,
            data=data,
            cookies=cookies,
            auth=auth,
            proxy=_proxy_url(proxy),
            proxy_auth=self._default_proxy_auth if proxy_auth is None else proxy_auth,
            proxy_headers=None if proxy is None else self._prepare_headers(proxy_headers),
            allow_redirects=allow_redirects,
            max_redirects=max_redirects,
            middlewares=self._middlewares if middlewares is None else tuple(middlewares),
            constant={
                "skip_auto_headers": self._merged_skip(skip_auto_headers),
                "version": self._version,
                "compress": compress,
                "chunked": chunked,
                "expect100": expect100,
                "loop": self._loop,
                "response_class": self._response_class,
                "session": self,
                "ssl": ssl,
                "server_hostname": server_hostname,
                "traces": traces,
                "trust_env": self._trust_env,
            },
        )

    def _model_request(self, method: str, url: URL) -> ClientRequest:
        """A request without options, for templates."""
        return self._journey(method, url).request_to(url)

    # ------------------------------------------------------------------------------- what requests have of a session

    def _merged_data(self, data: Any, json: Any) -> Any:
        if json is None:
            return data
        if data is not None:
            raise ValueError("data and json parameters can not be used at the same time")
        from . import payload

        if self._json_serialize_bytes is not None:
            return payload.JsonBytesPayload(json, dumps=self._json_serialize_bytes)
        return payload.JsonPayload(json, dumps=self._json_serialize)

    def _build_url(self, given: Any) -> URL:
        try:
            url = given if isinstance(given, URL) else URL(given)
        except ValueError as error:
            raise InvalidUrlClientError(given) from error
        return self._base_url.join(url) if self._base_url is not None and not url.is_absolute() else url

    def _prepare_headers(self, headers: Any) -> "CIMultiDict[str]":
        """Those of the session, and over them those of the request."""
        result: "CIMultiDict[str]" = CIMultiDict(self._default_headers)
        if not headers:
            return result
        given = headers if isinstance(headers, (MultiDictProxy, MultiDict)) else CIMultiDict(headers)
        added = set()
        for name, value in given.items():
            if name in added:
                result.add(name, value)
            else:
                result[name] = value
                added.add(name)
        return result

    def _merged_skip(self, names: Optional[Iterable[str]]) -> Optional[FrozenSet[istr]]:
        skipped = self._skip_auto_headers if names is None else self._skip_auto_headers | {istr(name) for name in names}
        return skipped or None

    def _request_timeout(self, timeout: Any) -> Any:
        """It takes the place of the session's as a whole."""
        if timeout is sentinel:
            return self._timeout
        return timeout if isinstance(timeout, _TIMEOUTS) else ClientTimeout(total=timeout)

    def _merged_bounds(
        self, line: Optional[int], field: Optional[int], count: Optional[int]
    ) -> Tuple[Optional[int], Optional[int], Optional[int]]:
        """None: as the core has it."""
        given = (line, field, count)
        line, field, count = (own if each is None else each for own, each in zip(self._bounds, given))
        return line if line != _LINE else None, field if field != _FIELD else None, count if count != _FIELDS else None

    def _is_base(self, url: URL) -> bool:
        """Whether the session's credentials are for that server."""
        return self._base_url is None or self._base_url_origin == url.origin()

    def _get_netrc_auth(self, host: str) -> Any:
        try:
            return helpers.basicauth_from_netrc(helpers.netrc_from_env(), host)
        except LookupError:
            return None

    def _cookies_for(self, url: URL, given: Any) -> Any:
        return cookies_of(self._cookie_jar, url, given)

    def _keep_cookies(self, response: ClientResponse) -> None:
        transfer = response._transfer
        if transfer is not None and not transfer.has_cookies():
            return
        fields = response._set_cookie_fields()
        if not fields:
            return
        if hasattr(self._cookie_jar, "update_cookies_from_headers"):
            self._cookie_jar.update_cookies_from_headers(fields, response.url)
        else:
            self._cookie_jar.update_cookies(response.cookies, response.url)

    # ----------------------------------------------------------------------------------------------- what it is

    @property
    def closed(self) -> bool:
        return self._connector is None or self._connector.closed

    @property
    def connector(self) -> Optional[BaseConnector]:
        return self._connector

    @property
    def cookie_jar(self) -> Any:
        return self._cookie_jar

    @property
    def version(self) -> HttpVersion:
        return self._version

    @property
    def requote_redirect_url(self) -> bool:
        return self._requote_redirect_url

    @requote_redirect_url.setter
    def requote_redirect_url(self, value: bool) -> None:
        message = "session.requote_redirect_url modification is deprecated #2778"
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        self._requote_redirect_url = value

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        warnings.warn("client.loop property is deprecated", DeprecationWarning, stacklevel=2)
        return self._loop

    @property
    def timeout(self) -> ClientTimeout:
        return self._timeout

    @property
    def headers(self) -> "CIMultiDict[str]":
        """Sent with each request that has none of the same name."""
        return self._default_headers

    @property
    def skip_auto_headers(self) -> FrozenSet[istr]:
        return self._skip_auto_headers

    @property
    def auth(self) -> Any:
        return self._default_auth

    @property
    def json_serialize(self) -> Callable[[Any], str]:
        return self._json_serialize

    @property
    def json_serialize_bytes(self) -> Optional[Callable[[Any], bytes]]:
        return self._json_serialize_bytes

    @property
    def connector_owner(self) -> bool:
        return self._connector_owner

    @property
    def raise_for_status(self) -> Any:
        return self._raise_for_status

    @property
    def auto_decompress(self) -> bool:
        return self._auto_decompress

    @property
    def trust_env(self) -> bool:
        return self._trust_env

    @property
    def trace_configs(self) -> List[Any]:
        return self._trace_configs

    # ---------------------------------------------------------------------------------------------------- its end

    async def close(self) -> None:
        """Ends the session, and the connector if it is its own."""
        if not self.closed:
            connector, self._connector = self._connector, None
            if connector is not None and self._connector_owner:
                await connector.close()
        self._connector = None

    def detach(self) -> None:
        """Leaves the connector to others."""
        self._connector = None

    def __enter__(self) -> None:
        raise TypeError("Use async with instead")

    def __exit__(self, *_: Any) -> None:
        """Belongs to __enter__."""

    async def __aenter__(self) -> "ClientSession":
        return self

    async def __aexit__(
        self, _: Optional[Type[BaseException]], __: Optional[BaseException], ___: Optional[TracebackType]
    ) -> None:
        await self.close()

    def __del__(self, _warnings: Any = warnings) -> None:
        if self.closed:
            return
        _warnings.warn(f"Unclosed client session {self!r}", ResourceWarning, source=self)
        context = {"client_session": self, "message": "Unclosed client session"}
        if self._source_traceback is not None:
            context["source_traceback"] = self._source_traceback  # type: ignore[assignment]
        self._loop.call_exception_handler(context)


def _checked_base(base_url: Any) -> Optional[URL]:
    if base_url is None:
        return None
    base = base_url if isinstance(base_url, URL) else URL(base_url)
    assert base.is_absolute(), "Only absolute URLs are supported"
    if not base.path.endswith("/"):
        raise ValueError("base_url must have a trailing '/'")
    return base


def _session_timeout(timeout: Any, read_timeout: Any, conn_timeout: Optional[float]) -> Any:
    if timeout is not sentinel and timeout is not None:
        if not isinstance(timeout, _TIMEOUTS):
            raise ValueError(
                f"timeout parameter cannot be of {type(timeout)} type, please use 'timeout=ClientTimeout(...)'"
            )
        if read_timeout is not sentinel:
            raise ValueError("read_timeout and timeout parameters conflict, please setup timeout.read")
        if conn_timeout is not None:
            raise ValueError("conn_timeout and timeout parameters conflict, please setup timeout.connect")
        return timeout
    total, connect = DEFAULT_TIMEOUT.total, None
    for name, given in (("read_timeout", read_timeout), ("conn_timeout", conn_timeout)):
        if given not in (sentinel, None):
            warnings.warn(f"{name} is deprecated, use timeout argument instead", DeprecationWarning, stacklevel=3)
    if read_timeout is not sentinel:
        total = read_timeout
    if conn_timeout is not None:
        connect = conn_timeout
    if (total, connect) == (DEFAULT_TIMEOUT.total, None):
        return DEFAULT_TIMEOUT
    return ClientTimeout(total=total, connect=connect, sock_connect=DEFAULT_TIMEOUT.sock_connect)


def _grow(connector: BaseConnector, bounds: Tuple[int, int, int]) -> None:
    """Lets servers send heads of that size."""
    line, field, count = bounds
    if max(line, field) > _FIELD or count > _FIELDS:
        connector._grow_head_bounds(max_header_bytes=max(line, field) + 65536, max_headers=max(count, _FIELDS))


def _proxy_url(proxy: Any) -> Optional[URL]:
    if proxy is None:
        return None
    try:
        return proxy if isinstance(proxy, URL) else URL(proxy)
    except ValueError as error:
        raise InvalidURL(proxy) from error


_REQUEST_OPTIONS = frozenset(inspect.signature(ClientSession._journey).parameters) - {"self", "method", "str_or_url"}


class _BaseRequestContextManager(Coroutine[Any, Any, Any]):
    """A request that is sent when it is awaited, or entered."""

    __slots__ = ("_coro", "_resp")

    def __init__(self, coro: Coroutine[Any, Any, Any]) -> None:
        self._coro = coro

    def send(self, arg: Any) -> Any:
        return self._coro.send(arg)

    def throw(self, *args: Any) -> Any:
        return self._coro.throw(*args)

    def close(self) -> None:
        self._coro.close()

    def __await__(self) -> Generator[Any, None, Any]:
        return self._coro.__await__()

    __iter__ = __await__

    async def __aenter__(self) -> Any:
        self._resp = await self._coro
        return await self._resp.__aenter__()


class _RequestContextManager(_BaseRequestContextManager):
    __slots__ = ()

    async def __aexit__(
        self,
        exc_type: Optional[Type[BaseException]],
        exc: Optional[BaseException],
        tb: Optional[TracebackType],
    ) -> None:
        await self._resp.__aexit__(exc_type, exc, tb)


class _SessionRequestContextManager:
    """The same with a session of its own."""

    __slots__ = ("_coro", "_resp", "_session")

    def __init__(self, coro: Coroutine[Any, Any, ClientResponse], session: ClientSession) -> None:
        self._coro = coro
        self._resp: Optional[ClientResponse] = None
        self._session = session

    async def __aenter__(self) -> ClientResponse:
        try:
            self._resp = await self._coro
        except BaseException:
            await self._session.close()
            raise
        return self._resp

    async def __aexit__(self, *_: Any) -> None:
        assert self._resp is not None
        self._resp.close()
        await self._session.close()


def request(
    method: str,
    url: Any,
    *,
    cookies: Any = None,
    version: HttpVersion = HttpVersion11,
    connector: Optional[BaseConnector] = None,
    loop: Optional[asyncio.AbstractEventLoop] = None,
    timeout: Any = sentinel,
    **options: Any,
) -> _SessionRequestContextManager:
    """One request with a session of its own: `async with aiohttp.request("GET", url) as response`."""
    is_own = connector is None
    if connector is None:
        connector = TCPConnector(loop=loop, force_close=True)
    session = ClientSession(
        loop=loop, cookies=cookies, version=version, timeout=timeout, connector=connector, connector_owner=is_own
    )
    return _SessionRequestContextManager(session._request(method, url, **options), session)
