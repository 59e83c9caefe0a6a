"""What several modules need, under the original's names."""

import asyncio
import enum
import functools
import os
import sys
from typing import Any, Callable, Generator, Generic, Iterable, Iterator, Mapping, Optional, TypeVar, overload

from . import _original, hdrs
from ._auth import (
    BasicAuth as BasicAuth,
    ProxyInfo as ProxyInfo,
    basic_auth as _basic_auth_no_warn,
    basicauth_from_netrc as basicauth_from_netrc,
    encode_basic_auth as encode_basic_auth,
    get_env_proxy_for_url as get_env_proxy_for_url,
    netrc_from_env as netrc_from_env,
    proxies_from_env as proxies_from_env,
    strip_auth_from_url as strip_auth_from_url,
)
from ._mime import (
    CHAR as CHAR,
    CTL as CTL,
    ETAG_ANY as ETAG_ANY,
    ETag as ETag,
    HeadersMixin as HeadersMixin,
    LIST_QUOTED_ETAG_RE as LIST_QUOTED_ETAG_RE,
    MimeType as MimeType,
    QUOTED_ETAG_RE as QUOTED_ETAG_RE,
    SEPARATORS as SEPARATORS,
    TOKEN as TOKEN,
    content_disposition_header as content_disposition_header,
    guess_filename as guess_filename,
    parse_content_type as parse_content_type,
    parse_http_date as parse_http_date,
    parse_links as parse_links,
    parse_mimetype as parse_mimetype,
    quoted_string as quoted_string,
    validate_etag_value as validate_etag_value,
)
from ._timers import (
    BaseTimerContext as BaseTimerContext,
    TimeoutHandle as TimeoutHandle,
    TimerContext as TimerContext,
    TimerNoop as TimerNoop,
    calculate_timeout_when as calculate_timeout_when,
    call_later as call_later,
)

__all__ = ("BasicAuth", "ChainMapProxy", "ETag", "encode_basic_auth")

DEBUG = sys.flags.dev_mode or (not sys.flags.ignore_environment and bool(os.environ.get("PYTHONASYNCIODEBUG")))
NO_EXTENSIONS = bool(os.environ.get("AIOHTTP_NO_EXTENSIONS"))
DEFAULT_CHUNK_SIZE = 2**18
EMPTY_BODY_STATUS_CODES = frozenset((204, 304, *range(100, 200)))
EMPTY_BODY_METHODS = frozenset({hdrs.METH_HEAD})

_SENTINEL = enum.Enum("_SENTINEL", "sentinel")
sentinel = _SENTINEL.sentinel

Value = TypeVar("Value")


class noop:
    """Can be awaited, and gives way to other tasks once."""

    def __await__(self) -> Generator[None, None, None]:
        yield


class reify(Generic[Value]):
    """A property that is computed once, and kept in the object's `_cache`."""

    def __init__(self, wrapped: Callable[[Any], Value]) -> None:
        self.wrapped = wrapped
        self.name = wrapped.__name__
        self.__doc__ = wrapped.__doc__

    @overload
    def __get__(self, inst: None, owner: Any = None) -> "reify[Value]":
        ...

    @overload
    def __get__(self, inst: Any, owner: Any = None) -> Value:
        ...

    def __get__(self, inst: Any, owner: Any = None) -> Any:
        if inst is None:
            return self
        cache = inst._cache
        if self.name not in cache:
            cache[self.name] = self.wrapped(inst)
        return cache[self.name]

    def __set__(self, inst: Any, value: Any) -> None:
        raise AttributeError("reified property is read-only")


class ChainMapProxy(Mapping[Any, Any]):
    """Several mappings as one that cannot be written; the first that has a key answers."""

    __slots__ = ("_maps",)

    def __init__(self, maps: Iterable[Mapping[Any, Any]]) -> None:
        self._maps = tuple(maps)

    def __init_subclass__(cls) -> None:
        raise TypeError(f"Inheritance class {cls.__name__} from ChainMapProxy is forbidden")

    def __getitem__(self, key: Any) -> Any:
        for mapping in self._maps:
            if key in mapping:
                return mapping[key]
        raise KeyError(key)

    def __len__(self) -> int:
        return len(set().union(*self._maps))

    def __iter__(self) -> Iterator[Any]:
        return iter({key: None for mapping in reversed(self._maps) for key in mapping})

    def __contains__(self, key: object) -> bool:
        return any(key in mapping for mapping in self._maps)

    def __bool__(self) -> bool:
        return any(self._maps)

    def __repr__(self) -> str:
        return f"ChainMapProxy({', '.join(map(repr, self._maps))})"


# --------------------------------------------------------------------------------------------------------- hosts


def is_ip_address(host: Optional[str]) -> bool:
    """Whether it looks like one; what has no letters is no name."""
    return bool(host) and (":" in str(host) or str(host).replace(".", "").isdigit())


def is_canonical_ipv4_address(host: str) -> bool:
    """Whether it is four numbers as they are written today: not 127.1, 2130706433, 0177.0.0.1."""
    parts = host.split(".")
    return len(parts) == 4 and all(map(_is_octet, parts))


def _is_octet(text: str) -> bool:
    is_number = text.isascii() and text.isdigit() and len(text) <= 3
    return is_number and int(text) <= 255 and str(int(text)) == text


# ------------------------------------------------------------------------------------------------------- futures


def set_result(fut: "asyncio.Future[Value]", result: Value) -> None:
    if not fut.done():
        fut.set_result(result)


def set_exception(fut: Any, exc: BaseException, exc_cause: Optional[BaseException] = None) -> None:
    """For a future that is not done, or whatever else has set_exception()."""
    if asyncio.isfuture(fut) and fut.done():
        return
    if exc_cause is not None and exc_cause is not exc:
        exc.__cause__ = exc_cause
    fut.set_exception(exc)


# --------------------------------------------------------------------------------------------------------- bodies


@functools.lru_cache()
def must_be_empty_body(method: str, code: int) -> bool:
    """Whether a response has no body, whatever its head says."""
    return method in EMPTY_BODY_METHODS or should_remove_content_length(method, code)


def should_remove_content_length(method: str, code: int) -> bool:
    return code in EMPTY_BODY_STATUS_CODES or (method == hdrs.METH_CONNECT and 200 <= code < 300)


__getattr__ = _original.rest_of("helpers")
