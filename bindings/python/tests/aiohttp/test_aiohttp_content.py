"""Streams: `response.content`, and StreamReader by itself."""

import asyncio

import pytest
from recorder import Recorder, recorder, reply  # noqa: F401

LINES = b"one\ntwo\n\nthree"


def reading(aiohttp, body, use, **options):
    """Runs a coroutine function on the content of a response with that body."""

    async def run(url):
        async with aiohttp.ClientSession(**options) as session:
            async with session.get(url) as response:
                await use(response.content)

    with Recorder(lambda request: reply(body)) as made:
        asyncio.run(run(made.url))


def test_read(aiohttp):
    async def use(content):
        assert await content.read(0) == b""
        assert await content.read(3) == b"one"
        assert await content.read() == LINES[3:]
        assert await content.read() == b"" and await content.read(5) == b""
        assert content.at_eof() and content.is_eof() and content.total_bytes == len(LINES)

    reading(aiohttp, LINES, use)


def test_readany(aiohttp):
    async def use(content):
        pieces = []
        while not content.at_eof():
            pieces.append(await content.readany())
        assert b"".join(pieces) == b"x" * 1_000_000

    reading(aiohttp, b"x" * 1_000_000, use)


def test_readexactly(aiohttp):
    async def use(content):
        assert await content.readexactly(0) == b"" and await content.readexactly(200_000) == b"a" * 200_000
        with pytest.raises(asyncio.IncompleteReadError) as caught:
            await content.readexactly(5)
        assert (caught.value.partial, caught.value.expected) == (b"bcd", 5)

    reading(aiohttp, b"a" * 200_000 + b"bcd", use)


def test_lines(aiohttp):
    async def use(content):
        assert await content.readline() == b"one\n"
        assert [line async for line in content] == [b"two\n", b"\n", b"three"]
        assert await content.readline() == b""

    reading(aiohttp, LINES, use)


def test_a_line_that_is_too_long(aiohttp):
    async def use(content):
        with pytest.raises(Exception) as caught:
            await content.readline()
        assert type(caught.value).__name__ in ("LineTooLong", "ValueError")

    reading(aiohttp, b"x" * 500_000 + b"\n", use, read_bufsize=65536)


def test_readuntil(aiohttp, since):
    since(3, 9, "readuntil with a separator")

    async def use(content):
        assert await content.readuntil(b"--") == b"a-b--"
        assert await content.readuntil(b"--") == b"c--"
        assert await content.readuntil(b"--") == b"d"
        with pytest.raises(ValueError):
            await content.readuntil(b"")

    reading(aiohttp, b"a-b--c--d", use)


@pytest.mark.parametrize("size", [1, 3, 1000, 65536, 10_000_000])
def test_iter_chunked(aiohttp, size):
    body = bytes(range(256)) * (1 if size < 100 else 2000)

    async def use(content):
        pieces = [piece async for piece in content.iter_chunked(size)]
        assert b"".join(pieces) == body and all(0 < len(piece) <= size for piece in pieces)

    reading(aiohttp, body, use)


def test_iter_any_and_iter_chunks(aiohttp):
    async def use(content):
        assert b"".join([piece async for piece in content.iter_any()]) == b"y" * 300_000

    reading(aiohttp, b"y" * 300_000, use)

    async def chunks(content):
        found = [pair async for pair in content.iter_chunks()]
        assert b"".join(piece for piece, _ in found) == b"z" * 300_000 and not any(is_end for _, is_end in found)

    reading(aiohttp, b"z" * 300_000, chunks)


def test_http_chunks(aiohttp, recorder):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    recorder.answer = lambda request: head + b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"

    async def run():
        async with aiohttp.ClientSession() as session:
            async with session.get(recorder.url) as response:
                found = [pair async for pair in response.content.iter_chunks()]
                assert b"".join(piece for piece, _ in found) == b"abcdefg" and found[-1][1]

    asyncio.run(run())


def test_two_readers_at_one_time(aiohttp, server):
    async def run():
        async with aiohttp.ClientSession() as session:
            async with session.get(server.http + "/drip?bytes=2&every_ms=20000") as response:
                await response.content.readany()
                first = asyncio.ensure_future(response.content.readany())
                await asyncio.sleep(0)
                with pytest.raises(RuntimeError, match="another coroutine"):
                    await response.content.readany()
                first.cancel()

    asyncio.run(run())


def test_wait_eof_and_on_eof(aiohttp, recorder):
    async def run():
        called = []
        async with aiohttp.ClientSession() as session:
            async with session.get(recorder.url) as response:
                response.content.on_eof(lambda: called.append(1))
                await response.content.wait_eof()
                assert response.content.is_eof() and called == [1] and not response.content.at_eof()
                assert await response.content.read() == b"ok"
                response.content.on_eof(lambda: called.append(2))
                assert called == [1, 2] and response.content.exception() is None

    asyncio.run(run())


def test_read_nowait(aiohttp, recorder):
    async def run():
        async with aiohttp.ClientSession() as session:
            async with session.get(recorder.url) as response:
                await response.content.wait_eof()
                assert response.content.read_nowait(1) == b"o" and response.content.read_nowait() == b"k"
                assert response.content.read_nowait() == b""

    asyncio.run(run())


