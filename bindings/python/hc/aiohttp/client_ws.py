"""The names of WebSockets, which are not there yet."""

import dataclasses
from typing import Optional

__all__ = ("ClientWSTimeout", "ClientWebSocketResponse")


@dataclasses.dataclass(frozen=True)
class ClientWSTimeout:
    ws_receive: Optional[float] = None
    ws_close: Optional[float] = 10.0


DEFAULT_WS_CLIENT_TIMEOUT = ClientWSTimeout()


class ClientWebSocketResponse:
    """What ws_connect() will give."""

    def __init__(self, *_: object, **__: object) -> None:
        raise NotImplementedError("hc.aiohttp has no WebSockets yet")
