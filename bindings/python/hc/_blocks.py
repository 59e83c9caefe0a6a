"""What has arrived of a body, in blocks of the library's memory, cut as their reader wants it: each byte is copied once."""

import ctypes
import sys
from typing import Any, Optional, Tuple

from . import _ffi, errors
from ._library import MEMORY, Layout, lib, prepared, untyped

Block = Tuple[int, int, int]  # address, length, and the handle that gives it back

_take = untyped(lib.hc_response_take)
_free = untyped(lib.hc_block_free)
_pointer = ctypes.c_void_p
_CHUNK = Layout(_ffi.hc_chunk, ["bytes.data", "bytes.len", "block"])


class Blocks:
    """Of one response, which outlives this. One reader at a time."""

    __slots__ = ("_handle", "_chunk", "_arguments", "_begun")

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._chunk = prepared(_ffi.hc_chunk)
        self._arguments = _pointer(handle), ctypes.byref(self._chunk)
        self._begun: Optional[Block] = None  # what is left of it

    def take(self, unpack: Any = _CHUNK.struct.unpack_from) -> Optional[Block]:
        """The next one, yours to give back; one without length is the end. None: nothing is there yet. Raises why there
        will be no more."""
        if self._begun is not None:
            block, self._begun = self._begun, None
            return block
        status = _take(*self._arguments)
        if status == _ffi.HC_OK:
            return unpack(self._chunk)  # type: ignore[no-any-return]
        if status == _ffi.HC_E_AGAIN:
            return None
        raise errors.of_response(self._handle, status)

    def read(self, limit: int = sys.maxsize, memory: Any = MEMORY) -> Optional[bytes]:
        """Of the next one, up to so many bytes; b"" is the end. The rest as for take()."""
        block = self.take()
        if block is None:
            return None
        address, length, handle = self._begun = block  # it stays begun when a limit that is no int raises
        if length > limit:
            piece: bytes = memory[address : address + limit]
            self._begun = address + limit, length - limit, handle
            return piece
        self._begun = None
        try:
            return memory[address : address + length]  # type: ignore[no-any-return]
        finally:
            _free(_pointer(handle))

    def close(self, free: Any = _free, pointer: Any = _pointer) -> None:
        """Gives back what was begun. Nothing can be read any more."""
        if self._begun is not None:
            free(pointer(self._begun[2]))
            self._begun = None

    def __del__(self) -> None:
        self.close()
