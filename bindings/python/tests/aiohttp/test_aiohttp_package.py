"""The package: its names, its modules, and what is aiohttp's own."""

import importlib
import inspect
import os

import pytest
from conftest import passes, python

import hc.aiohttp

SUBMODULES = [
    "abc", "client", "client_exceptions", "client_middleware_digest_auth", "client_middlewares", "client_reqrep",
    "client_ws", "compression_utils", "connector", "cookiejar", "formdata", "hdrs", "helpers", "http",
    "http_exceptions", "http_websocket", "multipart", "payload", "payload_streamer", "resolver", "streams", "tracing",
    "typedefs",
]  # fmt: skip


def test_all_names_what_there_is():
    names = hc.aiohttp.__all__
    assert len(names) == len(set(names)) and all(hasattr(hc.aiohttp, name) for name in names)
    assert set(names) <= set(dir(hc.aiohttp))


def test_nothing_of_the_original_is_missing():
    original = pytest.importorskip("aiohttp")
    assert [name for name in original.__all__ if not hasattr(hc.aiohttp, name)] == []


@pytest.mark.parametrize("name", SUBMODULES)
def test_submodules_have_the_originals_names(name):
    assert importlib.import_module(f"hc.aiohttp.{name}").__doc__


def parameters(function):
    return {name: each for name, each in inspect.signature(function).parameters.items() if name != "self"}


@pytest.mark.parametrize(
    "name", ["ClientSession", "ClientTimeout", "TCPConnector", "UnixConnector", "BaseConnector", "TraceConfig", "Fingerprint"]
)
def test_constructors_take_what_the_originals_take(name):
    original = pytest.importorskip("aiohttp")
    ours, theirs = parameters(getattr(hc.aiohttp, name)), parameters(getattr(original, name))
    assert set(theirs) <= set(ours)
    for parameter, described in theirs.items():
        assert ours[parameter].kind == described.kind, parameter


def test_request_takes_what_the_original_takes():
    original = pytest.importorskip("aiohttp")
    theirs = parameters(original.ClientSession._request)
    assert set(theirs) <= set(parameters(hc.aiohttp.ClientSession._journey))


def test_what_is_aiohttps_own():
    original = pytest.importorskip("aiohttp")
    import hc.aiohttp.web

    assert hc.aiohttp.web is original.web and importlib.import_module("hc.aiohttp.test_utils").TestServer
    with pytest.raises(AttributeError, match="nonsense"):
        hc.aiohttp.nonsense


def test_messages_of_the_original_are_the_same_numbers():
    original = pytest.importorskip("aiohttp")
    assert hc.aiohttp.WSMsgType.TEXT == original.WSMsgType.TEXT and hc.aiohttp.WSCloseCode.OK == original.WSCloseCode.OK


def test_a_program_of_the_original_with_one_line_changed():
    code = """
    import asyncio
    import hc.aiohttp as aiohttp
    from aiohttp import web

    async def handle(request):
        return web.json_response({"method": request.method, "form": dict(await request.post())})

    async def main():
        app = web.Application()
        app.router.add_route("*", "/", handle)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            async with session.post("/", data={"a": "b"}) as response:
                print(response.status, await response.json())
            form = aiohttp.FormData()
            form.add_field("file", b"content", filename="name.txt")
            async with session.post("/", data=form) as response:
                print((await response.json())["method"] if response.ok else await response.text())
        await runner.cleanup()

    asyncio.run(main())
    """
    pytest.importorskip("aiohttp")
    ran = python(code, options=())
    assert ran.stdout.splitlines()[0] == "200 {'method': 'POST', 'form': {'a': 'b'}}", ran.stderr


LEAKS = """
import asyncio, gc, os, sys, tracemalloc
import hc.aiohttp as aiohttp

URL, COUNT = sys.argv[1], int(sys.argv[2])

async def run(session, count):
    async def one(number):
        if number % 50 == 0:
            await (await session.post(URL + "/echo", data={"a": str(number)})).read()
        elif number % 50 == 1:
            async with session.get(URL + "/bytes/100", params={"n": number}) as response:
                pass
        else:
            async with session.get(URL + "/bytes/100") as response:
                await response.read()
    for start in range(0, count, 100):
        await asyncio.gather(*(one(number) for number in range(start, start + 100)))

async def main():
    async with aiohttp.ClientSession() as session:
        await run(session, 3000)
        gc.collect()
        tracemalloc.start()
        await run(session, COUNT // 10)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        await run(session, COUNT)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
        print(len(session.connector._engine.waiting), len(gc.garbage))
        assert after - before < 150_000, (before, after)

asyncio.run(main())
"""


def test_no_leak_over_many_requests(server):
    """100,000 of them take minutes under tracemalloc: HC_LEAK_REQUESTS asks for as many as wanted."""
    count = os.environ.get("HC_LEAK_REQUESTS", "2000")
    assert passes(python(LEAKS, server.http, count)) == "0 0\n"
