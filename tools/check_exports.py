#!/usr/bin/python3
"""Checks that the promise of the C interface is the same everywhere it is written down.

    tools/check_exports.py LIBRARY [ROOT]     exit 1 when two of these four differ

  include/hc/hc.h     declares functions with HC_API
  capi/exports.txt    lists them as NAME@@NODE, one a line, sorted: what `nm -D` shows of the library
  capi/hc.map         the linker's version script: the nodes
  LIBRARY             the built libhc.so

A new function is a new line in exports.txt, made by hand: that is the moment to think about it.
"""

import pathlib
import re
import subprocess
import sys

from hc_header import declarations

ROOT = pathlib.Path(__file__).resolve().parent.parent


def listed(text):
    """The entries of exports.txt: everything but comments and blank lines."""
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def exported(library):
    """What the library exports, as NAME@@NODE; the nodes' own absolute symbols left out."""
    shown = subprocess.run(
        ["nm", "--dynamic", "--defined-only", "--with-symbol-versions", str(library)],
        check=True, capture_output=True, text=True,
    ).stdout
    rows = (line.split() for line in shown.splitlines())
    return [name for _, kind, name in rows if kind != "A"]


def nodes_of_map(text):
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return re.findall(r"^\s*([\w.]+)\s*\{", text, re.MULTILINE)


def difference(left, right, left_name, right_name):
    """Lines that say what only one side has."""
    left, right = set(left), set(right)
    return [f"{name}: in {left_name}, not in {right_name}" for name in sorted(left - right)] + [
        f"{name}: in {right_name}, not in {left_name}" for name in sorted(right - left)
    ]


def check(root, symbols):
    """All differences between what the library exports and what the tree says, as lines to print."""
    exports = root / "capi/exports.txt"
    entries = listed(exports.read_text()) if exports.exists() else []
    names = [entry.split("@@")[0] for entry in entries]
    declared = [one.name for one in declarations((root / "include/hc/hc.h").read_text())]
    offences = difference(symbols, entries, "the library", "exports.txt")
    offences += difference(declared, names, "hc.h", "exports.txt")
    offences += difference(
        nodes_of_map((root / "capi/hc.map").read_text()),
        {entry.partition("@@")[2] for entry in entries},
        "hc.map", "exports.txt",
    )
    if entries != sorted(set(entries)):
        offences.append("exports.txt: not sorted, or a line twice")
    return offences


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    root = pathlib.Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else ROOT
    symbols = exported(sys.argv[1])
    offences = check(root, symbols)
    print("\n".join(offences) or f"exports: {len(symbols)} functions, the same in library, list, map and header")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
