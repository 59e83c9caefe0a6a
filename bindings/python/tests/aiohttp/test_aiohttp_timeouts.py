"""The clocks of ClientTimeout, and cancelling at each phase."""

import asyncio
import time

import pytest
from conftest import descriptors
from recorder import Recorder, recorder, reply  # noqa: F401

SHORT = 0.2


def timed(aiohttp, kind, url, clocks, read=False, **options):
    """The exception, and after how many seconds it came."""

    async def run():
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(**clocks)) as session:
            started = time.monotonic()
            with pytest.raises(kind) as caught:
                async with session.get(url, **options) as response:
                    if read:
                        await response.read()
            return caught.value, time.monotonic() - started

    error, seconds = asyncio.run(run())
    assert SHORT <= seconds < 10
    return error


@pytest.mark.parametrize("options", [{}, {"headers": {"A": "b"}}])
def test_total(aiohttp, server, options):
    error = timed(aiohttp, asyncio.TimeoutError, server.http + "/delay/20000", {"total": SHORT}, **options)
    assert not isinstance(error, aiohttp.ClientError)


def test_total_covers_the_body(aiohttp, server):
    url = server.http + "/drip?bytes=2&every_ms=20000"
    error = timed(aiohttp, asyncio.TimeoutError, url, {"total": SHORT}, read=True)
    assert not isinstance(error, aiohttp.ClientError)


def test_total_covers_all_redirects(aiohttp, recorder):
    def answer(request):
        time.sleep(0.15)  # two of these are more than the clock has, one is not
        return reply(b"", "Location: /again", status="302 Found")

    recorder.answer = answer
    for options in ({}, {"headers": {"A": "b"}}):
        timed(aiohttp, asyncio.TimeoutError, recorder.url, {"total": SHORT}, **options)


def test_sock_read(aiohttp, server):
    error = timed(aiohttp, aiohttp.ServerTimeoutError, server.http + "/delay/20000", {"sock_read": SHORT})
    assert isinstance(error, asyncio.TimeoutError)
    assert str(error).startswith("Timeout on reading data from socket")
    url = server.http + "/drip?bytes=2&every_ms=20000"
    timed(aiohttp, aiohttp.ServerTimeoutError, url, {"sock_read": SHORT}, read=True)


def test_sock_connect(aiohttp, unreachable):
    url = f"http://127.0.0.1:{unreachable}/"
    error = timed(aiohttp, aiohttp.ServerTimeoutError, url, {"sock_connect": SHORT})
    assert str(error).startswith(f"Connection timeout to host {url}")


def test_connect_covers_the_wait_for_a_connection(aiohttp, server):
    async def run():
        connector = aiohttp.TCPConnector(limit=1)
        async with aiohttp.ClientSession(connector=connector) as session:
            busy = asyncio.ensure_future(session.get(server.http + "/delay/20000"))
            await asyncio.sleep(0.05)  # until it has the connection
            with pytest.raises(aiohttp.ServerTimeoutError):
                await session.get(server.http + "/bytes/1", timeout=aiohttp.ClientTimeout(connect=SHORT))
            busy.cancel()
            with pytest.raises(asyncio.CancelledError):
                await busy
            async with session.get(server.http + "/bytes/1") as response:
                assert response.status == 200

    asyncio.run(run())


def test_newer_classes(aiohttp, since, server, unreachable):
    since(3, 10, "newer exceptions")
    url = f"http://127.0.0.1:{unreachable}/"
    assert isinstance(timed(aiohttp, asyncio.TimeoutError, url, {"connect": SHORT}), aiohttp.ConnectionTimeoutError)
    url = server.http + "/delay/20000"
    assert isinstance(timed(aiohttp, asyncio.TimeoutError, url, {"sock_read": SHORT}), aiohttp.SocketTimeoutError)


def test_of_one_request(aiohttp, server):
    url = server.http + "/delay/20000"
    timed(aiohttp, asyncio.TimeoutError, url, {}, timeout=SHORT)  # a number is `total`
    timed(aiohttp, asyncio.TimeoutError, url, {"total": 50}, timeout=aiohttp.ClientTimeout(total=SHORT))

    async def run():
        for off in (None, 0, aiohttp.ClientTimeout(), aiohttp.ClientTimeout(total=0, sock_read=0, connect=0)):
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.001)) as session:
                async with session.get(server.http + "/delay/30", timeout=off) as response:
                    assert response.status == 200

    asyncio.run(run())


def test_asyncio_timeouts_around_a_request(aiohttp, server):
    async def run():
        async with aiohttp.ClientSession() as session:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(session.get(server.http + "/delay/20000"), SHORT)
            async with session.get(server.http + "/bytes/1") as response:
                assert response.status == 200

    asyncio.run(run())


# --------------------------------------------------------------------------------------------------- cancelling


async def _cancelled(task):
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("options", [{}, {"headers": {"A": "b"}}])
def test_cancel_at_each_phase(aiohttp, server, unreachable, options):
    async def run():
        connector = aiohttp.TCPConnector(limit=2)
        async with aiohttp.ClientSession(connector=connector) as session:

            async def whole(url):
                async with session.get(url, **options) as response:
                    return await response.read()

            at_once = asyncio.ensure_future(whole(server.http + "/bytes/1"))
            await _cancelled(at_once)  # before it has begun
            for url in (
                f"http://127.0.0.1:{unreachable}/",  # connecting
                server.http + "/delay/20000",  # waiting for the head
                server.http + "/drip?bytes=2&every_ms=20000",  # in the body
            ):
                for _ in range(3):  # more than the limit: each gives its place back
                    task = asyncio.ensure_future(whole(url))
                    await asyncio.sleep(0.05)  # until it is there
                    await _cancelled(task)
            busy = [asyncio.ensure_future(whole(server.http + "/delay/20000")) for _ in range(2)]
            await asyncio.sleep(0.05)  # until they have the connections
            await _cancelled(asyncio.ensure_future(whole(server.http + "/bytes/1")))  # in line
            for task in busy:
                await _cancelled(task)
            assert await whole(server.http + "/bytes/3") == await whole(server.http + "/bytes/3")

    asyncio.run(run())


def test_a_cancelled_upload(aiohttp, server):
    async def pieces():
        yield b"first"
        await asyncio.sleep(20)  # never sent

    async def run():
        async with aiohttp.ClientSession() as session:
            task = asyncio.ensure_future(session.post(server.http + "/echo", data=pieces()))
            await asyncio.sleep(0.05)  # until it is under way
            await _cancelled(task)
            async with session.get(server.http + "/bytes/1") as response:
                assert response.status == 200

    asyncio.run(run())


def test_a_cancelled_connection_is_not_used_again(aiohttp, recorder):
    recorder.answer = lambda request: b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc" if request.target == "/part" else reply(b"ok")

    async def run():
        async with aiohttp.ClientSession() as session:
            task = asyncio.ensure_future(_whole(session, recorder.url + "/part"))
            while not recorder.requests:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)  # until its body is awaited
            await _cancelled(task)
            async with session.get(recorder.url + "/next") as response:
                assert await response.read() == b"ok"

    asyncio.run(run())
    assert recorder.requests[0].connection != recorder.last.connection


async def _whole(session, url):
    async with session.get(url) as response:
        return await response.read()


def test_nothing_stays_open(aiohttp, server):
    async def run():
        async with aiohttp.ClientSession() as session:
            tasks = [asyncio.ensure_future(_whole(session, server.http + "/delay/20000")) for _ in range(30)]
            await asyncio.sleep(0.05)  # until some of them are connected
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(run())
    before = descriptors()
    asyncio.run(run())
    assert descriptors() <= before
