"""Compression of what is sent. The library decompresses what is received."""

import zlib
from typing import Any, AsyncIterator, Optional

__all__ = ("set_zlib_backend",)


class ZLibBackendWrapper:
    """zlib, or a module with the same functions that the program has set."""

    def __init__(self, _zlib_backend: Any) -> None:
        self._zlib_backend = _zlib_backend

    @property
    def name(self) -> str:
        return getattr(self._zlib_backend, "__name__", "undefined")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._zlib_backend, name)


ZLibBackend = ZLibBackendWrapper(zlib)


def set_zlib_backend(new_zlib_backend: Any) -> None:
    ZLibBackend._zlib_backend = new_zlib_backend


def encoding_to_mode(encoding: Optional[str] = None, suppress_deflate_header: bool = False) -> int:
    """zlib's wbits for a content coding."""
    bits: int = ZLibBackend.MAX_WBITS
    if encoding == "gzip":
        return 16 + bits
    return -bits if suppress_deflate_header else bits


async def compressed(
    pieces: AsyncIterator[bytes], encoding: str, suppress_deflate_header: bool = False
) -> AsyncIterator[bytes]:
    """The pieces of a body in "deflate" or "gzip"."""
    compressor = ZLibBackend.compressobj(wbits=encoding_to_mode(encoding, suppress_deflate_header))
    async for piece in pieces:
        if data := compressor.compress(piece):
            yield data
    yield compressor.flush()
