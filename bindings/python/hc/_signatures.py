"""The types of Session's request methods, written once. All options but `params` and `json` are those of hc_request."""

import os
from typing import TYPE_CHECKING, Any, AsyncIterable, BinaryIO, Iterable, Mapping, Optional, Protocol, Tuple, Union

from ._fields import HeadersLike, Seconds, Timeout
from .response import Response
from .tls import TLS

if TYPE_CHECKING:
    from .call import Call, StreamCall
    from .stream import BlockingStream

Body = Union[bytes, bytearray, memoryview, str, "os.PathLike[str]", BinaryIO, AsyncIterable[bytes]]
Params = Union[str, Mapping[str, Any], Iterable[Tuple[str, Any]]]


class AsyncRequest(Protocol):
    def __call__(
        self,
        method: str,
        url: str,
        *,
        headers: Optional[HeadersLike] = None,
        params: Optional[Params] = None,
        body: Optional[Body] = None,
        body_offset: Optional[int] = None,
        body_length: Optional[int] = None,
        expect_continue: Optional[bool] = None,
        json: Any = None,
        priority: Optional[int] = None,
        force_close: Optional[bool] = None,
        retry_stale: Optional[bool] = None,
        max_redirects: Optional[int] = None,
        insecure_redirects: Optional[bool] = None,
        decompress: Optional[bool] = None,
        certificates: Optional[str] = None,
        tls: Optional[TLS] = None,
        timeout: Union[Timeout, Seconds, None] = None,
        max_body: Optional[int] = None,
        proxy: Union[str, bytes, None] = None,
        proxy_headers: Optional[HeadersLike] = None,
        unix_path: Union[str, bytes, "os.PathLike[str]", None] = None,
        username: Union[str, bytes, None] = None,
        password: Union[str, bytes, None] = None,
        addresses: Optional[Iterable[str]] = None,
    ) -> "Call":
        ...


class AsyncMethod(Protocol):
    def __call__(
        self,
        url: str,
        *,
        headers: Optional[HeadersLike] = None,
        params: Optional[Params] = None,
        body: Optional[Body] = None,
        body_offset: Optional[int] = None,
        body_length: Optional[int] = None,
        expect_continue: Optional[bool] = None,
        json: Any = None,
        priority: Optional[int] = None,
        force_close: Optional[bool] = None,
        retry_stale: Optional[bool] = None,
        max_redirects: Optional[int] = None,
        insecure_redirects: Optional[bool] = None,
        decompress: Optional[bool] = None,
        certificates: Optional[str] = None,
        tls: Optional[TLS] = None,
        timeout: Union[Timeout, Seconds, None] = None,
        max_body: Optional[int] = None,
        proxy: Union[str, bytes, None] = None,
        proxy_headers: Optional[HeadersLike] = None,
        unix_path: Union[str, bytes, "os.PathLike[str]", None] = None,
        username: Union[str, bytes, None] = None,
        password: Union[str, bytes, None] = None,
        addresses: Optional[Iterable[str]] = None,
    ) -> "Call":
        ...


class SyncRequest(Protocol):
    def __call__(
        self,
        method: str,
        url: str,
        *,
        headers: Optional[HeadersLike] = None,
        params: Optional[Params] = None,
        body: Optional[Body] = None,
        body_offset: Optional[int] = None,
        body_length: Optional[int] = None,
        expect_continue: Optional[bool] = None,
        json: Any = None,
        priority: Optional[int] = None,
        force_close: Optional[bool] = None,
        retry_stale: Optional[bool] = None,
        max_redirects: Optional[int] = None,
        insecure_redirects: Optional[bool] = None,
        decompress: Optional[bool] = None,
        certificates: Optional[str] = None,
        tls: Optional[TLS] = None,
        timeout: Union[Timeout, Seconds, None] = None,
        max_body: Optional[int] = None,
        proxy: Union[str, bytes, None] = None,
        proxy_headers: Optional[HeadersLike] = None,
        unix_path: Union[str, bytes, "os.PathLike[str]", None] = None,
        username: Union[str, bytes, None] = None,
        password: Union[str, bytes, None] = None,
        addresses: Optional[Iterable[str]] = None,
    ) -> Response:
        ...


