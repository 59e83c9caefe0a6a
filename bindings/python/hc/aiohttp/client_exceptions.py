"""What can go wrong, as aiohttp's tree of exceptions."""

import asyncio
import ssl
import warnings
from typing import TYPE_CHECKING, Any, Optional, Tuple, Union

from . import _original

if TYPE_CHECKING:
    from .client_reqrep import ClientResponse, ConnectionKey, Fingerprint, RequestInfo

__all__ = (
    "ClientConnectionError",
    "ClientConnectionResetError",
    "ClientConnectorCertificateError",
    "ClientConnectorDNSError",
    "ClientConnectorError",
    "ClientConnectorSSLError",
    "ClientError",
    "ClientHttpProxyError",
    "ClientOSError",
    "ClientPayloadError",
    "ClientProxyConnectionError",
    "ClientResponseError",
    "ClientSSLError",
    "ConnectionTimeoutError",
    "ContentTypeError",
    "InvalidURL",
    "InvalidUrlClientError",
    "InvalidUrlRedirectClientError",
    "NonHttpUrlClientError",
    "NonHttpUrlRedirectClientError",
    "RedirectClientError",
    "ServerConnectionError",
    "ServerDisconnectedError",
    "ServerFingerprintMismatch",
    "ServerTimeoutError",
    "SocketTimeoutError",
    "TooManyRedirects",
    "UnixClientConnectorError",
    "WSMessageTypeError",
    "WSServerHandshakeError",
)

_also = _original.classes("client_exceptions")


@_also
class ClientError(Exception):
    """All of them."""


# ------------------------------------------------------------------------------------------------ there was an answer


@_also
class ClientResponseError(ClientError):
    """The answer is not what was wanted, or is no HTTP (status 400)."""

    def __init__(
        self,
        request_info: "RequestInfo",
        history: "Tuple[ClientResponse, ...]",
        *,
        code: Optional[int] = None,
        status: Optional[int] = None,
        message: str = "",
        headers: Any = None,
    ) -> None:
        self.request_info = request_info
        if code is not None:
            if status is not None:
                raise ValueError("Both code and status arguments are provided; code is deprecated, use status instead")
            warnings.warn("code argument is deprecated, use status instead", DeprecationWarning, stacklevel=2)
        self.status = status if status is not None else code or 0
        self.message = message
        self.headers = headers
        self.history = history
        self.args = (request_info, history)

    def __str__(self) -> str:
        return f"{self.status}, message={self.message!r}, url={str(self.request_info.real_url)!r}"

    def __repr__(self) -> str:
        parts = [repr(self.request_info), repr(self.history)]
        if self.status != 0:
            parts.append(f"status={self.status!r}")
        if self.message != "":
            parts.append(f"message={self.message!r}")
        if self.headers is not None:
            parts.append(f"headers={self.headers!r}")
        return f"{type(self).__name__}({', '.join(parts)})"

    @property
    def code(self) -> int:
        warnings.warn("code property is deprecated, use status instead", DeprecationWarning, stacklevel=2)
        return self.status

    @code.setter
    def code(self, value: int) -> None:
        warnings.warn("code property is deprecated, use status instead", DeprecationWarning, stacklevel=2)
        self.status = value


@_also
class ContentTypeError(ClientResponseError):
    """json() of something else."""


@_also
class WSServerHandshakeError(ClientResponseError):
    """The server does not speak WebSocket here."""


@_also
class ClientHttpProxyError(ClientResponseError):
    """The proxy did not make the tunnel."""


@_also
class TooManyRedirects(ClientResponseError):
    """max_redirects was reached."""


@_also
class ClientPayloadError(ClientError):
    """The body of the response ended early, or cannot be decoded."""


# --------------------------------------------------------------------------------------------- there was no connection


@_also
class ClientConnectionError(ClientError):
    """The connection, or the way to it."""


@_also
class ClientConnectionResetError(ClientConnectionError, ConnectionResetError):
    """Written to a connection that is closing."""


@_also
class ClientOSError(ClientConnectionError, OSError):
    """The operating system's word about a connection."""


@_also
class ClientConnectorError(ClientOSError):
    """A connection could not be made."""

    def __init__(self, connection_key: "ConnectionKey", os_error: OSError) -> None:
        self._conn_key = connection_key
        self._os_error = os_error
        OSError.__init__(self, os_error.errno, os_error.strerror)
        self.args = (connection_key, os_error)

    @property
    def os_error(self) -> OSError:
        return self._os_error

    @property
    def host(self) -> str:
        return self._conn_key.host

    @property
    def port(self) -> Optional[int]:
        return self._conn_key.port

    @property
    def ssl(self) -> "Union[ssl.SSLContext, bool, Fingerprint, None]":
        return self._conn_key.ssl

    def __str__(self) -> str:
        return f"Cannot connect to host {self.host}:{self.port} ssl:{_shown(self.ssl)} [{self.strerror}]"

    __reduce__ = BaseException.__reduce__  # OSError's leaves out what it does not know


