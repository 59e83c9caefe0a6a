"""The body of a request on its way to the core."""

import asyncio
import zlib
from typing import TYPE_CHECKING, Any, AsyncIterator, List, Optional

from ..upload import Upload, set_body
from .client_exceptions import ClientConnectionError, ClientOSError
from .tracing import send_all

if TYPE_CHECKING:
    from ._engine import Transfer
    from ._request import ClientRequest


def put_body(target: Any, request: "ClientRequest", traces: List[Any]) -> Optional[Upload]:
    """Puts a request's body into a hc_request. Returns what must be fed while it is sent."""
    payload = request._body
    if payload is None:
        return None
    from ._upload import body_of, pieces_of

    if request.chunked or request.compress or traces:
        body: Any = _encoded(pieces_of(payload), request, traces)
    else:
        body = body_of(payload)
    length = None if request.chunked else request.content_length()
    if not isinstance(body, bytes) and length is not None:
        target.body_length = length
    upload: Optional[Upload] = set_body(target, body)
    return upload


def feed(transfer: "Transfer") -> None:
    """Starts to feed a transfer's upload, if it has one."""
    upload = transfer.upload
    if upload is not None and transfer.feed is None and not transfer.is_done:
        transfer.feed = asyncio.ensure_future(upload.feed(transfer.engine.session._handle, transfer.number))


async def _encoded(pieces: AsyncIterator[bytes], request: "ClientRequest", traces: List[Any]) -> AsyncIterator[bytes]:
    """As they are sent, and told to the traces."""
    encoder = _encoder(request.compress)
    async for piece in pieces:
        await send_all(traces, "on_request_chunk_sent", request.method, request.url, piece)
        data = encoder.compress(piece) if encoder is not None else piece
        if data:
            yield data
    if encoder is not None:
        yield encoder.flush()


def _encoder(name: Any) -> Any:
    if not name:
        return None
    return zlib.compressobj(wbits=16 + zlib.MAX_WBITS if name == "gzip" else zlib.MAX_WBITS)


def of_upload(failure: BaseException, request: "ClientRequest") -> BaseException:
    """What the body of a request raised."""
    if isinstance(failure, OSError):
        return ClientOSError(failure.errno, f"Can not write request body for {request.url}")
    return ClientConnectionError(f"Failed to send bytes into the underlying connection: {failure!r}")
