"""Connectors: the core session with its connections, as one or several ClientSessions use it."""

import asyncio
import socket
import sys
import traceback
import warnings
from types import TracebackType
from typing import Any, Awaitable, Callable, Dict, FrozenSet, Optional, Tuple, Type

from .. import FOREVER, Session
from ..errors import InvalidError
from . import _resolving, _tls, helpers
from ._connection import Connection as Connection
from ._engine import Engine
from ._settings import warn_of_shutdown
from .helpers import sentinel

__all__ = ("AddrInfoType", "BaseConnector", "NamedPipeConnector", "SocketFactoryType", "TCPConnector", "UnixConnector")

AddrInfoType = Tuple[int, int, int, str, Any]
SocketFactoryType = Callable[[AddrInfoType], socket.socket]

_KEEPALIVE = 15.0
_FAMILIES = {socket.AF_INET: "v4", socket.AF_INET6: "v6"}


class BaseConnector:
    """Connections, and the limits that keep them in bounds. The core session behind it starts with its first request."""

    _closed = True  # until it is made
    _source_traceback: Optional[traceback.StackSummary] = None
    _engine: Optional[Engine] = None
    _names: Optional[_resolving.Names] = None  # of a custom resolver
    allowed_protocol_schema_set: FrozenSet[str] = frozenset(("", "http", "https", "ws", "wss"))

    def __init__(
        self,
        *,
        keepalive_timeout: Any = sentinel,
        force_close: bool = False,
        limit: int = 100,
        limit_per_host: int = 0,
        enable_cleanup_closed: bool = False,
        loop: Optional[asyncio.AbstractEventLoop] = None,
        timeout_ceil_threshold: float = 5,
    ) -> None:
        if force_close and keepalive_timeout is not None and keepalive_timeout is not sentinel:
            raise ValueError("keepalive_timeout cannot be set if force_close is True")
        self._loop = loop or asyncio.get_running_loop()
        self._keepalive_timeout = _KEEPALIVE if keepalive_timeout in (sentinel, None) else keepalive_timeout
        self._force_close = force_close
        self._limit = limit
        self._limit_per_host = limit_per_host
        self._timeout_ceil_threshold = timeout_ceil_threshold
        self._identities = _tls.Identities()
        self._ssl: Any = True
        self._head_bounds: Dict[str, int] = {}  # what sessions ask for beyond the core's
        self._retired: "list[Session]" = []  # see _traced_engine()
        if self._loop.get_debug():
            self._source_traceback = traceback.extract_stack(sys._getframe(1))
        self._closed = False

    # ------------------------------------------------------------------------------------------ the core session

    def _session_options(self) -> Dict[str, Any]:
        limits = {"limit": self._limit or 0, "limit_per_host": self._limit_per_host or 0}  # None was 0, too
        options: Dict[str, Any] = {**limits, **self._head_bounds}
        options["force_close" if self._force_close else "keepalive_timeout"] = (
            True if self._force_close else self._keepalive_timeout
        )
        return options

    def _started(self, is_traced: bool = False) -> Engine:
        """What requests are sent with."""
        engine = self._engine
        if engine is None or is_traced and engine.events is None:
            return self._start(is_traced)
        return engine

    def _start(self, is_traced: bool) -> Engine:
        """Traced requests need a core session that traces: an earlier one serves on until its requests are done."""
        if self._engine is not None:
            self._retired.append(self._engine.session)
        try:
            self._engine = Engine(self._session_options(), self._loop, is_traced)
        except InvalidError as error:
            raise ValueError(error.message) from None
        return self._engine

    def _grow_head_bounds(self, **bounds: int) -> None:
        """Lets servers send larger heads, if the core session has not started yet."""
        for name, value in bounds.items():
            self._head_bounds[name] = max(value, self._head_bounds.get(name, 0))

    # ----------------------------------------------------------------------------------------------- what it is

    @property
    def force_close(self) -> bool:
        return self._force_close

    @property
    def limit(self) -> int:
        """Of connections; 0 is none."""
        return self._limit

    @property
    def limit_per_host(self) -> int:
        return self._limit_per_host

    @property
    def closed(self) -> bool:
        return self._closed

    # ---------------------------------------------------------------------------------------------------- its end

    def close(self, *, abort_ssl: bool = False) -> Awaitable[None]:
        """Ends every connection, at once; awaiting it waits until all of them are closed."""
        if self._closed:
            return helpers.noop()
        self._closed = True
        engines = [self._engine.session] if self._engine is not None else []
        sessions, self._retired, self._engine = engines + self._retired, [], None
        if not sessions:
            return helpers.noop()
        if self._loop.is_closed():
            for session in sessions:
                session.close_sync()
            return helpers.noop()
        # Who is cancelled while it waits for the end, does not call it off.
        return asyncio.shield(asyncio.ensure_future(_all_closed(sessions), loop=self._loop))

    async def __aenter__(self) -> "BaseConnector":
        return self

    async def __aexit__(
        self, _: Optional[Type[BaseException]], __: Optional[BaseException], ___: Optional[TracebackType]
    ) -> None:
        await self.close()

    def __enter__(self) -> "BaseConnector":
        message = '"with Connector():" is deprecated, use "async with Connector():" instead'
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __del__(self, _warnings: Any = warnings) -> None:
        if self._closed or self._engine is None:
            return
        self._closed = True
        for session in (self._engine.session, *self._retired):
            session._is_closed = True  # what is to be said, is said here
        _warnings.warn(f"Unclosed connector {self!r}", ResourceWarning, source=self)
        context: Dict[str, Any] = {"connector": self, "message": "Unclosed connector"}
        if self._source_traceback is not None:
            context["source_traceback"] = self._source_traceback
        self._loop.call_exception_handler(context)


