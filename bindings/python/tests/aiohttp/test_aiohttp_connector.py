"""Connectors: connections as a server counts them, limits, sharing, names, unix sockets."""

import asyncio
import gc
import socket
import threading
import time
import warnings

import pytest
from recorder import Recorder, recorder, reply  # noqa: F401


async def whole(session, url, **options):
    async with session.get(url, **options) as response:
        return await response.read()


# ----------------------------------------------------------------------------------------------------- keep-alive


def test_connections_are_kept(aiohttp, recorder):
    async def run():
        async with aiohttp.ClientSession() as session:
            for _ in range(5):
                assert await whole(session, recorder.url) == b"ok"

    asyncio.run(run())
    assert recorder.connections == 1


def test_force_close(aiohttp, recorder):
    async def run():
        connector = aiohttp.TCPConnector(force_close=True)
        assert connector.force_close
        async with aiohttp.ClientSession(connector=connector) as session:
            for _ in range(3):
                await whole(session, recorder.url)
        with pytest.raises(ValueError, match="keepalive_timeout"):
            aiohttp.TCPConnector(force_close=True, keepalive_timeout=30)

    asyncio.run(run())
    assert recorder.connections == 3


def test_force_close_says_so(aiohttp, recorder, since):
    since(3, 10, "Connection: close")

    async def run():
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
            await whole(session, recorder.url)
            assert recorder.last.values("Connection") == ["close"]
            await whole(session, recorder.url, headers={"Connection": "keep-alive"})
            assert recorder.last.values("Connection") == ["keep-alive"]

    asyncio.run(run())


def test_keepalive_timeout(aiohttp, recorder):
    async def run():
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(keepalive_timeout=0.1)) as session:
            await whole(session, recorder.url)
            await asyncio.sleep(0.3)  # longer than a connection may be idle
            await whole(session, recorder.url)

    asyncio.run(run())
    assert recorder.connections == 2


def test_a_server_that_closes(aiohttp, recorder):
    recorder.answer = lambda request: reply(b"ok", "Connection: close")

    async def run():
        async with aiohttp.ClientSession() as session:
            for _ in range(3):
                assert await whole(session, recorder.url) == b"ok"

    asyncio.run(run())
    assert recorder.connections == 3


def test_a_small_unread_body_keeps_the_connection(aiohttp, recorder):
    async def run():
        async with aiohttp.ClientSession() as session:
            for _ in range(3):
                async with session.get(recorder.url):
                    pass

    asyncio.run(run())
    assert recorder.connections == 1


# ---------------------------------------------------------------------------------------------------------- limits


class Gate:
    """Holds answers back until so many requests have come, and counts how many wait."""

    def __init__(self, parties):
        self.most = self.now = 0
        self.parties = parties
        self.condition = threading.Condition()

    def answer(self, request):
        with self.condition:
            self.now += 1
            self.most = max(self.most, self.now)
            self.condition.notify_all()
            self.condition.wait_for(lambda: self.most >= self.parties, timeout=20)  # a test that fails must end, too
            self.now -= 1
        return reply(b"ok")


@pytest.mark.parametrize("limit, expected", [(1, 1), (3, 3), (0, 8), (None, 8)])
def test_limit(aiohttp, recorder, limit, expected):
    gate = Gate(expected)
    recorder.answer = gate.answer

    async def run():
        connector = aiohttp.TCPConnector(limit=limit)
        assert connector.limit == limit
        async with aiohttp.ClientSession(connector=connector) as session:
            assert await asyncio.gather(*(whole(session, recorder.url) for _ in range(8))) == [b"ok"] * 8

    asyncio.run(run())
    assert gate.most == expected


def test_limit_per_host(aiohttp, recorder):
    here, there = Gate(2), Gate(2)
    recorder.answer = here.answer
    with Recorder(there.answer) as other:

        async def run():
            connector = aiohttp.TCPConnector(limit_per_host=2)
            assert connector.limit_per_host == 2
            async with aiohttp.ClientSession(connector=connector) as session:
                urls = [recorder.url, other.url] * 4
                await asyncio.gather(*(whole(session, url) for url in urls))

        asyncio.run(run())
    assert (here.most, there.most) == (2, 2)


# --------------------------------------------------------------------------------------------------------- sharing


def test_sessions_share_a_connector(aiohttp, recorder):
    async def run():
        async with aiohttp.TCPConnector() as connector:
            for name in ("one", "two"):
                async with aiohttp.ClientSession(connector=connector, connector_owner=False) as session:
                    assert not session.connector_owner
                    await whole(session, recorder.url, params={"name": name})
                assert session.closed and not connector.closed
        assert connector.closed

    asyncio.run(run())
    assert recorder.connections == 1


def test_closing_the_owner_closes_the_connector(aiohttp, recorder):
    async def run():
        connector = aiohttp.TCPConnector()
        first = aiohttp.ClientSession(connector=connector)
        second = aiohttp.ClientSession(connector=connector, connector_owner=False)
        await whole(first, recorder.url)
        await first.close()
        assert connector.closed and second.closed
        with pytest.raises(RuntimeError):
            await second.get(recorder.url)

    asyncio.run(run())


