"""The Python wheel: it carries libhc.so, and needs nothing that is not in it but the system's libraries."""

import os
import re
import subprocess
import sys
import zipfile

import pytest
from conftest import LIBRARIES, ROOT, VERSION, must


@pytest.fixture(scope="module")
def library(contents):
    return contents / "libhc0" / LIBRARIES / "libhc.so.0"


@pytest.fixture(scope="module")
def wheel(library, tmp_path_factory):
    return must(ROOT / "tools/wheel.sh", library, tmp_path_factory.mktemp("wheel")).strip()


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """An interpreter of its own, that has the wheel and nothing else."""
    home = tmp_path_factory.mktemp("venv")
    must(sys.executable, "-m", "venv", "--without-pip", home)
    (packages,) = home.glob("lib/python3*/site-packages")
    pip = [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--quiet", "--disable-pip-version-check"]
    must(*pip, "--root-user-action=ignore", "--target", packages, wheel)
    return home / "bin/python"


def test_it_is_for_this_kind_of_machine_and_every_python(wheel):
    assert re.search(rf"/libhc-{re.escape(VERSION)}-py3-none-linux_\w+\.whl$", wheel)
    with zipfile.ZipFile(wheel) as archive:
        libraries = [name for name in archive.namelist() if ".so" in name]
    assert libraries == ["hc/libhc.so.0"]


def test_the_same_library_gives_the_same_wheel(wheel, library, tmp_path):
    again = must(ROOT / "tools/wheel.sh", library, tmp_path).strip()
    with open(wheel, "rb") as one, open(again, "rb") as other:
        assert one.read() == other.read()


def test_it_fetches_with_its_own_library(python, contents, library):
    hcx = contents / "libhc-bin/usr/bin/hcx"
    program = (
        "import hc, os, sys\n"
        "with hc.Session() as session:\n"
        "    print(session.get_sync(sys.argv[1] + '/bytes/10').body)\n"
        "print(os.path.relpath(hc.library_path, sys.prefix))\n"
    )
    environment = {key: value for key, value in os.environ.items() if key not in ("HC_LIBRARY", "PYTHONPATH")}
    command = [hcx, "serve", "--http", "127.0.0.1:0"]
    found = {**environment, "LD_LIBRARY_PATH": str(library.parent)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=found) as server:
        url = f"http://{server.stdout.readline().split()[1]}"
        body, where = must(python, "-I", "-c", program, url, env=environment).splitlines()
        server.stdin.close()
    assert len(eval(body)) == 10
    assert re.fullmatch(r"lib/python3[.\d]*/site-packages/hc/libhc\.so\.0", where)
