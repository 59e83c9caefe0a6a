"""ClientResponse: what it tells, and how its body becomes text."""

import asyncio
import gc
import json

import pytest
from multidict import CIMultiDictProxy
from recorder import Recorder, recorder, reply  # noqa: F401
from yarl import URL


def got(aiohttp, recorder, answer, look, **options):
    """What `look` (a function or coroutine function of the response) finds in that answer."""
    recorder.answer = answer if callable(answer) else lambda request: answer

    async def run():
        async with aiohttp.ClientSession() as session:
            async with session.get(recorder.url + "/p", **options) as response:
                found = look(response)
                return await found if asyncio.iscoroutine(found) else found

    return asyncio.run(run())


def test_the_head(aiohttp, recorder):
    async def look(response):
        assert (response.status, response.reason, tuple(response.version)) == (203, "So be it", (1, 1))
        assert response.ok and response.method == "GET" and response.history == ()
        assert response.url == URL(recorder.url + "/p") == response.real_url
        assert isinstance(response.headers, CIMultiDictProxy)
        assert response.headers.getall("x-a") == ["1", "2"] and response.headers["X-B"] == "naïve"
        assert response.raw_headers[0] == (b"X-a", b"1") and (b"x-B", "naïve".encode()) in response.raw_headers
        assert response.content_length == 2 and response.content_type == "text/plain" and response.charset == "utf-8"
        assert response.request_info.method == "GET" and response.request_info.url == response.url
        assert response.request_info.headers["Accept"] == "*/*" and "Host" in response.request_info.headers
        assert repr(response).startswith(f"<ClientResponse({recorder.url}/p) [203 So be it]>\n")
        response.raise_for_status()

    fields = ["X-a: 1", "x-B: naÃ¯ve", "X-A: 2", "Content-Type: text/plain; charset=utf-8"]
    got(aiohttp, recorder, reply(b"ok", *fields, status="203 So be it"), look)


def test_without_a_content_type(aiohttp, recorder):
    def look(response):
        assert response.content_type == "application/octet-stream" and response.charset is None
        assert response.content_disposition is None and not response.links

    got(aiohttp, recorder, reply(b"ok"), look)


def test_an_empty_reason_and_http_1_0(aiohttp, recorder):
    async def look(response):
        assert response.reason == "" and tuple(response.version) == (1, 0)
        assert await response.read() == b"until the end"

    got(aiohttp, recorder, b"HTTP/1.0 200 \r\nConnection: close\r\n\r\nuntil the end", look)


@pytest.mark.parametrize(
    "content_type, body, text",
    [
        ("text/plain; charset=utf-8", "ü".encode(), "ü"),
        ("text/plain; charset=latin-1", b"\xfc", "ü"),
        ("text/plain; charset=nonsense", "ü".encode(), "ü"),
        ("application/json", '"ü"'.encode(), '"ü"'),
        ("text/plain", b"", ""),
    ],
)
def test_text(aiohttp, recorder, content_type, body, text):
    async def look(response):
        assert await response.text() == text
        assert await response.text() == text  # the body is kept

    got(aiohttp, recorder, reply(body, f"Content-Type: {content_type}"), look)


def test_text_with_encoding_and_errors(aiohttp, recorder):
    async def look(response):
        with pytest.raises(UnicodeDecodeError):
            await response.text("ascii")
        assert await response.text("latin-1") == "\xff" and await response.text("ascii", "replace") == "\ufffd"
        assert await response.text(encoding="ascii", errors="ignore") == ""

    got(aiohttp, recorder, reply(b"\xff"), look)


def test_the_fallback_charset_resolver(aiohttp, recorder, since):
    since(3, 9, "fallback_charset_resolver")
    recorder.answer = lambda request: reply(b"\xfc", "Content-Type: text/plain")

    async def run():
        async with aiohttp.ClientSession(fallback_charset_resolver=lambda response, body: "latin-1") as session:
            async with session.get(recorder.url) as response:
                with pytest.raises(RuntimeError, match="not yet read"):
                    response.get_encoding()
                assert await response.text() == "ü" and response.get_encoding() == "latin-1"

    asyncio.run(run())


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8", "application/problem+json"])
def test_json(aiohttp, recorder, kind):
    async def look(response):
        assert await response.json() == {"a": 1}
        assert await response.json(loads=lambda text: text[::-1]) == '}1 :"a"{'

    got(aiohttp, recorder, reply(b'{"a": 1}', f"Content-Type: {kind}"), look)


def test_json_that_is_none(aiohttp, recorder):
    async def look(response):
        with pytest.raises(aiohttp.ContentTypeError) as caught:
            await response.json()
        assert caught.value.message.endswith("unexpected mimetype: text/html") and caught.value.headers is not None
        assert await response.json(content_type=None) == [] and await response.json(content_type="text/html") == []

    got(aiohttp, recorder, reply(b" [] ", "Content-Type: text/html"), look)

    async def broken(response):
        with pytest.raises(json.JSONDecodeError):
            await response.json()

    got(aiohttp, recorder, reply(b"{", "Content-Type: application/json"), broken)

    async def empty(response):
        assert await response.json() is None

    got(aiohttp, recorder, reply(b" \n", "Content-Type: application/json"), empty)


def test_links(aiohttp, recorder):
    def look(response):
        assert response.links["next"]["url"] == URL(recorder.url + "/2?a=b")
        assert response.links["next"]["title"] == "more"

    got(aiohttp, recorder, reply(b"", 'Link: </2?a=b>; rel="next"; title="more"'), look)


