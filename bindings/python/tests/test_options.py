"""Each option of a session and of a request does what it says."""

import asyncio
import ctypes
import inspect
import os
import socket
import threading
import time

import pytest
from conftest import head_of, until

import hc
from hc import _ffi, _fields, options
from hc._library import bytes_of


def connection_of(session, url, **more):
    return int(session.get_sync(url + "/connection", **more).text)


# ------------------------------------------------------------------------------------------------- the tables as such


def names_of(structure, without):
    """What the options of a struct of hc.h are called in Python."""
    names = set()
    for name, *_ in structure._fields_:
        if name not in without and not name.startswith("reserved") and not name.endswith(("_count", "_data")):
            names.add("timeout" if name == "timeouts" else name[:-3] if name.endswith("_ms") else name)
    return names


def test_a_session_takes_every_option_of_the_c_interface():
    signature = inspect.signature(hc.Session.__init__).parameters
    expected = names_of(_ffi.hc_session_options, {"struct_size"})
    assert set(signature) - {"self"} == expected
    assert set(options.SESSION_OPTIONS) == expected - {"on_log", "on_socket", "on_resolve", "on_trace"}
    assert all(parameter.default is None for name, parameter in signature.items() if name != "self")


def test_a_request_takes_every_option_of_the_c_interface():
    from hc._signatures import AsyncMethod, AsyncRequest, AsyncStreamRequest, SyncMethod, SyncRequest, SyncStreamRequest

    ours = {"struct_size", "queue", "on_done", "user_data", "body_kind", "body_path", "body_fd", "body_data", "on_body",
            "on_rewind", "on_release", "stream"}
    expected = names_of(_ffi.hc_request, ours) | {"json", "params"}
    for signature in (AsyncStreamRequest, SyncStreamRequest):
        assert set(inspect.signature(signature.__call__).parameters) - {"self"} == expected
    expected -= {"body_window"}
    for signature in (AsyncRequest, SyncRequest):
        assert set(inspect.signature(signature.__call__).parameters) - {"self"} == expected
    for signature in (AsyncMethod, SyncMethod):
        assert set(inspect.signature(signature.__call__).parameters) - {"self"} == expected - {"method"}


def test_a_timeout_has_every_clock_of_the_c_interface():
    assert [name + "_ms" for name in hc.Timeout._fields] == [name for name, *_ in _ffi.hc_timeouts._fields_]


@pytest.mark.parametrize("name", sorted(options.SESSION_OPTIONS))
def test_every_session_option_reaches_its_field(name):
    struct = _ffi.hc_session_options()
    option = options.SESSION_OPTIONS[name]
    kind = dict((field[0], field[1]) for field in _ffi.hc_session_options._fields_)[option.field]
    if name == "family":
        value, expected = "v6", _ffi.HC_FAMILY_V6
    elif kind is ctypes.c_void_p:
        value = hc.TLS()
        expected = value._handle.value
    elif kind is ctypes.c_uint8:
        value, expected = True, _ffi.HC_ON
    elif kind is _ffi.hc_str:
        value, expected = "text", b"text"
    elif name == "timeout":
        value, expected = 1.5, 1500
    elif name in ("headers", "proxy_headers"):
        value, expected = {"a": "b"}, b"a"
    else:
        value, expected = 3, 3000 if option.field.endswith("_ms") else 3
    _fields.fill(struct, options.SESSION_OPTIONS, {name: value})
    got = getattr(struct, option.field)
    if kind is _ffi.hc_str:
        got = got.data
    elif name == "timeout":
        got = got.total_ms
    elif name in ("headers", "proxy_headers"):
        got = bytes_of(got[0].name)
    assert got == expected


@pytest.mark.parametrize(
    "seconds, expected",
    [
        (None, _ffi.HC_UNSET), (0, 0), (1, 1000), (0.3, 300), (0.07, 70), (1e-9, 1), (0.0011, 2), (1.001, 1001),
        (hc.FOREVER, _ffi.HC_FOREVER),
    ],
)
def test_seconds_become_milliseconds_that_are_never_fewer(seconds, expected):
    assert _fields.milliseconds("x", seconds) == expected or (seconds == 1e-9 and expected == 1)


