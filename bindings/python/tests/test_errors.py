"""Every code of hc.h has its exception, and real failures raise them with all details."""

import asyncio
import builtins
import copy
import pickle
import socket
import time

import pytest
from conftest import Scripted, answer

import hc
from hc import _ffi, errors

CODES = {name: value for name, value in vars(_ffi).items() if name.startswith("HC_E_")}


def raised(url, run=None, **options):
    """What a request comes to, which must be an error; the session's options are in `session`."""
    session_options = options.pop("session", {})
    method = options.pop("method", "GET")
    with hc.Session(**session_options) as session, pytest.raises(hc.Error) as caught:
        session.request_sync(method, url, **options)
    error = caught.value
    assert error.method == method and error.url == url and str(error)
    return error


@pytest.mark.parametrize("name", sorted(CODES))
def test_every_code_has_a_class_of_its_own(name):
    kind = errors.BY_CODE[CODES[name]]
    error = errors.of_code(CODES[name])
    assert type(error) is kind and kind.code == CODES[name] and kind.__doc__
    assert error.code_name == name
    assert str(error) and error.message == str(error) == error.args[0]
    is_timeout = name.startswith("HC_E_TIMEOUT_")
    assert error.clock == (name[len("HC_E_TIMEOUT_") :].lower() if is_timeout else None)
    assert isinstance(error, builtins.TimeoutError) == is_timeout
    assert isinstance(error, asyncio.TimeoutError) == is_timeout


def test_an_unknown_code_is_still_an_error_with_a_message():
    error = errors.of_code(-1234)
    assert type(error) is hc.Error and error.code == -1234 and str(error) and error.code_name == "HC_E_?"


def test_no_message_is_empty():
    for kind in errors.BY_CODE.values():
        assert str(kind()) and str(kind(""))
    assert str(hc.Error())


def test_they_are_also_what_python_calls_such_things():
    for kind, builtin in [
        (errors.InvalidError, ValueError), (errors.NoMemoryError, MemoryError), (errors.DNSError, ConnectionError),
        (errors.ConnectError, ConnectionError), (errors.StaleError, ConnectionError),
        (errors.DisconnectedError, ConnectionError), (errors.TotalTimeoutError, TimeoutError),
    ]:
        assert issubclass(kind, builtin) and issubclass(kind, hc.Error)


