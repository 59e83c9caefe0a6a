"""TraceConfig: its signals, their order, and what they are given."""

import asyncio
import importlib
import threading
import time
import types

import pytest
from conftest import Scripted
from recorder import Recorder, recorder, reply  # noqa: F401

SIGNALS = [
    "request_start", "request_chunk_sent", "response_chunk_received", "request_end", "request_exception",
    "request_redirect", "connection_queued_start", "connection_queued_end", "connection_create_start",
    "connection_create_end", "connection_reuseconn", "dns_resolvehost_start", "dns_resolvehost_end", "dns_cache_hit",
    "dns_cache_miss", "request_headers_sent",
]  # fmt: skip
NEW = ["request_start", "connection_create_start", "connection_create_end", "request_headers_sent", "request_end"]
READ = ["response_chunk_received"]


class Log:
    """All signals, in order."""

    def __init__(self, aiohttp, **options):
        self.seen = []
        self.config = aiohttp.TraceConfig(**options)
        for name in SIGNALS:
            getattr(self.config, "on_" + name).append(self._receiver(name))

    def _receiver(self, name):
        async def receive(session, context, params):
            self.seen.append((name, context, params))

        return receive

    @property
    def names(self):
        """Older ones tell of an empty chunk of a request without a body."""
        return [name for name, _, params in self.seen if name != "request_chunk_sent" or params.chunk]

    def params(self, name):
        return next(params for each, _, params in self.seen if each == name)


def traced(aiohttp, use, connector=None, **options):
    """Runs a coroutine function with a session, and gives the log of its signals."""

    async def run():
        log = Log(aiohttp, **options)
        made = {} if connector is None else {"connector": connector()}
        async with aiohttp.ClientSession(trace_configs=[log.config], **made) as session:
            assert session.trace_configs == [log.config]
            await use(session, log)
        return log

    return asyncio.run(run())


async def whole(session, url, method="GET", **options):
    async with session.request(method, url, **options) as response:
        return await response.read()


def test_a_new_connection_and_an_old_one(aiohttp, recorder):
    async def use(session, log):
        await whole(session, recorder.url)
        assert log.names == NEW + READ
        log.seen.clear()
        await whole(session, recorder.url)

    log = traced(aiohttp, use)
    assert log.names == ["request_start", "connection_reuseconn", "request_headers_sent", "request_end"] + READ


def test_a_name(aiohttp, recorder):
    class Resolver:
        async def resolve(self, host, port=0, family=0):
            found = {"hostname": host, "host": "127.0.0.1", "port": port, "family": 2, "proto": 0, "flags": 0}
            return [found]

        async def close(self):
            pass

    def connector():
        return aiohttp.TCPConnector(resolver=Resolver(), force_close=True)

    async def use(session, log):
        url = f"http://some.test:{recorder.port}/"
        await whole(session, url)
        found = ["dns_cache_miss", "dns_resolvehost_start", "dns_resolvehost_end"]
        assert log.names == NEW[:2] + found + NEW[2:] + READ
        assert log.params("dns_resolvehost_start").host == log.params("dns_cache_miss").host == "some.test"
        log.seen.clear()
        await whole(session, url)
        assert log.names == NEW[:2] + ["dns_cache_hit"] + NEW[2:] + READ

    traced(aiohttp, use, connector)


def test_in_line(aiohttp, recorder):
    is_queued = threading.Event()

    def answer(request):
        is_queued.wait(10)
        return reply(b"ok")

    recorder.answer = answer

    async def use(session, log):
        first = asyncio.ensure_future(whole(session, recorder.url))
        while "request_headers_sent" not in log.names:
            await asyncio.sleep(0.005)
        log.seen.clear()
        second = asyncio.ensure_future(whole(session, recorder.url))
        while "connection_queued_start" not in log.names:
            await asyncio.sleep(0.005)
        is_queued.set()
        await first
        await second
        mine = [name for name in log.names if name.startswith("connection")]
        assert mine[:2] == ["connection_queued_start", "connection_queued_end"]
        assert mine[2:] in (["connection_reuseconn"], ["connection_create_start", "connection_create_end"])

    traced(aiohttp, use, lambda: aiohttp.TCPConnector(limit=1))


def test_a_redirect(aiohttp, recorder):
    def answer(request):
        return reply(b"", "Location: /end", status="302 Found") if request.target == "/" else reply(b"there")

    recorder.answer = answer

    async def use(session, log):
        await whole(session, recorder.url)

    log = traced(aiohttp, use)
    again = ["connection_reuseconn", "request_headers_sent", "request_end"]
    assert log.names == NEW[:-1] + ["request_redirect"] + again + READ
    assert log.params("request_redirect").response.status == 302
    assert log.params("request_redirect").url.path in ("", "/")


def test_a_body(aiohttp, recorder):
    async def use(session, log):
        await whole(session, recorder.url, "POST", data=b"body")
        assert log.names == NEW[:-1] + ["request_chunk_sent", "request_end"] + READ
        sent = next(params for name, _, params in log.seen if name == "request_chunk_sent" and params.chunk)
        assert (sent.method, sent.chunk, str(sent.url).rstrip("/")) == ("POST", b"body", recorder.url)
        log.seen.clear()

        async def pieces():
            yield b"one"
            yield b"two"

        await whole(session, recorder.url, "POST", data=pieces())
        chunks = [params.chunk for name, _, params in log.seen if name == "request_chunk_sent" and params.chunk]
        assert chunks == [b"one", b"two"] and recorder.last.body == b"onetwo"

    traced(aiohttp, use)


