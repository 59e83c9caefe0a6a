"""What the tests of the packages share: the packages themselves, built once, and a Debian to install them in.

The tests run in a mount and a process namespace of their own (`alone` in ./run), so that no mount outlives them.
"""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "build/packages"
sys.path.insert(0, str(ROOT / "tools"))

from matrix_chroot import Chroot, mount  # noqa: E402

# What a user has who compiles against libhc, or writes Python; libhc's packages name what they need themselves.
TOOLS = ["gcc", "libc6-dev", "cmake", "make", "pkgconf", "python3"]


def must(*command, **options):
    """Runs a program that has to succeed, and returns what it prints."""
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, **options)
    assert result.returncode == 0, f"{' '.join(map(str, command))}\n{result.stdout}{result.stderr}"
    return result.stdout


VERSION = must("dpkg-parsechangelog", "--file", ROOT / "debian/changelog", "--show-field", "Version").strip()
LIBRARIES = f"usr/lib/{must('dpkg-architecture', '--query', 'DEB_HOST_MULTIARCH').strip()}"


def build_packages(folder, environment, *arguments):
    """Their paths by name."""
    with (WORK / f"{folder.name}.log").open("w") as log:
        command = [ROOT / "tools/package.sh", folder, *arguments]
        ran = subprocess.run(command, env={**os.environ, **environment}, stdout=log, stderr=log, check=False)
    assert ran.returncode == 0, f"see {log.name}"
    return {path.name.partition("_")[0]: path for path in folder.glob("*.deb") if "-dbgsym" not in path.name}


@pytest.fixture(scope="session")
def packages():
    WORK.mkdir(parents=True, exist_ok=True)
    return build_packages(WORK / "first", {})


@pytest.fixture(scope="session")
def contents(packages, tmp_path_factory):
    """The files of each package, unpacked in a folder of its name."""
    folder = tmp_path_factory.mktemp("contents")
    for name, path in packages.items():
        must("dpkg-deb", "--extract", path, folder / name)
    return folder


@pytest.fixture(scope="session")
def debian(packages):
    """A clean Debian 12 with a compiler, in which the packages are installed.

    The system itself is kept for the next time; what is installed here lies in memory over it.
    """
    base, clean, memory, shared = WORK / "bookworm", WORK / "clean", WORK / "memory", WORK / "shared"
    shared.mkdir(exist_ok=True)
    Chroot("bookworm", base, shared, WORK, source=ROOT).prepare(TOOLS)
    mount("tmpfs", memory, "-t", "tmpfs")
    (memory / "upper").mkdir()
    (memory / "work").mkdir()
    layers = f"lowerdir={base},upperdir={memory}/upper,workdir={memory}/work"
    mount("overlay", clean, "-t", "overlay", "-o", layers)
    system = Chroot("bookworm", clean, shared, WORK, source=ROOT)
    system.prepare([])
    (WORK / "archives/partial").mkdir(parents=True, exist_ok=True)
    mount(WORK / "archives", clean / "var/cache/apt/archives", "--bind")
    system.install(*(f"/matrix/source/{path.relative_to(ROOT)}" for path in packages.values()))
    return system


@pytest.fixture(scope="session")
def served(debian):
    """The URL of the packaged `hcx serve`, which lives as long as its standard input is open."""
    command = debian.command("hcx", "serve", "--http", "127.0.0.1:0")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        yield f"http://{server.stdout.readline().split()[1]}"
        server.stdin.close()
        server.wait(60)