def test_unread_data(aiohttp, recorder):
    async def run():
        async with aiohttp.ClientSession() as session:
            async with session.get(recorder.url) as response:
                assert await response.content.read(1) == b"o"
                with pytest.warns(DeprecationWarning):
                    response.content.unread_data(b"o")
                assert await response.content.read() == b"ok"

    asyncio.run(run())


def test_content_after_part_of_it_then_read(aiohttp, recorder):
    async def run():
        async with aiohttp.ClientSession() as session:
            async with session.get(recorder.url) as response:
                assert await response.content.read(1) == b"o"
                assert await response.read() == b"k"
                assert await response.content.read() == b""

    asyncio.run(run())


def test_an_empty_body(aiohttp):
    async def use(content):
        assert await content.read() == b"" and await content.readany() == b"" and content.at_eof()
        assert [piece async for piece in content.iter_chunked(10)] == []
        assert [line async for line in content] == []

    reading(aiohttp, b"", use)


def test_what_nobody_reads_holds_the_server_back(aiohttp, server):
    async def run():
        async with aiohttp.ClientSession() as session:
            async with session.get(server.http + "/bytes/100000000") as response:
                first = await response.content.read(1000)
                assert len(first) <= 1000
                assert not response.content.is_eof()

    asyncio.run(run())


# ------------------------------------------------------------------------------------------------------ by itself


class Protocol:
    """As much of one as a reader needs."""

    connected = True
    _reading_paused = False

    def pause_reading(self):
        self._reading_paused = True

    def resume_reading(self, resume_parser=True):
        self._reading_paused = False


def fed(aiohttp, use, limit=4):
    async def run():
        protocol = Protocol()
        reader = aiohttp.StreamReader(protocol, limit, loop=asyncio.get_running_loop())
        await use(reader, protocol)

    asyncio.run(run())


def feed(reader, data):
    reader.feed_data(data) if type(reader).__module__.startswith("hc.") else reader.feed_data(data, len(data))


def test_a_reader_waits_for_what_is_fed(aiohttp):
    async def use(reader, protocol):
        waiting = asyncio.ensure_future(reader.read(10))
        await asyncio.sleep(0)
        feed(reader, b"abc")
        assert await waiting == b"abc"
        feed(reader, b"line\nrest")
        assert await reader.readline() == b"line\n"
        assert reader.read_nowait(2) == b"re" and reader.total_bytes == 12
        reader.feed_eof()
        assert not reader.at_eof() and await reader.read() == b"st" and reader.at_eof()

    fed(aiohttp, use)


def test_a_reader_holds_its_protocol_back(aiohttp):
    async def use(reader, protocol):
        feed(reader, b"12345678")
        assert not protocol._reading_paused
        feed(reader, b"9")
        assert protocol._reading_paused
        assert await reader.read(6) == b"123456"
        assert not protocol._reading_paused

    fed(aiohttp, use)


def test_a_reader_raises_what_it_is_told(aiohttp):
    async def use(reader, protocol):
        waiting = asyncio.ensure_future(reader.readany())
        await asyncio.sleep(0)
        reader.set_exception(KeyError("x"))
        with pytest.raises(KeyError):
            await waiting
        with pytest.raises(KeyError):
            await reader.read()
        assert isinstance(reader.exception(), KeyError)

    fed(aiohttp, use)


def test_a_reader_with_http_chunks(aiohttp):
    async def use(reader, protocol):
        reader.begin_http_chunk_receiving()
        feed(reader, b"abc")
        reader.end_http_chunk_receiving()
        reader.begin_http_chunk_receiving()
        feed(reader, b"de")
        feed(reader, b"f")
        reader.end_http_chunk_receiving()
        reader.feed_eof()
        assert await reader.readchunk() == (b"abc", True)
        assert await reader.readchunk() == (b"def", True)
        assert await reader.readchunk() == (b"", False)

    fed(aiohttp, use, limit=1000)


def test_the_empty_payload(aiohttp):
    async def use(reader, protocol):
        empty = aiohttp.EMPTY_PAYLOAD
        assert empty.is_eof() and empty.at_eof() and await empty.read() == b"" and await empty.readany() == b""
        with pytest.raises(asyncio.IncompleteReadError):
            await empty.readexactly(1)
        await empty.wait_eof()

    fed(aiohttp, use)


def test_data_queues(aiohttp):
    async def run():
        queue = aiohttp.DataQueue(asyncio.get_running_loop())
        queue.feed_data("a", 1)
        assert await queue.read() == "a"
        waiting = asyncio.ensure_future(queue.read())
        await asyncio.sleep(0)
        queue.feed_data("b", 1)
        assert await waiting == "b"
        queue.feed_eof()
        with pytest.raises(aiohttp.EofStream):
            await queue.read()
        assert queue.at_eof() and [item async for item in queue] == []

    asyncio.run(run())


def test_a_read_bufsize_of_nothing(aiohttp):
    async def use(content):
        assert await content.readany() + await content.read() == LINES

    reading(aiohttp, LINES, use, read_bufsize=0)
