"""Finds libhc, checks that it is the one these declarations are for, and makes its functions callable.

Looked for in this order: the file that HC_LIBRARY names (then nothing else is tried), this package's own folder, the
system's loader.
"""

import ctypes
import os
import struct
import sys
from typing import Any, Dict, Iterator, List, NoReturn, Sequence, Tuple, Type

from . import _ffi

SONAME = "libhc.so.0"

# These may wait for the disk, or for the loop thread, which may be waiting for the interpreter in a callback: they give
# the interpreter away meanwhile. All others come back within microseconds and keep it: giving it away and getting it
# back would cost a busy program up to a switch interval (5 ms) per call.
_GIVE_INTERPRETER_AWAY = {
    "hc_session_create",
    "hc_tls_create",  # reads files
    "hc_session_perform",
    "hc_session_close",
    "hc_session_close_async",  # calls on_closed at once when the session is closed already
    "hc_session_free",
    "hc_queue_wait",
    "hc_queue_close",
    "hc_runtime_get_info",
}


class Functions:
    """The functions of hc.h by name, with their types."""

    def __init__(self, path: str) -> None:
        keeping, giving = ctypes.PyDLL(path), ctypes.CDLL(path)
        for name, (result, arguments) in _ffi.FUNCTIONS.items():
            function = getattr(giving if name in _GIVE_INTERPRETER_AWAY else keeping, name)
            function.restype = result
            function.argtypes = arguments
            setattr(self, name, function)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"libhc has no function {name}")


def untyped(function: Any) -> Any:
    """The same function without argument conversion, for calls that pass prepared pointers: half the price."""
    address = ctypes.cast(function, ctypes.c_void_p).value
    assert address is not None
    return ctypes.PYFUNCTYPE(function.restype)(address)


def _candidates() -> Iterator[str]:
    named = os.environ.get("HC_LIBRARY")
    if named:
        yield named
        return
    folder = os.path.dirname(os.path.abspath(__file__))
    for name in (SONAME, "libhc.so"):
        beside = os.path.join(folder, name)
        if os.path.exists(beside):
            yield beside
    yield SONAME


def _version_text(number: int) -> str:
    return f"{number // 1_000_000}.{number // 1_000 % 1_000}.{number % 1_000}"


def _is_compatible(number: int) -> bool:
    """The rule of hc_version_number()."""
    wanted = _ffi.VERSION_NUMBER
    same = 1_000 if wanted < 1_000_000 else 1_000_000
    return number // same == wanted // same and number >= wanted


def _check(path: str) -> None:
    """Refuses a library of another version, and one whose structs are of another size, as between two releases."""
    library = ctypes.PyDLL(path)
    if not hasattr(library, "hc_version_number"):
        raise ImportError(f"hc: {path} is not libhc: it has no hc_version_number()")
    library.hc_version_number.restype = ctypes.c_uint32
    number = library.hc_version_number()
    if not _is_compatible(number):
        raise ImportError(
            f"hc: {path} is version {_version_text(number)}, and this package needs {_version_text(_ffi.VERSION_NUMBER)}"
            " or a later one that is compatible"
        )
    missing = [name for name in _ffi.FUNCTIONS if not hasattr(library, name)]
    if missing:
        raise ImportError(f"hc: {path} has no {', '.join(missing)}: it is older than this package")


def _check_layouts(functions: Functions, path: str) -> None:
    for name in _ffi.FUNCTIONS:
        made = getattr(_ffi, name[: -len("_init")], None) if name.endswith("_init") else None
        if made is not None and getattr(functions, name)(ctypes.byref(made()), ctypes.sizeof(made)) != _ffi.HC_OK:
            raise ImportError(f"hc: {path} has another {made.__name__} than this package: they are not of one version")


def load() -> Tuple[Functions, str]:
    """The functions, and where they were found."""
    failures: List[str] = []
    for path in _candidates():
        try:
            ctypes.CDLL(path)
        except OSError as failure:
            failures.append(str(failure))
            continue
        _check(path)
        functions = Functions(path)
        _check_layouts(functions, path)
        return functions, path
    raise ImportError(f"hc: cannot load libhc ({'; '.join(failures)}). HC_LIBRARY may name the file to load")


lib, path = load()


# ------------------------------------------------------------------------------------------- reading what it writes


class Layout:
    """Reads the plain fields of a ctypes structure at one go, or chosen ones, as {"status": 0, "body.data": 7, ...}.

    A tenth of the price of reading the fields one by one, and the only way to read the pointer of a hc_str.
    """

    def __init__(self, structure: Type[ctypes.Structure], names: Sequence[str] = ()) -> None:
        codes = dict(_codes(structure, "", 0))
        form, position = "=", 0
        self.names = sorted(names or codes, key=lambda each: codes[each][0])
        for name in self.names:
            offset, code = codes[name]
            form += f"{offset - position}x{code}"
            position = offset + struct.calcsize("=" + code)
        self.struct = struct.Struct(form + f"{ctypes.sizeof(structure) - position}x")

    def read(self, instance: Any) -> Dict[str, int]:
        return dict(zip(self.names, self.struct.unpack_from(instance)))


def _codes(structure: Type[ctypes.Structure], prefix: str, start: int) -> Iterator[Tuple[str, Tuple[int, str]]]:
    """(name, (offset, code of the struct module)) of every plain field, those of structures inside included."""
    for name, kind, *_ in structure._fields_:
        offset = start + getattr(structure, name).offset
        if issubclass(kind, ctypes.Structure):
            yield from _codes(kind, f"{prefix}{name}.", offset)
        elif not issubclass(kind, ctypes.Array):
            yield prefix + name, (offset, _code(kind))


_SIGNED = {1: "b", 2: "h", 4: "i", 8: "q"}


def _code(kind: Any) -> str:
    """Of a type in ctypes' own letters, where small ones are signed; z and P are pointers."""
    letter = getattr(kind, "_type_", "P")
    code = _SIGNED[ctypes.sizeof(kind)]
    is_signed = isinstance(letter, str) and letter in "bhilq"
    return code if is_signed else code.upper()


_VIEW = Layout(_ffi.hc_str)


#: All memory of this process. A slice copies what is there, at a third of string_at()'s price and beyond its 2 GB.
MEMORY: Any = (ctypes.c_char * sys.maxsize).from_address(0)


def bytes_at(address: int, length: int) -> bytes:
    return MEMORY[address : address + length]  # type: ignore[no-any-return]


def bytes_of(view: Any) -> bytes:
    """The bytes of a hc_str that the library made."""
    return bytes_at(*_VIEW.struct.unpack_from(view))


def text_of(view: Any) -> str:
    return bytes_of(view).decode("utf-8", "surrogateescape")


def view_of(data: bytes) -> Any:
    """A hc_str of bytes that the caller keeps alive."""
    return _ffi.hc_str(data, len(data))


class Owner:
    """Has a handle that it gives back in the end: a copy would do so once more."""

    __slots__ = ()

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a hc.{type(self).__name__} cannot be copied or pickled")


def prepared(structure: Any) -> Any:
    """A new structure with struct_size set, for the library to fill."""
    instance = structure()
    instance.struct_size = ctypes.sizeof(structure)
    return instance
