"""Reading Content-Disposition: RFC 6266, with the parts that senders get wrong."""

import re
import warnings
from typing import Dict, List, Mapping, Optional, Tuple
from urllib.parse import unquote

from ._mime import TOKEN


class BadContentDispositionHeader(RuntimeWarning):
    pass


class BadContentDispositionParam(RuntimeWarning):
    pass


_ESCAPED = re.compile(r"\\([\x00-\x7f])")
_CONTINUATION = re.compile(r"[^*]*\*\d+\*?")


def parse_content_disposition(header: Optional[str]) -> Tuple[Optional[str], Dict[str, str]]:
    """(type, parameters); (None, {}) with a warning if it makes no sense as a whole."""
    if not header:
        return None, {}
    kind, *items = header.split(";")
    kind = kind.strip()
    parameters: Optional[Dict[str, str]] = _read_all(header, items) if _is_token(kind) else None
    if parameters is None:
        warnings.warn(BadContentDispositionHeader(header), stacklevel=2)
        return None, {}
    return kind.lower(), parameters


def _read_all(header: str, items: List[str]) -> Optional[Dict[str, str]]:
    """None if they cannot be told apart."""
    parameters: Dict[str, str] = {}
    while items:
        item = items.pop(0)
        if not item:
            warnings.warn(BadContentDispositionHeader(header), stacklevel=3)
            continue
        name, equals, value = item.partition("=")
        name, value = name.strip().lower(), value.lstrip()
        if not equals or name in parameters:
            return None
        if not _is_token(name):
            read = None
        elif name.endswith("*") or _CONTINUATION.fullmatch(name):
            read = _special(name, value)
        else:
            read = _plain(value, items)
            if read is None:
                return None
        if read is None:
            warnings.warn(BadContentDispositionParam(item), stacklevel=3)
        else:
            parameters[name] = read
    return parameters


def _plain(value: str, items: List[str]) -> Optional[str]:
    """A token or a quoted string; one with a semicolon was split, and is put together again."""
    if _is_quoted(value.rstrip()):
        return _unescaped(value.rstrip()[1:-1].lstrip("\\/"))
    if _is_token(value):
        return value
    if items and _is_quoted(f"{value};{items[0]}"):
        return _unescaped(f"{value};{items.pop(0)}"[1:-1].lstrip("\\/"))
    return None


def _special(name: str, value: str) -> Optional[str]:
    """filename*0 and filename*, of RFC 2231 and 8187."""
    if _CONTINUATION.fullmatch(name):
        return _unescaped(value[1:-1]) if _is_quoted(value) else value if _is_token(value) else None
    if not _is_token(value) or value.count("'") != 2:
        return None
    return _decoded(value)


def _decoded(value: str) -> Optional[str]:
    """charset'language'value; the sender may name any charset."""
    charset, _, text = value.split("'", 2)
    try:
        return unquote(text, charset or "utf-8", "strict")
    except (LookupError, UnicodeDecodeError):
        return None


def _is_token(text: str) -> bool:
    return bool(text) and TOKEN >= set(text)


def _is_quoted(text: str) -> bool:
    return len(text) >= 2 and text[0] == text[-1] == '"'


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)


def content_disposition_filename(params: Mapping[str, str], name: str = "filename") -> Optional[str]:
    """The name of a file, from whichever of its parameters has it."""
    for each in (f"{name}*", name):
        if each in params:
            return params[each]
    pieces: List[str] = []
    while True:
        number = len(pieces)
        piece = params.get(f"{name}*{number}", params.get(f"{name}*{number}*"))
        if piece is None:
            break
        pieces.append(piece)
    value = "".join(pieces)
    return (_decoded(value) if value.count("'") >= 2 else value) if pieces else None
