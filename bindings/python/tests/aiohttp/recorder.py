"""A server that keeps what it was sent, byte by byte, and answers as a test says."""

import socket
import threading
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

import pytest


class Request(NamedTuple):
    connection: int  # from 1, in the order of accept()
    method: str
    target: str
    fields: List[Tuple[str, str]]
    body: bytes

    @property
    def headers(self) -> Dict[str, str]:
        """Lower-case names; of several fields the last one."""
        return {name.lower(): value for name, value in self.fields}

    def values(self, name: str) -> List[str]:
        return [value for given, value in self.fields if given.lower() == name.lower()]


def reply(body: bytes = b"", *fields: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", *fields, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


Answer = Callable[[Request], Optional[bytes]]


class Recorder:
    """`answer` is given each request, and gives what is sent; None closes. What it sends with "Connection: close" too."""

    def __init__(self, answer: Optional[Answer] = None, family: int = socket.AF_INET, address: Any = ("127.0.0.1", 0)) -> None:
        self.answer: Answer = answer or (lambda request: reply(b"ok"))
        self.requests: List[Request] = []
        self.connections = 0
        self.most_at_once = 0
        self._open: List[socket.socket] = []
        self._lock = threading.Lock()
        self._listener = socket.socket(family)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(address)
        self._listener.listen(256)
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def last(self) -> Request:
        return self.requests[-1]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                self._open.append(connection)
                self.most_at_once = max(self.most_at_once, len(self._open))
                thread = threading.Thread(target=self._serve, args=(connection, self.connections))
                self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        try:
            file = connection.makefile("rb")
            while True:
                request = _read(file, connection, number)
                if request is None:
                    return
                with self._lock:
                    self.requests.append(request)
                answer = self.answer(request)
                if answer is None:
                    return
                connection.sendall(_head(answer) if request.method == "HEAD" else answer)
                if b"connection: close" in answer.partition(b"\r\n\r\n")[0].lower():
                    return
        except OSError:
            pass
        finally:
            with self._lock:
                self._open.remove(connection)
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()
            file.close()

    def stop(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()


def _head(answer: bytes) -> bytes:
    head, end, _ = answer.partition(b"\r\n\r\n")
    return head + end


def _read(file: Any, connection: socket.socket, number: int) -> Optional[Request]:
    line = file.readline()
    if not line:
        return None
    method, target, _ = line.decode("latin-1").split(" ", 2)
    fields = []
    while True:
        line = file.readline()
        if line in (b"\r\n", b""):
            break
        name, _, value = line.decode("latin-1").rstrip("\r\n").partition(":")
        fields.append((name, value.strip(" ")))
    head = Request(number, method, target, fields, b"")
    if head.headers.get("expect") == "100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    return head._replace(body=_read_body(file, head.headers))


def _read_body(file: Any, headers: Dict[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return _exactly(file, int(headers.get("content-length", 0)))
    body = b""
    while True:
        size = int(file.readline().split(b";")[0] or _broken_off(), 16)
        body += _exactly(file, size)
        file.readline()
        if size == 0:
            return body


def _exactly(file: Any, count: int) -> bytes:
    data = bytes(file.read(count))
    return data if len(data) == count else _broken_off()


def _broken_off() -> Any:
    raise ConnectionResetError("a request without an end")


@pytest.fixture
def recorder() -> Any:
    with Recorder() as made:
        yield made
