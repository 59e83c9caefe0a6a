"""From the core's errors to aiohttp's exceptions."""

import asyncio
import errno
import os
import re
import ssl
from typing import TYPE_CHECKING, Any, Optional

from .. import errors
from .client_exceptions import (
    ClientConnectionError,
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientHttpProxyError,
    ClientOSError,
    ClientPayloadError,
    ClientProxyConnectionError,
    ClientResponseError,
    ConnectionTimeoutError,
    InvalidUrlClientError,
    ServerDisconnectedError,
    ServerFingerprintMismatch,
    SocketTimeoutError,
    UnixClientConnectorError,
)

if TYPE_CHECKING:
    from .client_reqrep import ClientRequest

_RESETS = (errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED)
_NOT_PINNED = re.compile("not a pinned one; its SHA-256 is ([0-9a-f]{64})")
_NO_TUNNEL = re.compile("answered CONNECT with ([0-9]{3})")
_CONNECT_CLOCKS = ("pool", "connect", "sock_connect")


def of_timeout(error: errors.TimeoutError, url: Any) -> BaseException:
    if error.clock in _CONNECT_CLOCKS:
        return ConnectionTimeoutError(f"Connection timeout to host {url} ({error.message})")
    if error.clock in ("sock_read", "first_byte"):
        return SocketTimeoutError(f"Timeout on reading data from socket ({error.message})")
    return asyncio.TimeoutError(error.message)


def of_head(error: BaseException, request: "ClientRequest") -> BaseException:
    """Why there is no response."""
    if not isinstance(error, errors.Error):
        return error
    if isinstance(error, errors.UnreachableError):
        return _of_connection(error, request)
    if isinstance(error, errors.DNSTimeoutError):
        return ClientConnectorDNSError(request.connection_key, _os_error(error))
    if isinstance(error, errors.SystemError):
        return ClientOSError(error.native_code, error.message)
    if isinstance(error, errors.TimeoutError):
        return of_timeout(error, request.url)
    if isinstance(error, (errors.StaleError, errors.DisconnectedError, errors.IncompleteError)):
        return _of_disconnect(error)
    if isinstance(error, (errors.ProtocolError, errors.TooLargeError)):
        return ClientResponseError(request.request_info, (), status=400, message=error.message)
    if isinstance(error, errors.InvalidError):
        return InvalidUrlClientError(request.url, error.message) if "url" in error.message[:4] else ValueError(error.message)
    if isinstance(error, (errors.ClosedError, errors.CancelledError)):
        return ClientConnectionError("Connector is closed.")
    return ClientConnectionError(error.message)


def _of_connection(error: errors.Error, request: "ClientRequest") -> BaseException:
    key = request.connection_key
    if isinstance(error, errors.DNSError):
        return ClientConnectorDNSError(key, _os_error(error))
    if isinstance(error, errors.TLSVerifyError):
        return _of_certificate(error, request)
    if isinstance(error, errors.TLSError):
        return ClientConnectorSSLError(key, _os_error(error))
    if isinstance(error, errors.ProxyError):
        return _of_proxy(error, request)
    unix_path = getattr(request.session.connector, "path", None)
    if unix_path is not None:
        return UnixClientConnectorError(unix_path, key, _os_error(error))
    if request.proxy is not None:
        return ClientProxyConnectionError(key, _os_error(error))
    return ClientConnectorError(key, _os_error(error))


def _of_proxy(error: errors.Error, request: "ClientRequest") -> BaseException:
    found = _NO_TUNNEL.search(error.message)
    if found is None:
        return ClientProxyConnectionError(request.connection_key, _os_error(error))
    return ClientHttpProxyError(request.request_info, (), status=int(found.group(1)), message=error.message)


def _of_disconnect(error: errors.Error) -> BaseException:
    # Of a failed recv() or send(), curl only hands on the text.
    number = next((each for each in _RESETS if error.message.endswith(os.strerror(each))), None)
    return ServerDisconnectedError() if number is None else ClientOSError(number, os.strerror(number))


def _of_certificate(error: errors.Error, request: "ClientRequest") -> BaseException:
    key = request.connection_key
    found = _NOT_PINNED.search(error.message)
    if found is None:
        return ClientConnectorCertificateError(key, ssl.SSLCertVerificationError(1, error.message))
    connector: Any = request.session.connector
    given = connector._ssl if request.ssl is True else request.ssl
    expected = getattr(given, "fingerprint", b"")
    return ServerFingerprintMismatch(expected, bytes.fromhex(found.group(1)), key.host, key.port or 443)


def _os_error(error: errors.Error) -> OSError:
    number: Optional[int] = error.native_code if error.native_domain == "errno" and error.native_code else None
    return OSError(number, error.message) if number is not None else _without_number(error.message)


def _without_number(message: str) -> OSError:
    made = OSError(None, message)
    made.strerror = message
    return made


def of_body(error: BaseException, url: Any) -> BaseException:
    """Why a body ends before its end."""
    if not isinstance(error, errors.Error):
        return error
    if isinstance(error, errors.TimeoutError):
        return of_timeout(error, url)
    if isinstance(error, (errors.CancelledError, errors.ClosedError)):
        return ClientConnectionError("Connection closed")
    return ClientPayloadError(f"Response payload is not completed: {error.message}")
