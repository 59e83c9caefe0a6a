"""Reads the functions that hc.h declares, with their documentation."""

import re
from typing import NamedTuple, Optional

from cpp_source import code_only, line_of

_DECLARATION = re.compile(r"^HC_API\b([^;{}]*?)\b(hc_\w+)\s*\(", re.MULTILINE)
_DOC_BEFORE = re.compile(r"/\*\*((?:(?!\*/).)*)\*/\s*\Z", re.DOTALL)


class Declaration(NamedTuple):
    name: str
    line: int
    returns_void: bool
    doc: Optional[str]  # the comment right above, without its stars


def declarations(text):
    """Every `HC_API ... hc_name(` of a header's text, in order."""
    found = []
    for match in _DECLARATION.finditer(code_only(text)):
        doc = _DOC_BEFORE.search(text, 0, match.start())
        plain = re.sub(r"^[ \t]*\*[ ]?", "", doc.group(1), flags=re.MULTILINE) if doc else None
        returns_void = match.group(1).split()[-1:] == ["void"]
        found.append(Declaration(match.group(2), line_of(text, match.start(2)), returns_void, plain))
    return found
