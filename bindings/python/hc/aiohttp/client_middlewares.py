"""What may stand between a session and the network, once for each hop."""

from typing import Awaitable, Callable, Sequence

from ._request import ClientRequest
from ._response import ClientResponse

__all__ = ("ClientMiddlewareType", "ClientHandlerType", "build_client_middlewares")

#: Sends a request.
ClientHandlerType = Callable[[ClientRequest], Awaitable[ClientResponse]]

#: Is given a request, and what sends it: as often as it likes, or never.
ClientMiddlewareType = Callable[[ClientRequest, ClientHandlerType], Awaitable[ClientResponse]]


def build_client_middlewares(
    handler: ClientHandlerType, middlewares: Sequence[ClientMiddlewareType]
) -> ClientHandlerType:
    """The first one is the outermost."""
    for middleware in reversed(middlewares):
        handler = _around(middleware, handler)
    return handler


def _around(middleware: ClientMiddlewareType, handler: ClientHandlerType) -> ClientHandlerType:
    async def call(request: ClientRequest) -> ClientResponse:
        return await middleware(request, handler)

    return call
