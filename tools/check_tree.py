#!/usr/bin/python3
"""Checks what holds for files as such: nothing of one machine in them, and none too long to read.

    tools/check_tree.py [ROOT]        prints file:line for each offence; exit 1 if there is one
"""

import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LONGEST = 450  # lines of a file in src, capi and include; more are two things in one file
LONG_BY_NATURE = {"include/hc/hc.h"}  # one header is the promise
WIDEST = 110  # columns; clang-format sees to the rest, but hc.h is laid out by hand

# Directories of one person's machine, and package registries and their mirrors by host. Spelled with [] so
# that this file does not find itself.
MACHINE_PATH = re.compile(r"(?<![\w./}>)~-])/(?:[w]ork|[r]oot|[h]ome/\w+|[U]sers/\w+)/")
REGISTRY_HOST = re.compile(
    r"\b(?:pypi[.](?:org|python[.]org)/simple|files[.]pythonhosted[.]org|registry[.]npmjs[.]org|registry[.]yarnpkg[.]com"
    r"|(?:static|index)[.]crates[.]io|proxy[.]golang[.]org|sum[.]golang[.]org|repo[.]maven[.]apache[.]org)"
    r"|\b[\w.-]*(?:artifactory|nexus)[\w-]*[.][\w.-]+/"
)


def files(root):
    """The files under version control or about to be; without git, all but what builds leave behind."""
    if (root / ".git").exists():
        command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
        return sorted(root / name for name in names if name and (root / name).is_file())
    found = []
    for folder, below, names in os.walk(root):
        below[:] = [name for name in below if name not in ("build", "dist", "__pycache__")]
        found += [pathlib.Path(folder, name) for name in names]
    return sorted(found)


def offences_of(name, text):
    """What is wrong in one file, as lines to print."""
    found = []
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        for pattern, what in ((MACHINE_PATH, "a path of one machine"), (REGISTRY_HOST, "a package registry's host")):
            if match := pattern.search(line):
                found.append(f"{name}:{number}: {match.group()}: {what}")
        if name in LONG_BY_NATURE and len(line) > WIDEST:
            found.append(f"{name}:{number}: {len(line)} columns; {WIDEST} are the limit")
    if name.startswith(("src/", "capi/", "include/")) and name not in LONG_BY_NATURE and len(lines) > LONGEST:
        found.append(f"{name}:1: {len(lines)} lines; {LONGEST} are the limit")
    return found


def check(root):
    offences = []
    for path in files(root):
        content = path.read_bytes()
        if b"\0" not in content[:8192]:  # text
            offences += offences_of(path.relative_to(root).as_posix(), content.decode(errors="replace"))
    return offences


def main():
    root = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT
    offences = check(root)
    print("\n".join(offences) or "tree: no traces of a machine, no file too long")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
