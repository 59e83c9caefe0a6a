#!/usr/bin/python3
"""Writes bindings/hc.json: what hc.h declares, for programs in languages that do not read C.

    tools/ffi_json.py             writes the file
    tools/ffi_json.py --check     says whether the file is what it should be; exit 1 if not

    constants   {name: number}; a number that needs more than 53 bits is a string
    structs     {name: [[field, type], ...]}, in the order of hc.h, with C's layout. A type is one of C's numbers, the
                name of a struct, "T *" or "T[N]"
    callbacks   {name: {"returns": type, "parameters": [[name, type], ...]}}
    functions   the same

Handles and callbacks are "void *". So is a pointer to bytes with a length beside it, for many an FFI takes each
"char *" for text up to a NUL, and would read on behind a hc_str. "const char *" is left for what is such text: what
functions return. A "char[N]" is, too.
"""

import json
import pathlib
import sys

import hc_header

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADER = ROOT / "include/hc/hc.h"
TARGET = ROOT / "bindings/hc.json"
LARGEST_EXACT = 2**53


class Writer:
    def __init__(self, text):
        self.text = text
        self.handles = set(hc_header.handles(text))
        self.aliases = hc_header.aliases(text)
        self.callbacks = hc_header.callbacks(text)
        self.opaque = {each.name: "void *" for each in self.callbacks}

    def plain(self, c_type):
        """Without names that say nothing about the layout."""
        base, _, stars = c_type.partition(" ")
        base = "void" if base in self.handles else self.aliases.get(base, self.opaque.get(base, base))
        return f"{base} {stars}" if stars else base

    def type(self, field):
        """Of a field or a parameter."""
        name = self.plain(field.type).replace("char *", "void *")
        if field.count:
            return f"{name}[{field.count}]"
        return f"const {name}" if field.spelled.startswith("const ") and name.endswith("*") else name

    def fields(self, fields):
        return [[field.name, self.type(field)] for field in fields]

    def returned(self, c_type):
        return self.plain(c_type).replace("char *", "const char *")

    def calls(self, functions):
        return {
            each.name: {"returns": self.returned(each.returns), "parameters": self.fields(each.parameters)}
            for each in functions
        }

    def write(self):
        numbers = hc_header.constants(self.text).items()
        parts = {
            "constants": {name: str(value) if value > LARGEST_EXACT else value for name, value in numbers},
            "structs": {each.name: self.fields(each.fields) for each in hc_header.structs(self.text)},
            "callbacks": self.calls(self.callbacks),
            "functions": self.calls(hc_header.functions(self.text)),
        }
        return "{\n" + ",\n".join(f"{json.dumps(name)}: {self.entries(part)}" for name, part in parts.items()) + "\n}\n"

    @staticmethod
    def entries(part):
        """One entry a line, so that a difference shows what changed."""
        return "{\n" + ",\n".join(f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in part.items()) + "\n}"


if __name__ == "__main__":
    sys.exit(hc_header.write_or_check(TARGET, Writer(HEADER.read_text()).write()))
