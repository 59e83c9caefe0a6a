"""Callbacks of a session: Python functions that the library calls on its loop thread.

While one runs, nothing of its session moves. What it raises goes to sys.unraisablehook, and counts as a refusal.
"""

import asyncio
import ctypes
import inspect
import sys
import threading
from types import SimpleNamespace
from typing import Any, Callable, Iterable, List, NamedTuple, Optional

from . import _ffi
from ._library import Owner, lib, text_of, view_of
from ._fields import Seconds, as_bytes, milliseconds, views_of
from .errors import InvalidError, check

_FAMILIES = {_ffi.HC_FAMILY_ANY: "any", _ffi.HC_FAMILY_V4: "v4", _ffi.HC_FAMILY_V6: "v6"}
_thread = threading.local()
_outliving: List[Any] = []  # callbacks of sessions that were freed inside one: in use until the thread ends


class SocketInfo(NamedTuple):
    """A socket that was just made, before it connects. `fd` is borrowed: set options, do not close it."""

    fd: int
    host: str
    address: str
    port: int


class TraceEvent(NamedTuple):
    """What a request or a connection went through; see HC_TRACE_* in hc.h. `name` is as aiohttp spells it."""

    name: str
    time: float  # seconds of time.monotonic()
    id: int  # of the request; 0: of a connection
    connection: int  # 0: none yet
    origin: str
    text: str
    bytes: int
    status: int
    http_status: int


class ResolveQuery(Owner):
    """A question to your resolver: answer() or fail() it, from any thread, once."""

    __slots__ = ("host", "family", "_handle")

    def __init__(self, handle: int, host: str, family: str) -> None:
        self._handle: Optional[int] = handle
        self.host = host  #: lower case, without a trailing dot
        self.family = family  #: "any", "v4" or "v6"

    def answer(self, addresses: Iterable[str], ttl: Optional[Seconds] = None) -> None:
        """Numeric addresses in order of preference; ttl: how long they may be cached, None: as long as allowed."""
        views, life = views_of("addresses", addresses), milliseconds("ttl", ttl)
        handle = self._taken()
        status = lib.hc_resolve_answer(handle, views, len(views), life)
        if status == _ffi.HC_E_INVALID:
            self._handle = handle  # still open
            raise InvalidError("addresses: must be numeric, from 1 to 64 of them")
        check(status)

    def fail(self, reason: str = "") -> None:
        told = view_of(as_bytes("reason", reason))
        check(lib.hc_resolve_fail(self._taken(), told))

    def _taken(self) -> int:
        handle, self._handle = self._handle, None
        if handle is None:
            raise RuntimeError(f"the query for {self.host} is answered already")
        return handle


def is_inside() -> bool:
    """Whether this thread is in a callback."""
    return getattr(_thread, "depth", 0) > 0


def keep_forever(callbacks: Any) -> None:
    _outliving.append(callbacks)


def guarded(refused: int, function: Callable[..., Any]) -> Callable[..., Any]:
    """As is_inside() counts it. What it raises is told, and `refused` returned."""

    def call(*arguments: Any) -> Any:
        _thread.depth = getattr(_thread, "depth", 0) + 1
        try:
            return function(*arguments)
        except BaseException as failure:
            unraisable: Any = SimpleNamespace(
                exc_type=type(failure),
                exc_value=failure,
                exc_traceback=failure.__traceback__,
                err_msg="Exception in a callback of hc.Session",
                object=None,
            )
            sys.unraisablehook(unraisable)
            return refused
        finally:
            _thread.depth -= 1

    return call


def on_log(user: Callable[[int, str], Any]) -> Any:
    def call(level: int, line: Any, _: Any) -> int:
        user(level, text_of(line))
        return 0

    return _ffi.hc_log_fn(guarded(0, call))


def on_trace(user: Callable[[TraceEvent], Any]) -> Any:
    def call(pointer: Any, _: Any) -> int:
        event = pointer.contents
        name = lib.hc_trace_name(event.kind).decode()
        texts = text_of(event.origin), text_of(event.text)
        user(TraceEvent(name, event.time_ns / 1e9, event.id, event.connection, *texts, event.bytes, event.status, event.http_status))
        return 0

    return _ffi.hc_trace_fn(guarded(0, call))


def on_socket(user: Callable[[SocketInfo], Any]) -> Any:
    """Refuses the socket when the function raises or returns False."""

    def call(pointer: Any, _: Any) -> int:
        info = pointer.contents
        seen = SocketInfo(info.fd, text_of(info.host), text_of(info.address), info.port)
        return 1 if user(seen) is False else 0

    return _ffi.hc_socket_fn(guarded(1, call))


def on_resolve(user: Callable[[ResolveQuery], Any]) -> Any:
    """The function returns addresses, or None to leave the name to the built-in resolver; or it is a coroutine function,
    which runs on the loop that is running now; or it returns the query itself and answers that later."""
    loop = asyncio.get_running_loop() if inspect.iscoroutinefunction(user) else None

    def call(handle: int, host: Any, family: int, _: Any) -> int:
        query = ResolveQuery(handle, text_of(host), _FAMILIES[family])
        if loop is not None:
            loop.call_soon_threadsafe(_start_answering, user, query, loop)
            return _ffi.HC_OK
        answer = user(query)
        if answer is None:
            return _ffi.HC_RESOLVE_PASS
        if answer is not query:
            query.answer(answer)
        return _ffi.HC_OK

    return _ffi.hc_resolve_fn(guarded(_ffi.HC_E_CALLBACK, call))


def _start_answering(user: Any, query: ResolveQuery, loop: asyncio.AbstractEventLoop) -> None:
    task = loop.create_task(_answered(user, query))
    _answering.add(task)
    task.add_done_callback(_answering.discard)


_answering: "set[asyncio.Task[None]]" = set()  # a loop holds its tasks weakly


async def _answered(user: Any, query: ResolveQuery) -> None:
    try:
        query.answer(await user(query))
    except BaseException as failure:
        query.fail(f"{type(failure).__name__}: {failure}")
        if not isinstance(failure, Exception):
            raise


# ------------------------------------------------------------------------------------------------- end of a close

_closing: "dict[int, Callable[[], None]]" = {}


def _on_closed(token: Optional[int]) -> None:
    _closing.pop(token or 0)()


#: The one hc_closed_fn of all sessions; user_data is the key in _closing.
ON_CLOSED = _ffi.hc_closed_fn(guarded(0, _on_closed))


def when_closed(call: Callable[[], None]) -> int:
    token = id(call)
    _closing[token] = call
    return token
