"""Servers that get HTTP wrong: what both aiohttps take, and as what they refuse the rest."""

import asyncio
import gzip
import sys
import zlib

import pytest
from conftest import Scripted

OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: 2\r\n\r\nok"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
ZIPPED = gzip.compress(b"hello" * 10)


def coded(coding, body):
    return OK + b"Content-Encoding: %s\r\nContent-Length: %d\r\n\r\n" % (coding, len(body)) + body


def ask(aiohttp, answer, method="GET", **options):
    """(status, body), or the exception and whether it came with the body."""

    async def run():
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
            try:
                response = await session.request(method, server.url, **options)
            except Exception as error:
                return error, "head"
            async with response:
                try:
                    return response.status, await response.read()
                except Exception as error:
                    return error, "body"

    with Scripted(answer) as server:
        return asyncio.run(run())


@pytest.mark.parametrize(
    "answer, status, body",
    [
        (b"HTTP/1.1 200\r\n" + LENGTH, 200, b"ok"),
        (b"HTTP/1.1 200 \r\n" + LENGTH, 200, b"ok"),
        (b"HTTP/1.0 200 OK\r\n\r\nto the end", 200, b"to the end"),
        (b"HTTP/1.1 600 New\r\n" + LENGTH, 600, b"ok"),
        (b"HTTP/1.1 999 New\r\n" + LENGTH, 999, b"ok"),
        (b"HTTP/1.1 200 \xe4\xf6\r\n" + LENGTH, 200, b"ok"),
        (OK + b"X: \xe4\r\n" + LENGTH, 200, b"ok"),
        (OK + b"X:\t a \t\r\n" + LENGTH, 200, b"ok"),
        (OK + b"\r\nto the end", 200, b"to the end"),
        (OK + b"Connection: close\r\n\r\nto the end", 200, b"to the end"),
        (OK + LENGTH + OK + LENGTH, 200, b"ok"),
        (CHUNKED + b"2\r\nok\r\n0\r\n\r\n", 200, b"ok"),
        (CHUNKED + b"2;name=value\r\nok\r\n0\r\n\r\n", 200, b"ok"),
        (CHUNKED + b"2\r\nok\r\n0\r\nX: trailer\r\n\r\n", 200, b"ok"),
        (OK + b"Transfer-Encoding: Chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200, b"ok"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + LENGTH, 200, b"ok"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK + LENGTH, 200, b"ok"),
        (coded(b"gzip", ZIPPED), 200, b"hello" * 10),
        (coded(b"deflate", zlib.compress(b"hello")), 200, b"hello"),
        (coded(b"deflate", zlib.compress(b"hello")[2:-4]), 200, b"hello"),
        (coded(b"identity", b"plain"), 200, b"plain"),
        (coded(b"gzip", b""), 200, b""),
        (b"HTTP/1.1 302 Found\r\nLocation: \r\nContent-Length: 0\r\n\r\n", 302, b""),
    ],
)
def test_taken(aiohttp, answer, status, body):
    assert ask(aiohttp, answer) == (status, body)


def is_refused(aiohttp, outcome):
    error, when = outcome
    return isinstance(error, aiohttp.ClientResponseError) and (error.status, when) == (400, "head")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
        OK + b"X: a\r\n b\r\n" + LENGTH,
        CHUNKED + b"2 \r\nok\r\n0\r\n\r\n",
    ],
)
def test_taken_but_by_aiohttp_in_development_mode(aiohttp, newer_original, answer):
    """`python -X dev` makes its parser strict."""
    outcome = ask(aiohttp, answer)
    if newer_original(3, 9) and sys.flags.dev_mode:
        assert is_refused(aiohttp, outcome)
    else:
        assert outcome == (200, b"ok")


def test_a_control_character_in_a_value(since, aiohttp, newer_original):
    since(3, 9, "it was refused always")
    outcome = ask(aiohttp, OK + b"Set-Cookie: \x01=1\r\n" + LENGTH)
    if newer_original(3, 9) and sys.flags.dev_mode:
        assert is_refused(aiohttp, outcome)
    else:
        assert outcome == (200, b"ok")


