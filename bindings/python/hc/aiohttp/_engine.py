"""One core session as one event loop uses it, and the requests that are under way in it."""

import asyncio
import ctypes
import struct
import sys
import weakref
from typing import Any, Callable, Dict, List, Optional, Tuple

from .. import _ffi, errors
from .._blocks import Blocks
from .._library import Layout, bytes_at, lib, prepared, untyped, view_of
from .._news import News
from .._sender import LoopSender
from ..session import Session
from ..upload import cancel_feed, take_back
from .tracing import OF_THE_CORE

_submit = untyped(lib.hc_session_submit)
_free = untyped(lib.hc_response_free)
_header = untyped(lib.hc_response_header)
_get_info = untyped(lib.hc_response_get_info)
_string_at = ctypes.string_at
_pointer = ctypes.c_void_p

_HEAD = Layout(_ffi.hc_response_info, ["http_version", "reason.data", "reason.len", "headers", "header_count"])
_CONNECTION = Layout(
    _ffi.hc_response_info, ["connection", "reused", "remote_address.data", "remote_address.len", "remote_port"]
)
_SET_COOKIE, _FIRST = view_of(b"set-cookie"), ctypes.c_size_t(0)
_FIELD = struct.Struct("=QQQQ")
RawHeaders = Tuple[Tuple[bytes, bytes], ...]


class Engine:
    """The core session of a connector, and what all its requests share: one thread uses it."""

    def __init__(self, options: Dict[str, Any], loop: asyncio.AbstractEventLoop, is_traced: bool = False) -> None:
        self.events: Optional[Dict[int, List[str]]] = {} if is_traced else None  # by number; see _on_trace
        self.session = session = Session(**options, on_trace=self._on_trace if is_traced else None)
        self.loop = loop
        sender: LoopSender = session._join(loop)
        self.by_number: "weakref.WeakValueDictionary[int, Transfer]" = weakref.WeakValueDictionary()  # traced ones
        self.create_future = loop.create_future
        self.queue = sender.queue
        self.waiting: Dict[int, Any] = sender.queue.waiting
        self.next_token: Callable[[], int] = sender.queue.next_token
        self.session_pointer = _pointer(session._handle)
        self.id = ctypes.c_uint64()
        self.error = prepared(_ffi.hc_error)
        self.outputs = ctypes.byref(self.id), ctypes.byref(self.error)
        self.text = _ffi.hc_str()
        self.info = prepared(_ffi.hc_response_info)
        self.info_pointer = ctypes.byref(self.info)

    def new_request(self) -> Any:
        """A hc_request for a streamed response, whose redirects are ours to follow."""
        request = _ffi.hc_request()
        lib.hc_request_init(ctypes.byref(request), ctypes.sizeof(request))
        request.queue = self.queue.handle
        request.stream = _ffi.HC_ON
        request.max_redirects = 0
        return request

    def _on_trace(self, event: Any) -> None:
        """On the session's thread: an event that is a signal, before the completion that it led to."""
        if event.id and event.name in OF_THE_CORE:
            assert self.events is not None
            self.events.setdefault(event.id, []).append(event.name)
            self.loop.call_soon_threadsafe(self._wake, event.id)

    def _wake(self, number: int) -> None:
        transfer = self.by_number.get(number)
        if transfer is not None:
            transfer.on_body()
        elif self.events is not None:  # nobody traces that request, or not any more
            self.events.pop(number, None)

    def submit(self, request: Any, request_pointer: Any) -> "Transfer":
        """Sends it: the transfer is told of what comes."""
        if self.session._handle == 0:  # a task that is collected with it sends another
            take_back(request)
            raise errors.of_code(_ffi.HC_E_CLOSED)
        token = self.next_token()
        request.user_data = token
        status = _submit(self.session_pointer, request_pointer, *self.outputs)
        if status != 0:
            take_back(request)
            raise errors.of_details(self.error, status)
        transfer = self.waiting[token] = Transfer(self, token, self.id.value)
        return transfer


