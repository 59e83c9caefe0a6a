"""Signals about requests and connections: the sixteen of aiohttp, in its order."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Callable, List, NamedTuple, Sequence

from multidict import CIMultiDict
from yarl import URL

if TYPE_CHECKING:
    from ._response import ClientResponse
    from .client import ClientSession

__all__ = (
    "TraceConfig",
    "TraceConnectionCreateEndParams",
    "TraceConnectionCreateStartParams",
    "TraceConnectionQueuedEndParams",
    "TraceConnectionQueuedStartParams",
    "TraceConnectionReuseconnParams",
    "TraceDnsCacheHitParams",
    "TraceDnsCacheMissParams",
    "TraceDnsResolveHostEndParams",
    "TraceDnsResolveHostStartParams",
    "TraceRequestChunkSentParams",
    "TraceRequestEndParams",
    "TraceRequestExceptionParams",
    "TraceRequestHeadersSentParams",
    "TraceRequestRedirectParams",
    "TraceRequestStartParams",
    "TraceResponseChunkReceivedParams",
)


class Signal(List[Callable[..., Any]]):
    """Coroutine functions that are awaited one after another. The list is fixed when a session uses it."""

    def __init__(self, owner: Any) -> None:
        super().__init__()
        self._owner = owner
        self.frozen = False

    def __repr__(self) -> str:
        return f"<Signal owner={self._owner!r}, frozen={self.frozen}, {super().__repr__()}>"

    def freeze(self) -> None:
        self.frozen = True

    def _changing(self) -> None:
        if self.frozen:
            raise RuntimeError("Cannot modify frozen list.")

    def append(self, receiver: Callable[..., Any]) -> None:
        self._changing()
        super().append(receiver)

    def extend(self, receivers: Any) -> None:
        self._changing()
        super().extend(receivers)

    def insert(self, index: Any, receiver: Callable[..., Any]) -> None:
        self._changing()
        super().insert(index, receiver)

    def remove(self, receiver: Callable[..., Any]) -> None:
        self._changing()
        super().remove(receiver)

    def pop(self, index: Any = -1) -> Callable[..., Any]:
        self._changing()
        return super().pop(index)

    def clear(self) -> None:
        self._changing()
        super().clear()

    async def send(self, *arguments: Any, **named: Any) -> None:
        if not self.frozen:
            raise RuntimeError("Cannot send non-frozen signal.")
        for receiver in self:
            await receiver(*arguments, **named)


class TraceRequestStartParams(NamedTuple):
    method: str
    url: URL
    headers: "CIMultiDict[str]"


class TraceRequestChunkSentParams(NamedTuple):
    method: str
    url: URL
    chunk: bytes


class TraceResponseChunkReceivedParams(NamedTuple):
    method: str
    url: URL
    chunk: bytes


class TraceRequestEndParams(NamedTuple):
    method: str
    url: URL
    headers: "CIMultiDict[str]"
    response: "ClientResponse"


class TraceRequestExceptionParams(NamedTuple):
    method: str
    url: URL
    headers: "CIMultiDict[str]"
    exception: BaseException


class TraceRequestRedirectParams(NamedTuple):
    method: str
    url: URL
    headers: "CIMultiDict[str]"
    response: "ClientResponse"


class TraceRequestHeadersSentParams(NamedTuple):
    method: str
    url: URL
    headers: "CIMultiDict[str]"


class TraceConnectionQueuedStartParams(NamedTuple):
    """Nothing more is told."""


class TraceConnectionQueuedEndParams(NamedTuple):
    """Nothing more is told."""


class TraceConnectionCreateStartParams(NamedTuple):
    """Nothing more is told."""


class TraceConnectionCreateEndParams(NamedTuple):
    """Nothing more is told."""


class TraceConnectionReuseconnParams(NamedTuple):
    """Nothing more is told."""


class TraceDnsResolveHostStartParams(NamedTuple):
    host: str


class TraceDnsResolveHostEndParams(NamedTuple):
    host: str


class TraceDnsCacheHitParams(NamedTuple):
    host: str


class TraceDnsCacheMissParams(NamedTuple):
    host: str


#: Signal: what its receivers are given.
_SIGNALS = {
    "on_request_start": TraceRequestStartParams,
    "on_request_chunk_sent": TraceRequestChunkSentParams,
    "on_response_chunk_received": TraceResponseChunkReceivedParams,
    "on_request_end": TraceRequestEndParams,
    "on_request_exception": TraceRequestExceptionParams,
    "on_request_redirect": TraceRequestRedirectParams,
    "on_connection_queued_start": TraceConnectionQueuedStartParams,
    "on_connection_queued_end": TraceConnectionQueuedEndParams,
    "on_connection_create_start": TraceConnectionCreateStartParams,
    "on_connection_create_end": TraceConnectionCreateEndParams,
    "on_connection_reuseconn": TraceConnectionReuseconnParams,
    "on_dns_resolvehost_start": TraceDnsResolveHostStartParams,
    "on_dns_resolvehost_end": TraceDnsResolveHostEndParams,
    "on_dns_cache_hit": TraceDnsCacheHitParams,
    "on_dns_cache_miss": TraceDnsCacheMissParams,
    "on_request_headers_sent": TraceRequestHeadersSentParams,
}


class TraceConfig:
    """Receivers `async def receiver(session, context, params)`, to be appended to the signals."""

    def __init__(self, trace_config_ctx_factory: Callable[..., Any] = SimpleNamespace) -> None:
        self._trace_config_ctx_factory = trace_config_ctx_factory
        self._signals = {name: Signal(self) for name in _SIGNALS}

    def trace_config_ctx(self, trace_request_ctx: Any = None) -> Any:
        """The context of one request."""
        return self._trace_config_ctx_factory(trace_request_ctx=trace_request_ctx)

    def freeze(self) -> None:
        for signal in self._signals.values():
            signal.freeze()


def _property(name: str) -> property:
    return property(lambda self: self._signals[name])


for _name in _SIGNALS:
    setattr(TraceConfig, _name, _property(_name))


class Trace:
    """One TraceConfig for one request."""

    def __init__(self, session: "ClientSession", trace_config: Any, trace_config_ctx: Any) -> None:
        self._session = session
        self._config = trace_config
        self._context = trace_config_ctx

    async def send(self, name: str, *values: Any) -> None:
        """To the receivers of that signal, such as "on_request_start"."""
        signal = getattr(self._config, name)
        if signal:
            await signal.send(self._session, self._context, _SIGNALS[name](*values))


async def send_all(traces: Sequence[Trace], name: str, *values: Any) -> None:
    for trace in traces:
        await trace.send(name, *values)


#: The core's events that are signals of the same name.
OF_THE_CORE = frozenset(
    name[len("on_") :] for name in _SIGNALS if name.startswith(("on_connection", "on_dns")) or "headers_sent" in name
)
