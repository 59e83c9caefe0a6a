"""hc: one long-lived HTTP client session, over libhc.

    import asyncio, hc

    async def main():
        async with hc.Session(limit=100) as session:
            response = await session.get("http://localhost:8080/")
            print(response.status, response.headers["content-type"], response.text)

    asyncio.run(main())

`Session` has the options, `errors` the exceptions.
"""

from . import errors
from ._callbacks import ResolveQuery, SocketInfo, TraceEvent
from ._fields import FOREVER, Timeout
from ._runtime import RuntimeInfo, library_path, runtime_info, version
from .call import Call, StreamCall
from .errors import Error
from .headers import Headers
from .response import Attempt, Hop, Remote, Response, Timing
from .session import Session
from .statistics import Histogram, Origin, metrics_prometheus
from .stream import AsyncStream, BlockingStream
from .tls import TLS

__all__ = [
    "FOREVER",
    "AsyncStream",
    "Attempt",
    "BlockingStream",
    "Call",
    "Error",
    "Headers",
    "Histogram",
    "Hop",
    "Origin",
    "Remote",
    "ResolveQuery",
    "Response",
    "RuntimeInfo",
    "Session",
    "SocketInfo",
    "StreamCall",
    "TLS",
    "Timeout",
    "Timing",
    "TraceEvent",
    "errors",
    "library_path",
    "metrics_prometheus",
    "runtime_info",
    "version",
]
