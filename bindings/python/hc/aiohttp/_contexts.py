"""What `session.get(...)` returns: a coroutine that can be entered."""

from types import TracebackType
from typing import TYPE_CHECKING, Any, Coroutine, Generator, Optional, Type

from ._response import ClientResponse

if TYPE_CHECKING:
    from .client import ClientSession


class _BaseRequestContextManager(Coroutine[Any, Any, Any]):
    """A request that is sent when it is awaited, or entered."""

    __slots__ = ("_coro", "_resp")

    def __init__(self, coro: Coroutine[Any, Any, Any]) -> None:
        self._coro = coro

    def send(self, arg: Any) -> Any:
        return self._coro.send(arg)

    def throw(self, *args: Any) -> Any:
        return self._coro.throw(*args)

    def close(self) -> None:
        self._coro.close()

    def __await__(self) -> Generator[Any, None, Any]:
        return self._coro.__await__()

    __iter__ = __await__

    async def __aenter__(self) -> Any:
        self._resp = await self._coro
        return await self._resp.__aenter__()


class _RequestContextManager(_BaseRequestContextManager):
    __slots__ = ()

    def __aexit__(
        self,
        exc_type: Optional[Type[BaseException]],
        exc: Optional[BaseException],
        tb: Optional[TracebackType],
    ) -> Coroutine[Any, Any, None]:
        return self._resp.__aexit__(exc_type, exc, tb)


class _SessionRequestContextManager:
    """The same with a session of its own."""

    __slots__ = ("_coro", "_resp", "_session")

    def __init__(self, coro: Coroutine[Any, Any, ClientResponse], session: "ClientSession") -> None:
        self._coro = coro
        self._resp: Optional[ClientResponse] = None
        self._session = session

    async def __aenter__(self) -> ClientResponse:
        try:
            self._resp = await self._coro
        except BaseException:
            await self._session.close()
            raise
        return self._resp

    async def __aexit__(self, *_: Any) -> None:
        assert self._resp is not None
        self._resp.close()
        await self._session.close()
