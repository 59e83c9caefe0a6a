#!/usr/bin/python3
"""Checks the documentation: every function of hc.h has a block, with labels in one order, and every test that a page
in docs names exists.

    tools/check_docs.py [HEADER]      prints file:line for each offence; exit 1 if there is one

The labels are Parameters, Ownership, Threads, Callbacks, Returns, Since. Since is always there. Returns is there
unless the function returns void or its first sentence begins with "Returns", as a getter's does. A test is named as
`Suite.Name`, both beginning with a capital.
"""

import pathlib
import re
import sys

from hc_header import declarations

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADER = ROOT / "include/hc/hc.h"
TEST = re.compile(r"^TEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)", re.MULTILINE)
TEST_NAME = re.compile(r"`([A-Z]\w+\.[A-Z]\w+)`")
LABELS = ["Parameters", "Ownership", "Threads", "Callbacks", "Returns", "Since"]
LABEL_LINE = re.compile(rf"^({'|'.join(LABELS)})(?:$|\s{{2,}}\S|\s*$)", re.MULTILINE)


def offences_of(declaration):
    """What is wrong with one function's documentation."""
    if declaration.doc is None:
        return ["has no /** block right above it"]
    text = declaration.doc.strip()
    labels = LABEL_LINE.findall(text)
    wrong = []
    if not text or LABEL_LINE.match(text):
        wrong.append("does not begin with a sentence")
    if labels != sorted(set(labels), key=LABELS.index):
        wrong.append(f"labels are {', '.join(labels)}; the order is {', '.join(LABELS)}, each once")
    if "Since" not in labels:
        wrong.append("has no Since")
    if "Returns" not in labels and not declaration.returns_void and not text.startswith("Returns "):
        wrong.append("does not say what it Returns")
    return wrong


def check(text, name):
    """All offences of a header, as lines to print."""
    return [
        f"{name}:{declaration.line}: {declaration.name} {what}"
        for declaration in declarations(text)
        for what in offences_of(declaration)
    ]


def unknown_tests(root):
    """The tests that docs name and nobody wrote, as lines to print."""
    known = {
        ".".join(name) for path in sorted((root / "tests").rglob("*.cpp")) for name in TEST.findall(path.read_text())
    }
    return [
        f"{page.relative_to(root)}:{number}: there is no test {name}"
        for page in sorted((root / "docs").rglob("*.md"))
        for number, line in enumerate(page.read_text().splitlines(), 1)
        for name in TEST_NAME.findall(line)
        if name not in known
    ]


def main():
    header = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HEADER
    text = header.read_text()
    offences = check(text, header.name) + unknown_tests(ROOT)
    print("\n".join(offences) or f"docs: {len(declarations(text))} functions, all documented in one form")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
