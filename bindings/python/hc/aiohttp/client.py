"""Sessions: what programs send their requests with."""

import asyncio
import inspect
import json as json_module
import sys
import traceback
import warnings
from types import TracebackType
from typing import Any, Callable, Coroutine, Dict, FrozenSet, Iterable, List, Optional, Sequence, Type

from multidict import CIMultiDict, istr
from yarl import URL

from . import _settings, _tls, hdrs, helpers
from ._contexts import _BaseRequestContextManager, _RequestContextManager, _SessionRequestContextManager
from ._exchange import Call
from ._journey import REDIRECTS, Journey, check_status, cookies_of, timed
from ._plain import Plain
from ._properties import SessionProperties
from ._request import ClientRequest
from ._response import ClientResponse
from ._settings import DEFAULT_TIMEOUT as DEFAULT_TIMEOUT, ClientTimeout
from .client_exceptions import InvalidUrlClientError, NonHttpUrlClientError
from .client_ws import ClientWebSocketResponse
from .connector import BaseConnector, TCPConnector
from .cookiejar import CookieJar
from .helpers import sentinel
from .http import HttpVersion, HttpVersion11
from .tracing import Trace

__all__ = ("ClientSession", "ClientTimeout", "request")


class ClientSession(SessionProperties):
    """Headers, cookies and other defaults over a connector; make one and keep it."""

    _source_traceback: Optional[traceback.StackSummary] = None

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
        max_line_size: int = _settings.BOUNDS[0],
        max_field_size: int = _settings.BOUNDS[1],
        max_headers: int = _settings.BOUNDS[2],
        fallback_charset_resolver: Callable[[ClientResponse, bytes], str] = lambda r, b: "utf-8",
        middlewares: Sequence[Any] = (),
        ssl_shutdown_timeout: Any = sentinel,
    ) -> None:
        self._base_url = _settings.base_url_of(base_url)
        self._base_url_origin = None if self._base_url is None else self._base_url.origin()
        self._loop = loop or (connector._loop if isinstance(connector, BaseConnector) else asyncio.get_running_loop())
        self._timeout = _settings.session_timeout(timeout, read_timeout, conn_timeout)
        _settings.warn_of_shutdown(ssl_shutdown_timeout)
        taken = _taken(connector, self._loop)
        if self._loop.get_debug():
            self._source_traceback = traceback.extract_stack(sys._getframe(1))
        self._cookie_jar = CookieJar(loop=self._loop) if cookie_jar is None else cookie_jar
        if cookies:
            self._cookie_jar.update_cookies(cookies)
        _settings.warn_of_auth(auth, proxy_auth, stacklevel=3)
        self._connector = taken
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
        _settings.grow(taken, self._bounds)

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
        _check_options(options)
        return self._respond(method, str_or_url, options)

    async def _respond(self, method: str, given: Any, options: Dict[str, Any]) -> ClientResponse:
        if self.closed:
            raise RuntimeError("Session is closed")
        allows_redirects = options.get("allow_redirects", True)
        if options and (len(options) > 1 or "allow_redirects" not in options):
            return await timed(self._journey(method, given, **options))
        started = self._loop.time()
        response = await self._plain.send(self, method.upper(), given)
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
        _settings.warn_of_auth(auth, proxy_auth, stacklevel=4)
        if not isinstance(chunked, bool) and chunked is not None:
            warnings.warn("Chunk size is deprecated #1615", DeprecationWarning)
        proxy = self._default_proxy if proxy is None else proxy
        call = self._call(_settings.request_timeout(timeout, self._timeout), trace_request_ctx)
        call.bounds = _settings.merged_bounds(self._bounds, (max_line_size, max_field_size, max_headers))
        call.change(read_bufsize=read_bufsize, auto_decompress=auto_decompress, raise_for_status=raise_for_status)
        return Journey(
            session=self,
            call=call,
            method=method.upper(),
            url=self._checked_url(str_or_url),
            headers=self._prepare_headers(headers),
            params=params,
            data=self._merged_data(data, json),
            cookies=cookies,
            auth=auth,
            proxy=_settings.proxy_url_of(proxy),
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
                "ssl": _tls.merged(ssl, verify_ssl, ssl_context, fingerprint),
                "server_hostname": server_hostname,
                "traces": call.traces,
                "trust_env": self._trust_env,
            },
        )

    def _model_request(self, method: str, url: URL) -> ClientRequest:
        """A request without options, for templates."""
        return self._journey(method, url).request_to(url)

    # ------------------------------------------------------------------------------- what requests have of a session

    def _call(self, timeout: Any, trace_request_ctx: Any) -> Call:
        total = timeout.total
        return Call(
            timeout=timeout,
            deadline=self._loop.time() + total if total and total > 0 else None,
            traces=[Trace(self, each, each.trace_config_ctx(trace_request_ctx)) for each in self._trace_configs],
            read_bufsize=self._read_bufsize,
            auto_decompress=self._auto_decompress,
            raise_for_status=self._raise_for_status,
            retries=self._retry_connection,
            bounds=(None, None, None),
        )

    def _checked_url(self, given: Any) -> URL:
        url = self._plain.url(self, given)
        assert self._connector is not None
        if url.scheme not in self._connector.allowed_protocol_schema_set:
            raise NonHttpUrlClientError(url)
        return url

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
        return _settings.merged_headers(self._default_headers, headers)

    def _merged_skip(self, names: Optional[Iterable[str]]) -> Optional[FrozenSet[istr]]:
        skipped = self._skip_auto_headers if names is None else self._skip_auto_headers | {istr(name) for name in names}
        return skipped or None

    def _get_netrc_auth(self, host: str) -> Any:
        try:
            return helpers.basicauth_from_netrc(helpers.netrc_from_env(), host)
        except LookupError:
            return None

    def _cookies_for(self, url: URL, given: Any) -> Any:
        return cookies_of(self._cookie_jar, url, given)

    def _keep_cookies(self, response: ClientResponse) -> None:
        transfer = response._transfer
        if transfer is not None and transfer.handle and not transfer.has_cookies():  # a middleware may have released it
            return
        fields = response._set_cookie_fields()
        if not fields:
            return
        if hasattr(self._cookie_jar, "update_cookies_from_headers"):
            self._cookie_jar.update_cookies_from_headers(fields, response.url)
        else:
            self._cookie_jar.update_cookies(response.cookies, response.url)

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


def _taken(connector: Any, loop: asyncio.AbstractEventLoop) -> BaseConnector:
    """The connector of a session."""
    if connector is None:
        return TCPConnector(loop=loop)
    if not isinstance(connector, BaseConnector):
        raise TypeError(f"connector must be one of hc.aiohttp's, not {type(connector).__module__}'s")
    if connector._loop is not loop:
        raise RuntimeError("Session and connector have to use same event loop")
    return connector


def _check_options(options: Dict[str, Any]) -> None:
    if not options.keys() <= _REQUEST_OPTIONS:
        unknown = min(options.keys() - _REQUEST_OPTIONS)
        raise TypeError(f"ClientSession._request() got an unexpected keyword argument {unknown!r}")


_REQUEST_OPTIONS = frozenset(inspect.signature(ClientSession._journey).parameters) - {"self", "method", "str_or_url"}


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
    _check_options(options)
    is_own = connector is None
    if connector is None:
        connector = TCPConnector(loop=loop, force_close=True)
    session = ClientSession(
        loop=loop, cookies=cookies, version=version, timeout=timeout, connector=connector, connector_owner=is_own
    )
    return _SessionRequestContextManager(session._request(method, url, **options), session)
