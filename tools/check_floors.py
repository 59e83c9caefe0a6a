#!/usr/bin/python3
"""Checks that no include points up in the house, and that foreign headers stay in the adapter.

    tools/check_floors.py [ROOT]      prints file:line for each offence; exit 1 if there is one
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FLOORS = {"base": 0, "event": 1, "model": 2, "adapter": 3, "engine": 4, "capi": 5}
FOREIGN = re.compile(r"(curl/|ares|openssl/)")  # only src/adapter may include these
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def source_files(root):
    """Each C++ file of the library and the name of its floor (None: it stands on no floor)."""
    for path in sorted((root / "src").rglob("*")):
        if path.suffix in (".cpp", ".h"):
            floor = path.relative_to(root / "src").parts[0]
            yield path, floor if floor in FLOORS else None
    for path in sorted((root / "capi").rglob("*")):
        if path.suffix in (".cpp", ".h"):
            yield path, "capi"


def floor_of_include(root, path, form, name):
    """The floor that an include reaches; None for system headers and for hc/, which stands under the house."""
    first = name.split("/")[0]
    if first in FLOORS:
        return first
    if form == '"' and (path.parent / name).is_file():
        return next((floor for file, floor in source_files(root) if file.samefile(path.parent / name)), None)
    if form == '"' and (root / "capi" / name).is_file():
        return "capi"
    return None


def offence(root, path, floor, form, name):
    if FOREIGN.match(name) and floor != "adapter":
        return f"{name}: only src/adapter may include this"
    target = floor_of_include(root, path, form, name)
    if target and FLOORS[target] > FLOORS[floor]:
        return f"{name}: floor {FLOORS[floor]} ({floor}) must not reach up to floor {FLOORS[target]} ({target})"
    return None


def check(root):
    """All offences, as lines to print."""
    offences = []
    for path, floor in source_files(root):
        where = path.relative_to(root)
        if floor is None:
            offences.append(f"{where}:1: stands on no floor; the floors are src/{{{','.join(FLOORS)}}} and capi")
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = INCLUDE.match(line)
            what = found and offence(root, path, floor, *found.groups())
            if what:
                offences.append(f"{where}:{number}: {what}")
    return offences


def main():
    root = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT
    offences = check(root)
    print("\n".join(offences) or "floors: every include points down or sideways")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