@pytest.mark.parametrize("seconds", [-1, float("nan"), "1", True, 1e300, -float("inf")])
def test_what_is_no_duration_is_refused(seconds):
    with pytest.raises(hc.errors.InvalidError, match="keepalive_timeout"):
        hc.Session(keepalive_timeout=seconds)


@pytest.mark.parametrize(
    "name, value",
    [
        ("limit", -1), ("limit", "1"), ("limit", True), ("limit", 1.5), ("limit", 2**64), ("limit", 2**40),
        ("dns_cache_size", 0), ("force_close", 1), ("family", "v5"), ("user_agent", 7), ("local_addr", "nowhere"),
        ("tls", True), ("proxy_tls", "x"), ("log_level", 2**40), ("nameservers", "x:y"), ("interface_name", "a" * 16), ("headers", {"a": 1}),
        ("headers", 5), ("headers", "ab"), ("headers", [("a",)]), ("proxy_headers", 5), ("on_log", 5), ("on_trace", "x"),
        ("on_socket", 5), ("on_resolve", 5),
    ],
)
def test_a_bad_option_is_named(name, value):
    with pytest.raises(hc.errors.InvalidError, match=name.rstrip("s")) as caught:
        hc.Session(**{name: value})
    assert isinstance(caught.value, ValueError) and caught.value.code_name == "HC_E_INVALID"


@pytest.mark.parametrize(
    "name, url, given",
    [
        ("url", b"http://127.0.0.1/\xff", {}), ("url", "http://[::1/\xe9", {}), ("url", "http://127.0.0.1/\udcff", {}),
        ("params", "http://127.0.0.1/", {"params": 5}), ("params", "http://127.0.0.1/", {"params": {"a": "\udcff"}}),
        ("headers", "http://127.0.0.1/", {"headers": 5}), ("headers", "http://127.0.0.1/", {"headers": 5, "json": 1}),
    ],
)
def test_a_bad_part_of_a_request_is_named(name, url, given):
    with hc.Session() as session, pytest.raises(hc.errors.InvalidError, match=f"^{name}: "):
        session.get_sync(url, **given)


def test_unknown_options_are_refused(url):
    with pytest.raises(TypeError, match="timeouts"):
        hc.Session(timeouts=1)
    with hc.Session() as session, pytest.raises(TypeError, match="unknown option 'header'"):
        session.get_sync(url, header={})


# -------------------------------------------------------------------------------------------------------- connections