def test_what_signals_are_given(aiohttp, recorder):
    async def use(session, log):
        async with session.get(recorder.url, params={"a": "b"}, headers={"X": "y"}) as response:
            await response.read()
        start, end = log.params("request_start"), log.params("request_end")
        assert (start.method, str(start.url)) == ("GET", recorder.url + "/?a=b") and start.headers["X"] == "y"
        assert end.response is response and (end.method, end.url) == ("GET", start.url)
        assert log.params("request_headers_sent").headers["User-Agent"]
        assert log.params("response_chunk_received").chunk == b"ok"

    traced(aiohttp, use)


def test_a_failure(aiohttp):
    async def use(session, log):
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get("http://127.0.0.1:1/")

    log = traced(aiohttp, use)
    assert log.names == ["request_start", "connection_create_start", "request_exception"]
    assert isinstance(log.params("request_exception").exception, aiohttp.ClientConnectorError)


def test_a_failure_after_the_head_was_sent(aiohttp):
    with Scripted(b"") as server:

        async def use(session, log):
            with pytest.raises(aiohttp.ServerDisconnectedError):
                await session.post(server.url)

        log = traced(aiohttp, use)
    assert log.names == NEW[:-1] + ["request_exception"]


def test_cancelled(aiohttp, server):
    async def use(session, log):
        task = asyncio.ensure_future(session.get(server.http + "/delay/20000"))
        while "request_headers_sent" not in log.names:
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    log = traced(aiohttp, use)
    assert log.names == NEW[:-1] + ["request_exception"]
    assert isinstance(log.params("request_exception").exception, asyncio.CancelledError)


def test_contexts(aiohttp, recorder):
    class Context(types.SimpleNamespace):
        pass

    async def use(session, log):
        await whole(session, recorder.url, trace_request_ctx={"my": "own"})
        contexts = {id(context) for _, context, _ in log.seen}
        assert len(contexts) == 1
        context = log.seen[0][1]
        assert isinstance(context, Context) and context.trace_request_ctx == {"my": "own"}
        await whole(session, recorder.url)
        assert log.seen[-1][1] is not context and log.seen[-1][1].trace_request_ctx is None

    traced(aiohttp, use, trace_config_ctx_factory=Context)


def test_headers_may_be_changed_at_the_start(aiohttp, recorder):
    async def use(session, log):
        await whole(session, recorder.url)

    async def add(session, context, params):
        params.headers["X-Traced"] = "yes"

    async def run():
        config = aiohttp.TraceConfig()
        config.on_request_start.append(add)
        async with aiohttp.ClientSession(trace_configs=[config]) as session:
            await whole(session, recorder.url)
            with pytest.raises(RuntimeError):
                config.on_request_start.append(add)  # fixed by now

    asyncio.run(run())
    assert recorder.last.headers["x-traced"] == "yes"


def test_a_slow_receiver_counts_against_the_clock(aiohttp, recorder):
    async def wait(session, context, params):
        await asyncio.sleep(20)  # never over

    async def run():
        config = aiohttp.TraceConfig()
        config.on_connection_create_start.append(wait)
        timeout = aiohttp.ClientTimeout(total=0.2)
        async with aiohttp.ClientSession(trace_configs=[config], timeout=timeout) as session:
            with pytest.raises(asyncio.TimeoutError):
                await session.get(recorder.url)

    asyncio.run(run())


def test_two_configs_and_requests_without(aiohttp, recorder):
    async def run():
        first, second = Log(aiohttp), Log(aiohttp)
        connector = aiohttp.TCPConnector()
        async with aiohttp.ClientSession(connector=connector) as plain:
            await whole(plain, recorder.url)
            async with aiohttp.ClientSession(
                connector=connector, connector_owner=False, trace_configs=[first.config, second.config]
            ) as session:
                await asyncio.gather(*(whole(session, recorder.url) for _ in range(20)))
                await whole(plain, recorder.url)
        assert len(first.names) == len(second.names) and first.names.count("request_end") == 20

    asyncio.run(run())


def test_events_that_come_while_others_are_told(recorder, monkeypatch):
    """The session's thread is slow between finding the list of a request's events and adding one."""
    ours = importlib.import_module("hc.aiohttp")
    engines = importlib.import_module("hc.aiohttp._engine")
    loop_thread = threading.current_thread()

    class Slow(dict):
        def setdefault(self, key, default):
            found = super().setdefault(key, default)
            if threading.current_thread() is not loop_thread:
                time.sleep(0.02)  # for the loop's thread to come in between
            return found

    made = engines.Engine.__init__

    def make(engine, *arguments):
        made(engine, *arguments)
        engine.events = Slow()

    monkeypatch.setattr(engines.Engine, "__init__", make)

    async def body():
        yield b"x"

    async def use(session, log):
        await asyncio.wait_for(whole(session, recorder.url, "POST", data=body()), 10)

    assert "request_headers_sent" in traced(ours, use).names
    assert recorder.last.body == b"x"


def test_nothing_is_kept_of_requests_that_were_cancelled(server):
    """Nor of events that come after the end of the request, while somebody holds its response."""
    from hc import aiohttp

    async def use(session, log):
        engine = session.connector._started(is_traced=True)
        for _ in range(20):
            task = asyncio.ensure_future(session.get(server.http + "/delay/20000"))
            while not engine.by_number:
                await asyncio.sleep(0)
            transfer = next(iter(engine.by_number.values()))  # as a traceback may
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            engine._on_trace(types.SimpleNamespace(id=transfer.number, name="connection_create_end"))
            await asyncio.sleep(0)
        assert engine.events == {}

    traced(aiohttp, use)
