"""Clocks of the original's helpers: coarse, because a second more hardly matters when there are five or more."""

import asyncio
import contextlib
import math
import sys
from types import TracebackType
from typing import Any, Callable, ContextManager, Dict, List, Optional, Tuple, Type


def calculate_timeout_when(loop_time: float, timeout: float, timeout_ceiling_threshold: float) -> float:
    """When a clock ends: longer ones on a full second, so that the loop wakes up once for many of them."""
    when = loop_time + timeout
    return math.ceil(when) if timeout > timeout_ceiling_threshold else when


def call_later(
    cb: Callable[[], Any], timeout: Optional[float], loop: asyncio.AbstractEventLoop, timeout_ceil_threshold: float = 5
) -> Optional[asyncio.TimerHandle]:
    if timeout is None or timeout <= 0:
        return None
    return loop.call_at(calculate_timeout_when(loop.time(), timeout, timeout_ceil_threshold), cb)


class BaseTimerContext(ContextManager["BaseTimerContext"]):
    __slots__ = ()

    def assert_timeout(self) -> None:
        """Raises TimeoutError if it has run out."""


class TimerNoop(BaseTimerContext):
    __slots__ = ()

    def __enter__(self) -> BaseTimerContext:
        return self

    def __exit__(self, *_: Any) -> None:
        pass


class TimerContext(BaseTimerContext):
    """Ends the tasks inside of it with TimeoutError."""

    __slots__ = ("_loop", "_tasks", "_is_over", "_cancelling")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._tasks: List["asyncio.Task[Any]"] = []
        self._is_over = False
        self._cancelling = 0  # requests to cancel the task that came before ours

    def assert_timeout(self) -> None:
        if self._is_over:
            raise asyncio.TimeoutError

    def __enter__(self) -> BaseTimerContext:
        task = asyncio.current_task(loop=self._loop)
        if task is None:
            raise RuntimeError("Timeout context manager should be used inside a task")
        if sys.version_info >= (3, 11):
            self._cancelling = task.cancelling()
        self.assert_timeout()
        self._tasks.append(task)
        return self

    def __exit__(
        self,
        exc_type: Optional[Type[BaseException]],
        exc_val: Optional[BaseException],
        exc_tb: Optional[TracebackType],
    ) -> None:
        task = self._tasks.pop() if self._tasks else None
        if task is None or exc_type is not asyncio.CancelledError or not self._is_over:
            return
        if sys.version_info >= (3, 11) and task.uncancel() > self._cancelling:
            return  # somebody else cancels it, too
        raise asyncio.TimeoutError from exc_val

    def timeout(self) -> None:
        if not self._is_over:
            for task in set(self._tasks):
                task.cancel()
            self._is_over = True


class TimeoutHandle:
    """A clock with what is to be called when it runs out."""

    __slots__ = ("_timeout", "_loop", "_ceil_threshold", "_callbacks")

    def __init__(self, loop: asyncio.AbstractEventLoop, timeout: Optional[float], ceil_threshold: float = 5) -> None:
        self._timeout = timeout
        self._loop = loop
        self._ceil_threshold = ceil_threshold
        self._callbacks: List[Tuple[Callable[..., None], Tuple[Any, ...], Dict[str, Any]]] = []

    def register(self, callback: Callable[..., None], *args: Any, **kwargs: Any) -> None:
        self._callbacks.append((callback, args, kwargs))

    def close(self) -> None:
        self._callbacks.clear()

    def start(self) -> Optional[asyncio.TimerHandle]:
        return call_later(self, self._timeout, self._loop, self._ceil_threshold)

    def timer(self) -> BaseTimerContext:
        if self._timeout is None or self._timeout <= 0:
            return TimerNoop()
        timer = TimerContext(self._loop)
        self.register(timer.timeout)
        return timer

    def __call__(self) -> None:
        for callback, args, kwargs in self._callbacks:
            with contextlib.suppress(Exception):
                callback(*args, **kwargs)
        self._callbacks.clear()
