"""From Python's values to the fields of the structs in hc.h.

Every field of a struct is an option of the same name, with two changes: durations are seconds (int or float) and lose
their "_ms", and None always means "not set": the default in a session, "as the session says" in a request.
"""

import ctypes
import math
from typing import Any, Callable, Container, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from . import _ffi
from ._library import Layout, view_of
from .errors import InvalidError

HeaderName = Union[str, bytes]
HeaderValue = Union[str, bytes, None]
HeadersLike = Union[Mapping[str, HeaderValue], Iterable[Tuple[HeaderName, HeaderValue]]]
Seconds = Union[int, float]

#: Without end, for durations that allow it.
FOREVER = math.inf

_HEADER = Layout(_ffi.hc_header).struct
_NAMED = {
    "family": {"any": _ffi.HC_FAMILY_ANY, "v4": _ffi.HC_FAMILY_V4, "v6": _ffi.HC_FAMILY_V6},
    "min_version": {"1.2": _ffi.HC_TLS_1_2, "1.3": _ffi.HC_TLS_1_3},
    "certificates": {"der": _ffi.HC_CERTIFICATES_DER, "pem": _ffi.HC_CERTIFICATES_PEM},
}


class Timeout(NamedTuple):
    """The eight clocks, in seconds; 0: off. They never fire early. None: the default in a session, and in a request as
    the session says, one by one.
    """

    total: Optional[Seconds] = None  #: 300: submit to the last byte, everything
    pool: Optional[Seconds] = None  #: off: waiting for a connection slot
    dns: Optional[Seconds] = None  #: 10: one lookup as this request sees it
    connect: Optional[Seconds] = None  #: off: slot + DNS + TCP + TLS; not counted on reuse
    sock_connect: Optional[Seconds] = None  #: 30: TCP + TLS, all addresses together
    sock_read: Optional[Seconds] = None  #: off: silence of the socket, once the upload is done
    sock_write: Optional[Seconds] = None  #: off: no progress of the upload
    first_byte: Optional[Seconds] = None  #: off: end of the upload to the first response byte


# ----------------------------------------------------------------------------------------------- values of fields


def milliseconds(name: str, seconds: Optional[Seconds]) -> int:
    """Rounded up, so that no clock fires early."""
    if seconds is None:
        return _ffi.HC_UNSET
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise InvalidError(f"{name}: must be seconds, not {type(seconds).__name__}")
    if seconds == FOREVER:
        return _ffi.HC_FOREVER
    if not 0 <= seconds < 2**53 / 1000:
        raise InvalidError(f"{name}: {seconds} seconds are no duration")
    return math.ceil(round(seconds * 1000, 6))


def _set_duration(struct: Any, field: str, name: str, value: Any) -> None:
    setattr(struct, field, milliseconds(name, value))