def in_parallel(session, count, url, **more):
    """So many blocking calls at one time; returns results and exceptions."""
    results = []

    def call():
        try:
            results.append(session.get_sync(url, **more))
        except hc.Error as error:
            results.append(error)

    threads = [threading.Thread(target=call) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize("option", ["limit", "limit_per_host"])
def test_limits_bound_the_sockets(url, run, option):
    async def main():
        async with hc.Session(**{option: 3}) as session:
            holders = [asyncio.ensure_future(session.get(url + "/hang")) for _ in range(3)]
            others = [asyncio.ensure_future(session.get(url + "/bytes/1")) for _ in range(9)]
            await until(lambda: (session.stats()["sockets_in_use"], session.stats()["waiting"]) == (3, 9))
            for holder in holders:
                holder.cancel()
            assert all(each.status == 200 for each in await asyncio.gather(*others))
            assert session.stats()["sockets_peak"] == 3

    run(main())


def test_max_connecting(url):
    with hc.Session(max_connecting=1) as session:
        assert all(each.status == 200 for each in in_parallel(session, 8, url + "/delay/20"))


def test_max_waiting_refuses(url, run):
    async def main():
        async with hc.Session(limit=1, max_waiting=1) as session:
            running = asyncio.ensure_future(session.get(url + "/hang"))
            await until(lambda: session.stats()["sockets_in_use"] == 1)
            waiting = asyncio.ensure_future(session.get(url + "/hang"))
            await until(lambda: session.stats()["waiting"] == 1)
            with pytest.raises(hc.errors.OverloadError) as caught:
                await session.get(url + "/bytes/1")
            assert isinstance(caught.value, hc.errors.ResourceError)
            for call in (running, waiting):
                call.cancel()
            await asyncio.gather(running, waiting, return_exceptions=True)

    run(main())


def test_keepalive_timeout(url):
    with hc.Session() as session:
        assert connection_of(session, url) == connection_of(session, url)
    with hc.Session(keepalive_timeout=0) as session:
        assert connection_of(session, url) != connection_of(session, url)


def test_max_lifetime(url):
    with hc.Session(max_lifetime=0.05) as session:
        first = connection_of(session, url)
        deadline = time.monotonic() + 5
        while session.stats()["sockets_idle"] and time.monotonic() < deadline:
            time.sleep(0.01)  # the lifetime itself
        assert connection_of(session, url) != first


def test_force_close(url):
    with hc.Session(force_close=True) as session:
        assert head_of(session.get_sync(url + "/echo/head"))["connection"] == "close"
        assert session.stats()["sockets_idle"] == 0
        with pytest.raises(hc.errors.InvalidError, match="keepalive_timeout"):
            hc.Session(force_close=True, keepalive_timeout=1)
    with hc.Session() as session:
        assert head_of(session.get_sync(url + "/echo/head", force_close=True))["connection"] == "close"
        assert "connection" not in head_of(session.get_sync(url + "/echo/head"))


@pytest.mark.parametrize("where", ["session", "request"])
def test_retry_stale(url, where):
    key = f"stale-{where}-{time.monotonic_ns()}"
    with hc.Session() as session:
        session.get_sync(url + "/bytes/1")
        assert session.get_sync(f"{url}/once/{key}-on?die=before_reply&times=1").status == 200
        assert session.stats()["stale_retries"] == 1
    in_session, in_request = ({"retry_stale": False}, {}) if where == "session" else ({}, {"retry_stale": False})
    with hc.Session(**in_session) as session:
        session.get_sync(url + "/bytes/1")
        with pytest.raises(hc.errors.StaleError):
            session.get_sync(f"{url}/once/{key}-off?die=before_reply&times=1", **in_request)


# ---------------------------------------------------------------------------------------------------------------- DNS


def dns_session(server, **more):
    return hc.Session(nameservers=server.endpoints["dns"], **more)


def named(server, name, path="/bytes/1"):
    return f"http://{name}:{server.port}{path}"


def test_nameservers_and_the_dns_cache(server):
    with dns_session(server, force_close=True) as session:
        for _ in range(3):
            assert session.get_sync(named(server, "two.test")).status == 200
        stats = session.stats()
        assert (stats["dns_lookups"], stats["dns_cache_hits"]) == (1, 2)
        session.dns_clear("TWO.test")
        session.get_sync(named(server, "two.test"))
        session.dns_clear()
        session.get_sync(named(server, "two.test"))
        assert session.stats()["dns_lookups"] == 3


@pytest.mark.parametrize("more", [{"use_dns_cache": False}, {"ttl_dns_cache": 0}])
def test_the_dns_cache_can_be_off(server, more):
    with dns_session(server, force_close=True, **more) as session:
        for _ in range(3):
            session.get_sync(named(server, "two.test"))
        assert session.stats()["dns_lookups"] == 3


def test_dns_cache_size(server):
    with dns_session(server, force_close=True, dns_cache_size=1) as session:
        for name in ("first.test", "second.test", "first.test"):
            session.get_sync(named(server, name))
        assert session.stats()["dns_lookups"] == 3


@pytest.mark.parametrize("ttl, lookups", [(0, 2), (60, 1)])
def test_dns_negative_ttl(server, ttl, lookups):
    with dns_session(server, dns_negative_ttl=ttl) as session:
        for _ in range(2):
            with pytest.raises(hc.errors.DNSError, match="gone.test"):
                session.get_sync(named(server, "gone.test"))
        assert session.stats()["dns_lookups"] == lookups


def test_dns_stale_ttl(server):
    """The answer lives one second, and then the name server fails."""
    with dns_session(server, force_close=True, dns_stale_ttl=60) as session:
        session.get_sync(named(server, "flips.test"))
        time.sleep(1.1)  # the least TTL there is
        assert session.get_sync(named(server, "flips.test")).status == 200


def test_family(server):
    with dns_session(server, family="v6") as session:
        with pytest.raises(hc.errors.DNSError):
            session.get_sync(named(server, "first.test"))
    with dns_session(server, family="v4") as session:
        assert session.get_sync(named(server, "first.test")).status == 200


def test_happy_eyeballs(server, unreachable):
    """The first address does not answer; the second is tried after the head start."""
    with hc.Session(happy_eyeballs=0.03) as session:
        started = time.monotonic()
        addresses = ["127.0.0.1", "127.0.0.1"]
        with pytest.raises(hc.errors.SockConnectTimeoutError):
            session.get_sync(
                f"http://x.test:{unreachable}/", addresses=addresses, timeout=hc.Timeout(sock_connect=0.3)
            )
        assert time.monotonic() - started >= 0.3
        assert session.stats()["sockets_opened"] == 2
    with hc.Session(happy_eyeballs=0) as session:
        with pytest.raises(hc.errors.SockConnectTimeoutError):
            session.get_sync(
                f"http://x.test:{unreachable}/", addresses=addresses, timeout=hc.Timeout(sock_connect=0.3)
            )
        assert session.stats()["sockets_opened"] == 1


def test_addresses_and_resolve_add(server):
    with hc.Session() as session:
        assert session.get_sync(named(server, "nowhere.test"), addresses=["127.0.0.1"]).status == 200
    with hc.Session(force_close=True) as session:
        session.resolve_add("Nowhere.test", server.port, ["127.0.0.1"])
        assert session.get_sync(named(server, "nowhere.test")).status == 200
        session.resolve_add("nowhere.test", server.port)
        with pytest.raises(hc.errors.DNSError):
            session.get_sync(named(server, "nowhere.test"), timeout=5)
        with pytest.raises(hc.errors.InvalidError, match="address"):
            session.resolve_add("nowhere.test", 0, ["x"])


# ------------------------------------------------------------------------------------------------------------ sockets


def test_socket_options_and_on_socket(url):
    seen, copies = [], []

    def look(info):
        seen.append(info)
        copies.append(socket.socket(fileno=os.dup(info.fd)))

    settings = {
        "tcp_nodelay": False, "tcp_keepalive": True, "tcp_keepalive_idle": 7, "tcp_keepalive_interval": 3,
        "tcp_user_timeout": 5, "receive_buffer": 40_000, "send_buffer": 50_000, "local_addr": "127.0.0.1",
        "interface_name": "lo",
    }
    with hc.Session(on_socket=look, **settings) as session:
        assert session.get_sync(url + "/bytes/1").status == 200
    (info,), (copy,) = seen, copies
    with copy:
        tcp = socket.IPPROTO_TCP
        assert copy.getsockopt(tcp, socket.TCP_NODELAY) == 0
        assert copy.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert copy.getsockopt(tcp, socket.TCP_KEEPIDLE) == 7
        assert copy.getsockopt(tcp, socket.TCP_KEEPINTVL) == 3
        assert copy.getsockopt(tcp, socket.TCP_USER_TIMEOUT) == 5000
        assert copy.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 80_000  # the kernel doubles it
        assert copy.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 100_000
    assert (info.host, info.address) == ("127.0.0.1", "127.0.0.1") and url.endswith(f":{info.port}")


@pytest.mark.parametrize("more", [{"local_addr": "192.0.2.1"}, {"interface_name": "nosuch0"}])
def test_where_to_bind(url, more):
    with hc.Session(**more) as session, pytest.raises(hc.errors.ConnectError):
        session.get_sync(url)


# -------------------------------------------------------------------------------------------------------------- limits


@pytest.mark.parametrize("where", ["session", "request"])
def test_max_body(url, where):
    given = {"max_body": 100}
    with hc.Session(**(given if where == "session" else {})) as session:
        more = given if where == "request" else {}
        assert len(session.get_sync(url + "/bytes/100", **more).body) == 100
        with pytest.raises(hc.errors.TooLargeError):
            session.get_sync(url + "/bytes/101", **more)


@pytest.mark.parametrize("more", [{"max_header_bytes": 2_000}, {"max_headers": 20}])
def test_bounds_of_the_head(url, more):
    with hc.Session(**more) as session:
        assert session.get_sync(url + "/headerbomb?count=5&size=10").status == 200
        with pytest.raises(hc.errors.TooLargeError):
            session.get_sync(url + "/headerbomb?count=40&size=100")


# -------------------------------------------------------------------------------------------------- what is sent along


def test_headers_and_user_agent_of_a_session(url):
    with hc.Session(headers={"X-Mine": "1", "X-Other": "2"}, user_agent="me/1") as session:
        head = head_of(session.get_sync(url + "/echo/head", headers={"x-other": "3"}))
        assert (head["x-mine"], head["x-other"], head["user-agent"]) == ("1", "3", "me/1")
    with hc.Session(user_agent="") as session:
        assert "user-agent" not in head_of(session.get_sync(url + "/echo/head"))


def test_username_and_password(url):
    with hc.Session() as session:
        head = head_of(session.get_sync(url + "/echo/head", username="me", password="pässword"))
        assert head["authorization"].startswith("Basic ")
        in_url = head_of(session.get_sync(url.replace("//", "//me:x@") + "/echo/head"))
        assert in_url["authorization"] == "Basic bWU6eA=="


def test_priority(url, run):
    """The later request overtakes those that were in line before it."""
    order = []

    async def main():
        async with hc.Session(limit=1) as session:
            async def call(number, priority):
                await session.get(url + "/bytes/1", priority=priority)
                order.append(number)

            holder = asyncio.ensure_future(session.get(url + "/hang"))
            await until(lambda: session.stats()["sockets_in_use"] == 1)
            calls = [asyncio.ensure_future(call(number, priority)) for number, priority in enumerate([0, 0, 0, 0, 5])]
            await until(lambda: session.stats()["waiting"] == 5)
            holder.cancel()
            await asyncio.gather(*calls)

    run(main())
    assert order == [4, 0, 1, 2, 3]


# ----------------------------------------------------------------------------------------------------------------- TLS


def test_tls_verify_and_ca_file(server, tmp_path):
    with hc.Session() as session, pytest.raises(hc.errors.TLSVerifyError) as caught:
        session.get_sync(server.https + "/bytes/1")
    assert caught.value.native_domain == "tls" and isinstance(caught.value, hc.errors.TLSError)
    with hc.Session(tls_verify=False) as session:
        assert session.get_sync(server.https + "/bytes/1").status == 200
    with hc.Session(ca_file=server.endpoints["ca"]) as session:
        response = session.get_sync(server.https + "/bytes/1")
        assert response.timing.secured > response.timing.connected
    with pytest.raises(hc.errors.TLSConfigError):
        hc.Session(ca_file=tmp_path / "none.pem")


# ----------------------------------------------------------------------------------------------------------------- log


@pytest.mark.parametrize("level, is_told", [(_ffi.HC_LOG_WARNING, True), (_ffi.HC_LOG_ERROR, False)])
def test_on_log_and_log_level(level, is_told):
    lines = []
    with hc.Session(limit=0, on_log=lambda severity, line: lines.append((severity, line)), log_level=level):
        pass
    assert bool(lines) == is_told
    assert all(severity == _ffi.HC_LOG_WARNING and "limit" in line for severity, line in lines)


def test_on_trace_sees_a_request_in_order(url):
    events = []
    with hc.Session(on_trace=events.append) as session:
        session.get_sync(url + "/bytes/3?key=secret", timeout=30)
    of_request = [event for event in events if event.id == 1]
    names = [event.name for event in of_request]
    assert names[:2] == ["request_start", "connection_create_start"]
    assert names[-3:] == ["response_start", "response_chunk_received", "request_end"]
    assert of_request[0].text == "GET /bytes/3"
    assert of_request[-1].http_status == 200 and of_request[-1].bytes == 3
    assert abs(of_request[-1].time - time.monotonic()) < 60
    assert [event.name for event in events if event.id == 0] == ["connection_idle", "connection_closed"]


@pytest.mark.parametrize("port", [-1, 65_536, True])
def test_a_port_that_is_none_is_refused(port):
    with hc.Session() as session, pytest.raises(hc.errors.InvalidError, match="port"):
        session.resolve_add("mine.test", port, ["127.0.0.1"])
