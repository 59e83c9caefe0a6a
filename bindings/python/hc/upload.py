"""Bodies of requests: bytes, files, and asynchronous iterators.

What the library is lent must stay until it says so, which may be after the queue or the loop is gone: it is kept here,
by a number that travels with the request, and on_release gives it up. The two callbacks are made once, for all.
"""

import asyncio
import ctypes
import io
import itertools
import os
import stat
import threading
from collections import deque
from typing import Any, AsyncIterable, Deque, Dict, Optional

from . import _ffi, errors
from ._callbacks import guarded
from ._library import lib, view_of
from .errors import InvalidError

_LEAST_BORROWED = 65536  # bytes of a body; below, copying is cheaper than keeping it alive
_MOST_BUFFERED = 262144  # bytes that are read ahead of an iterator

_lent: Dict[int, Any] = {}
_next_key = itertools.count(1).__next__


def _on_release(key: Optional[int]) -> None:
    lent = _lent.pop(key or 0, None)
    if isinstance(lent, Upload):
        lent.end()


def _on_body(buffer: int, capacity: int, count: Any, key: Optional[int]) -> int:
    try:
        return int(_lent[key or 0].give(buffer, capacity, count))
    except BaseException as failure:
        upload = _lent.get(key or 0)
        if upload is not None:
            upload.failure = failure
        return _ffi.HC_E_CALLBACK


# Guarded, for what was lent may be the last to hold its session, and a garbage collection may come anywhere.
ON_RELEASE = _ffi.hc_release_fn(guarded(0, _on_release))
ON_BODY = _ffi.hc_body_fn(guarded(_ffi.HC_E_CALLBACK, _on_body))


class Upload:
    """Takes an asynchronous iterator to the library: a task on the event loop puts pieces in, the session's thread takes
    them out."""

    def __init__(self, source: AsyncIterable[Any]) -> None:
        self.failure: Optional[BaseException] = None
        self._source: Optional[AsyncIterable[Any]] = source
        self._lock = threading.Lock()
        self._pieces: Deque[memoryview] = deque()
        self._buffered = 0
        self._has_ended = False
        self._is_starved = False  # the library waits for hc_session_resume_upload()
        self._room: Optional["asyncio.Future[None]"] = None  # what feed() waits for
        self._loop = asyncio.get_running_loop()

    def give(self, buffer: int, capacity: int, count: Any) -> int:
        """On the session's thread: the next bytes, if there are any."""
        with self._lock:
            if self.failure is not None:
                return _ffi.HC_E_CALLBACK
            if not self._pieces:
                self._is_starved = not self._has_ended
                count[0] = 0
                return _ffi.HC_OK if self._has_ended else _ffi.HC_E_AGAIN
            piece = self._pieces.popleft()
            part, rest = piece[:capacity], piece[capacity:]
            if rest:
                self._pieces.appendleft(rest)
            self._buffered -= len(part)
            room = self._room if self._buffered < _MOST_BUFFERED else None
            self._room = None if room is not None else self._room
        ctypes.memmove(buffer, bytes(part), len(part))
        count[0] = len(part)
        if room is not None:
            self._loop.call_soon_threadsafe(_wake, room)
        return _ffi.HC_OK

    async def feed(self, session: int, number: int) -> None:
        """On the event loop: everything the iterator gives."""
        assert self._source is not None
        try:
            async for piece in self._source:
                self._put(memoryview(_as_bytes(piece)), session, number)
                await self._wait_for_room()
            self._put(None, session, number)
        except BaseException as failure:  # a cancellation, too: of something that the iterator waits for
            self.failure = failure
            self._put(None, session, number)
            if not isinstance(failure, Exception):
                raise
        finally:
            self._source = None  # the failure holds this: a generator would wait for the garbage collector to be closed

    def _put(self, piece: Optional[memoryview], session: int, number: int) -> None:
        with self._lock:
            if piece is None:
                self._has_ended = True
            elif len(piece) > 0:
                self._pieces.append(piece)
                self._buffered += len(piece)
            else:
                return
            was_starved, self._is_starved = self._is_starved, False
            if was_starved:
                lib.hc_session_resume_upload(session, number)

    def end(self) -> None:
        """On the session's thread: the library needs no more of it. The session may be freed next, so nobody asks it for
        anything from now on."""
        with self._lock:
            self._is_starved = False

    async def _wait_for_room(self) -> None:
        with self._lock:
            if self._buffered < _MOST_BUFFERED:
                return
            room = self._room = self._loop.create_future()
        await room


def cancel_feed(task: "asyncio.Task[None]") -> None:
    """From any thread, as in a garbage collection."""
    try:
        task.get_loop().call_soon_threadsafe(task.cancel)
    except RuntimeError:  # the loop is closed, and runs nothing any more
        pass


def _wake(room: "asyncio.Future[None]") -> None:
    if not room.done():
        room.set_result(None)


def set_body(request: Any, body: Any) -> Any:
    """Puts a body into a request. Returns the Upload that must be fed, or None."""
    if isinstance(body, os.PathLike):
        request.body_kind = _ffi.HC_BODY_FILE
        request.body_path = view_of(os.fsencode(body))
        return None
    if isinstance(body, io.BytesIO):
        body = body.getvalue()[body.tell() :]
    if hasattr(body, "fileno"):
        return _set_file(request, body)
    if hasattr(body, "__aiter__"):
        return _set_iterator(request, body)
    data = _as_bytes(body)
    request.body = view_of(data)
    if len(data) >= _LEAST_BORROWED:
        request.body_kind = _ffi.HC_BODY_BORROWED
        _lend(request, data)
    return None


def _set_file(request: Any, file: Any) -> None:
    """From where the file stands to its end. The library reads it through a descriptor of its own."""
    if isinstance(file, io.TextIOBase):
        raise InvalidError("body: the file must be opened in binary mode")
    if decodes(file):
        raise InvalidError(f"body: a {type(file).__name__} is no plain file; give bytes or an asynchronous iterator")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        raise InvalidError("body: not a regular file; give an asynchronous iterator of what it has")
    request.body_kind = _ffi.HC_BODY_FILE
    request.body_fd = file.fileno()
    if request.body_offset == _ffi.HC_UNSET:
        request.body_offset = file.tell()


def decodes(file: Any) -> bool:
    """Whether it is one of gzip's kind, whose descriptor gives other bytes than it does itself."""
    return isinstance(file, io.BufferedIOBase) and not isinstance(getattr(file, "raw", None), io.RawIOBase)


def _set_iterator(request: Any, source: Any) -> Upload:
    try:
        upload = Upload(source)
    except RuntimeError:
        raise InvalidError("body: an asynchronous iterator needs a running event loop") from None
    request.body_kind = _ffi.HC_BODY_PULLED
    request.on_body = ON_BODY
    _lend(request, upload)
    return upload


def _lend(request: Any, what: Any) -> None:
    key = _next_key()
    _lent[key] = what
    request.body_data = key
    request.on_release = ON_RELEASE


def take_back(request: Any) -> None:
    """The request was not accepted: nothing will be released."""
    if request.body_data:
        _lent.pop(request.body_data, None)


def _as_bytes(body: Any) -> bytes:
    if isinstance(body, bytes):
        return body
    if isinstance(body, (bytearray, memoryview)):
        return bytes(body)
    if isinstance(body, str):
        return body.encode()
    kinds = "bytes, bytearray, memoryview, str, a path, a binary file or an asynchronous iterator of bytes"
    raise errors.of_code(_ffi.HC_E_INVALID, f"body: must be {kinds}, not {type(body).__name__}")
