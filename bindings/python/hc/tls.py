"""TLS identities: whom a connection trusts, and who we are on it."""

import ctypes
import os
from typing import Any, Iterable, Optional, Union

from . import _ffi, errors
from ._fields import fill, table_of
from ._library import Owner, lib

_OPTIONS = table_of(_ffi.hc_tls_options, {})
Path = Union[str, bytes, "os.PathLike[str]"]
Text = Union[str, bytes]


class TLS(Owner):
    """For `tls` and `proxy_tls` of a session, and `tls` of a request. Every option is that of hc_tls_options in hc.h.

    Immutable, for any number of sessions and threads. Connections and TLS sessions are never shared between two
    identities, not even when they were made from equal options: make one and keep it. Files are read once, here: not on
    an event loop, please.
    """

    __slots__ = ("_handle",)

    def __init__(
        self,
        *,
        verify: Optional[bool] = None,
        min_version: Optional[str] = None,
        ca_file: Optional[Path] = None,
        ca_pem: Optional[Text] = None,
        certificate_file: Optional[Path] = None,
        certificate_pem: Optional[Text] = None,
        key_file: Optional[Path] = None,
        key_pem: Optional[Text] = None,
        key_password: Optional[Text] = None,
        pins: Optional[Iterable[str]] = None,
        server_name: Optional[Text] = None,
        key_log_file: Optional[Path] = None,
    ) -> None:
        given = {name: value for name, value in locals().items() if name != "self"}
        self._handle = ctypes.c_void_p()
        options = _ffi.hc_tls_options()
        lib.hc_tls_options_init(ctypes.byref(options), ctypes.sizeof(options))
        fill(options, _OPTIONS, given)
        errors.checked(lib.hc_tls_create, ctypes.byref(self._handle), ctypes.byref(options))

    def __del__(self, free: Any = lib.hc_tls_free) -> None:
        free(getattr(self, "_handle", None))  # sessions and requests keep what they need


def set_tls(struct: Any, field: str, name: str, value: Any) -> None:
    if not isinstance(value, TLS):
        raise errors.InvalidError(f"{name}: must be a hc.TLS, not {type(value).__name__}")
    setattr(struct, field, value._handle)
