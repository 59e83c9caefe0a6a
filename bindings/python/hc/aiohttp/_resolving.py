"""Custom resolvers: objects with aiohttp's `async def resolve(host, port, family)`.

The core asks for names alone and keeps the port of the URL. Resolvers want the port, too, and may answer with another
one: then the core's question is refused, and the request sent again to the port that the resolver chose.
"""

import socket
from typing import Any, Dict, List, Optional, Tuple

from yarl import URL

from ._request import default_port
from .resolver import AsyncResolver

_FAMILIES = {"any": socket.AF_UNSPEC, "v4": socket.AF_INET, "v6": socket.AF_INET6}


def names_of(resolver: Any) -> "Optional[Names]":
    """None: the core asks by itself."""
    return None if resolver is None or isinstance(resolver, AsyncResolver) else Names(resolver)


def options_of(resolver: Any, names: "Optional[Names]") -> Dict[str, Any]:
    """For the core session."""
    if names is not None:
        return {"on_resolve": names.ask}
    return {} if resolver is None else {"nameservers": resolver.nameservers}


class Names:
    """The resolver of a connector."""

    def __init__(self, resolver: Any) -> None:
        self._resolver = resolver
        self._asked: Dict[str, int] = {}  # the port that was asked for last, by name
        self._moved: Dict[Tuple[str, int], int] = {}

    def wire_url(self, url: URL) -> URL:
        """Where a request to that URL is sent."""
        key = _key(url)
        self._asked[key[0]] = key[1]
        port = self._moved.get(key)
        return url if port is None else url.with_port(port)

    def has_moved(self, url: URL) -> bool:
        return _key(url) in self._moved

    async def ask(self, query: Any) -> List[str]:
        """For the core."""
        port = self._asked.get(query.host, 0)
        found = await self._resolver.resolve(query.host, port, family=_FAMILIES[query.family])
        key = query.host, port
        chosen = next((each["port"] for each in found if each["port"] not in (0, port)), None)
        if chosen is None:
            self._moved.pop(key, None)
        elif self._moved.get(key) != chosen:
            self._moved[key] = chosen
            raise Moved(f"the resolver leads to port {chosen}")
        return [each["host"] for each in found]


class Moved(Exception):
    """The resolver chose another port."""


def _key(url: URL) -> Tuple[str, int]:
    port: Optional[int] = url.port if url.port is not None else default_port(url)
    return (url.raw_host or "").lower().rstrip("."), port or 0
