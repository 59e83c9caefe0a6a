"""The names of WebSocket messages."""

from .http import WebSocketError, WSCloseCode, WSMessage, WSMsgType

__all__ = ("WSCloseCode", "WSMessage", "WSMsgType", "WebSocketError")
