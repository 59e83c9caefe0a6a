"""What programs may put in place of our own classes: cookie jars, resolvers, writers of bodies.

The abstract classes of the original's server are its own: hc.aiohttp.abc has them when aiohttp is installed.
"""

import asyncio
import socket
from abc import ABC, abstractmethod
from http.cookies import BaseCookie, Morsel
from types import MappingProxyType
from typing import TYPE_CHECKING, Callable, FrozenSet, Iterable, List, Optional, Sequence, Sized, Tuple, TypedDict, Union

from multidict import CIMultiDict
from yarl import URL

from . import _original
from ._cookie_helpers import parse_set_cookie_headers
from ._cookie_types import TextCookies
from .typedefs import LooseCookies

ClearCookiePredicate = Callable[["Morsel[str]"], bool]


class ResolveResult(TypedDict):
    """One address of a name."""

    hostname: str  #: as asked
    host: str  #: the address
    port: int
    family: int
    proto: int
    flags: int


class AbstractResolver(ABC):
    @abstractmethod
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> List[ResolveResult]:
        """The addresses of a name."""

    @abstractmethod
    async def close(self) -> None:
        """Gives up what the resolver holds."""


if TYPE_CHECKING:
    _Morsels = Iterable[Morsel[str]]
else:
    _Morsels = Iterable


class AbstractCookieJar(Sized, _Morsels):
    """Cookies, and which of them belong to a URL.

    What a jar written for aiohttp 3.8 does not have, has a default here.
    """

    def __init__(self, *, loop: Optional[asyncio.AbstractEventLoop] = None) -> None:
        self._loop = loop or asyncio.get_running_loop()

    @property
    def unsafe(self) -> bool:
        """Whether hosts that are addresses may have cookies."""
        return False

    @property
    def quote_cookie(self) -> bool:
        """Whether values are quoted where they must be."""
        return True

    @property
    def cookies(self) -> "MappingProxyType[Tuple[str, str], TextCookies]":
        """By domain and path."""
        return MappingProxyType({})

    @property
    def host_only_cookies(self) -> FrozenSet[Tuple[str, str]]:
        """Domain and name of those that are for no host below the domain."""
        return frozenset()

    @abstractmethod
    def clear(self, predicate: Optional[ClearCookiePredicate] = None) -> None:
        """Removes those of which the predicate says so; without one, all."""

    @abstractmethod
    def clear_domain(self, domain: str) -> None:
        """Removes those of a domain and of the domains below it."""

    @abstractmethod
    def update_cookies(self, cookies: LooseCookies, response_url: URL = URL()) -> None:
        """Takes cookies that came with a response."""

    def update_cookies_from_headers(self, headers: Sequence[str], response_url: URL) -> None:
        """The same for the Set-Cookie fields as they came."""
        cookies = parse_set_cookie_headers(headers)
        if cookies:
            self.update_cookies(cookies, response_url)

    @abstractmethod
    def filter_cookies(self, request_url: URL) -> "BaseCookie[str]":
        """Those that a request is to send."""


for _kind in (AbstractResolver, AbstractCookieJar):
    for _theirs in _original.accepted("abc", _kind.__name__):
        _kind.register(_theirs)


class AbstractStreamWriter(ABC):
    """Where a Payload writes itself to."""

    buffer_size: int = 0
    output_size: int = 0
    length: Optional[int] = 0

    @abstractmethod
    async def write(self, chunk: Union[bytes, bytearray, memoryview]) -> None:
        ...

    @abstractmethod
    async def write_eof(self, chunk: bytes = b"") -> None:
        ...

    @abstractmethod
    async def drain(self) -> None:
        ...

    @abstractmethod
    def enable_compression(self, encoding: str = "deflate", strategy: Optional[int] = None) -> None:
        ...

    @abstractmethod
    def enable_chunking(self) -> None:
        ...

    @abstractmethod
    async def write_headers(self, status_line: str, headers: "CIMultiDict[str]") -> None:
        ...

    def send_headers(self) -> None:
        """Sends a head that is held back until there is a body."""


__getattr__ = _original.rest_of("abc")
