"""What describes a request and its connection."""

import ssl
from hashlib import sha256
from typing import Any, NamedTuple, Optional, Union

from multidict import CIMultiDictProxy
from yarl import URL

from .client_exceptions import ServerFingerprintMismatch



class _RequestInfo(NamedTuple):
    url: URL
    method: str
    headers: "CIMultiDictProxy[str]"
    real_url: URL


class RequestInfo(_RequestInfo):
    """The request that a response or an error belongs to."""

    def __new__(cls, url: URL, method: str, headers: "CIMultiDictProxy[str]", real_url: Any = None) -> "RequestInfo":
        return tuple.__new__(cls, (url, method, headers, url if real_url is None else real_url))


class Fingerprint:
    """SHA-256 of the server's certificate, in place of the usual verification."""

    def __init__(self, fingerprint: bytes) -> None:
        if len(fingerprint) in (16, 20):
            raise ValueError("md5 and sha1 are insecure and not supported. Use sha256.")
        if len(fingerprint) != 32:
            raise ValueError("fingerprint has invalid length")
        self._fingerprint = fingerprint

    @property
    def fingerprint(self) -> bytes:
        return self._fingerprint

    def check(self, transport: Any) -> None:
        """For transports of asyncio."""
        if not transport.get_extra_info("sslcontext"):
            return
        got = sha256(transport.get_extra_info("ssl_object").getpeercert(binary_form=True)).digest()
        if got != self._fingerprint:
            host, port, *_ = transport.get_extra_info("peername")
            raise ServerFingerprintMismatch(self._fingerprint, got, host, port)


class ConnectionKey(NamedTuple):
    """What two requests must have in common to share a connection."""

    host: str
    port: Optional[int]
    is_ssl: bool
    ssl: "Union[ssl.SSLContext, bool, Fingerprint, None]"
    proxy: Optional[URL]
    proxy_auth: Any
    proxy_headers_hash: Optional[int]
    server_hostname: Optional[str] = None
