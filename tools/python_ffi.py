#!/usr/bin/python3
"""Writes bindings/python/hc/_ffi.py, the ctypes declarations of hc.h.

    tools/python_ffi.py             writes the file
    tools/python_ffi.py --check     says whether the file is what it should be; exit 1 if not
"""

import pathlib
import re
import sys

import hc_header

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADER = ROOT / "include/hc/hc.h"
TARGET = ROOT / "bindings/python/hc/_ffi.py"
WIDEST = 110

PLAIN = {
    "void": "None",
    "char": "c_char",
    "char *": "c_char_p",
    "void *": "c_void_p",
    "size_t": "c_size_t",
    **{f"{sign}int{bits}_t": f"c_{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
}
START = '''"""The declarations of hc.h for ctypes. Written by tools/python_ffi.py; do not edit.

Pointers to handles are c_void_p. A hc_str that comes from the library is not NUL-terminated: its `data` must not be
read as a field, see _library.text_of().
"""

from ctypes import CFUNCTYPE, POINTER, Structure
from ctypes import {names}
from typing import Any, Dict, List, Tuple

VERSION_NUMBER = {version}
'''


def version_number(cmake):
    """What hc_version_number() of this source returns."""
    major, minor, patch = map(int, re.search(r"project\(libhc VERSION (\d+)\.(\d+)\.(\d+)", cmake).groups())
    return major * 1_000_000 + minor * 1_000 + patch


class Writer:
    def __init__(self, text):
        self.text = text
        self.handles = set(hc_header.handles(text))
        self.aliases = hc_header.aliases(text)
        self.structs = hc_header.structs(text)
        self.callbacks = hc_header.callbacks(text)
        self.declared = {each.name for each in (*self.structs, *self.callbacks)}
        self.used = set()

    def type(self, c_type):
        """The ctypes name of a C type."""
        c_type = self.aliases.get(c_type, c_type)
        if c_type in PLAIN:
            self.used.add(PLAIN[c_type])
            return PLAIN[c_type]
        if c_type in self.declared:
            return c_type
        base, _, stars = c_type.partition(" ")
        if base in self.handles and stars == "*":
            return self.type("void *")
        if not stars:
            raise ValueError(f"{c_type}: what is it in ctypes?")
        return f"POINTER({self.type(base + ' ' + stars[1:] if stars[1:] else base)})"

    def struct(self, struct):
        lines = [f"class {struct.name}(Structure):", "    _fields_ = ["]
        for field in struct.fields:
            array = f" * {field.count}" if field.count else ""
            lines.append(f'        ("{field.name}", {self.type(field.type)}{array}),')
        return "\n".join([*lines, "    ]"])

    def callback(self, callback):
        types = [self.type(callback.returns), *(self.type(each.type) for each in callback.parameters)]
        return f"{callback.name} = CFUNCTYPE({', '.join(types)})"

    def function(self, function):
        start = f'    "{function.name}": ({self.type(function.returns)}, ['
        arguments = [self.type(each.type) for each in function.parameters]
        line = start + ", ".join(arguments) + "]),"
        if len(line) <= WIDEST:
            return line
        return "\n".join([start, *(f"        {each}," for each in arguments), "    ]),"])

    def write(self, version):
        constants = "\n".join(f"{name} = {value}" for name, value in hc_header.constants(self.text).items())
        types = sorted((*self.structs, *self.callbacks), key=lambda each: each.line)
        types = [self.struct(each) if isinstance(each, hc_header.Struct) else self.callback(each) for each in types]
        functions = [self.function(each) for each in hc_header.functions(self.text)]
        names = ", ".join(sorted(self.used - {"None"}))
        table = "\n".join(["FUNCTIONS: Dict[str, Tuple[Any, List[Any]]] = {", *functions, "}"])
        return START.format(names=names, version=version) + f"\n{constants}\n\n\n" + "\n\n\n".join([*types, table]) + "\n"


def generate():
    version = version_number((ROOT / "CMakeLists.txt").read_text())
    return Writer(HEADER.read_text()).write(version)


if __name__ == "__main__":
    sys.exit(hc_header.write_or_check(TARGET, generate()))
