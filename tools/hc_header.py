"""Reads what hc.h declares: functions with their documentation, constants, structs and callback types."""

import pathlib
import re
import sys
from typing import NamedTuple, Optional

from cpp_source import code_only, line_of

ROOT = pathlib.Path(__file__).resolve().parent.parent

_DECLARATION = re.compile(r"^HC_API\b([^;{}]*?)\b(hc_\w+)\s*\(", re.MULTILINE)
_DOC_BEFORE = re.compile(r"/\*\*((?:(?!\*/).)*)\*/\s*\Z", re.DOTALL)
_ENUM = re.compile(r"\benum\s*\{([^}]*)\}\s*;")
_STRUCT = re.compile(r"\btypedef\s+struct\s+(hc_\w+)\s*\{([^}]*)\}\s*(hc_\w+)\s*;")
_HANDLE = re.compile(r"\btypedef\s+struct\s+(hc_\w+)\s+(hc_\w+)\s*;")
_CALLBACK = re.compile(r"\btypedef\s+([^;{}]*?)\(\s*\*\s*(hc_\w+)\s*\)\s*\(([^;]*?)\)\s*;")
_ALIAS = re.compile(r"\btypedef\s+(\w+)\s+(hc_\w+)\s*;")
_PROTOTYPE = re.compile(r"^HC_API\b([^;{}]*?)\b(hc_\w+)\s*\(([^;{}]*)\)\s*;", re.MULTILINE)
_DEFINE = re.compile(r"^#define[ \t]+(HC_\w+)[ \t]+(.+?)[ \t]*(?:/\*.*)?$", re.MULTILINE)
_LIMITS = {"UINT64_MAX": 2**64 - 1, "UINT32_MAX": 2**32 - 1, "UINT8_MAX": 2**8 - 1, "INT32_MIN": -(2**31)}


class Declaration(NamedTuple):
    name: str
    line: int
    returns_void: bool
    doc: Optional[str]  # the comment right above, without its stars


class Field(NamedTuple):
    """A field of a struct, or a parameter."""

    type: str  # without const: "uint64_t", "hc_session *", "hc_session **"
    name: str
    count: int  # of an array; 0: none
    spelled: str  # the type with its const: "const char *"


class Struct(NamedTuple):
    name: str
    fields: list
    line: int


class Function(NamedTuple):
    """A function, or the type of a callback."""

    name: str
    returns: str
    parameters: list
    line: int
    spelled: str  # what it returns, with const


def declarations(text):
    """Every `HC_API ... hc_name(` of a header's text, in order."""
    found = []
    for match in _DECLARATION.finditer(code_only(text)):
        doc = _DOC_BEFORE.search(text, 0, match.start())
        plain = re.sub(r"^[ \t]*\*[ ]?", "", doc.group(1), flags=re.MULTILINE) if doc else None
        returns_void = match.group(1).split()[-1:] == ["void"]
        found.append(Declaration(match.group(2), line_of(text, match.start(2)), returns_void, plain))
    return found


def constants(text):
    """{name: value} of the enumerators and of the numeric macros, in order."""
    found = {}
    for match in _DEFINE.finditer(text):
        value = _number(match.group(2), found)
        if value is not None:
            found[match.group(1)] = value
    for body in _ENUM.findall(code_only(text)):
        following = 0
        for item in filter(None, (part.strip() for part in body.split(","))):
            name, _, given = (part.strip() for part in item.partition("="))
            found[name] = _number(given, found) if given else following
            if found[name] is None:
                raise ValueError(f"{name}: cannot read {given!r}")
            following = found[name] + 1
    return found


def handles(text):
    """Names of the opaque structs."""
    return [name for name, alias in _HANDLE.findall(code_only(text)) if name == alias]


def aliases(text):
    """{name: plain type} of typedefs such as hc_status."""
    return {name: plain for plain, name in _ALIAS.findall(code_only(text)) if plain != "struct"}


def structs(text):
    """Every struct with its fields, in order."""
    found, code, known = [], code_only(text), constants(text)
    for match in _STRUCT.finditer(code):
        fields = [_field(part, known) for part in match.group(2).split(";") if part.strip()]
        found.append(Struct(match.group(1), fields, line_of(code, match.start())))
    return found


def callbacks(text):
    return _functions(_CALLBACK, text)


def functions(text):
    return _functions(_PROTOTYPE, text)


def prototypes(text):
    """The text of every declaration of a function."""
    return [match.group(0) for match in _PROTOTYPE.finditer(code_only(text))]


def _functions(pattern, text):
    found, code = [], code_only(text)
    for match in pattern.finditer(code):
        returns, name, parameters = match.groups()
        spelled = _spelled(returns.replace("HC_NODISCARD", ""))
        line = line_of(code, match.start())
        found.append(Function(name, _plain(spelled), _parameters(parameters), line, spelled))
    return found


def _number(text, known):
    """The value of `7`, `-7`, `0x7`, `1u << 3`, `UINT64_MAX`, `(UINT64_MAX - 1)`; None for anything else."""
    words = re.findall(r"\w+|<<|\S", text)
    values = []
    for word in words:
        digits = re.fullmatch(r"(0[xX][0-9a-fA-F]+|\d+)[uUlL]*", word)
        named = {**_LIMITS, **known}.get(word)
        if digits:
            values.append(str(int(digits.group(1), 0)))
        elif named is not None:
            values.append(str(named))
        elif word in ("(", ")", "+", "-", "|", "<<"):
            values.append(word)
        else:
            return None
    try:
        return int(eval(" ".join(values), {"__builtins__": {}}))  # numbers and operators only, see above
    except (SyntaxError, TypeError):
        return None


def _plain(text):
    """A type without const and with its stars together: `hc_session **`."""
    words = re.findall(r"\w+|\*", text.replace("const", " "))
    stars = "".join(word for word in words if word == "*")
    return " ".join(word for word in words if word != "*") + (f" {stars}" if stars else "")


def _spelled(text):
    return " ".join(re.findall(r"\w+|\*", text))


def _field(text, known=()):
    """Of a struct, or a parameter; `known` constants may be the size of an array."""
    match = re.fullmatch(r"\s*(.*?)\b(\w+)\s*(?:\[(\w+)\])?\s*", text, re.DOTALL)
    count = match.group(3) or "0"
    size = int(count) if count.isdigit() else known[count]
    return Field(_plain(match.group(1)), match.group(2), size, _spelled(match.group(1)))


def _parameters(text):
    return [] if text.strip() in ("", "void") else [_field(part) for part in text.split(",")]


def write_or_check(target, text):
    """What a generator does with its text: writes it, or with --check says whether the file is the same. Its exit code."""
    if "--check" not in sys.argv[1:]:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return 0
    is_fresh = target.is_file() and target.read_text() == text
    name = pathlib.Path(sys.argv[0]).stem
    print(f"{name}: as hc.h says" if is_fresh else f"{target.relative_to(ROOT)}: run tools/{name}.py")
    return 0 if is_fresh else 1
