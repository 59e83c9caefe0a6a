"""What is HTTP's as such."""

import sys
from enum import IntEnum
from http import HTTPStatus
from typing import Any, NamedTuple, Optional

from .. import _runtime

__all__ = ("HttpVersion", "HttpVersion10", "HttpVersion11", "WSCloseCode", "WSMessage", "WSMsgType", "WebSocketError")


class HttpVersion(NamedTuple):
    major: int
    minor: int


HttpVersion10 = HttpVersion(1, 0)
HttpVersion11 = HttpVersion(1, 1)

#: The User-Agent of requests that name none.
SERVER_SOFTWARE = f"Python/{sys.version_info[0]}.{sys.version_info[1]} libhc/{_runtime.version()}"

_FEATURES = _runtime.runtime_info().curl_features.split()

#: What libcurl decodes.
ACCEPT_ENCODING = ", ".join(["gzip", "deflate", *(name for name in ("br", "zstd") if name in _FEATURES)])

#: Reason and description of each status.
RESPONSES = {status: (status.phrase, status.description) for status in HTTPStatus}


class WSCloseCode(IntEnum):
    """Why a WebSocket ends: RFC 6455, 7.4.1."""

    OK = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    ABNORMAL_CLOSURE = 1006
    INVALID_TEXT = 1007
    POLICY_VIOLATION = 1008
    MESSAGE_TOO_BIG = 1009
    MANDATORY_EXTENSION = 1010
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    BAD_GATEWAY = 1014


class WSMsgType(IntEnum):
    """Opcodes of RFC 6455, 5.2, and what a reader is told besides."""

    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    PING = 0x9
    PONG = 0xA
    CLOSE = 0x8
    CLOSING = 0x100
    CLOSED = 0x101
    ERROR = 0x102

    text = TEXT
    binary = BINARY
    ping = PING
    pong = PONG
    close = CLOSE
    closing = CLOSING
    closed = CLOSED
    error = ERROR


class WSMessage(NamedTuple):
    type: WSMsgType
    data: Any
    extra: Optional[str]

    def json(self, *, loads: Any = None) -> Any:
        import json

        return (loads or json.loads)(self.data)


class WebSocketError(Exception):
    """The other end broke the WebSocket protocol."""

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        super().__init__(code, message)

    def __str__(self) -> str:
        return str(self.args[1])
