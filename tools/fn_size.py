#!/usr/bin/python3
"""Measures how long functions are, from the first line of the signature to the closing brace.

    tools/fn_size.py [ROOT]           exit 1 when src/ and capi/ are over a budget; tools/ is for information

A lambda belongs to the function around it. There is no list of exceptions, and none is wanted.
"""

import pathlib
import re
import sys
from typing import NamedTuple

from cpp_source import code_only, line_of

ROOT = pathlib.Path(__file__).resolve().parent.parent
MEDIAN, P90, LONGEST = 8, 30, 80  # budgets in lines
ATTRIBUTES = re.compile(r"\[\[.*?\]\]|\b(?:alignas|__attribute__|HC_\w+)\s*\((?:[^()]|\([^()]*\))*\)", re.DOTALL)
TYPE_HEAD = re.compile(r"(?<!enum )\b(?:class|struct|union)\b")
SCOPE_HEAD = re.compile(r'(?:inline\s+)?namespace\b|extern\s*"\s*"$')
ACCESS = re.compile(r"^\s*(?:public|private|protected)\s*:(?!:)")


class Function(NamedTuple):
    path: str
    line: int
    length: int
    name: str


def without_angles(head):
    """The head without what stands between < and >, so that `function<void()> f` shows no parentheses."""
    head = re.sub(r"operator\s*(?:<=>|<<=?|>>=?|<=|>=|<|>|->\*?)", "operator", head)
    head = re.sub(r"->|<=>|<=|>=|<<|\s[<>]\s", " ", head)
    while True:
        shorter = re.sub(r"<[^<>]*>", "", head)
        if shorter == head:
            return head
        head = shorter


def outline(head):
    """The head without attributes and template arguments, and with @ for whatever stands in brackets."""
    head = without_angles(ATTRIBUTES.sub(" ", head))
    while True:
        shorter = re.sub(r"\([^(){}\[\]]*\)|\{[^(){}\[\]]*\}|\[[^(){}\[\]]*\]", "@", head)
        if shorter == head:
            return head.strip()
        head = shorter


def kind_of(plain):
    """What a brace opens after this outline: scope, function, lambda, member or other."""
    if SCOPE_HEAD.match(plain):
        return "scope"
    if "@" not in plain:
        return "scope" if TYPE_HEAD.search(plain) and "=" not in plain else "other"
    if "=" in plain and "operator" not in plain:
        return "lambda" if re.search(r"=\s*@", plain) else "other"
    if re.search(r"@[^:]*(?<!:):(?!:)", plain) and not plain.endswith("@"):
        return "member"  # `X::X(int a) : a_{`: the value of a member, and the body is still to come
    return "function"


def name_of(plain):
    found = re.search(r"(operator\b[^@]*|[\w~]+(?:\s*::\s*[\w~]+)*)\s*@", plain)
    return found.group(1).strip() if found else "(lambda)"


def matching_brace(code, position):
    depth = 0
    for match in re.compile(r"[{}]").finditer(code, position):
        depth += 1 if match.group() == "{" else -1
        if depth == 0:
            return match.start()
    return len(code) - 1


def functions(path, text):
    """Every function with a body at namespace or class scope."""
    code = code_only(text)
    found, start, position, parentheses = [], 0, 0, 0
    while position < len(code):
        letter = code[position]
        if letter in "()":
            parentheses += 1 if letter == "(" else -1
        elif letter in ";}" and parentheses == 0:
            start = position + 1
        elif letter == ":" and (access := ACCESS.match(code[start : position + 1] + " ")):
            start += access.end()
        elif letter == "{":
            head = code[start:position]
            plain = outline(head)
            kind = kind_of(plain) if parentheses == 0 else "other"
            if kind == "scope":
                start = position + 1
            else:
                end = matching_brace(code, position)
                if kind in ("function", "lambda"):
                    first = start + len(head) - len(head.lstrip())
                    length = line_of(code, end) - line_of(code, first) + 1
                    found.append(Function(str(path), line_of(code, first), length, name_of(plain)))
                if kind == "function":
                    start = end + 1
                position = end
        position += 1
    return found


def measure(root, folders):
    found = []
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".cpp", ".h"):
                found += functions(path.relative_to(root), path.read_text())
    return found


def percentile(lengths, share):
    return sorted(lengths)[min(len(lengths) - 1, int(len(lengths) * share))]


def report(title, found):
    """Prints the figures and the functions that are too long; returns how many budgets are passed."""
    if not found:
        print(f"{title}: no functions")
        return 0
    lengths = [function.length for function in found]
    median, p90, longest = percentile(lengths, 0.5), percentile(lengths, 0.9), max(lengths)
    print(f"{title}: {len(found)} functions, median {median}, 90% {p90}, longest {longest}")
    for function in sorted(found, key=lambda one: -one.length):
        if function.length > LONGEST:
            print(f"{function.path}:{function.line}: {function.name} has {function.length} lines")
    return (median > MEDIAN) + (p90 > P90) + (longest > LONGEST)


def main():
    root = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT
    print(f"budgets: median {MEDIAN}, 90% {P90}, longest {LONGEST}")
    passed_budgets = report("src and capi", measure(root, ["src", "capi"]))
    report("tools, for information", measure(root, ["tools"]))
    return 1 if passed_budgets else 0


if __name__ == "__main__":
    sys.exit(main())
