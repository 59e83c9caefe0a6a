"""What the tests share: the embedded server, and a way to run a coroutine on each kind of loop.

The library under test is the one of HC_LIBRARY, the server that of HC_HCX; ./run sets both.
"""

import asyncio
import contextlib
import os
import pathlib
import socket
import subprocess
import sys
import textwrap
import threading
import time
from typing import Any, Awaitable, Callable, Iterator, Tuple

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "bindings/python"
HCX = os.environ.get("HC_HCX", str(ROOT / "build/dev/bin/hcx"))
os.environ.setdefault("HC_LIBRARY", str(ROOT / "build/dev/lib/libhc.so.0"))
sys.path.insert(0, str(PACKAGE))

import hc  # noqa: E402
from both import aiohttp, except_in, newer_original, part, since  # noqa: E402,F401

Run = Callable[[Awaitable[Any]], Any]


class Server:
    """`hcx serve`, with its endpoints."""

    def __init__(self, *arguments: str) -> None:
        command = [HCX, "serve", *arguments, "--exit-with-parent"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.endpoints = {}
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line == "ready\n":
                break
            kind, _, value = line.strip().partition(" ")
            self.endpoints[kind] = value
        assert self.endpoints, "hcx serve does not start"

    @property
    def http(self) -> str:
        return "http://" + self.endpoints["http"]

    @property
    def port(self) -> int:
        return int(self.http.rpartition(":")[2])

    @property
    def https(self) -> str:
        return "https://" + self.endpoints["https"]

    def count(self) -> Any:
        """The server's own counters, asked over a connection of their own (which counts, too)."""
        with hc.Session() as session:
            return session.get_sync(self.http + "/count").json()

    def stop(self) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: Any) -> Iterator[Server]:
    names = ["slow.test=127.0.0.1+400", "one.test=127.0.0.1@1", "gone.test=nxdomain", "mute.test=silence"]
    names += ["two.test=127.0.0.1", "first.test=127.0.0.1", "second.test=127.0.0.1", "broken.test=servfail"]
    names += ["cached.test=127.0.0.1@60", "flips.test=127.0.0.1@1/servfail", "late.test=127.0.0.9,127.0.0.1"]
    arguments = ["--http", "127.0.0.1:0", "--https", "127.0.0.1:0", "--dns", "127.0.0.1:0"]
    arguments += ["--tls-directory", str(tmp_path_factory.mktemp("tls"))]
    for name in names:
        arguments += ["--dns-name", name]
    server = Server(*arguments)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def url(server: Server) -> str:
    return server.http


@pytest.fixture(scope="module")
def strict(tmp_path_factory: Any) -> Iterator[Tuple[Server, pathlib.Path]]:
    """A server that asks for a certificate of its own authority: (server, folder)."""
    folder = tmp_path_factory.mktemp("strict")
    server = Server("--https", "127.0.0.1:0", "--tls-directory", str(folder), "--require-client-cert")
    yield server, folder
    server.stop()


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: Any) -> Run:
    """Runs a coroutine to its end on a new loop of each kind."""
    if request.param == "asyncio":
        return asyncio.run
    uvloop = pytest.importorskip("uvloop")

    def run_on_uvloop(coroutine: Awaitable[Any]) -> Any:
        loop = uvloop.new_event_loop()
        try:
            return loop.run_until_complete(coroutine)
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    return run_on_uvloop


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a listener that accepts nothing: a connection is made by the kernel, and nobody answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield listener.getsockname()[1]


@pytest.fixture
def unreachable() -> Iterator[int]:
    """The port of a listener whose backlog is full: connections stay in the connecting state."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = []
        for _ in range(8):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            fillers.append(filler)
        yield listener.getsockname()[1]
        for filler in fillers:
            filler.close()


def reserved() -> socket.socket:
    """Keeps a port of 127.0.0.1 for a program that cannot choose one itself; with SO_REUSEADDR it may listen on it."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    return holder


def wait_until_it_accepts(port: int, process: Any) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)  # the program does not say when it is ready
    raise AssertionError(f"{process.args[0]} does not start")


class Scripted:
    """Answers each connection with fixed bytes after the head of a request has come, or at once, then closes."""

    def __init__(self, answer: bytes, at_once: bool = False) -> None:
        self.answer = answer
        self.at_once = at_once
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/"
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):  # whoever dislikes the answer may reset
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head and not self.at_once:
            got = connection.recv(65536)
            if not got:
                break
            head += got
        connection.sendall(self.answer)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass

    def __enter__(self) -> "Scripted":
        return self

    def __exit__(self, *_: Any) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def python(code: str, *arguments: str, options: Any = ("-X", "dev", "-W", "error"), **environment: str) -> Any:
    """Runs a program in a fresh interpreter; returns the finished process."""
    return _finished([*options, "-c", textwrap.dedent(code), *arguments], environment)


def python_file(program: pathlib.Path, *arguments: str) -> Any:
    """The same for a program in a file, which multiprocessing can import again."""
    return _finished(["-X", "dev", "-W", "error", str(program), *arguments], {})


def _finished(arguments: Any, environment: Any) -> Any:
    return subprocess.run(
        [sys.executable, "-B", *arguments],
        env={**os.environ, "PYTHONPATH": str(PACKAGE), **environment},
        cwd="/",  # -c looks for modules there first
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def passes(ran: Any) -> str:
    """The output of a program that must have ended well and said nothing on stderr."""
    # asyncio's remark about a callback that took 0.1 s tells how busy the machine is.
    told = "".join(line for line in ran.stderr.splitlines(True) if not line.startswith("Executing <"))
    assert (ran.returncode, told) == (0, ""), ran.stderr + ran.stdout
    return str(ran.stdout)


async def until(condition: Callable[[], bool]) -> None:
    """For what has no event of its own, as statistics."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.005)


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def threads() -> int:
    """As pthread_join() counts: one that was joined leaves /proc a moment later."""
    return sum(not _is_exiting(task) for task in os.listdir("/proc/self/task"))


def _is_exiting(task: str) -> bool:
    exiting = 0x4  # PF_EXITING of linux/sched.h
    try:
        with open(f"/proc/self/task/{task}/stat") as file:
            fields = file.read().rpartition(")")[2].split()  # the name may have spaces in it; see proc(5)
    except (FileNotFoundError, ProcessLookupError):
        return True
    return bool(int(fields[6]) & exiting)


def head_of(response: Any) -> Any:
    """{lower-case name: value} of a request head that /echo/head sent back."""
    lines = response.text.split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}


