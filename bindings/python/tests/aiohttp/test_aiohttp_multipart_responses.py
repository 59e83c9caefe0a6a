"""Multipart bodies of responses, read from the wire."""

import asyncio

import pytest
from recorder import Recorder, recorder, reply  # noqa: F401

TYPE = "Content-Type: multipart/mixed; boundary=B"


def read(aiohttp, url, use):
    async def run():
        async with aiohttp.ClientSession() as session:
            async with session.get(url) as response:
                return await use(aiohttp.MultipartReader.from_response(response), response)

    return asyncio.run(asyncio.wait_for(run(), 20))


async def contents(reader, response):
    return [(dict(part.headers), bytes(await part.read(decode=True))) async for part in reader]


def chunked(body, size):
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    lines = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b""))
    return f"HTTP/1.1 200 OK\r\n{TYPE}\r\nTransfer-Encoding: chunked\r\n\r\n".encode() + lines


BODY = b"--B\r\nA: 1\r\n\r\none\r\n--B\r\nContent-Length: 5\r\n\r\n\r\ntwo\r\n--B--\r\n"


def test_parts(aiohttp, recorder):
    recorder.answer = lambda request: reply(BODY, TYPE)
    found = [({"A": "1"}, b"one"), ({"Content-Length": "5"}, b"\r\ntwo")]
    assert read(aiohttp, recorder.url, contents) == found


@pytest.mark.parametrize("size", [1, 3, 10])
def test_parts_in_pieces(aiohttp, recorder, since, size):
    if size < 3:
        since(3, 10, "small pieces hid a boundary")
    recorder.answer = lambda request: chunked(BODY, size)
    assert [content for _, content in read(aiohttp, recorder.url, contents)] == [b"one", b"\r\ntwo"]


def test_much(aiohttp, recorder):
    content = bytes(range(256)) * 8000
    recorder.answer = lambda request: reply(b"--B\r\n\r\n" + content + b"\r\n--B\r\n\r\nend\r\n--B--\r\n", TYPE)
    assert [found for _, found in read(aiohttp, recorder.url, contents)] == [content, b"end"]


def test_the_connection_is_given_back(aiohttp, recorder):
    async def run():
        async with aiohttp.ClientSession() as session:
            for _ in range(3):
                response = await session.get(recorder.url)
                reader = aiohttp.MultipartReader.from_response(response)
                while await reader.next() is not None:
                    pass
                assert reader.at_eof()

    recorder.answer = lambda request: reply(BODY, TYPE)
    asyncio.run(asyncio.wait_for(run(), 20))
    assert recorder.connections == 1


def test_reading_lines(aiohttp, recorder):
    async def lines(reader, response):
        part = await reader.next()
        return [await part.readline() for _ in range(3)]

    recorder.answer = lambda request: reply(b"--B\r\n\r\na\r\nb\r\n--B--\r\n", TYPE)
    assert read(aiohttp, recorder.url, lines) == [b"a\r\n", b"b", b""]


def test_a_body_that_breaks_off(aiohttp, recorder):
    whole = reply(BODY, TYPE)
    recorder.answer = lambda request: whole[:-25].replace(b"OK\r\n", b"OK\r\nConnection: close\r\n")
    with pytest.raises((aiohttp.ClientPayloadError, ValueError)):
        read(aiohttp, recorder.url, contents)


def test_a_response_that_is_none(aiohttp, recorder):
    for kind in ("text/plain", "multipart/mixed"):
        recorder.answer = lambda request: reply(b"x", f"Content-Type: {kind}")  # noqa: B023
        with pytest.raises((AssertionError, ValueError)):
            read(aiohttp, recorder.url, contents)


def test_a_part_sent_on(aiohttp, recorder):
    async def send_on(reader, response):
        part = await reader.next()
        async with aiohttp.ClientSession() as session:
            async with session.post(recorder.url + "/to", data=part) as answer:
                await answer.read()

    recorder.answer = lambda request: reply(BODY, TYPE)
    read(aiohttp, recorder.url, send_on)
    assert recorder.last.body == b"one"
