"""Reading Cookie and Set-Cookie fields as they are in the wild, which http.cookies refuses in part."""

import re
from http.cookies import CookieError, Morsel
from typing import Any, Iterator, List, Optional, Sequence, Tuple

from .log import internal_logger

__all__ = ("parse_set_cookie_headers", "parse_cookie_header", "preserve_morsel_with_coded_value")

Cookies = List[Tuple[str, "Morsel[str]"]]

_FLAGS = frozenset(("secure", "httponly", "partitioned"))
_WITH_VALUE = frozenset(("path", "domain", "max-age", "expires", "samesite", "version", "comment"))
_ATTRIBUTES = _FLAGS | _WITH_VALUE

#: Everything visible but separators of the field itself: servers do send {} [] () in names.
_NAME = re.compile(r"[!#-+\-./0-9:<-\[\]-~]+")
_ESCAPE = re.compile(r"\\(?:([0-3][0-7]{2})|(.))")

#: One `name=value`, or a name alone, with what ends it. A value is a quoted string, even one that is never closed; a
#: date, which has a comma and spaces; or a word.
_PAIR = re.compile(
    r"""
    \s* (?P<name> [!#-:<>-\[\]-~]+ )
    (?: \s*=\s* (?P<value>
        "(?:[^\\"]|\\.)*"
      | "[^";]*
      | \w{3}(?:\w*day)?,\s [\w\s-]{9,11}\s [\d:]{8}\s (?:GMT|[+-]\d{4})
      | \w{3}\s+\w{3}\s+[\s\d]\d\s+\d\d:\d\d:\d\d\s+\d{4}
      | [!#-:<-\[\]-~]*
    ) )?
    \s* (?: \s+ | ; | $ )
    """,
    re.VERBOSE | re.ASCII,
)


def unquote(value: str) -> str:
    """Without the quotes around it, and what is escaped between them."""
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    return _ESCAPE.sub(lambda match: chr(int(match[1], 8)) if match[1] else match[2], value[1:-1])


def new_morsel(name: str, value: str, coded_value: str) -> Optional["Morsel[str]"]:
    """A cookie with a name and a value that Morsel.set() may not like; None if not even its state can be set."""
    morsel: "Morsel[str]" = Morsel()
    state: Any = morsel
    try:
        state.__setstate__({"key": name, "value": value, "coded_value": coded_value})
    except CookieError:  # newer Pythons look for control characters here, too
        return None
    return morsel


def preserve_morsel_with_coded_value(cookie: "Morsel[str]") -> "Morsel[str]":
    """The cookie for sending, its value written as the server wrote it, and without attributes."""
    return new_morsel(cookie.key, cookie.value, cookie.coded_value) or cookie


def parse_cookie_header(header: str) -> Cookies:
    """All pairs of a Cookie field. There are no attributes in it; what cannot be read is left out."""
    cookies: Cookies = []
    for name, value in _pairs_of(header):
        morsel = new_morsel(name, unquote(value), value) if _NAME.fullmatch(name) else None
        if morsel is not None:
            cookies.append((name, morsel))
        else:
            internal_logger.debug("Cannot load cookie. Illegal cookie name: %r", name)
    return cookies


def _pairs_of(header: str) -> Iterator[Tuple[str, str]]:
    position = 0
    while position < len(header):
        match = _PAIR.match(header, position)
        if match is not None:
            position = match.end()
            yield match["name"], match["value"] or ""
            continue
        piece, semicolon, _ = header[position:].partition(";")
        position += len(piece) + len(semicolon)
        name, equals, value = piece.partition("=")
        if equals:
            yield name.strip(), value.strip()


def parse_set_cookie_headers(headers: Sequence[str]) -> Cookies:
    """The cookies of Set-Cookie fields, with their attributes. A field is read until it makes no sense any more."""
    cookies: Cookies = []
    for header in headers:
        _read_set_cookie(header, cookies)
    return cookies


def _read_set_cookie(header: str, cookies: Cookies) -> None:
    current: Optional["Morsel[str]"] = None
    is_first, position = True, 0
    while position < len(header):
        match = _PAIR.match(header, position)
        if match is None:
            return
        position = match.end()
        name, value = match["name"], match["value"]
        attribute = name.lower().lstrip("$")
        if attribute in _ATTRIBUTES or name.startswith("$"):
            if is_first and not name.startswith("$"):
                return  # an attribute of nothing
            if not _set_attribute(current, attribute, value, name.startswith("$")):
                return
        elif value is None:
            return
        else:
            current = _add(cookies, name, value)
            is_first = is_first and current is None


def _set_attribute(morsel: Optional["Morsel[str]"], name: str, value: Optional[str], is_optional: bool) -> bool:
    """False if it ends the field: an attribute that needs a value and has none."""
    if name in _WITH_VALUE and value is None and not is_optional:
        return False
    # Python before 3.14 does not know "partitioned".
    if morsel is not None and morsel.isReservedKey(name):
        morsel[name] = True if name in _FLAGS else unquote(value or "")  # type: ignore[assignment]
    return True


def _add(cookies: Cookies, name: str, value: str) -> Optional["Morsel[str]"]:
    morsel = new_morsel(name, unquote(value), value) if _NAME.fullmatch(name) else None
    if morsel is None:
        internal_logger.warning("Can not load cookies: Illegal cookie name %r", name)
    else:
        cookies.append((name, morsel))
    return morsel
