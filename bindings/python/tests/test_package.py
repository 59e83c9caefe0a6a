"""The package as such: found libraries, types, an installation without a compiler."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
from conftest import PACKAGE, ROOT, passes, python

import hc

LIBRARY = os.environ["HC_LIBRARY"]
IMPORT = "import hc; print(hc.library_path)"


def fails(ran):
    """The last line of a traceback."""
    assert ran.returncode == 1, ran.stdout
    return ran.stderr.strip().splitlines()[-1]


def compiled(tmp_path, code):
    """A shared library of C code."""
    (tmp_path / "made.c").write_text(code)
    command = [os.environ.get("CC", "cc"), "-shared", "-fPIC", "made.c", "-o", "made.so"]
    subprocess.run(command, cwd=tmp_path, check=True)
    return str(tmp_path / "made.so")


@pytest.fixture
def copy(tmp_path):
    """A copy of the package, to put files in."""
    shutil.copytree(PACKAGE / "hc", tmp_path / "copy/hc", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "copy"


def test_hc_library_names_the_file():
    assert passes(python(IMPORT, HC_LIBRARY=LIBRARY)) == LIBRARY + "\n"


def test_a_wrong_hc_library_is_an_import_error_and_nothing_else_is_tried():
    message = fails(python(IMPORT, HC_LIBRARY="/no/such/libhc.so"))
    assert message.startswith("ImportError: hc: cannot load libhc") and "/no/such/libhc.so" in message
    assert "HC_LIBRARY" in message


def test_the_package_folder_comes_before_the_system(copy):
    shutil.copy(LIBRARY, copy / "hc/libhc.so.0")
    assert passes(python(IMPORT, HC_LIBRARY="", PYTHONPATH=str(copy))) == f"{copy}/hc/libhc.so.0\n"


def test_the_loader_of_the_system_is_asked_last(copy, tmp_path):
    (tmp_path / "lib").mkdir()
    shutil.copy(LIBRARY, tmp_path / "lib/libhc.so.0")
    found = python(IMPORT, HC_LIBRARY="", PYTHONPATH=str(copy), LD_LIBRARY_PATH=str(tmp_path / "lib"))
    assert passes(found) == "libhc.so.0\n"
    message = fails(python(IMPORT, HC_LIBRARY="", PYTHONPATH=str(copy), LD_LIBRARY_PATH=""))
    assert message.startswith("ImportError: hc: cannot load libhc (libhc.so.0: cannot open")


@pytest.mark.parametrize("number", ["2000", "1000002", "999"])
def test_another_version_is_an_import_error(tmp_path, number):
    other = compiled(tmp_path, f"unsigned hc_version_number(void) {{ return {number}; }}")
    message = fails(python(IMPORT, HC_LIBRARY=other))
    assert message.startswith("ImportError: hc: ") and "is version" in message and hc.version() in message


def test_what_is_not_libhc_or_lacks_functions_is_an_import_error(tmp_path):
    assert "is not libhc" in fails(python(IMPORT, HC_LIBRARY=compiled(tmp_path, "int x;")))
    older = compiled(tmp_path, "unsigned hc_version_number(void) { return 1000; }")
    assert "has no hc_version" in fails(python(IMPORT, HC_LIBRARY=older))


def test_the_same_version_with_another_struct_is_an_import_error(copy):
    path = copy / "hc/_ffi.py"
    path.write_text(path.read_text().replace('("priority", c_int32),', '("priority", c_int64), ("more", c_int64),'))
    message = fails(python(IMPORT, PYTHONPATH=str(copy)))
    assert "has another hc_request" in message


def test_versions_agree():
    version = re.search(r"project\(libhc VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text()).group(1)
    assert version == hc.version()
    assert f'version = "{version}"' in (PACKAGE / "pyproject.toml").read_text()


def test_runtime_info():
    info = hc.runtime_info()
    assert info.curl_version_number >= 0x075800 and info.curl_version[0].isdigit() and info.tls_version
    assert 0 < info.descriptor_budget <= info.descriptor_limit


def test_the_oldest_python_has_the_syntax_and_the_library_that_are_used(tmp_path):
    """mypy knows what each version has. Only another interpreter can tell more; see CONTRIBUTING.md."""
    oldest = re.search(r'requires-python = ">=(.*)"', (PACKAGE / "pyproject.toml").read_text()).group(1)
    mypy = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache")]
    mypy += ["--python-version", oldest]
    ran = subprocess.run([*mypy, "hc"], cwd=PACKAGE, capture_output=True, text=True, check=False)
    if ran.returncode == 2 and "--python-version" in ran.stderr:
        pytest.skip(f"this mypy is too new to know Python {oldest}")
    assert ran.returncode == 0, ran.stdout
    too_new = tmp_path / "too_new.py"
    too_new.write_text("import itertools\nitertools.pairwise([])\n")
    ran = subprocess.run([*mypy, str(too_new)], capture_output=True, text=True, check=False)
    assert ran.returncode == 1 and "pairwise" in ran.stdout, ran.stdout


def test_mypy_strict(tmp_path):
    """The package itself, and a user of it: what is right passes, what is wrong does not."""
    mypy = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache")]
    ran = subprocess.run([*mypy, "hc"], cwd=PACKAGE, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
    user = tmp_path / "user.py"
    user.write_text(pathlib.Path(__file__).with_name("typed_user.py").read_text())
    environment = {**os.environ, "MYPYPATH": str(PACKAGE)}
    ran = subprocess.run([*mypy, str(user)], env=environment, capture_output=True, text=True, check=False)
    wrong = [number for number, line in enumerate(user.read_text().splitlines(), 1) if "# wrong" in line]
    told = sorted({int(line.split(":")[1]) for line in ran.stdout.splitlines() if ": error:" in line})
    assert told == wrong, ran.stdout


def test_it_installs_without_a_compiler(tmp_path):
    shutil.copytree(PACKAGE, tmp_path / "source", ignore=shutil.ignore_patterns("__pycache__", "tests", "build"))
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    command += ["--disable-pip-version-check", "--root-user-action=ignore", "--target", str(tmp_path / "there")]
    environment = {**os.environ, "CC": "/bin/false"}
    subprocess.run([*command, str(tmp_path / "source")], env=environment, check=True, capture_output=True)
    assert (tmp_path / "there/hc/py.typed").exists()
    printed = passes(python("import hc; print(hc.__file__, hc.version())", PYTHONPATH=str(tmp_path / "there")))
    assert printed == f"{tmp_path}/there/hc/__init__.py {hc.version()}\n"


def test_all_names_what_there_is():
    assert sorted(hc.__all__) == sorted(set(hc.__all__)) and all(hasattr(hc, name) for name in hc.__all__)
