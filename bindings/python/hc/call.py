"""What Session's asynchronous methods return: requests that are sent when they are awaited."""

from typing import Any, Coroutine, Generator, TypeVar

from .response import Response
from .stream import AsyncStream

Answer = TypeVar("Answer")


class Sending(Coroutine[Any, Any, Answer]):
    """A request that is sent when it is awaited: `response = await call`, or `async with call as response`."""

    __slots__ = ("_coroutine",)

    _coroutine: Coroutine[Any, Any, Answer]

    def __init__(self, coroutine: Coroutine[Any, Any, Answer]) -> None:
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, Answer]:
        return self._coroutine.__await__()

    def send(self, value: Any) -> Any:
        return self._coroutine.send(value)

    def throw(self, *failure: Any) -> Any:
        return self._coroutine.throw(*failure)

    def close(self) -> None:
        self._coroutine.close()


class Call(Sending[Response]):
    """For a response with its whole body."""

    __slots__ = ()

    async def __aenter__(self) -> Response:
        return await self._coroutine

    async def __aexit__(self, *_: Any) -> None:
        pass


class StreamCall(Sending[AsyncStream]):
    """For a response whose body is read piece by piece, and given back at the end of the `async with`."""

    __slots__ = ("_response",)

    async def __aenter__(self) -> AsyncStream:
        self._response = await self._coroutine
        return self._response

    async def __aexit__(self, *_: Any) -> None:
        self._response.close()
