#!/usr/bin/python3
"""Checks that programs compiled against earlier headers still fit the library: docs/abi.md as a check.

    tools/check_abi.py LIBRARY      compares with every baseline of the library's SONAME; exit 1 if one does not fit
    tools/check_abi.py --keep       makes the header of today the baseline of its version

A baseline is what a version promised, abi/SONAME/VERSION:
  hc/hc.h, hc/version.h    its header, without comments
  hc.map                   its version script

Compared are: the header's constants, callbacks and structs, field by field; the script's nodes; and with abidiff the
built library, with a library of empty functions made from the baseline.
"""

import ctypes
import pathlib
import re
import subprocess
import sys
import tempfile

import hc_header
import python_ffi
from check_exports import nodes_of_map

ROOT = pathlib.Path(__file__).resolve().parent.parent
GROWS_WITHOUT_STRUCT_SIZE = {"hc_completion"}  # its length is an argument of hc_queue_drain


# --------------------------------------------------------------------------------------------------- baselines


def version_header(root):
    version = re.search(r"project\(libhc VERSION ([\d.]+)", (root / "CMakeLists.txt").read_text()).group(1)
    text = (root / "include/hc/version.h.in").read_text().replace("@PROJECT_VERSION@", version)
    for name, number in zip(("MAJOR", "MINOR", "PATCH"), version.split(".")):
        text = text.replace(f"@PROJECT_VERSION_{name}@", number)
    return version, text


def without_comments(header):
    command = ["gcc", "-w", "-fpreprocessed", "-dD", "-E", "-P", "-x", "c", str(header)]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return "".join(line.rstrip() + "\n" for line in shown.splitlines())


def keep(root):
    """Writes the baseline of the version that the tree is; returns its folder."""
    version, version_text = version_header(root)
    soversion = re.search(r"set\(HC_SOVERSION (\d+)\)", (root / "CMakeLists.txt").read_text()).group(1)
    folder = root / f"abi/libhc.so.{soversion}" / version.rpartition(".")[0]
    (folder / "hc").mkdir(parents=True, exist_ok=True)
    (folder / "hc/hc.h").write_text(without_comments(root / "include/hc/hc.h"))
    (folder / "hc/version.h").write_text(version_text)
    (folder / "hc.map").write_text((root / "capi/hc.map").read_text())
    return folder


# ------------------------------------------------------------------------------------------------ what is written


def layouts(text):
    """{struct: (size, [(name, type, offset)])} of a header's text, as C lays them out here."""
    namespace = {}
    exec(python_ffi.Writer(text).write(0), namespace)  # our own generator's output
    found = {}
    for struct in hc_header.structs(text):
        made = namespace[struct.name]
        types = [field.type + (f"[{field.count}]" if field.count else "") for field in struct.fields]
        rows = [(field.name, kind, getattr(made, field.name).offset) for field, kind in zip(struct.fields, types)]
        found[struct.name] = (ctypes.sizeof(made), rows)
    return found


def changed_constants(old, new):
    old, new = hc_header.constants(old), hc_header.constants(new)
    return [f"{name}: was {value}, is {new.get(name, 'gone')}" for name, value in old.items() if new.get(name) != value]


def changed_callbacks(old, new):
    plain = {each.name: (each.returns, [one.type for one in each.parameters]) for each in hc_header.callbacks(new)}
    return [
        f"{each.name}: other arguments or another result than before"
        for each in hc_header.callbacks(old)
        if plain.get(each.name) != (each.returns, [one.type for one in each.parameters])
    ]


def changed_structs(old, new):
    old, new = layouts(old), layouts(new)
    offences = []
    for name, (size, rows) in old.items():
        if name not in new:
            offences.append(f"{name}: gone")
            continue
        new_rows = new[name][1]
        if new_rows[: len(rows)] != rows:
            was, now = next(pair for pair in zip(rows, new_rows + [None]) if pair[0] != pair[1])
            offences.append(f"{name}.{was[0]}: was {describe(was)}, is {describe(now)}: new fields go to the end")
        elif len(new_rows) > len(rows):
            offences += bad_growth(name, size, rows, new_rows[len(rows)])
    return offences


def describe(row):
    return "gone" if row is None else f"{row[1]} {row[0]} at {row[2]}"


def bad_growth(name, size, rows, first_new):
    if rows[0][0] != "struct_size" and name not in GROWS_WITHOUT_STRUCT_SIZE:
        return [f"{name}.{first_new[0]}: is new in a struct that cannot grow"]
    if first_new[2] < size:
        return [f"{name}.{first_new[0]}: lies in what was padding: {name} is no longer than before"]
    return []


