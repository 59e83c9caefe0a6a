"""The Debian packages: what is in them, and what one can do with them on a clean system."""

import gzip
import hashlib
import os
import re
import subprocess

from check_linking import check as linking_offences
from conftest import LIBRARIES, ROOT, VERSION, WORK, build_packages, must

EXAMPLE = "/matrix/source/bindings/examples/c/thousand.c"
ADDS_UP = "999 answers, 499000 bytes, 1 failure"


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.deb")}


def files(folder):
    return sorted("/" + path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


# ------------------------------------------------------------------------------------------------- as they are built


def test_lintian_has_nothing_to_say(packages):
    (changes,) = (WORK / "first").glob("*.changes")
    must("lintian", "--allow-root", "--fail-on", "error,warning", "--display-info", changes)


def test_the_same_source_gives_the_same_packages(packages):
    """In another folder, with another umask, time zone and locale, all compiled anew."""
    elsewhere = {"TZ": "Asia/Kathmandu", "LC_ALL": "C", "LANGUAGE": "de", "CCACHE_DISABLE": "1"}
    before = os.umask(0o077)
    try:
        build_packages(WORK / "second/in/another/place", elsewhere)
    finally:
        os.umask(before)
    first = digests(WORK / "first")
    assert len(first) > 4 and first == digests(WORK / "second/in/another/place")


def test_each_package_has_what_belongs_into_it(contents):
    assert [path for path in files(contents / "libhc0") if "/doc/" not in path] == [
        f"/{LIBRARIES}/libhc.so.0",
        f"/{LIBRARIES}/libhc.so.{VERSION}",
    ]
    assert f"/{LIBRARIES}/libhc.so" in files(contents / "libhc-dev")
    assert [path for path in files(contents / "libhc-bin") if "/doc/" not in path] == [
        "/usr/bin/hcx",
        "/usr/share/man/man1/hcx.1.gz",
    ]
    python = files(contents / "python3-hc")
    assert "/usr/lib/python3/dist-packages/hc/__init__.py" in python
    assert not [path for path in python if ".so" in path or "__pycache__" in path]


def test_symbols_belong_to_versions(contents, packages):
    symbols = must("dpkg-deb", "--info", packages["libhc0"], "symbols")
    assert symbols.startswith("libhc.so.0 libhc0 #MINVER#\n")
    listed = re.findall(r"^ (\w+)@HC_([\d.]+) ([\d.]+)", symbols, re.MULTILINE)
    wanted = re.findall(r"^(\w+)@@HC_([\d.]+)$", (ROOT / "capi/exports.txt").read_text(), re.MULTILINE)
    assert [each[:2] for each in listed if not each[0].startswith("HC_")] == wanted
    assert "libhc0 (>= 0.1.0)" in must("dpkg-deb", "--field", packages["libhc-bin"], "Depends")


def test_programs_are_hardened(contents):
    library, program = contents / "libhc0" / LIBRARIES / "libhc.so.0", contents / "libhc-bin/usr/bin/hcx"
    assert linking_offences(str(library)) == []
    for path in (library, program):
        imported = must("nm", "--dynamic", "--undefined-only", path)
        assert "__stack_chk_fail" in imported
        assert re.search(r"__\w+_chk@", imported), "no fortified function"
    assert "DYN (Position-Independent Executable file)" in must("readelf", "--file-header", program)
    assert re.search(r"FLAGS_1\).*NOW.*PIE", must("readelf", "--dynamic", program))


# ------------------------------------------------------------------------------------------- on a clean system


def run_inside(debian, *command):
    result = subprocess.run(debian.command(*command), capture_output=True, text=True, check=False, timeout=300)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_the_c_example_with_nothing_but_pkg_config(debian, served):
    compile_it = f"cc -std=c99 {EXAMPLE} $(pkg-config --cflags --libs libhc) -o /tmp/thousand"
    run_inside(debian, "sh", "-c", compile_it)
    assert ADDS_UP in run_inside(debian, "/tmp/thousand", served)


def test_the_c_example_with_find_package(debian, served):
    run_inside(debian, "mkdir", "-p", "/tmp/project")
    run_inside(debian, "cp", EXAMPLE, "/tmp/project/consumer.c")
    run_inside(debian, "cp", "/matrix/source/tests/install/CMakeLists.txt", "/tmp/project")
    run_inside(debian, "cmake", "-S", "/tmp/project", "-B", "/tmp/project/build")
    run_inside(debian, "cmake", "--build", "/tmp/project/build")
    assert ADDS_UP in run_inside(debian, "/tmp/project/build/consumer", served)


def test_python_finds_the_library_of_the_system(debian, served):
    program = (
        "import asyncio, hc, importlib.metadata, sys\n"
        "async def main():\n"
        "    async with hc.Session() as session:\n"
        "        return [await session.get(sys.argv[1] + '/bytes/10') for _ in range(2)]\n"
        "answers = asyncio.run(main())\n"
        "print(hc.library_path, importlib.metadata.version('libhc'), *(len(each.body) for each in answers))\n"
    )
    printed = run_inside(debian, "python3", "-W", "error", "-c", program, served)
    assert printed.split() == ["libhc.so.0", VERSION, "10", "10"]


def test_hcx_and_its_manual_page(debian, served):
    assert run_inside(debian, "hcx", "get", served + "/method") == "GET"
    assert run_inside(debian, "hcx", "--version").startswith(f"hcx {VERSION} ")
    assert b"\n.Dt HCX 1\n" in gzip.decompress((debian.root / "usr/share/man/man1/hcx.1.gz").read_bytes())


def test_nothing_is_left_when_they_are_removed(debian, packages, served):
    """The last one: it takes away what the others use."""
    listed = [path for name in packages for path in debian.output("dpkg", "-L", name).splitlines()]
    own = [path for path in listed if re.search("hc", os.path.basename(path))]
    assert own and all((debian.root / path.lstrip("/")).exists() for path in own)
    run_inside(debian, "apt-get", "-q", "-y", "purge", *packages)
    assert [path for path in own if (debian.root / path.lstrip("/")).exists()] == []