async def _all_closed(sessions: Any) -> None:
    for session in sessions:
        await session.close()


class TCPConnector(BaseConnector):
    """Over TCP and TLS."""

    allowed_protocol_schema_set = BaseConnector.allowed_protocol_schema_set | {"tcp"}

    def __init__(
        self,
        *,
        verify_ssl: bool = True,
        fingerprint: Optional[bytes] = None,
        use_dns_cache: bool = True,
        ttl_dns_cache: Optional[float] = 10,
        dns_cache_max_size: int = 1000,
        family: int = socket.AF_UNSPEC,
        ssl_context: Any = None,
        ssl: Any = True,
        local_addr: Optional[Tuple[str, int]] = None,
        resolver: Any = None,
        keepalive_timeout: Any = sentinel,
        force_close: bool = False,
        limit: int = 100,
        limit_per_host: int = 0,
        enable_cleanup_closed: bool = False,
        loop: Optional[asyncio.AbstractEventLoop] = None,
        timeout_ceil_threshold: float = 5,
        happy_eyeballs_delay: Optional[float] = 0.25,
        interleave: Optional[int] = None,
        socket_factory: Optional[SocketFactoryType] = None,
        ssl_shutdown_timeout: Any = sentinel,
    ) -> None:
        super().__init__(
            keepalive_timeout=keepalive_timeout,
            force_close=force_close,
            limit=limit,
            limit_per_host=limit_per_host,
            enable_cleanup_closed=enable_cleanup_closed,
            loop=loop,
            timeout_ceil_threshold=timeout_ceil_threshold,
        )
        if socket_factory is not None:
            raise NotImplementedError("socket_factory: hc.aiohttp makes its sockets itself; hc.Session has on_socket")
        warn_of_shutdown(ssl_shutdown_timeout)
        self._ssl = _tls.merged(ssl, verify_ssl, ssl_context, fingerprint)
        self._use_dns_cache = use_dns_cache
        self._ttl_dns_cache = ttl_dns_cache
        self._dns_cache_max_size = dns_cache_max_size
        self._family = family
        self._local_addr = local_addr
        self._resolver = resolver
        self._names = _resolving.names_of(resolver)
        self._happy_eyeballs_delay = happy_eyeballs_delay

    def _session_options(self) -> Dict[str, Any]:
        return {
            **super()._session_options(),
            "use_dns_cache": self._use_dns_cache,
            "ttl_dns_cache": FOREVER if self._ttl_dns_cache is None else self._ttl_dns_cache,
            "dns_cache_size": self._dns_cache_max_size,
            "family": _FAMILIES.get(socket.AddressFamily(self._family), "any"),
            "happy_eyeballs": self._happy_eyeballs_delay or 0,
            "local_addr": None if self._local_addr is None else self._local_addr[0],
            **_resolving.options_of(self._resolver, self._names),
        }

    @property
    def family(self) -> int:
        return self._family

    @property
    def use_dns_cache(self) -> bool:
        return self._use_dns_cache

    def clear_dns_cache(self, host: Optional[str] = None, port: Optional[int] = None) -> None:
        """Forgets the addresses of one host, or of all."""
        if (host is None) != (port is None):
            raise ValueError("either both host and port or none of them are allowed")
        if self._engine is not None:
            self._engine.session.dns_clear(host)


class UnixConnector(BaseConnector):
    """Over a unix socket, whatever the URL's host is."""

    allowed_protocol_schema_set = BaseConnector.allowed_protocol_schema_set | {"unix"}

    def __init__(
        self,
        path: str,
        force_close: bool = False,
        keepalive_timeout: Any = sentinel,
        limit: int = 100,
        limit_per_host: int = 0,
        loop: Optional[asyncio.AbstractEventLoop] = None,
    ) -> None:
        super().__init__(
            force_close=force_close,
            keepalive_timeout=keepalive_timeout,
            limit=limit,
            limit_per_host=limit_per_host,
            loop=loop,
        )
        self._path = path

    def _session_options(self) -> Dict[str, Any]:
        return {**super()._session_options(), "unix_path": self._path}

    @property
    def path(self) -> str:
        return self._path


class NamedPipeConnector(BaseConnector):
    """A thing of Windows."""

    allowed_protocol_schema_set = BaseConnector.allowed_protocol_schema_set | {"npipe"}

    def __init__(
        self,
        path: str,
        force_close: bool = False,
        keepalive_timeout: Any = sentinel,
        limit: int = 100,
        limit_per_host: int = 0,
        loop: Optional[asyncio.AbstractEventLoop] = None,
    ) -> None:
        super().__init__(force_close=force_close, keepalive_timeout=keepalive_timeout, loop=loop)
        raise RuntimeError("Named Pipes only available in proactor loop under windows")