def test_content_disposition(aiohttp, recorder):
    def look(response):
        found = response.content_disposition
        assert (found.type, found.filename, found.parameters["name"]) == ("attachment", "a b.txt", "x")

    got(aiohttp, recorder, reply(b"", 'Content-Disposition: attachment; filename="a b.txt"; name=x'), look)


def test_cookies(aiohttp, recorder):
    def look(response):
        assert {key: morsel.value for key, morsel in response.cookies.items()} == {"a": "1", "b": "two"}
        assert response.cookies["b"]["path"] == "/x"

    got(aiohttp, recorder, reply(b"", "Set-Cookie: a=1", "Set-Cookie: b=two; Path=/x"), look)


def test_raise_for_status(aiohttp, recorder):
    async def look(response):
        assert not response.ok
        with pytest.raises(aiohttp.ClientResponseError) as caught:
            response.raise_for_status()
        assert (caught.value.status, caught.value.message, caught.value.history) == (500, "Broken", ())
        assert str(caught.value) == f"500, message='Broken', url={_shown(aiohttp, response.url)}"

    got(aiohttp, recorder, reply(b"x", status="500 Broken"), look)


def _shown(aiohttp, url):
    return repr(str(url)) if aiohttp.__name__ == "hc.aiohttp" or not aiohttp.__version__.startswith("3.8.") else repr(url)


# ------------------------------------------------------------------------------------------------------- the end of it


def test_read_is_kept_and_the_connection_given_back(aiohttp, recorder):
    async def look(response):
        assert await response.read() == b"ok" and await response.read() == b"ok"
        assert response.closed and response.connection is None and response.content.at_eof()

    got(aiohttp, recorder, reply(b"ok"), look)


def test_after_the_context(aiohttp, recorder):
    async def run():
        async with aiohttp.ClientSession() as session:
            async with session.get(recorder.url) as response:
                text = await response.text()
            assert text == await response.text()  # what was read is kept
            assert response.headers["Content-Length"] == "2"
            async with session.get(recorder.url) as unread:
                pass
            assert unread.headers["Content-Length"] == "2" and unread.status == 200 and unread.closed
            with pytest.raises(aiohttp.ClientConnectionError):
                await unread.read()

    asyncio.run(run())


def test_release_and_close(aiohttp, recorder):
    async def run():
        async with aiohttp.ClientSession() as session:
            for end in ("release", "close"):
                response = await session.get(recorder.url)
                getattr(response, end)()
                getattr(response, end)()
                assert response.closed and response.connection is None and response.reason == "OK"
                with pytest.raises(aiohttp.ClientConnectionError, match="Connection closed"):
                    await response.text()
                with pytest.raises(aiohttp.ClientConnectionError):
                    await response.content.read()
            response = await session.get(recorder.url)
            await response.release()  # older code awaits it

    asyncio.run(run())


def test_close_wakes_a_reader(aiohttp, server):
    async def run():
        async with aiohttp.ClientSession() as session:
            response = await session.get(server.http + "/drip?bytes=2&every_ms=20000")
            await response.content.read(1)
            reader = asyncio.ensure_future(response.content.read())
            await asyncio.sleep(0)
            response.close()
            with pytest.raises(aiohttp.ClientConnectionError):
                await reader

    asyncio.run(run())


def test_the_connection_while_a_body_is_on_its_way(aiohttp, server):
    async def run():
        async with aiohttp.ClientSession() as session:
            async with session.get(server.http + "/drip?bytes=2&every_ms=20000") as response:
                assert not response.closed
                host, port = response.connection.transport.get_extra_info("peername")[:2]
                assert (host, port) == ("127.0.0.1", server.port)
                assert response.connection.transport.get_extra_info("nothing", 7) == 7
            assert response.closed and response.connection is None

    asyncio.run(run())


@pytest.mark.filterwarnings("ignore:Unclosed response:ResourceWarning")
def test_a_forgotten_response_gives_its_connection_back(server):
    """aiohttp's goes on reading it."""
    from hc import aiohttp

    async def run():
        asyncio.get_running_loop().set_debug(False)
        connector = aiohttp.TCPConnector(limit=1)
        async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=20)) as session:
            for _ in range(3):
                response = await session.get(server.http + "/bytes/5000000")
                assert response.status == 200
                del response
                gc.collect()
            async with session.get(server.http + "/bytes/3") as response:
                assert len(await response.read()) == 3

    asyncio.run(run())


def test_many_large_bodies_unread(aiohttp, server):
    async def run():
        async with aiohttp.ClientSession() as session:
            for _ in range(20):
                async with session.get(server.http + "/bytes/3000000") as response:
                    assert response.content_length == 3000000

    asyncio.run(run())


def test_gzip_is_decoded_unless_told_otherwise(aiohttp, server):
    async def run():
        async with aiohttp.ClientSession() as session:
            async with session.get(server.http + "/gzip/5000") as response:
                assert len(await response.read()) == 5000 and response.headers["Content-Encoding"] == "gzip"
            given = {"Accept-Encoding": "gzip"}
            async with session.get(server.http + "/gzip/5000", headers=given) as response:
                assert len(await response.read()) == 5000
        async with aiohttp.ClientSession(auto_decompress=False) as session:
            async with session.get(server.http + "/gzip/5000") as response:
                assert (await response.read())[:2] == b"\x1f\x8b"

    asyncio.run(run())
