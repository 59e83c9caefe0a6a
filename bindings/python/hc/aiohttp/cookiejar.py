"""The cookie jar: RFC 6265 without a list of public suffixes."""

import asyncio
import contextlib
import datetime
import heapq
import itertools
import time
import warnings
from collections import defaultdict
from http.cookies import BaseCookie, Morsel, SimpleCookie
from types import MappingProxyType
from typing import Any, DefaultDict, Dict, FrozenSet, Iterable, Iterator, List, Mapping, Optional, Set, Tuple, Union

from yarl import URL

from . import _cookie_file
from ._cookie_dates import parse_cookie_date
from ._cookie_helpers import new_morsel, preserve_morsel_with_coded_value
from ._cookie_types import TextCookies
from .abc import AbstractCookieJar, ClearCookiePredicate
from .helpers import is_ip_address
from .typedefs import LooseCookies, PathLike, StrOrURL

__all__ = ("CookieJar", "DummyCookieJar")

Place = Tuple[str, str]  # domain, path
Key = Tuple[str, str, str]  # domain, path, name

_FEWEST_TO_SWEEP = 100  # entries of the heap, below which it may be stale as it likes
_ENCODER: TextCookies = SimpleCookie()


class CookieJar(AbstractCookieJar):
    """Keeps the cookies of responses, and gives those that a request is to send.

    unsafe: hosts that are addresses may have cookies. quote_cookie: values that need quotes get them.
    treat_as_secure_origin: URLs of which the origins get secure cookies over http, too.
    """

    MAX_TIME = int(datetime.datetime.max.replace(tzinfo=datetime.timezone.utc).timestamp()) - 1

    def __init__(
        self,
        *,
        unsafe: bool = False,
        quote_cookie: bool = True,
        treat_as_secure_origin: Union[StrOrURL, List[StrOrURL], None] = None,
        loop: Optional[asyncio.AbstractEventLoop] = None,
    ) -> None:
        super().__init__(loop=loop)
        self._cookies: DefaultDict[Place, TextCookies] = defaultdict(SimpleCookie)
        self._to_send: DefaultDict[Place, Dict[str, "Morsel[str]"]] = defaultdict(dict)  # see _sent()
        self._host_only_cookies: Set[Tuple[str, str]] = set()
        self._unsafe = unsafe
        self._quote_cookie = quote_cookie
        given = treat_as_secure_origin if treat_as_secure_origin is not None else []
        urls: Iterable[StrOrURL] = [given] if isinstance(given, (str, URL)) else given
        self._treat_as_secure_origin = [URL(url).origin() for url in urls]
        self._expirations: Dict[Key, float] = {}
        self._expire_heap: List[Tuple[float, Key]] = []  # may have entries that _expirations has no more

    @property
    def unsafe(self) -> bool:
        return self._unsafe

    @property
    def quote_cookie(self) -> bool:
        return self._quote_cookie

    @property
    def cookies(self) -> "MappingProxyType[Place, TextCookies]":
        return MappingProxyType(self._cookies)

    @property
    def host_only_cookies(self) -> FrozenSet[Tuple[str, str]]:
        return frozenset(self._host_only_cookies)

    def __iter__(self) -> "Iterator[Morsel[str]]":
        self._do_expiration()
        for cookies in self._cookies.values():
            yield from cookies.values()

    def __len__(self) -> int:
        return sum(map(len, self._cookies.values()))

    # -------------------------------------------------------------------------------------------------- files

    def save(self, file_path: PathLike) -> None:
        """Writes all cookies to a file that only its owner can read."""
        _cookie_file.save(file_path, self._cookies, self._expirations, self._host_only_cookies)

    def load(self, file_path: PathLike) -> None:
        """The cookies of a file in place of those that are there; also of one that aiohttp wrote, as JSON or pickle."""
        loaded = _cookie_file.load(file_path)
        if isinstance(loaded, defaultdict):
            self._cookies = loaded
            self._to_send.clear()
            return
        self.clear()
        for saved in loaded:
            url = URL.build(scheme="https", host=saved.domain) if saved.domain else URL()
            self.update_cookies({saved.name: saved.morsel}, url)
            if saved.expires is not None:
                self._expire_cookie(saved.expires, saved.domain, saved.path, saved.name)
        self._do_expiration()

    # ----------------------------------------------------------------------------------------------- removing

    def clear(self, predicate: Optional[ClearCookiePredicate] = None) -> None:
        if predicate is None:
            for kept in (self._cookies, self._to_send, self._host_only_cookies, self._expirations, self._expire_heap):
                kept.clear()  # type: ignore[attr-defined]
            return
        now = time.time()
        for (domain, path), cookies in self._cookies.items():
            for name, morsel in list(cookies.items()):
                key = (domain, path, name)
                if self._expirations.get(key, now + 1) <= now or predicate(morsel):
                    self._delete(key)

    def clear_domain(self, domain: str) -> None:
        self.clear(lambda morsel: self._is_domain_match(domain, morsel["domain"]))

    def _do_expiration(self) -> None:
        if len(self._expire_heap) > max(_FEWEST_TO_SWEEP, 2 * len(self._expirations)):
            self._expire_heap = [(when, key) for key, when in self._expirations.items()]
            heapq.heapify(self._expire_heap)
        now = time.time()
        while self._expire_heap and self._expire_heap[0][0] <= now:
            when, key = heapq.heappop(self._expire_heap)
            if self._expirations.get(key) == when:  # else it was set again, with another time
                self._delete(key)

    def _delete(self, key: Key) -> None:
        domain, path, name = key
        self._host_only_cookies.discard((domain, name))
        self._cookies[(domain, path)].pop(name, None)
        self._to_send[(domain, path)].pop(name, None)
        self._expirations.pop(key, None)

    def _expire_cookie(self, when: float, domain: str, path: str, name: str) -> None:
        key = (domain, path, name)
        if self._expirations.get(key) != when:
            heapq.heappush(self._expire_heap, (when, key))
            self._expirations[key] = when

    # ------------------------------------------------------------------------------------------------ storing

    def update_cookies(self, cookies: LooseCookies, response_url: URL = URL()) -> None:
        if not self._unsafe and is_ip_address(response_url.raw_host):
            return
        for name, cookie in cookies.items() if isinstance(cookies, Mapping) else cookies:
            if not isinstance(cookie, Morsel):
                made: Any = SimpleCookie()
                made[name] = cookie
                cookie = made[name]
            self._store(name, cookie, response_url)
        self._do_expiration()

    def _store(self, name: str, cookie: "Morsel[Any]", url: URL) -> None:
        host = url.raw_host
        domain = self._domain_of(name, cookie, host)
        if host and not self._is_domain_match(domain, host):
            return  # of another's domain
        path = self._path_of(cookie, url)
        self._schedule(cookie, (domain, path, name))
        place = (domain, path)
        if self._cookies[place].get(name) != cookie:
            self._cookies[place][name] = cookie
            self._to_send[place].pop(name, None)

    def _domain_of(self, name: str, cookie: "Morsel[Any]", host: Optional[str]) -> str:
        """RFC 6265, 5.2.3; without one, or with one that ends in a dot, the cookie is for that host alone."""
        domain: str = cookie["domain"]
        if domain.endswith("."):
            domain = cookie["domain"] = ""
        if not domain and host is not None:
            self._host_only_cookies.add((host, name))
            domain = host
        domain = domain[1:] if domain.startswith(".") else domain
        cookie["domain"] = domain
        return domain

    @staticmethod
    def _path_of(cookie: "Morsel[Any]", url: URL) -> str:
        """RFC 6265, 5.1.4; without one it is the directory of the URL."""
        if not cookie["path"].startswith("/"):
            cookie["path"] = "/" + url.path[1 : url.path.rfind("/")] if url.path.startswith("/") else "/"
        path: str = cookie["path"]
        return path.rstrip("/")

    def _schedule(self, cookie: "Morsel[Any]", key: Key) -> None:
        """Max-Age counts before Expires; what cannot be read is taken out."""
        if cookie["max-age"]:
            try:
                self._expire_cookie(min(time.time() + int(cookie["max-age"]), self.MAX_TIME), *key)
            except ValueError:
                cookie["max-age"] = ""
        elif cookie["expires"]:
            when = self._parse_date(cookie["expires"])
            if when is None:
                cookie["expires"] = ""
            else:
                self._expire_cookie(when, *key)

    # ------------------------------------------------------------------------------------------------ sending

    def filter_cookies(self, request_url: URL = URL()) -> "BaseCookie[str]":
        filtered: "BaseCookie[str]" = BaseCookie()
        self._do_expiration()
        if not self._cookies:
            return filtered
        if not isinstance(request_url, URL):
            text = "filter_cookies expects yarl.URL instances only,and will stop working in 4.x, got "
            warnings.warn(f"{text}{type(request_url)}", DeprecationWarning, stacklevel=2)
            request_url = URL(request_url)
        host = request_url.raw_host or ""
        is_secure = self._is_secure(request_url)
        for place in self._places_for(host, request_url.path):
            for name, cookie in self._cookies[place].items() if place in self._cookies else ():
                if place == ("", "") or self._is_for(cookie, name, host, request_url.path, is_secure):
                    filtered[name] = self._sent(place, name, cookie)
        return filtered

    def _is_secure(self, url: URL) -> bool:
        if url.scheme in ("https", "wss"):
            return True
        with contextlib.suppress(ValueError):
            return bool(self._treat_as_secure_origin) and url.origin() in self._treat_as_secure_origin
        return False

    def _places_for(self, host: str, path: str) -> Iterator[Place]:
        """Where cookies for that host may be: first those of no domain, then from the widest place to the closest."""
        yield "", ""
        if is_ip_address(host):
            domains = [host] if self._unsafe else []
        else:
            domains = list(itertools.accumulate(reversed(host.split(".")), lambda below, label: f"{label}.{below}"))
        paths = list(itertools.accumulate(path.split("/"), lambda above, name: f"{above}/{name}"))
        yield from ((domain, each) for domain in domains for each in paths if domain or each)

    def _is_for(self, cookie: "Morsel[str]", name: str, host: str, path: str, is_secure: bool) -> bool:
        domain = cookie["domain"]
        if domain != host and (domain, name) in self._host_only_cookies:
            return False
        # "/a/" is not for "/a", and both are stored as "/a".
        return len(cookie["path"]) <= len(path) and (is_secure or not cookie["secure"])

    def _sent(self, place: Place, name: str, cookie: "Morsel[str]") -> "Morsel[str]":
        known = self._to_send[place].get(name)
        if known is None:
            known = self._to_send[place][name] = self._built(cookie)
        return known

    def _built(self, cookie: "Morsel[str]") -> "Morsel[str]":
        """Name and value alone. A value that came in quotes goes back as it came."""
        if not self._quote_cookie:
            return new_morsel(cookie.key, cookie.value, cookie.value) or cookie
        if cookie.coded_value.startswith('"'):
            return preserve_morsel_with_coded_value(cookie)
        return new_morsel(cookie.key, *_ENCODER.value_encode(cookie.value)) or cookie

    # ------------------------------------------------------------------------------------------------ matching

    @staticmethod
    def _is_domain_match(domain: str, hostname: str) -> bool:
        """RFC 6265, 5.1.3."""
        if hostname == domain:
            return True
        return hostname.endswith("." + domain) and not is_ip_address(hostname)

    @staticmethod
    def _parse_date(date_str: str) -> Optional[int]:
        return parse_cookie_date(date_str)


class DummyCookieJar(AbstractCookieJar):
    """Keeps nothing: for sessions that want no cookies."""

    def __iter__(self) -> "Iterator[Morsel[str]]":
        return iter(())

    def __len__(self) -> int:
        return 0

    def clear(self, predicate: Optional[ClearCookiePredicate] = None) -> None:
        pass

    def clear_domain(self, domain: str) -> None:
        pass

    def update_cookies(self, cookies: LooseCookies, response_url: URL = URL()) -> None:
        pass

    def filter_cookies(self, request_url: URL) -> "BaseCookie[str]":
        return SimpleCookie()