@pytest.mark.parametrize("clone", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_they_can_be_copied_and_pickled(clone):
    error = raised("http://127.0.0.1:1/")
    again = clone(error)
    assert type(again) is errors.ConnectError and str(again) == str(error)
    assert (again.phase, again.native_code, again.url) == (error.phase, error.native_code, error.url)
    assert again.phase_seconds == error.phase_seconds and again.code == error.code


# ------------------------------------------------------------------------------------------------------ real failures


def test_refused():
    error = raised("http://127.0.0.1:1/")
    assert type(error) is errors.ConnectError and isinstance(error, errors.UnreachableError)
    assert (error.code_name, error.phase, error.native_domain, error.native_code) == (
        "HC_E_CONNECT", "connecting", "errno", 111,
    )
    assert "127.0.0.1:1" in str(error) and error.phase_seconds > 0


@pytest.mark.parametrize("name, code", [("gone.test", 4), ("broken.test", None)])
def test_dns(server, name, code):
    error = raised(f"http://{name}:{server.port}/", session={"nameservers": server.endpoints["dns"]})
    assert type(error) is errors.DNSError and error.phase == "resolving" and error.native_domain == "ares"
    assert code is None or error.native_code == code


@pytest.mark.parametrize("url", ["", "foo", "ftp://x/", "http://", "http://x:99999/", "http://x/\r\nA: b"])
def test_bad_urls(url):
    error = raised(url)
    assert type(error) is errors.InvalidError and str(error).startswith("url") and error.phase == ""


def test_bad_methods(url):
    assert str(raised(url, method="GE T")).startswith("method")


def test_disconnected_and_incomplete(url):
    assert type(raised(url + "/fin?after=request")) is errors.DisconnectedError
    assert type(raised(url + "/reset?after=half-head")) is errors.DisconnectedError
    error = raised(url + "/truncate?claimed=100&sent=50")
    assert type(error) is errors.IncompleteError and error.phase == "receiving"


def test_stale(url):
    with hc.Session() as session:
        session.get_sync(url + "/bytes/1")
        with pytest.raises(errors.StaleError):
            session.post_sync(f"{url}/once/{time.monotonic_ns()}?die=before_reply&times=1", body=b"x")


@pytest.mark.parametrize("path", ["/badstatus", "/badheader", "/both"])
def test_protocol(url, path):
    assert type(raised(url + path)) is errors.ProtocolError


def test_bad_chunks(url):
    assert type(raised(url + "/badchunk")) is errors.ProtocolError


def test_tls_handshake_with_a_server_that_speaks_none():
    with Scripted(answer(b"no TLS here"), at_once=True) as scripted:
        error = raised(scripted.url.replace("http:", "https:"))
    assert type(error) is errors.TLSError and error.phase == "connecting"
    assert "wrong version number" in str(error), "it showed no certificate that could be at fault"


def test_closed(url, run):
    session = hc.Session()
    session.close_sync()
    for call in (lambda: session.get_sync(url), lambda: run(session_get(session, url)), session.dns_clear):
        with pytest.raises(errors.ClosedError):
            call()
    assert session.closed and session.stats()["submitted"] == 0


async def session_get(session, url):
    return await session.get(url)


def test_a_callback_that_refuses_and_one_that_raises(url, monkeypatch):
    seen = []
    monkeypatch.setattr("sys.unraisablehook", seen.append)
    assert type(raised(url, session={"on_socket": lambda info: False})) is errors.CallbackError
    assert seen == []
    error = raised(url, session={"on_socket": lambda info: 1 / 0})
    assert type(error) is errors.CallbackError
    assert [each.exc_type for each in seen] == [ZeroDivisionError]


def test_a_blocking_call_inside_a_callback_is_a_deadlock(url, monkeypatch):
    seen, caught = [], []
    monkeypatch.setattr("sys.unraisablehook", seen.append)

    def call(info):
        try:
            session.get_sync(url)
        except hc.Error as error:
            caught.append(error)
        session.close_sync()

    with hc.Session(on_socket=call) as session, pytest.raises(errors.CallbackError):
        session.get_sync(url)
    assert type(caught[0]) is errors.DeadlockError
    assert [each.exc_type for each in seen] == [errors.DeadlockError]


# --------------------------------------------------------------------------------------------------------------- clocks


def clock_cases(server, silent, unreachable):
    """(clock, URL, session options)"""
    dns = {"nameservers": server.endpoints["dns"]}
    yield "total", f"http://mute.test:{server.port}/", dns, "resolving"  # where it is at once
    yield "dns", f"http://mute.test:{server.port}/", dns, "resolving"
    yield "connect", f"http://127.0.0.1:{unreachable}/", {}, "connecting"
    yield "sock_connect", f"http://127.0.0.1:{unreachable}/", {}, "connecting"
    yield "sock_read", f"http://127.0.0.1:{silent}/", {}, "awaiting"
    yield "first_byte", f"http://127.0.0.1:{silent}/", {}, "awaiting"


@pytest.mark.parametrize("where", ["session", "request"])
def test_each_clock_has_its_exception(server, silent, unreachable, where):
    for clock, url, session, phase in clock_cases(server, silent, unreachable):
        timeout = hc.Timeout(**{clock: 0.1})
        given = {"timeout": timeout} if where == "request" else {}
        if where == "session":
            session = {**session, "timeout": timeout}
        started = time.monotonic()
        error = raised(url, session=session, **given)
        assert type(error).__name__.lower() == clock.replace("_", "") + "timeouterror", error
        assert isinstance(error, errors.TimeoutError) and error.clock == clock and error.phase == phase
        assert time.monotonic() - started >= 0.1 and 0 < error.phase_seconds < 10


def test_the_pool_clock(url, run):
    async def main():
        async with hc.Session(limit=1, timeout=hc.Timeout(pool=0.1)) as session:
            first = asyncio.ensure_future(session.get(url + "/hang"))
            await asyncio.sleep(0)  # it is sent first
            with pytest.raises(errors.PoolTimeoutError) as caught:
                await session.get(url + "/bytes/1")
            assert caught.value.phase == "waiting" and caught.value.phase_seconds >= 0.1
            assert not first.done()
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)

    run(main())


def test_the_sock_write_clock():
    """A server that reads nothing: the upload stops when its buffers are full."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        error = raised(
            url, method="POST", body=bytes(20_000_000), session={"send_buffer": 4096},
            timeout=hc.Timeout(sock_write=0.2),
        )
    assert type(error) is errors.SockWriteTimeoutError and error.phase == "sending"


def test_a_number_is_the_total_clock(silent):
    assert type(raised(f"http://127.0.0.1:{silent}/", timeout=0.05)) is errors.TotalTimeoutError


def test_control_bytes_of_a_server_do_not_reach_the_terminal():
    with Scripted(b"HTTP/1.1 200 OK\r\nContent-Length: 1\x1b[31m\r\n\r\n") as scripted:
        assert "\x1b" not in str(raised(scripted.url))
    assert answer(b"")
