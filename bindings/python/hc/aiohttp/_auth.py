"""Credentials: from arguments, URLs, .netrc and the environment's proxies."""

import base64
import binascii
import contextlib
import dataclasses
import netrc
import os
import warnings
from pathlib import Path
from typing import Dict, NamedTuple, Optional, Tuple
from urllib.request import getproxies, proxy_bypass

from yarl import URL

from .log import client_logger


def encode_basic_auth(login: str, password: str = "", encoding: str = "utf-8") -> str:
    """The value of an Authorization or Proxy-Authorization field."""
    if ":" in login:
        raise ValueError('A ":" is not allowed in login (RFC 7617#section-2)')
    credentials = f"{login}:{password}".encode(encoding)
    return "Basic " + base64.b64encode(credentials).decode("ascii")


class _Credentials(NamedTuple):
    login: str
    password: str = ""
    encoding: str = "latin1"


class BasicAuth(_Credentials):
    """Name and password. Deprecated in the original: encode_basic_auth() makes the header field."""

    __slots__ = ()

    def __new__(cls, login: str, password: str = "", encoding: str = "latin1") -> "BasicAuth":
        if login is None:
            raise ValueError("None is not allowed as login value")
        if password is None:
            raise ValueError("None is not allowed as password value")
        if ":" in login:
            raise ValueError('A ":" is not allowed in login (RFC 1945#section-11.1)')
        warnings.warn(
            "BasicAuth is deprecated and will be removed in aiohttp 4.0; use aiohttp.encode_basic_auth() with "
            "headers={'Authorization': ...} instead",
            DeprecationWarning,
            stacklevel=2,
        )
        return super().__new__(cls, login, password, encoding)

    @classmethod
    def decode(cls, auth_header: str, encoding: str = "latin1") -> "BasicAuth":
        """From the value of an Authorization field."""
        method, space, credentials = auth_header.partition(" ")
        if not space:
            raise ValueError("Could not parse authorization header.")
        if method.lower() != "basic":
            raise ValueError(f"Unknown authorization method {method}")
        try:
            text = base64.b64decode(credentials.encode("ascii"), validate=True).decode(encoding)
        except binascii.Error:
            raise ValueError("Invalid base64 encoding.") from None
        login, colon, password = text.partition(":")
        if not colon:
            raise ValueError("Invalid credentials.")
        return basic_auth(login, password, encoding)

    @classmethod
    def from_url(cls, url: URL, *, encoding: str = "latin1") -> Optional["BasicAuth"]:
        if not isinstance(url, URL):
            raise TypeError("url should be yarl.URL instance")
        if url.raw_user is None and url.raw_password is None:
            return None
        return basic_auth(url.user or "", url.password or "", encoding)

    def encode(self) -> str:
        return encode_basic_auth(self.login, self.password, self.encoding)


def basic_auth(login: str, password: str = "", encoding: str = "latin1") -> BasicAuth:
    """The same without the warning, which is for those who write the class's name."""
    return tuple.__new__(BasicAuth, (login, password, encoding))


def strip_auth_from_url(url: URL) -> Tuple[URL, Optional[BasicAuth]]:
    auth = BasicAuth.from_url(url)
    return (url, None) if auth is None else (url.with_user(None), auth)


# --------------------------------------------------------------------------------------------------- .netrc


def netrc_from_env() -> Optional[netrc.netrc]:
    """What $NETRC names, or else ~/.netrc; None if it cannot be read."""
    named = os.environ.get("NETRC")
    try:
        path = Path(named) if named is not None else Path.home() / ".netrc"
    except RuntimeError as failure:
        client_logger.debug("Could not resolve home directory when trying to look for .netrc file: %s", failure)
        return None
    try:
        return netrc.netrc(str(path))
    except netrc.NetrcParseError as failure:
        client_logger.warning("Could not parse .netrc file: %s", failure)
    except OSError as failure:
        if named or _is_file(path):  # then somebody expects it to be read
            client_logger.warning("Could not read .netrc file: %s", failure)
    return None


def _is_file(path: Path) -> bool:
    with contextlib.suppress(OSError):
        return path.is_file()
    return False


def basicauth_from_netrc(netrc_obj: Optional[netrc.netrc], host: str) -> BasicAuth:
    """The credentials for a host; LookupError if there are none."""
    if netrc_obj is None:
        raise LookupError("No .netrc file found")
    entry = netrc_obj.authenticators(host)
    if entry is None:
        raise LookupError(f"No entry for {host!s} found in the `.netrc` file.")
    login, account, password = entry
    # Before Python 3.11 what is missing is None; since then it is empty.
    return basic_auth(login or account or "", password or "")


# ------------------------------------------------------------------------------------- the environment's proxies


@dataclasses.dataclass(frozen=True)
class ProxyInfo:
    proxy: URL
    proxy_auth: Optional[BasicAuth]


def proxies_from_env() -> Dict[str, ProxyInfo]:
    """By the scheme of the requests that they are for."""
    found = {}
    file = netrc_from_env()
    for scheme, text in getproxies().items():
        if scheme not in ("http", "https", "ws", "wss"):
            continue
        proxy, auth = strip_auth_from_url(URL(text))
        if proxy.scheme in ("https", "wss"):
            client_logger.warning("%s proxies %s are not supported, ignoring", proxy.scheme.upper(), proxy)
            continue
        if auth is None and proxy.host is not None:
            with contextlib.suppress(LookupError):
                auth = basicauth_from_netrc(file, proxy.host)
        found[scheme] = ProxyInfo(proxy, auth)
    return found


def get_env_proxy_for_url(url: URL) -> Tuple[URL, Optional[BasicAuth]]:
    """The proxy that the environment wants for a URL; LookupError if none."""
    if url.host is not None and proxy_bypass(url.host):
        raise LookupError(f"Proxying is disallowed for `{url.host!r}`")
    info = proxies_from_env().get(url.scheme)
    if info is None:
        raise LookupError(f"No proxies found for `{url!s}` in the env")
    return info.proxy, info.proxy_auth