def _shown(identity: Any) -> Any:
    return "default" if identity is True or identity is None else identity


@_also
class ClientConnectorDNSError(ClientConnectorError):
    """The name has no address."""


@_also
class ClientProxyConnectionError(ClientConnectorError):
    """No connection to the proxy."""


@_also
class UnixClientConnectorError(ClientConnectorError):
    """No connection to a unix socket."""

    def __init__(self, path: str, connection_key: "ConnectionKey", os_error: OSError) -> None:
        self._path = path
        super().__init__(connection_key, os_error)

    @property
    def path(self) -> str:
        return self._path

    def __str__(self) -> str:
        return f"Cannot connect to unix socket {self.path} ssl:{_shown(self.ssl)} [{self.strerror}]"

    def __reduce__(self) -> Any:
        return type(self), (self._path, *self.args), self.__dict__


@_also
class ClientSSLError(ClientConnectorError):
    """TLS."""


@_also
class ClientConnectorSSLError(ClientSSLError, ssl.SSLError):
    """The handshake failed."""


@_also
class ClientConnectorCertificateError(ClientSSLError, ssl.CertificateError):
    """The server's certificate is not acceptable."""

    def __init__(self, connection_key: "ConnectionKey", certificate_error: Exception) -> None:
        is_known = isinstance(certificate_error, OSError)
        super().__init__(connection_key, certificate_error if is_known else OSError())  # type: ignore[arg-type]
        self._certificate_error = certificate_error
        self.args = (connection_key, certificate_error)

    @property
    def certificate_error(self) -> Exception:
        return self._certificate_error

    @property
    def host(self) -> str:
        return self._conn_key.host

    @property
    def port(self) -> Optional[int]:
        return self._conn_key.port

    @property
    def ssl(self) -> bool:
        return self._conn_key.is_ssl

    def __str__(self) -> str:
        error = self.certificate_error
        return f"Cannot connect to host {self.host}:{self.port} ssl:{self.ssl} [{type(error).__name__}: {error.args}]"


# ------------------------------------------------------------------------------------------------- there was one before


@_also
class ServerConnectionError(ClientConnectionError):
    """The server's end of a connection."""


@_also
class ServerDisconnectedError(ServerConnectionError):
    """The server closed before it answered."""

    def __init__(self, message: Any = None) -> None:
        self.message = "Server disconnected" if message is None else message
        self.args = (self.message,)


@_also
class ServerTimeoutError(ServerConnectionError, asyncio.TimeoutError):
    """The server took too long."""


@_also
class ConnectionTimeoutError(ServerTimeoutError):
    """`connect` or `sock_connect` of ClientTimeout."""


@_also
class SocketTimeoutError(ServerTimeoutError):
    """`sock_read` of ClientTimeout."""


@_also
class ServerFingerprintMismatch(ServerConnectionError):
    """The server's certificate is not the one that was pinned."""

    def __init__(self, expected: bytes, got: bytes, host: str, port: int) -> None:
        self.expected = expected
        self.got = got
        self.host = host
        self.port = port
        self.args = (expected, got, host, port)

    def __repr__(self) -> str:
        where = f"host={self.host!r} port={self.port!r}"
        return f"<{type(self).__name__} expected={self.expected!r} got={self.got!r} {where}>"


# ------------------------------------------------------------------------------------------------------------ the URL


@_also
class InvalidURL(ClientError, ValueError):
    """No URL that can be asked for."""

    def __init__(self, url: Any, description: Optional[str] = None) -> None:
        self._url = url
        self._description = description
        self.args = (url, description) if description else (url,)

    @property
    def url(self) -> Any:
        return self._url

    @property
    def description(self) -> Optional[str]:
        return self._description

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"

    def __str__(self) -> str:
        return f"{self._url} - {self._description}" if self._description else str(self._url)


@_also
class InvalidUrlClientError(InvalidURL):
    """The same, of a request."""


@_also
class RedirectClientError(ClientError):
    """A redirect that leads nowhere."""


@_also
class NonHttpUrlClientError(ClientError):
    """A scheme that is not HTTP's."""


@_also
class InvalidUrlRedirectClientError(InvalidUrlClientError, RedirectClientError):
    """A redirect to no URL."""


@_also
class NonHttpUrlRedirectClientError(NonHttpUrlClientError, RedirectClientError):
    """A redirect to a scheme that is not HTTP's."""


@_also
class WSMessageTypeError(TypeError):
    """A WebSocket message of another type than was asked for."""
