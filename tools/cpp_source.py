"""Reads C++ text well enough for the checks beside it, without a compiler."""

import re

_TOKEN = re.compile(
    r"""
    (?P<line_comment>//(?:[^\n\\]|\\.|\\\n)*)
  | (?P<comment>/\*.*?\*/)
  | (?P<raw>(?:u8|[uUL])?R"(?P<mark>[^\s()\\]{0,16})\(.*?\)(?P=mark)")
  | (?P<string>"(?:[^"\\\n]|\\.)*")
  | (?P<number>\b[0-9](?:'?[0-9a-zA-Z_.])*)
  | (?P<char>'(?:[^'\\\n]|\\.)+')
  | (?P<directive>(?m:^)[ \t]*\#(?:[^\n\\/]|\\.|\\\n|/(?![/*]))*)
    """,
    re.VERBOSE | re.DOTALL,
)


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def code_only(text):
    """The text with comments, the insides of literals and preprocessor lines blanked; every line stays in place."""

    def replace(match):
        kind = match.lastgroup if match.lastgroup != "mark" else "raw"
        if kind in ("string", "raw"):
            return '"' + _blank(match.group())[1:-1] + '"'
        if kind == "char":
            return "'" + _blank(match.group())[1:-1] + "'"
        return match.group() if kind == "number" else _blank(match.group())

    return _TOKEN.sub(replace, text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1
