"""Sessions on several loops, of both kinds, in several threads; and what outlives them."""

import asyncio
import importlib
import threading

import pytest
from conftest import python
from recorder import Recorder, recorder, reply  # noqa: F401


async def exercise(aiohttp, url):
    async with aiohttp.ClientSession() as session:
        async with session.get(url + "/bytes/100000") as response:
            assert len(await response.read()) == 100_000
        async with session.post(url + "/echo", data=pieces()) as response:
            assert await response.text() == "one two "
        answers = await asyncio.gather(*(session.get(url + "/bytes/10") for _ in range(20)))
        assert [len(await answer.read()) for answer in answers] == [10] * 20
        with pytest.raises(asyncio.TimeoutError):
            await session.get(url + "/delay/20000", timeout=aiohttp.ClientTimeout(total=0.05))
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get("http://127.0.0.1:1/")


async def pieces():
    yield b"one "
    yield b"two "


def test_on_each_kind_of_loop(aiohttp, server, run):
    run(exercise(aiohttp, server.http))


def test_one_loop_after_another(aiohttp, server):
    for _ in range(3):
        asyncio.run(exercise(aiohttp, server.http))


def test_in_several_threads(aiohttp, server):
    failures = []

    def work():
        try:
            asyncio.run(exercise(aiohttp, server.http))
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_response_outlives_its_session(aiohttp, recorder):
    async def run():
        async with aiohttp.ClientSession() as session:
            response = await session.get(recorder.url)
            await response.content.wait_eof()
        assert response.status == 200 and response.headers["Content-Length"] == "2"
        assert await response.read() == b"ok"

    asyncio.run(run())


def test_a_program_that_closes_nothing_ends_all_the_same(server):
    code = """
    import asyncio, sys
    import hc.aiohttp as aiohttp

    async def run(url):
        session = aiohttp.ClientSession()
        response = await session.get(url + "/bytes/100000000")
        print(response.status)
        return session, response

    kept = asyncio.run(run(sys.argv[1]))
    """
    ran = python(code, server.http, options=())
    assert (ran.returncode, ran.stdout) == (0, "200\n"), ran.stderr


def test_a_loop_that_is_closed_with_requests_under_way(server):
    code = """
    import asyncio, sys
    import hc.aiohttp as aiohttp

    async def run(url):
        async with aiohttp.ClientSession() as session:
            tasks = [asyncio.ensure_future(session.get(url + "/delay/20000")) for _ in range(10)]
            await asyncio.sleep(0.05)  # until they are under way
            raise SystemExit(3)

    try:
        asyncio.run(run(sys.argv[1]))
    except SystemExit as end:
        print(end.code)
    """
    ran = python(code, server.http, options=())
    assert (ran.returncode, ran.stdout) == (0, "3\n"), ran.stderr


def test_nothing_asks_a_core_session_that_was_freed(server, monkeypatch):
    """As a garbage collection may do it, which ends sessions and their tasks in any order."""
    from hc.aiohttp import _engine

    asked = []

    class Library:
        def __getattr__(self, name):
            return getattr(original, name)

        def hc_session_cancel(self, handle, number):
            asked.append(handle)
            return original.hc_session_cancel(handle, number)

    original = _engine.lib
    monkeypatch.setattr(_engine, "lib", Library())
    aiohttp = importlib.import_module("hc.aiohttp")

    async def run():
        async with aiohttp.ClientSession() as session:
            task = asyncio.ensure_future(session.get(server.http + "/delay/20000"))
            await asyncio.sleep(0)
            task.cancel()
            session.connector._engine.session._free()
            with pytest.raises(asyncio.CancelledError):
                await task
            with pytest.raises(aiohttp.ClientError):
                await session.get(server.http)

    asyncio.run(run())
    assert asked == [0]
