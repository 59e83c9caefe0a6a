"""Runs each example as a user does, against an installed libhc and the embedded server.

    ./run test examples

Each language has three tests: all adds up and nothing is left open; a sum that is wrong is not overlooked; a mistake
gives that language's own kind of error, with the one line of the C interface in it.
"""

import os
import pathlib
import re
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
LIBRARY = pathlib.Path(os.environ["HC_LIBRARY"])
HCX = os.environ["HC_HCX"]
WORK = LIBRARY.parent.parent / "examples"
PREFIX = WORK / "prefix"
PATIENCE = 240  # seconds; for a machine that is busy
THE_LINE = "url: unknown scheme; only http and https are known"


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, **options)


def must(*command, **options):
    result = run(*command, **options)
    assert result.returncode == 0, result.stdout + result.stderr


class Language:
    """How an example is built and started, and what its error looks like. `build` has commands of the shell."""

    def __init__(self, name, start, error, build=()):
        self.name, self.start, self.error, self.build = name, start, error, build

    def run(self, url):
        return run(*self.start, url, cwd=HERE / self.name, env=ENVIRONMENT)


def compiled(compiler, source):
    """As the comment at the top of the example has it, and nothing to complain about."""
    flags = "-Wall -Wextra -pedantic -Werror"
    return f"{compiler} {flags} {source} $(pkg-config --cflags --libs libhc) -o {WORK}/{source}.bin"


ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if name != "HC_LIBRARY"},
    "PKG_CONFIG_PATH": f"{PREFIX}/lib/pkgconfig",
    "LD_LIBRARY_PATH": f"{PREFIX}/lib",
    "HC_HEADER": f"{PREFIX}/include/hc/hc.h",
    "NODE_PATH": f"{WORK}/node/node_modules",
    "GOCACHE": f"{WORK}/go-cache",
    "GOFLAGS": "-buildvcs=false",
}
LANGUAGES = [
    Language(
        "c",
        [f"{WORK}/thousand.c.bin"],
        error=r"thousand: HC_E_INVALID: {line}\n",
        build=[compiled("cc -std=c99", "thousand.c")],
    ),
    Language(
        "cpp",
        [f"{WORK}/thousand.cpp.bin"],
        error=r"thousand: hc::Error: HC_E_INVALID: {line}\n",
        build=[compiled("c++ -std=c++17", "thousand.cpp")],
    ),
    Language("lua", ["luajit", "thousand.lua"], error=r"luajit: hc\.Error: HC_E_INVALID: {line}\n"),
    Language("ruby", ["ruby", "-w", "thousand.rb"], error=r"thousand\.rb:\d+:in `check': {line} \(HC::Error\)\n"),
    Language(
        "go",
        [f"{WORK}/thousand.go.bin"],
        error=r"thousand: \*main\.Error: HC_E_INVALID: {line}\n",
        build=['test -z "$(gofmt -l .)"', "go vet .", f"go build -o {WORK}/thousand.go.bin ."],
    ),
    Language(
        "node",
        ["node", "thousand.js"],
        error=r"\nHcError: {line}\n(    at .*\n)+.*{{\n  code: 'HC_E_INVALID'\n",
        build=[f"mkdir -p {WORK}/node", f"cp package*.json .npmrc {WORK}/node", f"npm ci --prefix {WORK}/node"],
    ),
]


@pytest.fixture(scope="session")
def installed():
    """libhc where its users find it."""
    must("cmake", "--install", str(LIBRARY.parent.parent), "--prefix", str(PREFIX))


@pytest.fixture(scope="session")
def server():
    """The URL of an hcx serve that lives as long as its stdin is open."""
    process = subprocess.Popen(
        [HCX, "serve", "--http", "127.0.0.1:0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    endpoint = process.stdout.readline().split()[1]
    yield f"http://{endpoint}"
    process.stdin.close()
    process.stdout.close()
    process.wait(PATIENCE)


@pytest.fixture(scope="session", params=LANGUAGES, ids=lambda language: language.name)
def language(request, installed):
    for command in request.param.build:
        must("sh", "-c", command, cwd=HERE / request.param.name, env=ENVIRONMENT)
    return request.param


def test_a_thousand_requests_add_up_and_nothing_is_left_open(language, server):
    result = language.run(server)
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.fullmatch(
        r"request 500 failed: HC_E_DISCONNECTED: [^\n]+\n"
        r"999 answers, 499000 bytes, 1 failure, at most ([1-9]|[1-4]\d|50) connections\n",
        result.stdout,
    ), result.stdout
    assert result.stderr == ""


def test_wrong_sums_are_not_overlooked(language, server):
    result = language.run(server + "/status/404?")
    assert result.returncode == 1, result.stdout + result.stderr
    assert result.stdout.startswith("0 answers, 0 bytes, 0 failure, at most "), result.stdout


def test_a_mistake_is_that_languages_kind_of_error(language):
    result = language.run("ftp://127.0.0.1")
    assert result.returncode == 1, result.stdout + result.stderr
    assert re.search(language.error.format(line=re.escape(THE_LINE)), result.stderr), result.stderr
    assert result.stdout == ""