def _set_count(struct: Any, field: str, name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidError(f"{name}: must be an int, not {type(value).__name__}")
    if not 0 <= value < _ffi.HC_FOREVER:
        raise InvalidError(f"{name}: {value} is out of range")
    setattr(struct, field, value)


def _set_signed(struct: Any, field: str, name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidError(f"{name}: must be an int, not {type(value).__name__}")
    if not -(2**31) < value < 2**31:
        raise InvalidError(f"{name}: {value} is out of range")
    setattr(struct, field, value)


def _set_flag(struct: Any, field: str, name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise InvalidError(f"{name}: must be True or False, not {value!r}")
    setattr(struct, field, _ffi.HC_ON if value else _ffi.HC_OFF)


def _set_named(struct: Any, field: str, name: str, value: Any) -> None:
    """A number that has a name in Python."""
    names = _NAMED[field]
    if not isinstance(value, str) or value not in names:
        raise InvalidError(f"{name}: must be one of {', '.join(map(repr, names))}, not {value!r}")
    setattr(struct, field, names[value])


def as_bytes(name: str, value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    if isinstance(value, bytes):
        return value
    raise InvalidError(f"{name}: must be str or bytes, not {type(value).__name__}")


def _set_text(struct: Any, field: str, name: str, value: Any) -> None:
    setattr(struct, field, view_of(as_bytes(name, value)))


def _set_path(struct: Any, field: str, name: str, value: Any) -> None:
    setattr(struct, field, view_of(as_bytes(name, value.__fspath__() if hasattr(value, "__fspath__") else value)))


def _set_texts(struct: Any, field: str, name: str, value: Any) -> None:
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        raise InvalidError(f"{name}: must be a list, not {type(value).__name__}")
    views = views_of(name, value)
    setattr(struct, field, views)
    setattr(struct, _count_of(field), len(views))


def views_of(name: str, texts: Iterable[Any]) -> Any:
    """An array of hc_str."""
    views = [view_of(as_bytes(name, text)) for text in texts]
    return (_ffi.hc_str * len(views))(*views)


def header_pairs(headers: HeadersLike, name: str = "headers") -> List[Tuple[HeaderName, HeaderValue]]:
    try:
        return [(key, value) for key, value in (headers.items() if isinstance(headers, Mapping) else headers)]
    except (TypeError, ValueError) as failure:
        raise InvalidError(f"{name}: must be a mapping, or pairs of a name and a value") from failure


def _set_headers(struct: Any, field: str, name: str, value: HeadersLike) -> None:
    pairs = [
        (as_bytes(name, header), None if content is None else as_bytes(name, content))
        for header, content in header_pairs(value, name)
    ]
    setattr(struct, field, _header_array(pairs))
    setattr(struct, _count_of(field), len(pairs))


def _header_array(pairs: Sequence[Tuple[bytes, Optional[bytes]]]) -> Any:
    """In one block of memory with the text behind it, which is cheaper than four objects for each field."""
    text = b"".join([part for pair in pairs for part in pair if part])
    block = bytearray(len(pairs) * _HEADER.size) + text
    array = (_ffi.hc_header * len(pairs)).from_buffer(block)
    place = ctypes.addressof(array) + len(pairs) * _HEADER.size
    for row, (name, value) in enumerate(pairs):
        length = 0 if value is None else len(value)
        behind = 0 if value is None else place + len(name)
        _HEADER.pack_into(block, row * _HEADER.size, place, len(name), behind, length)
        place += len(name) + length
    return array


def _set_timeout(struct: Any, field: str, name: str, value: Any) -> None:
    target = getattr(struct, field)
    if not isinstance(value, Timeout):
        target.total_ms = milliseconds("timeout: total", value)
        return
    for clock, seconds in zip(value._fields, value):
        if seconds is not None:
            setattr(target, clock + "_ms", milliseconds(f"timeout: {clock}", seconds))


def _count_of(field: str) -> str:
    """The field with the length of an array: "header_count" of "headers", "address_count" of "addresses"."""
    return (field[:-2] if field.endswith("ses") else field[:-1]) + "_count"


# --------------------------------------------------------------------------------------------- tables of options

Setter = Callable[[Any, str, str, Any], None]
_PATHS = {"ca_file", "certificate_file", "key_file", "key_log_file", "unix_path"}


def _setter(field: str, kind: Any) -> Optional[Setter]:
    """How a field is set; None for what is no option of its own."""
    if field.startswith("reserved") or field.endswith("_count"):
        return None
    if field in _NAMED:
        return _set_named
    if kind is _ffi.hc_timeouts:
        return _set_timeout
    if kind is _ffi.hc_str:
        return _set_path if field in _PATHS else _set_text
    if kind is ctypes.POINTER(_ffi.hc_header):
        return _set_headers
    if kind is ctypes.POINTER(_ffi.hc_str):
        return _set_texts
    if kind is ctypes.c_uint64:
        return _set_duration if field.endswith("_ms") else _set_count
    return {ctypes.c_uint8: _set_flag, ctypes.c_int32: _set_signed}.get(kind)


class Option(NamedTuple):
    field: str
    set: Setter


def table_of(struct: Any, special: Mapping[str, Setter], without: Container[str] = ()) -> Dict[str, Option]:
    """Every option of a struct by its Python name; `special` are setters that this module does not have."""
    table = {}
    for field, kind, *_ in struct._fields_:
        setter = special.get(field) or _setter(field, kind)
        if setter is not None and field not in without:
            name = "timeout" if field == "timeouts" else field[:-3] if field.endswith("_ms") else field
            table[name] = Option(field, setter)
    return table


def fill(struct: Any, table: Mapping[str, Option], given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if value is not None:
            option = table.get(name)
            if option is None:
                raise TypeError(f"unknown option {name!r}; there are {', '.join(sorted(table))}")
            option.set(struct, option.field, name, value)