def test_close_ends_what_is_under_way(aiohttp, except_in, server):
    except_in(3, 11, "it tries once more, without a connector")

    async def run():
        session = aiohttp.ClientSession()
        task = asyncio.ensure_future(whole(session, server.http + "/delay/20000"))
        await asyncio.sleep(0.05)  # until it is under way
        await session.close()
        with pytest.raises(aiohttp.ClientConnectionError):
            await task

    asyncio.run(run())


def test_another_loop(aiohttp):
    async def make():
        return aiohttp.TCPConnector()

    loop = asyncio.new_event_loop()
    connector = loop.run_until_complete(make())

    async def run():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the half-made session
            with pytest.raises(RuntimeError, match="same event loop"):
                aiohttp.ClientSession(connector=connector, loop=asyncio.get_running_loop())
            gc.collect()

    asyncio.run(run())
    closing = connector.close()
    if closing is not None:
        loop.run_until_complete(closing)
    loop.close()


def test_an_unclosed_connector_warns(recorder):
    import hc.aiohttp

    async def run():
        connector = hc.aiohttp.TCPConnector()
        session = hc.aiohttp.ClientSession(connector=connector)
        await whole(session, recorder.url)
        session.detach()

    with pytest.warns(ResourceWarning, match="Unclosed connector"):
        asyncio.run(run())
        gc.collect()


def test_a_foreign_connector_is_refused():
    import hc.aiohttp

    original = pytest.importorskip("aiohttp")

    async def run():
        async with original.TCPConnector() as connector:
            with pytest.raises(TypeError, match="connector must be"):
                hc.aiohttp.ClientSession(connector=connector)

    asyncio.run(run())


# ----------------------------------------------------------------------------------------------------------- names


class Resolver:
    """Answers every name with this machine."""

    def __init__(self, port=None, failure=None):
        self.asked = []
        self.port, self.failure = port, failure
        self.closed = False

    async def resolve(self, host, port=0, family=socket.AF_INET):
        self.asked.append((host, port))
        if self.failure is not None:
            raise self.failure
        found = {"hostname": host, "host": "127.0.0.1", "port": self.port or port, "family": socket.AF_INET}
        return [{**found, "proto": 0, "flags": socket.AI_NUMERICHOST}]

    async def close(self):
        self.closed = True


def test_a_resolver(aiohttp, recorder):
    resolver = Resolver()

    async def run():
        connector = aiohttp.TCPConnector(resolver=resolver, force_close=True)
        async with aiohttp.ClientSession(connector=connector) as session:
            for _ in range(3):
                assert await whole(session, f"http://some.test:{recorder.port}/") == b"ok"
            assert resolver.asked == [("some.test", recorder.port)]  # kept for 10 s
            connector.clear_dns_cache("some.test", recorder.port)
            await whole(session, f"http://some.test:{recorder.port}/")
            assert len(resolver.asked) == 2
            with pytest.raises(ValueError):
                connector.clear_dns_cache("some.test")

    asyncio.run(run())
    assert recorder.last.headers["host"] == f"some.test:{recorder.port}"


def test_a_resolver_without_a_cache(aiohttp, recorder):
    resolver = Resolver()

    async def run():
        connector = aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False, force_close=True)
        assert not connector.use_dns_cache
        async with aiohttp.ClientSession(connector=connector) as session:
            for _ in range(3):
                await whole(session, f"http://some.test:{recorder.port}/")

    asyncio.run(run())
    assert len(resolver.asked) == 3


def test_a_resolver_may_choose_the_port(aiohttp, recorder):
    """As in aiohttp's own example of a faked server."""
    resolver = Resolver(port=recorder.port)

    async def run():
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=resolver)) as session:
            for options in ({}, {"headers": {"A": "b"}}):
                assert await whole(session, "http://some.test/path", **options) == b"ok"

    asyncio.run(run())
    assert recorder.last.headers["host"] == "some.test" and recorder.last.target == "/path"


def test_a_resolver_that_fails(aiohttp):
    resolver = Resolver(failure=OSError(None, "no such name here"))

    async def run():
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=resolver)) as session:
            with pytest.raises(aiohttp.ClientConnectorError) as caught:
                await whole(session, "http://some.test/")
            assert "no such name here" in str(caught.value)

    asyncio.run(run())


def test_family_and_local_address(aiohttp, recorder):
    async def run():
        connector = aiohttp.TCPConnector(family=socket.AF_INET, local_addr=("127.0.0.1", 0))
        assert connector.family == socket.AF_INET
        async with aiohttp.ClientSession(connector=connector) as session:
            assert await whole(session, f"http://localhost:{recorder.port}/") == b"ok"

    asyncio.run(run())


# ------------------------------------------------------------------------------------------------------ unix sockets


def test_unix_connector(aiohttp, tmp_path):
    path = str(tmp_path / "socket")
    with Recorder(family=socket.AF_UNIX, address=path) as server:

        async def run():
            connector = aiohttp.UnixConnector(path=path)
            assert connector.path == path
            async with aiohttp.ClientSession(connector=connector) as session:
                for _ in range(2):
                    assert await whole(session, "http://any.test/p?a=b") == b"ok"

        asyncio.run(run())
        assert (server.last.target, server.last.headers["host"], server.connections) == ("/p?a=b", "any.test", 1)