class SyncMethod(Protocol):
    def __call__(
        self,
        url: str,
        *,
        headers: Optional[HeadersLike] = None,
        params: Optional[Params] = None,
        body: Optional[Body] = None,
        body_offset: Optional[int] = None,
        body_length: Optional[int] = None,
        expect_continue: Optional[bool] = None,
        json: Any = None,
        priority: Optional[int] = None,
        force_close: Optional[bool] = None,
        retry_stale: Optional[bool] = None,
        max_redirects: Optional[int] = None,
        insecure_redirects: Optional[bool] = None,
        decompress: Optional[bool] = None,
        certificates: Optional[str] = None,
        tls: Optional[TLS] = None,
        timeout: Union[Timeout, Seconds, None] = None,
        max_body: Optional[int] = None,
        proxy: Union[str, bytes, None] = None,
        proxy_headers: Optional[HeadersLike] = None,
        unix_path: Union[str, bytes, "os.PathLike[str]", None] = None,
        username: Union[str, bytes, None] = None,
        password: Union[str, bytes, None] = None,
        addresses: Optional[Iterable[str]] = None,
    ) -> Response:
        ...


class AsyncStreamRequest(Protocol):
    def __call__(
        self,
        method: str,
        url: str,
        *,
        headers: Optional[HeadersLike] = None,
        params: Optional[Params] = None,
        body: Optional[Body] = None,
        body_offset: Optional[int] = None,
        body_length: Optional[int] = None,
        expect_continue: Optional[bool] = None,
        json: Any = None,
        priority: Optional[int] = None,
        force_close: Optional[bool] = None,
        retry_stale: Optional[bool] = None,
        max_redirects: Optional[int] = None,
        insecure_redirects: Optional[bool] = None,
        decompress: Optional[bool] = None,
        certificates: Optional[str] = None,
        tls: Optional[TLS] = None,
        timeout: Union[Timeout, Seconds, None] = None,
        max_body: Optional[int] = None,
        body_window: Optional[int] = None,
        proxy: Union[str, bytes, None] = None,
        proxy_headers: Optional[HeadersLike] = None,
        unix_path: Union[str, bytes, "os.PathLike[str]", None] = None,
        username: Union[str, bytes, None] = None,
        password: Union[str, bytes, None] = None,
        addresses: Optional[Iterable[str]] = None,
    ) -> "StreamCall":
        ...


class SyncStreamRequest(Protocol):
    def __call__(
        self,
        method: str,
        url: str,
        *,
        headers: Optional[HeadersLike] = None,
        params: Optional[Params] = None,
        body: Optional[Body] = None,
        body_offset: Optional[int] = None,
        body_length: Optional[int] = None,
        expect_continue: Optional[bool] = None,
        json: Any = None,
        priority: Optional[int] = None,
        force_close: Optional[bool] = None,
        retry_stale: Optional[bool] = None,
        max_redirects: Optional[int] = None,
        insecure_redirects: Optional[bool] = None,
        decompress: Optional[bool] = None,
        certificates: Optional[str] = None,
        tls: Optional[TLS] = None,
        timeout: Union[Timeout, Seconds, None] = None,
        max_body: Optional[int] = None,
        body_window: Optional[int] = None,
        proxy: Union[str, bytes, None] = None,
        proxy_headers: Optional[HeadersLike] = None,
        unix_path: Union[str, bytes, "os.PathLike[str]", None] = None,
        username: Union[str, bytes, None] = None,
        password: Union[str, bytes, None] = None,
        addresses: Optional[Iterable[str]] = None,
    ) -> "BlockingStream":
        ...