def changed_nodes(old, new):
    """The nodes of a version script are only added, at the end, and each stands on the one before."""
    before, now = nodes_of_map(old), nodes_of_map(new)
    if now[: len(before)] != before:
        return [f"hc.map: nodes were {', '.join(before)}, are {', '.join(now)}: new ones go to the end"]
    plain = re.sub(r"/\*.*?\*/", "", new, flags=re.DOTALL)
    return [
        f"hc.map: {node} must stand on {earlier}: `}} {earlier};`"
        for earlier, node in zip(now, now[1:])
        if not re.search(rf"{re.escape(node)}\s*\{{[^}}]*\}}\s*{re.escape(earlier)}\s*;", plain)
    ]


# -------------------------------------------------------------------------------------------------- what is built


def make_stub(baseline, soname, work):
    """A library that exports what the baseline's did, with its types."""
    header = (baseline / "hc/hc.h").read_text()
    source = work / "stub.c"
    source.write_text("#include <hc/hc.h>\n" + re.sub(r";$", " { __builtin_trap(); }", _prototypes(header), flags=re.M))
    stub = work / soname
    linking = f"-Wl,-soname,{soname},--version-script={baseline / 'hc.map'}"
    command = ["gcc", "-g", "-shared", "-fPIC", f"-I{baseline}", str(source), linking, "-o", str(stub)]
    subprocess.run(command, check=True)
    return stub


def _prototypes(header):
    return "\n".join(" ".join(text.split()) for text in hc_header.prototypes(header))


def growth_is_fine(old, new):
    """abidiff's suppressions for structs with nothing but new fields at their end. It hides all that happens to such a
    struct, so it is for those only that changed_structs() sees grow."""
    old, new = layouts(old), layouts(new)
    rows = {name: (old[name][1], new[name][1]) for name in old.keys() & new.keys()}
    grown = sorted(name for name, (was, now) in rows.items() if len(now) > len(was) and now[: len(was)] == was)
    section = "[suppress_type]\n  type_kind = struct\n  name = {}\n  has_data_member_inserted_at = end\n"
    return "\n".join(section.format(name) for name in grown)


def changed_library(baseline, library, new_header):
    """What abidiff says about the built library; new functions are none of its business."""
    with tempfile.TemporaryDirectory() as directory:
        work = pathlib.Path(directory)
        stub = make_stub(baseline, soname_of(library), work)
        suppressions = work / "growth.ini"
        suppressions.write_text(growth_is_fine((baseline / "hc/hc.h").read_text(), new_header.read_text()))
        options = ["--exported-interfaces-only", "--leaf-changes-only", "--no-added-syms"]
        options += ["--suppressions", suppressions]
        options += ["--headers-dir1", baseline, "--headers-dir2", new_header.parent.parent]
        command = ["abidiff", *map(str, [*options, stub, library])]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
    return [] if ran.returncode == 0 else [f"abidiff of {library.name}:", *ran.stdout.splitlines(), ran.stderr]


def soname_of(library):
    shown = subprocess.run(["readelf", "-d", str(library)], check=True, capture_output=True, text=True).stdout
    return re.search(r"Library soname: \[(.*)\]", shown).group(1)


def lacks_types(library, header):
    """Without the types of hc.h in its debug information abidiff would find nothing to compare."""
    command = ["readelf", "--debug-dump=info", str(library)]
    known = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return not all(re.search(rf"\b{each.name}\b", known) for each in hc_header.structs(header))


# ------------------------------------------------------------------------------------------------------- start


def check(root, library):
    """All that does not fit, as lines to print, and how many baselines there were."""
    baselines = sorted((root / "abi" / soname_of(library)).glob("*/"))
    if not baselines:
        return [f"no baseline of {soname_of(library)}: ./run baseline"], 0
    new = (root / "include/hc/hc.h").read_text()
    if lacks_types(library, new):
        return [f"{library}: has no debug information about the types of hc.h"], 0
    script = (root / "capi/hc.map").read_text()
    offences = []
    for baseline in baselines:
        old = (baseline / "hc/hc.h").read_text()
        found = changed_constants(old, new) + changed_callbacks(old, new) + changed_structs(old, new)
        found += changed_nodes((baseline / "hc.map").read_text(), script)
        found += changed_library(baseline, library, root / "include/hc/hc.h")
        offences += [f"since {baseline.name}: {line}" for line in found]
    return offences, len(baselines)


def main():
    if sys.argv[1:] == ["--keep"]:
        print(f"kept: {keep(ROOT).relative_to(ROOT)}")
        return 0
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    offences, count = check(ROOT, pathlib.Path(sys.argv[1]).resolve())
    print("\n".join(offences) or f"abi: programs of {count} earlier header{'s' * (count > 1)} fit")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
