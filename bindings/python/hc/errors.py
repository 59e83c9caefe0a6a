"""What can go wrong, as a tree of exceptions. Every code of hc.h has a class of its own.

    Error
      UsageError           InvalidError ClosedError ForkedError DeadlockError TLSConfigError UnsupportedError CallbackError
                           AgainError
      ResourceError        NoMemoryError SystemError OverloadError
      CancelledError
      UnreachableError     DNSError ConnectError TLSError(TLSVerifyError) ProxyError AddressDeniedError
      ExchangeError        StaleError DisconnectedError IncompleteError ProtocolError TooLargeError RedirectError
                           TooManyRedirectsError
      TimeoutError         TotalTimeoutError PoolTimeoutError DNSTimeoutError ConnectTimeoutError SockConnectTimeoutError
                           SockReadTimeoutError SockWriteTimeoutError FirstByteTimeoutError
      InternalError

Where Python has a class for the same thing, ours is one of it, too: a TimeoutError of this module is also a built-in
TimeoutError, a ConnectError a built-in ConnectionError, an InvalidError a ValueError.
"""

import asyncio
import builtins
import ctypes
import sys
from typing import TYPE_CHECKING, Any, Callable, ClassVar, Dict, Optional, Tuple, Type

from . import _ffi
from ._library import lib, prepared

_DOMAINS = {
    _ffi.HC_NATIVE_NONE: None,
    _ffi.HC_NATIVE_ERRNO: "errno",
    _ffi.HC_NATIVE_CURL: "curl",
    _ffi.HC_NATIVE_ARES: "ares",
    _ffi.HC_NATIVE_GAI: "gai",
    _ffi.HC_NATIVE_TLS: "tls",
    _ffi.HC_NATIVE_PROXY: "proxy",
}


class Error(Exception):
    """Everything that libhc reports.

    code           HC_E_* of hc.h, as a number; code_name is its name
    phase          where in its life the request was: "waiting", "resolving", "connecting", "sending", "awaiting",
                   "receiving"; "" when the error is not of a request under way
    phase_seconds  how long that phase had lasted
    clock          which clock ended a request: "total", "pool", ...; None for everything else
    native_domain  whose number native_code is: "errno", "curl", "ares", "gai", "tls", "proxy" or None
    native_code    that number; 0 if none
    method, url    of the request, if there was one
    """

    code: int = 0
    clock: ClassVar[Optional[str]] = None
    message: str
    phase: str = ""
    phase_seconds: float = 0.0
    native_domain: Optional[str] = None
    native_code: int = 0
    method: Optional[str] = None
    url: Optional[str] = None

    def __init__(self, message: str = "") -> None:
        self.message = message or _sentence(type(self).code)
        super().__init__(self.message)

    @property
    def code_name(self) -> str:
        return str(lib.hc_status_name(self.code).decode())

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> Tuple[Any, ...]:
        return _rebuilt, (type(self), self.message, dict(self.__dict__))


class UsageError(Error):
    """A mistake of the caller. A retry does not help."""


class InvalidError(UsageError, ValueError):
    """An argument or option is not acceptable; the message names it."""

    code = _ffi.HC_E_INVALID


class ClosedError(UsageError):
    """The session is closing or closed."""

    code = _ffi.HC_E_CLOSED


class ForkedError(UsageError):
    """The session belongs to the parent process; create a new one."""

    code = _ffi.HC_E_FORKED


class DeadlockError(UsageError):
    """A blocking call from inside a callback of the same session."""

    code = _ffi.HC_E_DEADLOCK


class TLSConfigError(UsageError):
    """A CA file, certificate or key could not be loaded."""

    code = _ffi.HC_E_TLS_CONFIG


class UnsupportedError(UsageError):
    """The libcurl found at run time cannot do this."""

    code = _ffi.HC_E_UNSUPPORTED


class CallbackError(UsageError):
    """A callback of yours refused or raised."""

    code = _ffi.HC_E_CALLBACK


class AgainError(UsageError):
    """Nothing is there yet. The session waits by itself; this is never raised."""

    code = _ffi.HC_E_AGAIN


class ResourceError(Error):
    """This machine ran out of something. A later retry may help."""


class NoMemoryError(ResourceError, MemoryError):
    """Out of memory."""

    code = _ffi.HC_E_NOMEM


class SystemError(ResourceError):
    """The operating system refused; native_code is an errno."""

    code = _ffi.HC_E_SYSTEM


class OverloadError(ResourceError):
    """max_waiting requests are in line already."""

    code = _ffi.HC_E_OVERLOAD


class CancelledError(Error):
    """Ended by the close of its session. (A cancelled task sees asyncio.CancelledError.)"""

    code = _ffi.HC_E_CANCELLED


class UnreachableError(Error, ConnectionError):
    """No way to the server; nothing was sent."""


class DNSError(UnreachableError):
    """The name has no address, or the resolver failed."""

    code = _ffi.HC_E_DNS


class ConnectError(UnreachableError):
    """Refused, unreachable, or reset while connecting."""

    code = _ffi.HC_E_CONNECT


class TLSError(UnreachableError):
    """The TLS handshake failed."""

    code = _ffi.HC_E_TLS


class TLSVerifyError(TLSError):
    """The server's certificate is not acceptable. Do not retry."""

    code = _ffi.HC_E_TLS_VERIFY


