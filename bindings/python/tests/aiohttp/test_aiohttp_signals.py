"""More about signals: bodies, resolvers, waiting, contexts, and receivers that misbehave."""

import asyncio
import socket
import threading
import types

import pytest
from recorder import Recorder, recorder, reply  # noqa: F401

SIGNALS = [
    "request_start",
    "request_end",
    "request_exception",
    "request_redirect",
    "request_chunk_sent",
    "request_headers_sent",
    "response_chunk_received",
    "connection_queued_start",
    "connection_queued_end",
    "connection_create_start",
    "connection_create_end",
    "connection_reuseconn",
    "dns_resolvehost_start",
    "dns_resolvehost_end",
    "dns_cache_hit",
    "dns_cache_miss",
]


class Trace:
    """A TraceConfig that keeps all it is told."""

    def __init__(self, aiohttp, **options):
        self.told = []
        self.config = aiohttp.TraceConfig(**options)
        for name in SIGNALS:
            getattr(self.config, f"on_{name}").append(self.receiver(name))

    def receiver(self, name):
        async def receive(session, context, params):
            self.told.append((name, session, context, params))

        return receive

    @property
    def names(self):
        """Without the empty chunks that 3.8 tells of."""
        return [name for name, *_, params in self.told if name != "request_chunk_sent" or params.chunk]

    def params(self, name):
        return [params for told, *_, params in self.told if told == name]


def traced(aiohttp, use, connector=None, also=None, **options):
    """What is told while `use(session)` runs. `also` has further receivers, by their signal's name."""
    trace = Trace(aiohttp, **options)
    for name, receiver in (also or {}).items():
        getattr(trace.config, name).append(receiver)

    async def run():
        made = connector() if connector is not None else None
        async with aiohttp.ClientSession(connector=made, trace_configs=[trace.config]) as session:
            await use(session)

    asyncio.run(asyncio.wait_for(run(), 20))
    return trace


async def fetch(session, url, method="GET", **options):
    async with session.request(method, url, **options) as response:
        return await response.read()


NEW = ["connection_create_start", "connection_create_end"]
SENT = ["request_headers_sent", "request_end", "response_chunk_received"]


class Resolver:
    """For which every name is this machine."""

    async def resolve(self, host, port=0, family=socket.AF_INET):
        result = {"hostname": host, "host": "127.0.0.1", "port": port, "proto": 0, "flags": socket.AI_NUMERICHOST}
        return [{**result, "family": socket.AF_INET}]

    async def close(self):
        pass


RESOLVED = ["dns_resolvehost_start", "dns_resolvehost_end"]


def test_names(aiohttp, recorder):
    async def use(session):
        for _ in range(2):
            await fetch(session, f"http://some.test:{recorder.port}")

    recorder.answer = lambda request: reply(b"ok", "Connection: close")
    trace = traced(aiohttp, use, lambda: aiohttp.TCPConnector(resolver=Resolver()))
    first = ["request_start", "connection_create_start", "dns_cache_miss", *RESOLVED, "connection_create_end", *SENT]
    second = ["request_start", "connection_create_start", "dns_cache_hit", "connection_create_end", *SENT]
    assert trace.names == first + second
    for name in ("dns_cache_miss", *RESOLVED, "dns_cache_hit"):
        assert [params.host for params in trace.params(name)] == ["some.test"]


def test_names_without_a_cache(aiohttp, recorder):
    trace = traced(
        aiohttp,
        lambda session: fetch(session, f"http://some.test:{recorder.port}"),
        lambda: aiohttp.TCPConnector(resolver=Resolver(), use_dns_cache=False),
    )
    assert trace.names == ["request_start", "connection_create_start", *RESOLVED, "connection_create_end", *SENT]


