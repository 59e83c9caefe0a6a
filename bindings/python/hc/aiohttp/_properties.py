"""What a session tells about itself."""

import asyncio
import warnings
from typing import Any, Callable, FrozenSet, List, Optional

from multidict import CIMultiDict, istr

from ._settings import ClientTimeout
from .connector import BaseConnector
from .http import HttpVersion


class SessionProperties:
    """The read-only side of ClientSession."""

    _connector: Optional[BaseConnector] = None
    _loop: asyncio.AbstractEventLoop
    _cookie_jar: Any
    _version: HttpVersion
    _requote_redirect_url: bool
    _timeout: Any
    _default_headers: "CIMultiDict[str]"
    _skip_auto_headers: FrozenSet[istr]
    _default_auth: Any
    _json_serialize: Callable[[Any], str]
    _json_serialize_bytes: Optional[Callable[[Any], bytes]]
    _connector_owner: bool
    _raise_for_status: Any
    _auto_decompress: bool
    _trust_env: bool
    _trace_configs: List[Any]

    @property
    def closed(self) -> bool:
        return self._connector is None or self._connector.closed

    @property
    def connector(self) -> Optional[BaseConnector]:
        return self._connector

    @property
    def cookie_jar(self) -> Any:
        return self._cookie_jar

    @property
    def version(self) -> HttpVersion:
        return self._version

    @property
    def requote_redirect_url(self) -> bool:
        return self._requote_redirect_url

    @requote_redirect_url.setter
    def requote_redirect_url(self, value: bool) -> None:
        message = "session.requote_redirect_url modification is deprecated #2778"
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        self._requote_redirect_url = value

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        warnings.warn("client.loop property is deprecated", DeprecationWarning, stacklevel=2)
        return self._loop

    @property
    def timeout(self) -> ClientTimeout:
        return self._timeout

    @property
    def headers(self) -> "CIMultiDict[str]":
        """Sent with each request that has none of the same name."""
        return self._default_headers

    @property
    def skip_auto_headers(self) -> FrozenSet[istr]:
        return self._skip_auto_headers

    @property
    def auth(self) -> Any:
        return self._default_auth

    @property
    def json_serialize(self) -> Callable[[Any], str]:
        return self._json_serialize

    @property
    def json_serialize_bytes(self) -> Optional[Callable[[Any], bytes]]:
        return self._json_serialize_bytes

    @property
    def connector_owner(self) -> bool:
        return self._connector_owner

    @property
    def raise_for_status(self) -> Any:
        return self._raise_for_status

    @property
    def auto_decompress(self) -> bool:
        return self._auto_decompress

    @property
    def trust_env(self) -> bool:
        return self._trust_env

    @property
    def trace_configs(self) -> List[Any]:
        return self._trace_configs
