"""The session: what a program keeps, and sends its requests through."""

import asyncio
import ctypes
import os
import sys
import threading
import warnings
import weakref
from asyncio import get_running_loop
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, List, Optional, Type, Union

from . import _callbacks, _ffi, _lifetime, errors
from ._callbacks import ResolveQuery, SocketInfo, TraceEvent
from ._fields import HeadersLike, Seconds, Timeout, as_bytes, fill, milliseconds, views_of
from ._library import Owner, lib, view_of
from ._news import BlockingNews, LoopNews
from ._queue import BlockingQueue
from ._sender import LoopSender, Sender, end_feed, failure_of
from .call import Call, StreamCall
from .options import SESSION_OPTIONS
from .response import Response
from .statistics import Histogram, Origin, histograms_of, origins_of, stats_of
from .stream import AsyncStream, BlockingStream
from .tls import TLS

if TYPE_CHECKING:
    from ._signatures import AsyncMethod, AsyncRequest, AsyncStreamRequest, SyncMethod, SyncRequest, SyncStreamRequest

_MOST_IDLE = 16  # queues kept for blocking calls; each has two descriptors
_MAKERS: Dict[str, Callable[[Any], Any]] = {
    name: getattr(_callbacks, name) for name in ("on_log", "on_socket", "on_resolve", "on_trace")
}


def _callable(name: str, given: Any) -> Any:
    if not callable(given):
        raise errors.InvalidError(f"{name}: must be callable, not {type(given).__name__}")
    return given


