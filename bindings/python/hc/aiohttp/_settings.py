"""What the parameters of sessions and requests mean, checked and put together."""

import dataclasses
import warnings
from typing import Any, Iterable, Optional, Tuple

from multidict import CIMultiDict, MultiDict, MultiDictProxy
from yarl import URL

from . import _original
from .client_exceptions import InvalidURL
from .helpers import sentinel

Bounds = Tuple[Optional[int], Optional[int], Optional[int]]  # of a line, a field, and the number of fields

#: The original's bounds of a response head.
BOUNDS = (8190, 8190, 128)

_AUTH_IS_DEPRECATED = (
    "The '{}' parameter is deprecated and will be removed in v4; pass {}={{'{}': "
    "aiohttp.encode_basic_auth(login, password)}} instead"
)


@dataclasses.dataclass(frozen=True)
class ClientTimeout:
    """Seconds; None or 0: without end."""

    total: Optional[float] = None
    connect: Optional[float] = None
    sock_read: Optional[float] = None
    sock_connect: Optional[float] = None
    ceil_threshold: float = 5


DEFAULT_TIMEOUT = ClientTimeout(total=5 * 60, sock_connect=30)
_TIMEOUTS: Tuple[Any, ...] = (ClientTimeout, *_original.accepted("client", "ClientTimeout"))


def session_timeout(timeout: Any, read_timeout: Any, conn_timeout: Optional[float]) -> Any:
    if timeout is sentinel or timeout is None:
        return _older_timeout(read_timeout, conn_timeout)
    if not isinstance(timeout, _TIMEOUTS):
        raise ValueError(
            f"timeout parameter cannot be of {type(timeout)} type, please use 'timeout=ClientTimeout(...)'"
        )
    if read_timeout is not sentinel:
        raise ValueError("read_timeout and timeout parameters conflict, please setup timeout.read")
    if conn_timeout is not None:
        raise ValueError("conn_timeout and timeout parameters conflict, please setup timeout.connect")
    return timeout


def _older_timeout(read_timeout: Any, conn_timeout: Optional[float]) -> ClientTimeout:
    timeout = DEFAULT_TIMEOUT
    if read_timeout is not sentinel:
        message = "read_timeout is deprecated, use timeout argument instead"
        warnings.warn(message, DeprecationWarning, stacklevel=4)
        timeout = dataclasses.replace(timeout, total=read_timeout)
    if conn_timeout is not None:
        message = "conn_timeout is deprecated, use timeout argument instead"
        warnings.warn(message, DeprecationWarning, stacklevel=4)
        timeout = dataclasses.replace(timeout, connect=conn_timeout)
    return timeout


def request_timeout(timeout: Any, of_session: Any) -> Any:
    """It takes the place of the session's as a whole."""
    if timeout is sentinel:
        return of_session
    return timeout if isinstance(timeout, _TIMEOUTS) else ClientTimeout(total=timeout)


def warn_of_auth(auth: Any, proxy_auth: Any, stacklevel: int) -> None:
    if auth is not None:
        message = _AUTH_IS_DEPRECATED.format("auth", "headers", "Authorization")
        warnings.warn(message, DeprecationWarning, stacklevel=stacklevel)
    if proxy_auth is not None:
        message = _AUTH_IS_DEPRECATED.format("proxy_auth", "proxy_headers", "Proxy-Authorization")
        warnings.warn(message, DeprecationWarning, stacklevel=stacklevel)


def warn_of_shutdown(ssl_shutdown_timeout: Any) -> None:
    if ssl_shutdown_timeout is not sentinel:
        message = "The ssl_shutdown_timeout parameter is deprecated and will be removed in aiohttp 4.0"
        warnings.warn(message, DeprecationWarning, stacklevel=3)


def base_url_of(given: Any) -> Optional[URL]:
    if given is None:
        return None
    base = given if isinstance(given, URL) else URL(given)
    assert base.is_absolute(), "Only absolute URLs are supported"
    if not base.path.endswith("/"):
        raise ValueError("base_url must have a trailing '/'")
    return base


def proxy_url_of(given: Any) -> Optional[URL]:
    if given is None:
        return None
    try:
        proxy = given if isinstance(given, URL) else URL(given)
    except ValueError as error:
        raise InvalidURL(given) from error
    if not proxy.raw_authority:
        raise InvalidURL(given)
    return proxy


def merged_headers(defaults: "CIMultiDict[str]", headers: Any) -> "CIMultiDict[str]":
    """Those of the session, and over them those of the request."""
    result: "CIMultiDict[str]" = CIMultiDict(defaults)
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


def merged_bounds(of_session: Bounds, of_request: Iterable[Optional[int]]) -> Bounds:
    """None: as the core has it."""
    merged = (own if each is None else each for own, each in zip(of_session, of_request))
    line, field, count = (None if each == usual else each for each, usual in zip(merged, BOUNDS))
    return line, field, count


def grow(connector: Any, bounds: Tuple[int, int, int]) -> None:
    """Lets servers send heads of that size."""
    line, field, count = bounds
    if max(line, field) > BOUNDS[1] or count > BOUNDS[2]:
        connector._grow_head_bounds(max_header_bytes=max(line, field) + 65536, max_headers=max(count, BOUNDS[2]))
