"""What sessions counted: how long things took, the part of each origin, and all of it as Prometheus' text."""

import ctypes
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, NamedTuple, Tuple, Union

from . import _ffi, errors
from ._fields import views_of
from ._library import Layout, lib, prepared

if TYPE_CHECKING:
    from .session import Session

_STATS = Layout(_ffi.hc_stats)
_HISTOGRAMS = ("waiting", "connect", "first_byte", "total")


@dataclass(frozen=True)
class Histogram:
    """How long something took, many times over, in seconds."""

    count: int
    sum: float
    buckets: Tuple[Tuple[float, int], ...]  #: (bound, how many up to it and above the bound before); the last is math.inf


class Origin(NamedTuple):
    """One origin's part of Session.stats(). in_flight makes up for the other three."""

    origin: str  #: "https://example.org:443"; "": all that have no row of their own
    submitted: int
    succeeded: int
    failed: int
    cancelled: int
    in_flight: int
    waiting: int
    sockets: int
    sockets_idle: int
    connections_made: int
    connections_reused: int
    stale_retries: int
    waited_ns: int
    total_ns: int


def stats_of(session: int) -> Dict[str, int]:
    stats = prepared(_ffi.hc_stats)
    errors.check(lib.hc_session_stats(session, ctypes.byref(stats)))
    return {name: value for name, value in _STATS.read(stats).items() if name not in ("struct_size", "reserved")}


def histograms_of(session: int) -> Dict[str, Histogram]:
    read = prepared(_ffi.hc_histograms)
    errors.check(lib.hc_session_histograms(session, ctypes.byref(read)))
    bounds = [bound / 1e9 for bound in read.bounds_ns[: read.bound_count]] + [math.inf]
    return {name: _histogram(getattr(read, name), bounds) for name in _HISTOGRAMS}


def _histogram(read: Any, bounds: List[float]) -> Histogram:
    return Histogram(read.count, read.sum_ns / 1e9, tuple(zip(bounds, read.buckets)))


def origins_of(session: int) -> List[Origin]:
    rows, count = (_ffi.hc_origin_stats * _ffi.HC_MAX_ORIGINS)(), ctypes.c_size_t()
    size = ctypes.sizeof(_ffi.hc_origin_stats)
    errors.check(lib.hc_session_origins(session, rows, size, len(rows), ctypes.byref(count)))
    return [_origin(row) for row in rows[: count.value]]


def _origin(row: Any) -> Origin:
    name, *numbers = (getattr(row, field) for field in Origin._fields)
    return Origin(name.decode(), *numbers)


def metrics_prometheus(sessions: "Union[Session, Mapping[str, Session]]") -> str:
    """The statistics of a session, or of several by the value of their label `session`, in Prometheus' text format."""
    named = sessions if isinstance(sessions, Mapping) else {"": sessions}
    handles = (ctypes.c_void_p * len(named))(*(session._usable() for session in named.values()))
    names = views_of("sessions", named) if isinstance(sessions, Mapping) else None
    text, length = ctypes.create_string_buffer(0), ctypes.c_size_t()
    while True:
        errors.check(
            lib.hc_metrics_prometheus(handles, names, len(named), text, len(text), ctypes.byref(length))
        )
        if length.value <= len(text):
            return text.raw[: length.value].decode()
        text = ctypes.create_string_buffer(length.value + 4096)  # it may grow meanwhile
