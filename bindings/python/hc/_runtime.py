"""What the library is, and what it runs on."""

import ctypes
from typing import Any, Iterator, NamedTuple

from . import _ffi, errors
from ._library import lib, path as library_path, prepared, text_of

__all__ = ["RuntimeInfo", "library_path", "runtime_info", "version"]


class RuntimeInfo(NamedTuple):
    """The libraries found at run time, and the limits of this process."""

    curl_version_number: int
    curl_version: str
    curl_features: str
    ares_version: str
    tls_version: str
    ca_file: str  #: the default bundle; empty: none was found
    descriptor_limit: int
    descriptor_budget: int
    descriptors_in_use: int


def version() -> str:
    """Of the library, such as "0.1.0"."""
    return str(lib.hc_version().decode())


def runtime_info() -> RuntimeInfo:
    info = prepared(_ffi.hc_runtime_info)
    errors.check(lib.hc_runtime_get_info(ctypes.byref(info)))
    fields = (getattr(info, name) for name in RuntimeInfo._fields)
    values: Iterator[Any] = (text_of(field) if isinstance(field, _ffi.hc_str) else field for field in fields)
    return RuntimeInfo(*values)
