#!/usr/bin/python3
"""Writes bindings/rust/hc-sys/src/ffi.rs, the Rust declarations of hc.h.

    tools/rust_ffi.py             writes the file
    tools/rust_ffi.py --check     says whether the file is what it should be; exit 1 if not
"""

import pathlib
import sys

import hc_header
from python_ffi import version_number

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADER = ROOT / "include/hc/hc.h"
TARGET = ROOT / "bindings/rust/hc-sys/src/ffi.rs"

PLAIN = {
    "void": "c_void",
    "char": "c_char",
    "size_t": "usize",
    **{f"{sign}int{bits}_t": f"{sign or 'i'}{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
}
# Enumerators are int in C, as a macro is unless its value is too large. These are wider or narrower by their meaning.
WIDE_AS = {"HC_UNSET_FLAG": "u8", "HC_UNSET_INT": "i32"}
START = """//! The declarations of hc.h. Written by tools/rust_ffi.py; do not edit.

use std::os::raw::{c_char, c_void};

"""


def rust_type(c_type):
    """The Rust name of a C type: "const char *" is "*const c_char"."""
    words = c_type.split()
    is_const, name = "const" in words[: words.index("*") if "*" in words else None], None
    for position, word in enumerate(words):
        if word == "*":
            name = f"*{'const' if is_const else 'mut'} {name}"
            is_const = words[position + 1 : position + 2] == ["const"]
        elif word != "const":
            if not word.startswith("hc_") and word not in PLAIN:
                raise ValueError(f"{c_type}: what is it in Rust?")
            name = PLAIN.get(word, word)
    return name


def constant_type(name, value):
    return WIDE_AS.get(name) or ("i32" if -(2**31) <= value < 2**31 else "u64")


class Writer:
    def __init__(self, text):
        self.text = text

    def field(self, field):
        name = rust_type(field.spelled)
        return f"        {field.name}: {f'[{name}; {field.count}]' if field.count else name},"

    def struct(self, struct):
        return "\n".join([f"    {struct.name} {{", *map(self.field, struct.fields), "    }"])

    def signature(self, function):
        parameters = ", ".join(f"{each.name}: {rust_type(each.spelled)}" for each in function.parameters)
        returns = "" if function.returns == "void" else f" -> {rust_type(function.spelled)}"
        return f"{function.name}({parameters}){returns};"

    def write(self, version):
        constants = {"HC_VERSION_NUMBER: u32": version}
        constants.update({f"{name}: {constant_type(name, value)}": value for name, value in hc_header.constants(self.text).items()})
        aliases = hc_header.aliases(self.text).items()
        return START + "\n".join(
            [
                *block("constants", [f"    {name} = {value};" for name, value in constants.items()]),
                *block("aliases", [f"    {name} = {rust_type(plain)};" for name, plain in aliases]),
                *block("handles", [f"    {name};" for name in hc_header.handles(self.text)]),
                *block("structs", map(self.struct, hc_header.structs(self.text))),
                *block("callbacks", [f"    {self.signature(each)}" for each in hc_header.callbacks(self.text)]),
                *block("functions", [f"    fn {self.signature(each)}" for each in hc_header.functions(self.text)])[:-1],
                "",
            ]
        )


def block(macro, lines):
    return [f"{macro}! {{", *lines, "}", ""]


def generate():
    version = version_number((ROOT / "CMakeLists.txt").read_text())
    return Writer(HEADER.read_text()).write(version)


if __name__ == "__main__":
    sys.exit(hc_header.write_or_check(TARGET, generate()))