@pytest.mark.parametrize("method, status", [("GET", 204), ("GET", 304), ("HEAD", 200)])
def test_a_body_where_none_may_be(aiohttp, newer_original, method, status):
    """Newer ones refuse the response, when the body comes with its head."""
    outcome = ask(aiohttp, b"HTTP/1.1 %d X\r\nContent-Length: 5\r\n\r\nhello" % status, method)
    if newer_original(3, 12 if method == "HEAD" else 9):
        assert is_refused(aiohttp, outcome)
    else:
        assert outcome == (status, b"")


@pytest.mark.parametrize(
    "answer",
    [
        b"ICY 200 OK\r\n" + LENGTH,
        b"HTTP/11 200 OK\r\n" + LENGTH,
        b"HTTP/1.1 abc OK\r\n" + LENGTH,
        b"HTTP/1.1 -10 OK\r\n" + LENGTH,
        OK + b"X: a\0b\r\n" + LENGTH,
        OK + b"X: a\rb\r\n" + LENGTH,
        OK + b"no colon\r\n" + LENGTH,
        OK + b"Content-Length: \r\n\r\nok",
        OK + b"Content-Length: -2\r\n\r\nok",
        OK + b"Content-Length: +2\r\n\r\nok",
        OK + b"Content-Length: 0x2\r\n\r\nok",
        OK + b"Content-Length: 2, 3\r\n\r\nok",
        OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    ],
)
def test_refused(aiohttp, answer):
    assert is_refused(aiohttp, ask(aiohttp, answer))


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 20", OK, OK + b"Content-Len", OK + b"X: y\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"]
)
def test_broken_off(aiohttp, answer):
    error, when = ask(aiohttp, answer)
    assert isinstance(error, aiohttp.ServerDisconnectedError) and when == "head"


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Content-Length: 5\r\n\r\nok",
        CHUNKED + b"2\r\nok\r\n",
        CHUNKED + b"2\r\nok\r\n0\r\n",
        coded(b"gzip", b"nonsense"),
        coded(b"deflate", b"nonsense"),
    ],
)
def test_bodies_that_are_not_whole(aiohttp, answer):
    error, when = ask(aiohttp, answer)
    assert isinstance(error, aiohttp.ClientPayloadError) and when == "body"


@pytest.mark.parametrize("size", [b"zz", b"-2", b"0x2", b"", b"ffffffffffffffffff", b"1"])
def test_chunks_that_are_none(aiohttp, size):
    """aiohttp meets them with the head, when they come in one piece."""
    error, _ = ask(aiohttp, CHUNKED + size + b"\r\nok\r\n0\r\n\r\n")
    assert isinstance(error, (aiohttp.ClientPayloadError, aiohttp.ClientResponseError))


def test_a_head_that_begins_with_a_continuation(since, aiohttp):
    since(3, 9, "it was taken")
    assert is_refused(aiohttp, ask(aiohttp, OK + b" continued: x\r\n" + LENGTH))


def test_it_again_in_one_session(since, aiohttp):
    """What the last response left must not be continued."""
    since(3, 9, "it was taken")

    async def run():
        async with aiohttp.ClientSession() as session:
            for _ in range(5):
                async with session.get(good.url) as response:
                    assert await response.read() == b"ok"
                with pytest.raises(aiohttp.ClientResponseError):
                    await session.get(bad.url)

    with Scripted(OK + b"X: y\r\n" + LENGTH) as good, Scripted(OK + b" continued: x\r\n" + LENGTH) as bad:
        asyncio.run(run())