class Transfer(News):
    """A request under way, and then its response as the core has it.

    It knows no ClientResponse, so that one which nobody holds any more can be collected, and ends its transfer.
    """

    __slots__ = ("engine", "token", "number", "at_end", "on_end", "feed", "upload", "_blocks", "_waiter", "__weakref__")

    def __init__(self, engine: Engine, token: int, number: int) -> None:
        self.handle = 0
        self.status = 0
        self.failure: Optional[BaseException] = None
        self.is_done = False
        self.engine = engine
        self.token = token
        self.number = number
        self.at_end = False  # of the body: everything was read
        self.on_end: Optional[List[Callable[[], None]]] = None  # called when nothing more will come
        self.feed: "Optional[asyncio.Task[None]]" = None  # of a request's body
        self.upload: Any = None  # the same, as the core sees it
        self._blocks: Optional[Blocks] = None
        self._waiter: "Optional[asyncio.Future[None]]" = None

    # ----------------------------------------------------------------------------------------------- news of it

    def on_body(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def on_done(self) -> None:
        self.is_done = True
        self.end_feed()
        self.upload = None
        callbacks, self.on_end = self.on_end, None
        for callback in callbacks or ():
            callback()
        self.on_body()

    def when_done(self, callback: Callable[[], None]) -> None:
        if self.on_end is None:
            self.on_end = []
        self.on_end.append(callback)

    def end_feed(self) -> None:
        if self.feed is not None:
            cancel_feed(self.feed)
            self.feed = None

    async def wait(self) -> None:
        """Until there is news. Only one waits."""
        if self._waiter is not None:
            raise RuntimeError("read() called while another coroutine is already waiting for incoming data")
        waiter = self._waiter = self.engine.create_future()
        try:
            await waiter
        finally:
            self._waiter = None

    async def head(self) -> None:
        """Until the response has begun; raises why it never will."""
        try:
            while self.handle == 0:
                if self.failure is not None:
                    raise self.failure
                await self.wait()
        except BaseException:
            self.cancel()
            raise

    def cancel(self) -> None:
        """Ends it where it is: the connection is not used again."""
        self.end_feed()
        if self.is_done:
            return
        if self.handle == 0 and self.token in self.engine.waiting:
            self.engine.waiting[self.token] = None
        lib.hc_session_cancel(self.engine.session._handle, self.number)  # 0: it was collected with this

    # ----------------------------------------------------------------------------------------------- what it says

    def raw_head(self) -> Tuple[int, bytes, RawHeaders]:
        """Version (11 is HTTP/1.1), reason, and the fields."""
        engine = self.engine
        _get_info(_pointer(self.handle), engine.info_pointer)
        version, reason, reason_length, table, count = _HEAD.struct.unpack_from(engine.info)
        fields = [
            (_string_at(name, name_length), _string_at(value, value_length))
            for name, name_length, value, value_length in _FIELD.iter_unpack(_string_at(table, count * _FIELD.size))
        ]
        return version, bytes_at(reason, reason_length), tuple(fields)

    def has_cookies(self) -> bool:
        """Whether there is a Set-Cookie field."""
        value = self.engine.text
        return bool(_header(_pointer(self.handle), _SET_COOKIE, _FIRST, ctypes.byref(value)) == 0)

    def connection(self) -> Tuple[int, bool, str, int]:
        """Its number, whether it had served before, and the other end's address and port. Known while it lasts."""
        if not self.handle:
            return 0, False, "", 0
        _get_info(_pointer(self.handle), self.engine.info_pointer)
        number, reused, address, length, port = _CONNECTION.struct.unpack_from(self.engine.info)
        return number, reused == _ffi.HC_ON, bytes_at(address, length).decode(), port

    # ----------------------------------------------------------------------------------------------- its body

    def read(self, limit: int = sys.maxsize) -> Optional[bytes]:
        """Of what is there, up to so many bytes; b"" at the end, None: nothing yet. Raises why there will be no more."""
        blocks = self._blocks
        if blocks is None:
            blocks = self._blocks = Blocks(self.handle)
        piece = blocks.read(limit)
        if piece == b"":
            self.at_end = True
        return piece

    def release(self) -> None:
        """Gives the rest of the body back: a short one is thrown away and the connection kept."""
        handle, self.handle = self.handle, 0
        self.end_feed()
        self._blocks = None
        if handle:
            _free(_pointer(handle))

    def __del__(self) -> None:
        if self.handle:
            _free(_pointer(self.handle))
