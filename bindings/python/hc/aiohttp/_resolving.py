"""Custom resolvers: objects with aiohttp's `async def resolve(host, port, family)`."""

import socket
from typing import Any, Awaitable, Callable, Dict, List

from .resolver import AsyncResolver

_FAMILIES = {"any": socket.AF_UNSPEC, "v4": socket.AF_INET, "v6": socket.AF_INET6}


def options_of(resolver: Any, family: int) -> Dict[str, Any]:
    """For the core session. Its own resolver is asked without Python."""
    if resolver is None:
        return {}
    if isinstance(resolver, AsyncResolver):
        return {"nameservers": resolver.nameservers}
    return {"on_resolve": _asking(resolver, family)}


def _asking(resolver: Any, family: int) -> Callable[[Any], Awaitable[List[str]]]:
    """For the core: asks the resolver for the addresses of a name."""

    async def ask(query: Any) -> List[str]:
        # The core caches names, not names with ports.
        found = await resolver.resolve(query.host, 0, family=_FAMILIES[query.family])
        return [each["host"] for each in found]

    return ask