def test_codings_that_nobody_knows():
    """aiohttp takes the body as it is; the core refuses it, and gives it to who wants it as it is."""
    from hc import aiohttp

    error, when = ask(aiohttp, coded(b"unknown", b"plain"))
    assert isinstance(error, aiohttp.ClientPayloadError) and when == "body"

    async def run():
        async with aiohttp.ClientSession(auto_decompress=False) as session:
            async with session.get(server.url) as response:
                return await response.read()

    with Scripted(coded(b"unknown", b"plain")) as server:
        assert asyncio.run(run()) == b"plain"


@pytest.mark.parametrize("coding", [b"identity", b"gzip, chunked", b"", b"chunked\r\nTransfer-Encoding: identity"])
def test_transfer_codings_other_than_chunked(coding):
    """aiohttp looks at the last one alone, and lets the end of the connection be that of the body."""
    from hc import aiohttp

    assert is_refused(aiohttp, ask(aiohttp, OK + b"Transfer-Encoding: " + coding + b"\r\n\r\n2\r\nok\r\n0\r\n\r\n"))


def test_text_that_is_none(aiohttp):
    async def text(answer):
        with Scripted(answer) as server:
            async with aiohttp.ClientSession() as session:
                async with session.get(server.url) as response:
                    return await response.text()

    assert asyncio.run(text(OK + b"Content-Type: text/plain; charset=unknown\r\n" + LENGTH)) == "ok"
    with pytest.raises(UnicodeDecodeError):
        asyncio.run(text(OK + b"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 1\r\n\r\n\xff"))


# --------------------------------------------------------------------------------------------------- at random

WHOLE = [
    OK + b"Content-Length: 5\r\nX: y\r\nSet-Cookie: a=b; Max-Age=5\r\n\r\nhello",
    CHUNKED + b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nT: r\r\n\r\n",
    coded(b"gzip", ZIPPED),
    b"HTTP/1.1 100 Continue\r\n\r\n" + OK + LENGTH,
    b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
    b'HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm="r", nonce="n", qop=auth\r\nContent-Length: 0\r\n\r\n',
    b"HTTP/1.0 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nto the end",
]
PIECES = [b"\r\n", b"\n", b" ", b"\t", b":", b";", b"\0", b"\xff", b"-1", b'"', b"\r\n\r\n", b" fold\r\n", b"A" * 3000]
PIECES += [b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"HTTP/1.1 200 OK\r\n", b"Location: http://[\r\n"]
PIECES += [b"Set-Cookie: \xff=\0; Expires=x\r\n", b"Content-Type: ; charset*\r\n", b"Content-Encoding: br\r\n"]


def mutated(random):
    answer = bytearray(random.choice(WHOLE))
    for _ in range(random.choice([0, 1, 1, 2, 4])):
        place, way = random.randint(0, len(answer)), random.randint(0, 4)
        if way == 0:
            answer[place:place] = random.choice(PIECES)
        elif way == 1:
            del answer[place : place + random.randint(1, 8)]
        elif way == 2:
            answer[place : place + 1] = bytes([random.randint(0, 255)])
        elif way == 3:  # behind a line
            place = answer.find(b"\r\n", place) + 2
            answer[place:place] = random.choice(PIECES)
        else:
            del answer[place:]
    return bytes(answer)


def test_whatever_a_server_sends_is_an_answer_or_a_client_error():
    """Five hundred answers with something wrong in most of them, over sessions that go on."""
    import random
    import socket
    import threading

    from hc import aiohttp

    choose = random.Random(7)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.recv(65536)
                    connection.sendall(mutated(choose))
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65536):
                        pass
                except OSError:  # the client has gone
                    pass

    async def look(session, url):
        async with session.get(url) as response:
            response.cookies, response.content_type, response.charset, response.raw_headers
            await response.text(errors="replace")
            return response.status

    async def run():
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        answered = 0
        options = {"middlewares": (aiohttp.DigestAuthMiddleware("a", "b"),), "timeout": aiohttp.ClientTimeout(total=10)}
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True), **options) as session:
            for _ in range(500):
                try:
                    answered += await look(session, url) < 1000
                except aiohttp.ClientError:
                    pass
        return answered

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        assert 50 < asyncio.run(run()) < 450
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
