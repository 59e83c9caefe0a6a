"""Finished requests on their way from the library: one queue for each event loop, or for each blocking call.

Vocabulary
  token    the number of a request in its queue; travels through the library as user_data
  waiting  {token: the future of a request}; None in its place: nobody waits any more

Life of a LoopQueue: made by of() for the first session that is used on a loop; held by the loop (add_reader) and by
those sessions; ended by the last of them that leaves, or with the loop: a loop that is closed lets go of its readers, and
the end of the object closes the queue, which cancels its requests.
"""

import asyncio
import ctypes
import itertools
import os
import select
import threading
import weakref
from typing import Any, Callable, Dict, Optional

from . import _ffi, _lifetime, errors
from ._library import Layout, lib, untyped
from .response import Response

_CAPACITY = 256
_LOOK_FOR_SIGNALS_MS = 1_000
_ITEM = Layout(_ffi.hc_completion, ["user_data", "response", "status", "http_status", "body.data", "body.len", "kind"])


class CompletionQueue:
    """A hc_queue, and what waits for it. One thread drains."""

    def __init__(self) -> None:
        handle = ctypes.c_void_p()
        errors.checked(lib.hc_queue_create, ctypes.byref(handle))
        assert handle.value is not None
        self.handle = handle.value
        self.fd: int = lib.hc_queue_fd(handle)
        self.waiting: Dict[int, Any] = {}
        self.next_token = itertools.count(1).__next__
        self.close = weakref.finalize(self, lib.hc_queue_close, self.handle)
        self.close.atexit = False  # see _lifetime
        items = (_ffi.hc_completion * _CAPACITY)()
        self._count = ctypes.c_size_t()
        self._bytes = memoryview(items).cast("B")
        size = ctypes.sizeof(_ffi.hc_completion)
        self._drain_arguments = (
            handle, ctypes.byref(items), ctypes.c_size_t(size), ctypes.c_size_t(_CAPACITY), ctypes.byref(self._count)
        )

    def drain(
        self,
        take: Any = untyped(lib.hc_queue_drain),
        unpack: Any = _ITEM.struct.iter_unpack,
        size: int = ctypes.sizeof(_ffi.hc_completion),
    ) -> None:
        """Takes what is finished, and wakes those who wait for it."""
        take(*self._drain_arguments)
        pop = self.waiting.pop
        for token, handle, status, http_status, address, length, kind in unpack(
            self._bytes[: self._count.value * size]
        ):
            if kind or not handle:
                self._tell(token, handle, http_status, kind)
                continue
            future = pop(token, None)
            if status == 0:
                response = Response(handle, http_status, address, length)  # frees the handle if nobody wants it
                if future is not None and not future.done():
                    future.set_result(response)
                continue
            if future is not None and not future.done():
                future.set_exception(errors.of_response(handle, status))
            lib.hc_response_free(handle)

    def _tell(self, token: int, handle: int, http_status: int, kind: int) -> None:
        """News of a streamed request; the first is that of its head, if there is one."""
        news = self.waiting.get(token)
        if kind == _ffi.HC_HEAD:
            if news is None:
                lib.hc_response_free(handle)
            else:
                news.on_head(handle, http_status)
        elif kind == _ffi.HC_BODY:
            if news is not None:
                news.on_body()
        elif kind == _ffi.HC_DONE:
            self.waiting.pop(token, None)
            if news is not None:
                news.on_done()


class LoopQueue(CompletionQueue):
    """The queue of one event loop."""

    _all: "weakref.WeakValueDictionary[int, LoopQueue]" = weakref.WeakValueDictionary()
    _lock = threading.RLock()  # a garbage collection inside join() may come to leave()

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self.loop = loop
        self.users = 0
        self.born = _lifetime.generation
        loop.add_reader(self.fd, self.drain)

    @classmethod
    def join(cls, loop: asyncio.AbstractEventLoop) -> "LoopQueue":
        """The queue of the running loop, for one more session, which leaves in the end."""
        with cls._lock:
            queue = cls._all.get(id(loop))
            if queue is None or queue.loop is not loop or not queue.close.alive or queue.born != _lifetime.generation:
                queue = cls._all[id(loop)] = cls(loop)
            queue.users += 1
            return queue

    def leave(self) -> None:
        """From any thread, also in the middle of a garbage collection."""
        with self._lock:
            self.users -= 1
        if self.users > 0 or not self.close.alive or self.born != _lifetime.generation:
            return
        try:
            self.loop.call_soon_threadsafe(self._end)
        except RuntimeError:  # the loop is closed
            self.close()

    def leave_now(self) -> None:
        """On the loop."""
        with self._lock:
            self.users -= 1
        self._end()

    def _end(self) -> None:
        if self.users > 0 or not self.close.alive or self.born != _lifetime.generation:
            return
        self._drain_all()
        if not self.loop.is_closed():
            self.loop.remove_reader(self.fd)
        self.close()

    def _drain_all(self) -> None:
        """A session that ends may leave more than one drain() takes."""
        while self.waiting:
            self.drain()
            if self._count.value == 0:
                return


def _in_child() -> None:
    """A thread that the child does not have may have held the lock."""
    LoopQueue._lock = threading.RLock()


os.register_at_fork(after_in_child=_in_child)


class Outcome:
    """What a blocking call waits for: as much of a future as drain() needs."""

    __slots__ = ("response", "error")

    def __init__(self) -> None:
        self.response: Optional[Response] = None
        self.error: Optional[BaseException] = None

    def done(self) -> bool:
        return self.response is not None or self.error is not None

    def set_result(self, response: Response) -> None:
        self.response = response

    def set_exception(self, error: BaseException) -> None:
        self.error = error


class BlockingQueue(CompletionQueue):
    """The queue of one blocking call at a time.

    Instead of hc_session_perform(), which would keep a Ctrl-C waiting until the answer is there: poll() is interrupted.
    """

    def __init__(self) -> None:
        super().__init__()
        self._poll = select.poll()
        self._poll.register(self.fd, select.POLLIN)

    def wait(self, token: int) -> Response:
        """Until the request with that token is done."""
        outcome = self.waiting[token] = Outcome()
        self.drain_until(outcome.done)
        if outcome.error is not None:
            raise outcome.error
        assert outcome.response is not None
        return outcome.response

    def drain_until(self, is_there: Callable[[], bool]) -> None:
        """An exception of a signal handler closes the queue, and so cancels the request."""
        # A signal that comes between the interpreter's last look and the system call does not end that call.
        # Only the main thread runs handlers, so only it looks again.
        is_main = threading.current_thread() is threading.main_thread()
        timeout = _LOOK_FOR_SIGNALS_MS if is_main else None
        if not self.close.alive:
            raise errors.of_code(_ffi.HC_E_CANCELLED, "an earlier wait for it was interrupted, which ended the request")
        try:
            while not is_there():
                self._poll.poll(timeout)
                self.drain()
        except BaseException:
            self.close()
            raise
