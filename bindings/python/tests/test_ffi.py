"""The declarations are those of hc.h: as the generator reads it, and as a C compiler does."""

import ctypes
import os
import re
import subprocess
import sys

from conftest import ROOT

from hc import _ffi

sys.path.insert(0, str(ROOT / "tools"))
import hc_header  # noqa: E402
import python_ffi  # noqa: E402

HEADER = (ROOT / "include/hc/hc.h").read_text()
MACROS = {"HC_UNSET", "HC_UNSET_FLAG", "HC_UNSET_INT", "HC_FOREVER"}


def compiled(tmp_path, lines):
    """What a C program with these lines in main() prints, as {first word: rest}."""
    version = python_ffi.version_number((ROOT / "CMakeLists.txt").read_text())
    (tmp_path / "hc").mkdir()
    (tmp_path / "hc/version.h").write_text(f"#define HC_VERSION_NUMBER {version}\n")
    source = ["#include <hc/hc.h>", "#include <stdio.h>", "int main(void) {", *lines, "return 0; }"]
    (tmp_path / "probe.c").write_text("\n".join(source))
    compiler = os.environ.get("CC", "cc")
    includes = ["-I", str(ROOT / "include"), "-I", str(tmp_path)]
    command = [compiler, "-std=gnu11", "-Wall", "-Werror", *includes, "probe.c", "-o", "probe"]
    subprocess.run(command, cwd=tmp_path, check=True)
    printed = subprocess.run([str(tmp_path / "probe")], check=True, capture_output=True, text=True).stdout
    return dict(line.split(" ", 1) for line in printed.splitlines())


def test_the_file_is_what_the_generator_writes():
    assert python_ffi.TARGET.read_text() == python_ffi.generate()


def test_constants_are_those_of_a_compiler(tmp_path):
    names = hc_header.constants(HEADER)
    assert {"HC_OK", "HC_E_INTERNAL", *MACROS} <= set(names)
    printed = compiled(tmp_path, [f'printf("{name} %lld\\n", (long long){name});' for name in names])
    for name in names:
        assert getattr(_ffi, name) & (2**64 - 1) == int(printed[name]) & (2**64 - 1), name


def test_every_enumerator_is_read():
    """A line that the reader of hc.h does not understand must not be lost in silence."""
    source = subprocess.run(
        ["cc", "-fdirectives-only", "-E", "-I", str(ROOT / "include"), "-include", "/dev/null", "-x", "c", "-"],
        input="".join(line for line in HEADER.splitlines(True) if "#include" not in line),
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    words = set(re.findall(r"^\s*(HC_[A-Z0-9_]+)\s*(?:=|,|$|\})", source, re.MULTILINE))
    assert words and words <= set(hc_header.constants(HEADER))


def test_structs_lie_in_memory_as_a_compiler_lays_them_out(tmp_path):
    structs = hc_header.structs(HEADER)
    assert {"hc_request", "hc_session_options", "hc_completion"} <= {struct.name for struct in structs}
    lines = []
    for struct in structs:
        lines.append(f'printf("{struct.name} %zu\\n", sizeof({struct.name}));')
        for field in struct.fields:
            place = f"{struct.name}, {field.name}"
            size = f"sizeof((({struct.name} *)0)->{field.name})"
            lines.append(f'printf("{struct.name}.{field.name} %zu %zu\\n", offsetof({place}), {size});')
    printed = compiled(tmp_path, lines)
    for struct in structs:
        ours = getattr(_ffi, struct.name)
        assert ctypes.sizeof(ours) == int(printed[struct.name]), struct.name
        assert [name for name, *_ in ours._fields_] == [field.name for field in struct.fields]
        for field in struct.fields:
            there = getattr(ours, field.name)
            assert f"{there.offset} {there.size}" == printed[f"{struct.name}.{field.name}"], (struct.name, field.name)


def c_type(kind):
    """A C type as wide, as signed, and as much of a pointer as a ctypes one."""
    if kind is None:
        return "void"
    if isinstance(kind, type) and issubclass(kind, ctypes.Structure):
        return kind.__name__
    if isinstance(kind, type) and hasattr(kind, "_flags_"):
        return "void (*)(void)"
    if kind in (ctypes.c_void_p, ctypes.c_char_p) or hasattr(kind, "contents"):
        return "void *"
    signed = kind(-1).value == -1
    return f"{'' if signed else 'u'}int{8 * ctypes.sizeof(kind)}_t"


def test_signatures_are_those_of_a_compiler(tmp_path):
    """Types that only differ in what they point to are the same in memory; everything else must be identical."""
    functions = hc_header.functions(HEADER)
    assert {each.name for each in functions} == set(_ffi.FUNCTIONS)
    assert {each.name for each in functions} == {each.name for each in hc_header.declarations(HEADER)}
    lines = []
    for each in functions:
        result, arguments = _ffi.FUNCTIONS[each.name]
        assert len(arguments) == len(each.parameters)
        for number, (argument, parameter) in enumerate(zip(arguments, each.parameters)):
            is_pointer = "*" in c_type(argument)
            # A pointer to anything: dereferencing is not asked for, being a pointer is.
            pointer = f"__builtin_classify_type((({parameter.type})0)) == 5"
            if is_pointer:
                lines.append(f'_Static_assert({pointer}, "{each.name} {number}");')
            else:
                same = f"__builtin_types_compatible_p({parameter.type}, {c_type(argument)})"
                lines.append(f'_Static_assert({same}, "{each.name} {number}");')
        types = ", ".join(parameter.type for parameter in each.parameters) or "void"
        # The prototype as it was read is the one the compiler knows, but for const.
        lines.append(f"{{ {each.returns} (*as_read)({types}) = ({each.returns} (*)({types})){each.name}; (void)as_read; }}")
        lines.append(
            f'_Static_assert(sizeof(__typeof__({call_of(each)}) *) && '
            f'__builtin_types_compatible_p(__typeof__({call_of(each)}), {returned(each, result)}), "{each.name}");'
        )
    compiled_only(tmp_path, lines)


def call_of(function):
    """An unevaluated call: the compiler checks that the number and the kind of arguments are right."""
    arguments = ", ".join(f"*({each.type} *)0" for each in function.parameters)
    return f"{function.name}({arguments})"


def returned(function, result):
    if result is ctypes.c_char_p:
        return "const char *"
    return "void" if result is None else c_type(result)


def compiled_only(tmp_path, lines):
    (tmp_path / "hc").mkdir()
    (tmp_path / "hc/version.h").write_text("")
    (tmp_path / "probe.c").write_text("\n".join(["#include <hc/hc.h>", "void probe(void) {", *lines, "}"]))
    includes = ["-I", str(ROOT / "include"), "-I", str(tmp_path)]
    command = [os.environ.get("CC", "cc"), "-std=gnu11", "-c", *includes, "probe.c", "-o", "probe.o"]
    ran = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_the_shared_library_has_every_function():
    from hc._library import lib

    for name in _ffi.FUNCTIONS:
        assert getattr(lib, name)
