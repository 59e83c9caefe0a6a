#!/usr/bin/python3
"""Checks how the shared library is linked.

    tools/check_linking.py LIBRARY      exit 1 if something is not as it must be

  memory      no executable stack, no relocations in code, no segment that is writable and executable
  hardening   relocations are read-only once they are done (RELRO), and all are done at once (NOW)
  lifetime    never unloaded (NODELETE): its threads and fork handlers outlive a dlclose
  place       no RPATH or RUNPATH: it is found, and finds others, where the system says
  needs       what it is linked with, and nothing else
"""

import re
import subprocess
import sys

NEEDED = {"libcurl", "libcares", "libssl", "libcrypto", "libstdc++", "libgcc_s", "libc", "libm", "ld-linux-x86-64"}


def readelf(option, library):
    return subprocess.run(["readelf", "-W", option, library], check=True, capture_output=True, text=True).stdout


def check(library):
    segments, dynamic = readelf("-l", library), readelf("-d", library)
    flags = {kind: rights for kind, rights in re.findall(r"^\s+(\w+)(?:\s+0x\w+){5} ([RWE ]{3})", segments, re.MULTILINE)}
    loaded = re.findall(r"^\s+LOAD(?:\s+0x\w+){5} ([RWE ]{3})", segments, re.MULTILINE)
    tags = " ".join(re.findall(r"\((?:FLAGS|FLAGS_1)\)\s+(.*)", dynamic))
    needed = {name.partition(".so")[0] for name in re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)}
    rules = {
        "executable stack": "E" not in flags.get("GNU_STACK", "E"),
        "a segment is writable and executable": not any("W" in rights and "E" in rights for rights in loaded),
        "relocations in code": "(TEXTREL)" not in dynamic and "TEXTREL" not in tags,
        "no RELRO": "GNU_RELRO" in flags,
        "bound lazily, not NOW": "NOW" in tags.split(),
        "can be unloaded, lacks NODELETE": "NODELETE" in tags.split(),
        "has an RPATH or a RUNPATH": not re.search(r"\((RPATH|RUNPATH)\)", dynamic),
        f"needs {', '.join(sorted(needed - NEEDED))}": needed <= NEEDED,
    }
    return [offence for offence, holds in rules.items() if not holds]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    offences = check(sys.argv[1])
    print("\n".join(f"{sys.argv[1]}: {offence}" for offence in offences) or "linking: as it must be")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
