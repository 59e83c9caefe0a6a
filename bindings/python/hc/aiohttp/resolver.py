"""Resolvers: the library's own, Python's in threads, and whatever a program writes.

AsyncResolver is the library's: a connector that is given one, or none, asks c-ares inside the library, and no Python
runs for a lookup. ThreadedResolver is Python's getaddrinfo(), for what only the system knows.
"""

import asyncio
import socket
import warnings
from typing import Any, List, Optional, Sequence, cast

from .abc import AbstractResolver, ResolveResult

__all__ = ("ThreadedResolver", "AsyncResolver", "DefaultResolver")

_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class ThreadedResolver(AbstractResolver):
    """getaddrinfo() in the loop's executor."""

    def __init__(self, loop: Optional[asyncio.AbstractEventLoop] = None) -> None:
        self._loop = loop or asyncio.get_running_loop()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> List[ResolveResult]:
        found = await self._loop.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, family=family, flags=socket.AI_ADDRCONFIG
        )
        results = []
        for kind, _, proto, _, address in found:
            if kind == socket.AF_INET6 and len(address) < 3:
                continue  # a Python without IPv6
            text, number = str(address[0]), int(address[1])
            if kind == socket.AF_INET6 and address[3]:  # link-local: with its interface
                flags = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
                text, _ = await self._loop.getnameinfo(cast(Any, address), flags)
            result = ResolveResult(hostname=host, host=text, port=number, family=kind, proto=proto, flags=_NUMERIC)
            results.append(result)
        return results

    async def close(self) -> None:
        pass


class AsyncResolver(ThreadedResolver):
    """The library's resolver, with the name servers of the system or with given ones; needs no aiodns.

    nameservers: addresses, each with or without a port. What else aiodns takes is not known here.
    """

    def __init__(
        self,
        loop: Optional[asyncio.AbstractEventLoop] = None,
        nameservers: Optional[Sequence[str]] = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(loop)
        self.nameservers = ",".join(map(_with_brackets, nameservers)) if nameservers else None
        if kwargs:
            text = f"AsyncResolver: {', '.join(kwargs)}: no effect in hc.aiohttp"
            warnings.warn(text, RuntimeWarning, stacklevel=2)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> List[ResolveResult]:
        """For a program that asks by itself; a connector does not."""
        if self.nameservers is not None:
            raise NotImplementedError("AsyncResolver: only requests ask name servers of one's own")
        return await super().resolve(host, port, family)


def _with_brackets(server: str) -> str:
    is_bare_v6 = server.count(":") > 1 and not server.startswith("[")
    return f"[{server}]" if is_bare_v6 else server


DefaultResolver = AsyncResolver