def test_waiting_for_a_connection(aiohttp, recorder):
    queued = threading.Event()  # An answer before that would leave the second request nothing to wait for.

    def answer(request):
        queued.wait(10)
        return reply(b"ok")

    async def tell(session, context, params):
        queued.set()

    async def use(session):
        await asyncio.gather(*(fetch(session, recorder.url) for _ in range(2)))

    recorder.answer = answer
    trace = traced(aiohttp, use, lambda: aiohttp.TCPConnector(limit=1), also={"on_connection_queued_start": tell})
    assert queued.is_set()
    contexts = {id(context): context for _, _, context, _ in trace.told}.values()
    waits = sorted([name for name, _, context, _ in trace.told if context is each and "conn" in name] for each in contexts)
    assert waits == [
        ["connection_create_start", "connection_create_end"],
        ["connection_queued_start", "connection_queued_end", "connection_reuseconn"],
    ]


def test_bodies(aiohttp, recorder):
    async def pieces():
        yield b"one"
        yield b"two"

    trace = traced(aiohttp, lambda session: fetch(session, recorder.url, "POST", data=pieces()))
    assert trace.names == ["request_start", *NEW, "request_headers_sent", *["request_chunk_sent"] * 2, *SENT[1:]]
    assert [params.chunk for params in trace.params("request_chunk_sent") if params.chunk] == [b"one", b"two"]
    trace = traced(aiohttp, lambda session: fetch(session, recorder.url, "POST", data=b"all"))
    assert [params.chunk for params in trace.params("request_chunk_sent") if params.chunk] == [b"all"]


def test_the_context_of_each_request(aiohttp, recorder):
    async def use(session):
        await fetch(session, recorder.url, trace_request_ctx={"mine": 1})
        await fetch(session, recorder.url)

    trace = traced(aiohttp, use)
    contexts = {id(context): context for _, _, context, _ in trace.told}
    assert [context.trace_request_ctx for context in contexts.values()] == [{"mine": 1}, None]
    assert all(isinstance(context, types.SimpleNamespace) for context in contexts.values())


def test_a_context_of_ones_own(aiohttp, recorder):
    made = []

    def factory(trace_request_ctx=None):
        made.append(trace_request_ctx)
        return made

    trace = traced(
        aiohttp,
        lambda session: fetch(session, recorder.url, trace_request_ctx="mine"),
        trace_config_ctx_factory=factory,
    )
    assert made == ["mine"]
    assert all(context is made for _, _, context, _ in trace.told)


def test_several_configurations_in_order(aiohttp, recorder):
    order = []

    def config(name):
        made = aiohttp.TraceConfig()

        async def receive(session, context, params):
            order.append(name)

        made.on_request_start.append(receive)
        made.on_request_end.append(receive)
        return made

    async def run():
        async with aiohttp.ClientSession(trace_configs=[config("a"), config("b")]) as session:
            await fetch(session, recorder.url)

    asyncio.run(run())
    assert order == ["a", "b", "a", "b"]


def test_a_receiver_that_raises_fails_the_request(aiohttp, recorder):
    config = aiohttp.TraceConfig()

    async def fail(session, context, params):
        raise RuntimeError("mine")

    config.on_request_start.append(fail)

    async def run():
        async with aiohttp.ClientSession(trace_configs=[config]) as session:
            with pytest.raises(RuntimeError, match="mine"):
                await fetch(session, recorder.url)

    asyncio.run(run())


def test_a_used_configuration_is_frozen(aiohttp, recorder):
    trace = traced(aiohttp, lambda session: fetch(session, recorder.url))
    assert trace.config.on_request_start.frozen
    with pytest.raises(RuntimeError):
        trace.config.on_request_start.append(lambda: None)


def test_streamed_bodies_are_not_told(aiohttp, recorder):
    async def use(session):
        async with session.get(recorder.url) as response:
            async for _ in response.content.iter_any():
                pass

    trace = traced(aiohttp, use)
    assert trace.names == ["request_start", *NEW, *SENT[:2]]


def test_receivers_hold_the_request_up(aiohttp, recorder):
    """They are awaited where they stand: nothing is sent before the first has returned."""
    config = aiohttp.TraceConfig()
    seen = []

    async def wait(session, context, params):
        for _ in range(10):
            await asyncio.sleep(0)
        seen.append(len(recorder.requests))

    config.on_request_start.append(wait)

    async def run():
        async with aiohttp.ClientSession(trace_configs=[config]) as session:
            await fetch(session, recorder.url)

    asyncio.run(run())
    assert seen == [0]
