"""Values of header fields that have a grammar: Content-Type, Content-Disposition, Link, dates, entity tags."""

import dataclasses
import datetime
import functools
import re
from email.message import EmailMessage
from email.policy import HTTP
from email.utils import parsedate
from pathlib import Path
from types import MappingProxyType
from typing import Any, Iterable, Mapping, Optional, Tuple
from urllib.parse import quote

from multidict import MultiDict, MultiDictProxy
from yarl import URL

from . import hdrs

CHAR = {chr(code) for code in range(128)}
CTL = {chr(code) for code in range(32)} | {chr(127)}
SEPARATORS = set('()<>@,;:\\"/[]?={} \t')
TOKEN = CHAR ^ CTL ^ SEPARATORS

_DEFAULT_TYPE = "application/octet-stream"
_LONGEST = 8190  # characters of a Content-Type that are read; aiohttp has no longer fields


@dataclasses.dataclass(frozen=True)
class MimeType:
    type: str
    subtype: str
    suffix: str
    parameters: "MultiDictProxy[str]"


@functools.lru_cache(maxsize=56)
def parse_mimetype(mimetype: str) -> MimeType:
    """`text/html; charset=utf-8` in its parts; "" gives empty parts."""
    first, *rest = mimetype.split(";")
    parameters: MultiDict[str] = MultiDict()
    for item in filter(str.strip, rest):
        name, _, value = item.partition("=")
        parameters.add(name.lower().strip(), value.strip(' "'))
    full = first.strip().lower()
    kind, _, subtype = ("*/*" if full == "*" else full).partition("/")
    subtype, _, suffix = subtype.partition("+")
    return MimeType(kind, subtype, suffix, MultiDictProxy(parameters))


@functools.lru_cache(maxsize=56)
def parse_content_type(raw: str) -> Tuple[str, MappingProxyType[str, str]]:
    """The type in lower case and its parameters; application/octet-stream in place of what is no type."""
    message = EmailMessage(HTTP)
    raw = raw[:_LONGEST]  # Python's parser takes its time
    try:
        message["Content-Type"] = " ".join(raw.splitlines())
        parameters: Any = message.get_params([])
    except Exception:  # Python's parser has gaps, and the value is the peer's
        return _DEFAULT_TYPE, MappingProxyType({})
    kind = str(message["Content-Type"]).partition(";")[0].strip().lower()
    return kind if kind.count("/") == 1 else _DEFAULT_TYPE, MappingProxyType(dict(parameters[1:]))


class HeadersMixin:
    """content_type, charset and content_length of whatever has `_headers`."""

    _headers: Any
    _parsed: Tuple[Optional[str], str, Mapping[str, str]] = (None, _DEFAULT_TYPE, {})

    def _content(self) -> Tuple[Optional[str], str, Mapping[str, str]]:
        raw = self._headers.get(hdrs.CONTENT_TYPE)
        if raw != self._parsed[0]:
            self._parsed = (raw, *parse_content_type(raw)) if raw is not None else HeadersMixin._parsed
        return self._parsed

    @property
    def content_type(self) -> str:
        return self._content()[1]

    @property
    def charset(self) -> Optional[str]:
        return self._content()[2].get("charset")

    @property
    def content_length(self) -> Optional[int]:
        length = self._headers.get(hdrs.CONTENT_LENGTH)
        return None if length is None else int(length)


# ------------------------------------------------------------------------------------------- Content-Disposition

_QUOTED_CONTENT = {chr(code) for code in range(0x20, 0x7F)} | {"\t"}
_TO_ESCAPE = re.compile(r"[^\041\043-\133\135-\176]")
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def safe_header(text: str) -> str:
    """The text itself, unless it would end the field and start another."""
    if _CONTROLS.search(text):
        raise ValueError("Forbidden control character detected in headers. Potential header injection attack.")
    return text


def guess_filename(obj: Any, default: Optional[str] = None) -> Optional[str]:
    name = getattr(obj, "name", None)
    if name and isinstance(name, str) and name[0] != "<" and name[-1] != ">":
        return Path(name).name
    return default


def quoted_string(content: str) -> str:
    """What stands between the quotes of an RFC 5322 quoted-string; ValueError for what is not ASCII."""
    if not set(content) <= _QUOTED_CONTENT:
        raise ValueError(f"bad content for quoted-string {content!r}")
    return _TO_ESCAPE.sub(lambda match: "\\" + match.group(), content)


def content_disposition_header(disptype: str, quote_fields: bool = True, _charset: str = "utf-8", **params: str) -> str:
    """The value of the field for a MIME part. With quote_fields parameters are in seven bits."""
    if not disptype or not set(disptype) <= TOKEN:
        raise ValueError(f"bad content disposition type {disptype!r}")
    parts = [disptype]
    for name, value in params.items():
        if not name or not set(name) <= TOKEN:
            raise ValueError(f"bad content disposition parameter {name!r}={value!r}")
        parts.append(_seven_bits(name, value, _charset) if quote_fields else _eight_bits(name, value))
    return "; ".join(parts)


def _seven_bits(name: str, value: str, charset: str) -> str:
    if name.lower() == "filename":
        return f'{name}="{quote(value, "", encoding=charset)}"'
    try:
        return f'{name}="{quoted_string(value)}"'
    except ValueError:
        return f"{name}*={charset}''{quote(value, '', encoding=charset)}"


def _eight_bits(name: str, value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}="{escaped}"'


# ----------------------------------------------------------------------------------------------------------- Link

_LINK = re.compile(r'''<(?P<target>[^<>]*)>(?P<rest>(?:"[^"]*"|,(?!\s*<)|[^",])*)''')


def parse_links(values: Iterable[str], base: URL) -> "MultiDictProxy[MultiDictProxy[Any]]":
    """The links of a response by their relation; each has its parameters, and "url" as an absolute URL."""
    links: MultiDict[MultiDictProxy[Any]] = MultiDict()
    for match in _LINK.finditer(", ".join(values)):
        target = match["target"]
        link: MultiDict[Any] = MultiDict()
        for item in match["rest"].split(";")[1:]:
            name, equals, value = item.partition("=")
            if not equals:
                break
            link.add(name.strip(), _unquoted(value.strip()))
        relation = link.get("rel", target)
        link.add("url", base.join(URL(target)))
        links.add(relation, MultiDictProxy(link))
    return MultiDictProxy(links)


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value


# ------------------------------------------------------------------------------------------- dates, entity tags

ETAG_ANY = "*"
_ETAG_CONTENT = r"[!\x23-\x7E\x80-\xff]+"
_ETAG_CONTENT_RE = re.compile(_ETAG_CONTENT)
_QUOTED_ETAG = rf'(W/)?"({_ETAG_CONTENT})"'
QUOTED_ETAG_RE = re.compile(_QUOTED_ETAG)
LIST_QUOTED_ETAG_RE = re.compile(rf"({_QUOTED_ETAG})(?:\s*,\s*|$)|(.)")


@dataclasses.dataclass(frozen=True)
class ETag:
    value: str
    is_weak: bool = False


def validate_etag_value(value: str) -> None:
    if value != ETAG_ANY and not _ETAG_CONTENT_RE.fullmatch(value):
        raise ValueError(f"Value {value!r} is not a valid etag. Maybe it contains '\"'?")


def parse_http_date(date_str: Optional[str]) -> Optional[datetime.datetime]:
    parts = parsedate(date_str) if date_str is not None else None
    if parts is None:
        return None
    try:
        return datetime.datetime(*parts[:6], tzinfo=datetime.timezone.utc)
    except ValueError:
        return None