class ProxyError(UnreachableError):
    """The proxy refused."""

    code = _ffi.HC_E_PROXY


class AddressDeniedError(UnreachableError):
    """The address policy refused."""

    code = _ffi.HC_E_ADDRESS_DENIED


class ExchangeError(Error):
    """The exchange broke. The server may have acted on the request."""


class StaleError(ExchangeError, ConnectionError):
    """A reused connection died before any answer; the request was not sent twice."""

    code = _ffi.HC_E_STALE


class DisconnectedError(ExchangeError, ConnectionError):
    """The connection died before the response was whole."""

    code = _ffi.HC_E_DISCONNECTED


class IncompleteError(ExchangeError, ConnectionError):
    """The body ended before its announced end."""

    code = _ffi.HC_E_INCOMPLETE


class ProtocolError(ExchangeError):
    """The answer is not valid HTTP."""

    code = _ffi.HC_E_PROTOCOL


class TooLargeError(ExchangeError):
    """max_body, max_header_bytes or max_headers was passed."""

    code = _ffi.HC_E_TOO_LARGE


class RedirectError(ExchangeError):
    """A redirect that cannot be followed: an unusable Location, from https to http, or a body that cannot be repeated."""

    code = _ffi.HC_E_REDIRECT


class TooManyRedirectsError(ExchangeError):
    """max_redirects was passed."""

    code = _ffi.HC_E_TOO_MANY_REDIRECTS


if TYPE_CHECKING or sys.version_info >= (3, 11):
    _AnyTimeout = builtins.TimeoutError
else:

    class _AnyTimeout(asyncio.TimeoutError, builtins.TimeoutError):
        """Before Python 3.11 asyncio's is a class of its own."""


class TimeoutError(Error, _AnyTimeout):
    """One of the eight clocks ended the request: see `clock`."""


class TotalTimeoutError(TimeoutError):
    """From the submit to the last byte took too long."""

    code, clock = _ffi.HC_E_TIMEOUT_TOTAL, "total"


class PoolTimeoutError(TimeoutError):
    """It waited too long for a connection slot."""

    code, clock = _ffi.HC_E_TIMEOUT_POOL, "pool"


class DNSTimeoutError(TimeoutError):
    """The lookup took too long."""

    code, clock = _ffi.HC_E_TIMEOUT_DNS, "dns"


class ConnectTimeoutError(TimeoutError):
    """Slot, DNS, TCP and TLS together took too long."""

    code, clock = _ffi.HC_E_TIMEOUT_CONNECT, "connect"


class SockConnectTimeoutError(TimeoutError):
    """TCP and TLS took too long, all addresses together."""

    code, clock = _ffi.HC_E_TIMEOUT_SOCK_CONNECT, "sock_connect"


class SockReadTimeoutError(TimeoutError):
    """The server was silent for too long."""

    code, clock = _ffi.HC_E_TIMEOUT_SOCK_READ, "sock_read"


class SockWriteTimeoutError(TimeoutError):
    """The upload made no progress for too long."""

    code, clock = _ffi.HC_E_TIMEOUT_SOCK_WRITE, "sock_write"


class FirstByteTimeoutError(TimeoutError):
    """The first byte of the response took too long."""

    code, clock = _ffi.HC_E_TIMEOUT_FIRST_BYTE, "first_byte"


class InternalError(Error):
    """A fault of the library. Please report it."""

    code = _ffi.HC_E_INTERNAL


# ------------------------------------------------------------------------------------------------------- from hc.h


def _classes(base: Type[Error]) -> Dict[int, Type[Error]]:
    found = {base.code: base} if "code" in base.__dict__ and base.code else {}
    for each in base.__subclasses__():
        found.update(_classes(each))
    return found


BY_CODE: Dict[int, Type[Error]] = _classes(Error)


def _sentence(code: int) -> str:
    return str(lib.hc_status_text(code).decode()) if code else "unknown failure"


def _rebuilt(kind: Type[Error], message: str, state: Dict[str, Any]) -> Error:
    error = kind(message)
    error.__dict__.update(state)
    return error


def of_code(code: int, message: str = "") -> Error:
    error = BY_CODE.get(code, Error)(message or _sentence(code))
    error.code = code
    return error


def of_details(details: Any, code: int) -> Error:
    """The exception for a filled hc_error."""
    error = of_code(code, details.message.decode("utf-8", "replace"))
    if details.phase != _ffi.HC_PHASE_NONE:
        error.phase = lib.hc_phase_name(details.phase).decode()
    error.phase_seconds = details.phase_ns / 1e9
    error.native_domain = _DOMAINS.get(details.native_domain, str(details.native_domain))
    error.native_code = details.native_code
    return error


def of_response(response: int, code: int) -> Error:
    """The exception for a failed request."""
    details = prepared(_ffi.hc_error)
    lib.hc_response_error(response, ctypes.byref(details))
    return of_details(details, code)


def checked(function: Callable[..., int], *arguments: Any) -> None:
    """Calls a function whose last parameter is a hc_error, and raises what it reports."""
    details = prepared(_ffi.hc_error)
    status = function(*arguments, ctypes.byref(details))
    if status != _ffi.HC_OK:
        raise of_details(details, status)


def check(status: int) -> None:
    if status != _ffi.HC_OK:
        raise of_code(status)