class Session(Owner):
    """A long-lived HTTP client: connections, DNS answers, TLS sessions, and the limits that keep all of them in bounds.

        async with hc.Session(limit=100) as session:
            response = await session.get(url)

        with hc.Session() as session:
            response = session.get_sync(url)

    One session serves any number of threads and event loops at the same time. Make one for each trust domain and keep
    it. Every option is that of hc_session_options in hc.h; durations are seconds; None is the default.
    """

    def __init__(
        self,
        *,
        limit: Optional[int] = None,
        limit_per_host: Optional[int] = None,
        max_connecting: Optional[int] = None,
        max_waiting: Optional[int] = None,
        keepalive_timeout: Optional[Seconds] = None,
        max_lifetime: Optional[Seconds] = None,
        force_close: Optional[bool] = None,
        retry_stale: Optional[bool] = None,
        use_dns_cache: Optional[bool] = None,
        family: Optional[str] = None,
        tls_verify: Optional[bool] = None,
        tls: Optional[TLS] = None,
        ttl_dns_cache: Optional[Seconds] = None,
        dns_stale_ttl: Optional[Seconds] = None,
        dns_negative_ttl: Optional[Seconds] = None,
        dns_cache_size: Optional[int] = None,
        happy_eyeballs: Optional[Seconds] = None,
        nameservers: Optional[str] = None,
        on_resolve: Optional[Callable[[ResolveQuery], Any]] = None,
        proxy: Union[str, bytes, None] = None,
        proxy_headers: Optional[HeadersLike] = None,
        proxy_tls: Optional[TLS] = None,
        no_proxy: Union[str, bytes, None] = None,
        unix_path: Union[str, bytes, "os.PathLike[str]", None] = None,
        trust_env: Optional[bool] = None,
        public_only: Optional[bool] = None,
        deny_addresses: Optional[str] = None,
        allow_addresses: Optional[str] = None,
        trusted_proxies: Optional[str] = None,
        local_addr: Optional[str] = None,
        interface_name: Optional[str] = None,
        tcp_nodelay: Optional[bool] = None,
        tcp_keepalive: Optional[bool] = None,
        tcp_keepalive_idle: Optional[Seconds] = None,
        tcp_keepalive_interval: Optional[Seconds] = None,
        tcp_user_timeout: Optional[Seconds] = None,
        receive_buffer: Optional[int] = None,
        send_buffer: Optional[int] = None,
        on_socket: Optional[Callable[[SocketInfo], Any]] = None,
        timeout: Union[Timeout, Seconds, None] = None,
        max_body: Optional[int] = None,
        body_window: Optional[int] = None,
        max_header_bytes: Optional[int] = None,
        max_headers: Optional[int] = None,
        max_redirects: Optional[int] = None,
        insecure_redirects: Optional[bool] = None,
        decompress: Optional[bool] = None,
        base_url: Optional[str] = None,
        username: Union[str, bytes, None] = None,
        password: Union[str, bytes, None] = None,
        headers: Optional[HeadersLike] = None,
        user_agent: Union[str, bytes, None] = None,
        ca_file: Union[str, bytes, "os.PathLike[str]", None] = None,
        on_log: Optional[Callable[[int, str], Any]] = None,
        log_level: Optional[int] = None,
        on_trace: Optional[Callable[[TraceEvent], Any]] = None,
        busy_poll_us: Optional[int] = None,
    ) -> None:
        given = {name: value for name, value in locals().items() if name != "self" and value is not None}
        self._handle = 0  # until it is created
        self._is_closed = True
        self._born = _lifetime.generation
        self._sender: Optional[LoopSender] = None  # that of the loop that sent last
        self._senders: Dict[int, LoopSender] = {}  # all, by id of the loop
        self._idle: List[Sender] = []  # of blocking calls
        self._lock = threading.RLock()  # a garbage collection inside may come to another session's
        self._callbacks: Dict[str, Any] = {
            name: make(_callable(name, given.pop(name))) for name, make in _MAKERS.items() if name in given
        }
        self._create(given)

    def _create(self, given: Dict[str, Any]) -> None:
        options = _ffi.hc_session_options()
        lib.hc_session_options_init(ctypes.byref(options), ctypes.sizeof(options))
        fill(options, SESSION_OPTIONS, given)
        for name, callback in self._callbacks.items():
            setattr(options, name, callback)
        handle = ctypes.c_void_p()
        errors.checked(lib.hc_session_create, ctypes.byref(handle), ctypes.byref(options))
        assert handle.value is not None
        self._handle = handle.value
        self._is_closed = False
        _lifetime.opened(self._handle)

    # --------------------------------------------------------------------------------------------- requests, async

    if TYPE_CHECKING:
        request: AsyncRequest
        get: AsyncMethod
        head: AsyncMethod
        options: AsyncMethod
        post: AsyncMethod
        put: AsyncMethod
        patch: AsyncMethod
        delete: AsyncMethod
        stream: AsyncStreamRequest
    else:

        def request(self, method, url, **options):
            """Sends a request; await what it returns."""
            return Call(self._send(method, url, options))

        def get(self, url, **options):
            return Call(self._send("GET", url, options))

        def head(self, url, **options):
            return Call(self._send("HEAD", url, options))

        def options(self, url, **options):
            return Call(self._send("OPTIONS", url, options))

        def post(self, url, **options):
            return Call(self._send("POST", url, options))

        def put(self, url, **options):
            return Call(self._send("PUT", url, options))

        def patch(self, url, **options):
            return Call(self._send("PATCH", url, options))

        def delete(self, url, **options):
            return Call(self._send("DELETE", url, options))

        def stream(self, method, url, **options):
            """Sends a request; the response is there with its head, and its body is read piece by piece."""
            return StreamCall(self._send_streamed(method, url, options))

    async def _send(self, method: str, url: Any, options: Dict[str, Any]) -> Response:
        sender = self._sender
        if sender is None or sender.loop is not get_running_loop():
            sender = self._join(get_running_loop())
        token = sender.next_token()
        try:
            number = sender.send(method, url, options, token)
            sender.waiting[token] = future = sender.create_future()
            try:
                response: Response = await future
            except BaseException:
                self._give_up(sender, token, number, future)
                raise
        except errors.Error as error:
            error.method, error.url = method, str(url)
            if sender.feeds:
                error.__cause__ = failure_of(sender, token)
            raise
        finally:
            if sender.feeds:
                end_feed(sender, token)
        response.method, response.asked_url = method, str(url)
        return response

    def _give_up(self, sender: LoopSender, token: int, number: int, future: "asyncio.Future[Response]") -> None:
        """Nobody waits for that request any more: its task was cancelled, or its loop is gone, or it has failed."""
        if token in sender.waiting:
            sender.waiting[token] = None
            lib.hc_session_cancel(self._handle, number)
        elif future.done() and not future.cancelled():
            future.exception()  # seen: nobody else will look at it

    def _join(self, loop: asyncio.AbstractEventLoop) -> LoopSender:
        """The sender for a loop."""
        self._require_open()
        with self._lock:
            self._leave([other for other in self._senders.values() if other.loop.is_closed()])
            sender = self._senders.get(id(loop))
            if sender is None or sender.loop is not loop:
                sender = self._senders[id(loop)] = LoopSender(self._handle, loop)
            self._sender = sender
            return sender

    def _leave(self, senders: List[LoopSender]) -> None:
        for sender in senders:
            self._senders = {key: value for key, value in self._senders.items() if value is not sender}
            sender.queue.leave()

    def _require_open(self) -> None:
        if self._born != _lifetime.generation:
            raise errors.of_code(_ffi.HC_E_FORKED)
        if self._is_closed:
            raise errors.of_code(_ffi.HC_E_CLOSED)

    async def _send_streamed(self, method: str, url: Any, options: Dict[str, Any]) -> AsyncStream:
        """Until the head is there."""
        current = self._sender
        is_ours = current is not None and current.loop is get_running_loop()
        sender = current if current is not None and is_ours else self._join(get_running_loop())
        token = sender.next_token()
        try:
            number = sender.send(method, url, options, token, True)
            sender.waiting[token] = news = LoopNews(sender.create_future)
            try:
                while not news.done():
                    await news.wait()
            except BaseException:
                if token in sender.waiting:  # else it is over
                    sender.waiting[token] = None
                    lib.hc_session_cancel(self._handle, number)
                raise
            response = AsyncStream(news, lambda: end_feed(sender, token))
        except BaseException as failure:
            if isinstance(failure, errors.Error):
                failure.method, failure.url = method, str(url)
                failure.__cause__ = failure_of(sender, token)
            end_feed(sender, token)
            raise
        response.method, response.asked_url = method, str(url)
        return response

    # ------------------------------------------------------------------------------------------ requests, blocking

    if TYPE_CHECKING:
        request_sync: SyncRequest
        get_sync: SyncMethod
        head_sync: SyncMethod
        options_sync: SyncMethod
        post_sync: SyncMethod
        put_sync: SyncMethod
        patch_sync: SyncMethod
        delete_sync: SyncMethod
        stream_sync: SyncStreamRequest
    else:

        def request_sync(self, method, url, **options):
            """Sends a request and waits for the response."""
            return self._send_sync(method, url, options)

        def get_sync(self, url, **options):
            return self._send_sync("GET", url, options)

        def head_sync(self, url, **options):
            return self._send_sync("HEAD", url, options)

        def options_sync(self, url, **options):
            return self._send_sync("OPTIONS", url, options)

        def post_sync(self, url, **options):
            return self._send_sync("POST", url, options)

        def put_sync(self, url, **options):
            return self._send_sync("PUT", url, options)

        def patch_sync(self, url, **options):
            return self._send_sync("PATCH", url, options)

        def delete_sync(self, url, **options):
            return self._send_sync("DELETE", url, options)

        def stream_sync(self, method, url, **options):
            """Sends a request and waits for the head of the response; its body is read piece by piece."""
            return self._send_streamed_sync(method, url, options)

    def _check_blocking(self) -> None:
        if _callbacks.is_inside():
            raise errors.of_code(_ffi.HC_E_DEADLOCK)
        self._require_open()

    def _send_sync(self, method: str, url: Any, options: Dict[str, Any]) -> Response:
        self._check_blocking()
        sender = self._taken()
        queue: Any = sender.queue
        try:
            token = queue.next_token()
            sender.send(method, url, options, token)
            response: Response = queue.wait(token)
        except errors.Error as error:
            error.method, error.url = method, str(url)
            raise
        finally:
            self._give_back(sender)
        response.method, response.asked_url = method, str(url)
        return response

    def _send_streamed_sync(self, method: str, url: Any, options: Dict[str, Any]) -> BlockingStream:
        self._check_blocking()
        sender = self._taken()
        queue: Any = sender.queue
        try:
            token = queue.next_token()
            sender.send(method, url, options, token, True)
            news = queue.waiting[token] = BlockingNews(queue.drain_until)
            queue.drain_until(news.done)
            response = BlockingStream(news, lambda: self._give_back(sender))
        except BaseException as failure:
            self._give_back(sender)
            if isinstance(failure, errors.Error):
                failure.method, failure.url = method, str(url)
            raise
        response.method, response.asked_url = method, str(url)
        return response

    def _taken(self) -> Sender:
        try:
            return self._idle.pop()
        except IndexError:
            return Sender(self._handle, BlockingQueue())

    def _give_back(self, sender: Sender) -> None:
        if sender.queue.close.alive and len(self._idle) < _MOST_IDLE:
            self._idle.append(sender)
        else:
            sender.queue.close()
        if self._is_closed:
            self._drop_idle()

    def _drop_idle(self) -> None:
        while self._idle:
            self._idle.pop().queue.close()

    # --------------------------------------------------------------------------------------------------------- DNS

    def resolve_add(self, host: str, port: int = 0, addresses: Iterable[str] = ()) -> None:
        """Answers a host name from a fixed list in place of DNS; port 0: every port; no address: removes the entry."""
        if isinstance(port, bool) or not 0 <= port <= 65_535:
            raise errors.of_code(_ffi.HC_E_INVALID, f"port: {port} is no port")
        views = views_of("addresses", addresses)
        errors.checked(
            lib.hc_session_resolve_add, self._usable(), view_of(as_bytes("host", host)), port, views, len(views)
        )

    def dns_clear(self, host: Optional[str] = None) -> None:
        """Forgets cached DNS answers: of one name, or all."""
        view = _ffi.hc_str() if host is None else view_of(as_bytes("host", host))
        errors.check(lib.hc_session_dns_clear(self._usable(), view))

    # -------------------------------------------------------------------------------------------------- statistics

    def stats(self) -> Dict[str, int]:
        """Counters since the session was created, and gauges of now: hc_stats in hc.h."""
        return stats_of(self._usable())

    def histograms(self) -> Dict[str, Histogram]:
        """Where the time of requests went: "waiting" in line, "connect", "first_byte", "total"."""
        return histograms_of(self._usable())

    def origins(self) -> List[Origin]:
        """What was counted for each origin, busiest first; what has no row any more is in one at the end."""
        return origins_of(self._usable())

    def _usable(self) -> int:
        """The handle, which answers for itself when it is closed."""
        if self._born != _lifetime.generation:
            raise errors.of_code(_ffi.HC_E_FORKED)
        return self._handle

    # ---------------------------------------------------------------------------------------------------------- end

    @property
    def closed(self) -> bool:
        return self._is_closed

    async def close(self, drain: Seconds = 0) -> None:
        """Ends the session: waiting requests fail with ClosedError, running ones have `drain` seconds to finish. When it
        returns, every request has its outcome, and all connections and descriptors are closed."""
        if self._born != _lifetime.generation or self._handle == 0:
            return
        loop, drain_ms = get_running_loop(), milliseconds("drain", drain)
        done = loop.create_future()
        weakly = weakref.ref(self)  # were the session's thread the last to let go of it, nobody could join that thread

        def on_loop() -> None:
            session = weakly()
            if session is not None:
                session._after_close(loop)
            if not done.done():
                done.set_result(None)

        def on_session_thread() -> None:
            try:
                loop.call_soon_threadsafe(on_loop)
            except RuntimeError:  # that loop is closed: the end of this object sees to the rest
                pass

        self._is_closed = True
        token = _callbacks.when_closed(on_session_thread)
        errors.check(lib.hc_session_close_async(self._handle, drain_ms, _callbacks.ON_CLOSED, token))
        await done

    def close_sync(self, drain: Seconds = 0) -> None:
        """The same, blocking."""
        if self._born != _lifetime.generation or self._handle == 0:
            return
        drain_ms = milliseconds("drain", drain)
        was_closed, self._is_closed = self._is_closed, True
        status = lib.hc_session_close(self._handle, drain_ms)
        if status == _ffi.HC_E_DEADLOCK:  # nothing was changed
            self._is_closed = was_closed
        errors.check(status)
        self._after_close(None)

    def _after_close(self, loop: Optional[asyncio.AbstractEventLoop]) -> None:
        _lifetime.closed(self._handle)
        self._drop_idle()
        with self._lock:
            senders, self._senders, self._sender = list(self._senders.values()), {}, None
        for sender in senders:
            if sender.loop is loop:
                sender.queue.leave_now()
            else:
                sender.queue.leave()

    async def __aenter__(self) -> "Session":
        return self

    async def __aexit__(
        self, _: Optional[Type[BaseException]], __: Optional[BaseException], ___: Optional[TracebackType]
    ) -> None:
        await self.close()

    def __enter__(self) -> "Session":
        return self

    def __exit__(
        self, _: Optional[Type[BaseException]], __: Optional[BaseException], ___: Optional[TracebackType]
    ) -> None:
        self.close_sync()

    def __repr__(self) -> str:
        return f"<hc.Session {'closed' if self._is_closed else 'open'} at {id(self):#x}>"

    def __del__(self, warn: Any = warnings.warn) -> None:
        if not getattr(self, "_handle", 0):
            return  # it was never created
        try:
            if not self._is_closed and self._born == _lifetime.generation:
                warn(f"unclosed session {self!r}", ResourceWarning, source=self)
        finally:  # the warning may be an exception
            self._free()

    def _free(self, is_at_end: Any = sys.is_finalizing) -> None:
        if is_at_end():
            return  # our thread may be halted in a callback, as the end of the interpreter does: never to be joined
        # Tasks that are collected with the session may end after it, and want to cancel their request, or to send another.
        handle, self._handle = self._handle, 0
        self._is_closed, self._sender = True, None
        _lifetime.closed(handle)
        lib.hc_session_free(handle)
        if _callbacks.is_inside():  # then it may be our own loop thread, which goes on using them
            _callbacks.keep_forever(self._callbacks)
        self._drop_idle()
        for sender in self._senders.values():
            sender.queue.leave()