def test_named_pipes_are_for_windows(aiohttp):
    async def run():
        with pytest.raises((RuntimeError, AttributeError)):
            aiohttp.NamedPipeConnector(path=r"\\.\pipe\x")

    asyncio.run(run())


# ------------------------------------------------------------------------------------------------------------ proxies


def test_a_proxy_forwards_http(aiohttp, recorder):
    async def run():
        async with aiohttp.ClientSession() as session:
            assert await whole(session, "http://a.test/p?q=1", proxy=recorder.url) == b"ok"
            assert recorder.last.target == "http://a.test/p?q=1" and recorder.last.headers["host"] == "a.test"
            assert "proxy-authorization" not in recorder.last.headers
            url = recorder.url.replace("//", "//user:pass@")
            await whole(session, "http://a.test/", proxy=url)
            assert recorder.last.headers["proxy-authorization"] == "Basic dXNlcjpwYXNz"

    asyncio.run(run())


def test_what_is_said_to_a_proxy(aiohttp, recorder):
    recorder.answer = lambda request: reply(b"ok", status="502 No" if request.method == "CONNECT" else "200 OK")
    given = {"Proxy-Authorization": "Basic abc"}

    async def run():
        async with aiohttp.ClientSession() as session:
            await whole(session, "http://a.test/", proxy=recorder.url, headers=given)
            assert recorder.last.values("Proxy-Authorization") == ["Basic abc"]
            await whole(session, "http://a.test/", proxy=recorder.url, proxy_headers={"X-For": "tunnels"})
            assert "x-for" not in recorder.last.headers
            with pytest.raises(aiohttp.ClientHttpProxyError):
                await whole(session, "https://a.test/", proxy=recorder.url, proxy_headers={**given, "X-For": "tunnels"})
            assert recorder.last.values("Proxy-Authorization") == ["Basic abc"]
            assert recorder.last.headers["x-for"] == "tunnels"

    asyncio.run(run())


def test_a_proxy_from_the_environment(aiohttp, recorder, monkeypatch):
    monkeypatch.setenv("http_proxy", recorder.url)
    monkeypatch.setenv("no_proxy", "not.test,127.0.0.1")

    async def run():
        async with aiohttp.ClientSession(trust_env=True) as session:
            await whole(session, "http://a.test/")
            assert recorder.last.target == "http://a.test/"
            await whole(session, recorder.url + "/direct")
            assert recorder.last.target == "/direct"

    asyncio.run(run())


def test_a_tunnel_that_the_proxy_refuses(aiohttp, recorder):
    recorder.answer = lambda request: reply(b"no", status="403 Forbidden")

    async def run():
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientHttpProxyError) as caught:
                await whole(session, "https://a.test/", proxy=recorder.url)
            assert caught.value.status == 403

    asyncio.run(run())
    assert (recorder.last.method, recorder.last.target) == ("CONNECT", "a.test:443")


def test_no_proxy_there(aiohttp):
    async def run():
        async with aiohttp.ClientSession() as session:
            for url in ("http://a.test/", "https://a.test/"):
                with pytest.raises(aiohttp.ClientProxyConnectionError) as caught:
                    await whole(session, url, proxy="http://127.0.0.1:1")
                assert isinstance(caught.value, aiohttp.ClientConnectorError)

    asyncio.run(run())


def test_proxy_of_a_session(aiohttp, recorder, since):
    since(3, 12, "proxy of a session")

    async def run():
        async with aiohttp.ClientSession(proxy=recorder.url) as session:
            await whole(session, "http://a.test/")

    asyncio.run(run())
    assert recorder.last.target == "http://a.test/"


def test_deprecated_arguments(aiohttp, recorder):
    async def run():
        with pytest.warns(DeprecationWarning, match="verify_ssl is deprecated"):
            connector = aiohttp.TCPConnector(verify_ssl=False)
        await connector.close()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(ValueError, match="mutually exclusive"):
                aiohttp.TCPConnector(verify_ssl=False, fingerprint=b"x" * 32)
        with pytest.raises(TypeError):
            aiohttp.TCPConnector(ssl="nonsense")
        connector = aiohttp.TCPConnector(enable_cleanup_closed=False, loop=asyncio.get_running_loop())
        await connector.close()
        async with aiohttp.ClientSession() as session:
            with pytest.warns(DeprecationWarning, match="verify_ssl is deprecated"):
                await session.get(recorder.url, verify_ssl=False)

    asyncio.run(run())


def test_a_close_that_is_cancelled_closes_all_the_same(aiohttp, recorder):
    async def run():
        session = aiohttp.ClientSession()
        async with session.get(recorder.url) as response:
            await response.read()
        closing = asyncio.ensure_future(session.close())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.gather(closing, return_exceptions=True)
        assert session.closed
        deadline = time.monotonic() + 10
        while recorder._open:
            assert time.monotonic() < deadline, "the connection is still open"
            await asyncio.sleep(0.005)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(run())
        gc.collect()
