"""Requests on their way into the library: one sender for each session and event loop, or blocking call."""

import asyncio
import ctypes
from typing import Any, Dict, Optional, Tuple

from . import _ffi, errors
from ._fields import as_bytes, fill
from ._library import lib, prepared, untyped, view_of
from ._queue import CompletionQueue, LoopQueue
from .options import REQUEST_OPTIONS, split_request, url_bytes
from .upload import Upload, cancel_feed, set_body, take_back

_SIZE_T: Any = "N"  # of memoryview; typeshed does not know this format
_LONGEST_PLAIN = 2_048  # bytes of a URL; longer ones go the long way
_URL_LENGTH, _USER_DATA = (
    offset // ctypes.sizeof(ctypes.c_size_t)
    for offset in (_ffi.hc_request.url.offset + _ffi.hc_str.len.offset, _ffi.hc_request.user_data.offset)
)


class Sender:
    """Submits the requests of one session to one queue, from one thread at a time, with structs that are made once."""

    def __init__(self, session: int, queue: CompletionQueue) -> None:
        self.queue = queue
        self.feeds: Dict[int, Tuple["asyncio.Task[None]", Upload]] = {}  # by token; of asynchronous iterators
        self.id = ctypes.c_uint64()
        self._session = ctypes.c_void_p(session)
        self._error = prepared(_ffi.hc_error)
        self._blank = self._blank_request()
        self._request = _ffi.hc_request.from_buffer_copy(self._blank)
        self._url = (ctypes.c_char * _LONGEST_PLAIN)()
        self._request.url.data = ctypes.addressof(self._url)
        self._words = memoryview(self._request).cast("B").cast(_SIZE_T)  # writes a field at half of ctypes' price
        self._more = ctypes.byref(self.id), ctypes.byref(self._error)
        self._plain = (self._session, ctypes.byref(self._request), *self._more)

    def _blank_request(self) -> bytes:
        """To make others from."""
        request = _ffi.hc_request()
        lib.hc_request_init(ctypes.byref(request), ctypes.sizeof(request))
        request.queue = self.queue.handle
        return bytes(request)

    def send(
        self,
        method: str,
        url: Any,
        options: Dict[str, Any],
        token: int,
        is_streamed: bool = False,
        submit: Any = untyped(lib.hc_session_submit),
    ) -> int:
        """Returns the request's id. One call into the library, and nothing else for a GET without options."""
        is_plain = type(url) is str and len(url) <= _LONGEST_PLAIN and url.isascii() and method == "GET"
        if options or is_streamed or not is_plain:
            self._send_full(method, url, dict(options), token, is_streamed, submit)
            return self.id.value
        words = self._words
        self._url.value = url.encode()
        words[_URL_LENGTH] = len(url)
        words[_USER_DATA] = token
        if submit(*self._plain) != 0:
            raise errors.of_details(self._error, self._error.status)
        return self.id.value

    def _send_full(
        self, method: str, url: Any, options: Dict[str, Any], token: int, is_streamed: bool, submit: Any
    ) -> None:
        request = _ffi.hc_request.from_buffer_copy(self._blank)
        body, params = split_request(options)
        request.method = view_of(as_bytes("method", method))
        request.url = view_of(url_bytes(url, params))
        request.user_data = token
        request.stream = _ffi.HC_ON if is_streamed else _ffi.HC_OFF
        fill(request, REQUEST_OPTIONS, options)
        upload = None if body is None else set_body(request, body)
        if submit(self._session, ctypes.byref(request), *self._more) != 0:
            take_back(request)
            raise errors.of_details(self._error, self._error.status)
        if upload is not None:
            self.feeds[token] = asyncio.ensure_future(upload.feed(self._session.value, self.id.value)), upload


def failure_of(sender: Sender, token: int) -> Optional[BaseException]:
    """What the iterator of a request's body raised."""
    feed = sender.feeds.get(token)
    return feed[1].failure if feed is not None else None


def end_feed(sender: Sender, token: int) -> None:
    feed = sender.feeds.pop(token, None)
    if feed is not None:
        cancel_feed(feed[0])


class LoopSender(Sender):
    """The same for an event loop."""

    queue: LoopQueue

    def __init__(self, session: int, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(session, LoopQueue.join(loop))
        self.loop = loop
        self.create_future = loop.create_future
        self.next_token = self.queue.next_token
        self.waiting = self.queue.waiting
