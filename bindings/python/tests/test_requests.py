"""Requests and responses: what the server sees, and what comes back."""

import asyncio
import gzip
import json
import threading

import pytest
from conftest import Scripted, answer, head_of

import hc


@pytest.fixture
def session():
    with hc.Session() as session:
        yield session


VERBS = ["get", "post", "put", "patch", "delete", "options"]


def test_every_method_is_sent_async_and_blocking(url, run):
    async def main():
        async with hc.Session() as session:
            for verb in VERBS:
                assert (await getattr(session, verb)(url + "/method")).text == verb.upper()
            assert (await session.request("BREW", url + "/method")).text == "BREW"
            assert (await session.head(url + "/bytes/5")).headers["content-length"] == "5"

    run(main())
    with hc.Session() as session:
        for verb in VERBS:
            assert getattr(session, verb + "_sync")(url + "/method").text == verb.upper()
        assert session.request_sync("BREW", url + "/method").text == "BREW"
        head = session.head_sync(url + "/bytes/5")
        assert (head.status, head.body, head.headers["content-length"]) == (200, b"", "5")


def test_a_call_can_be_awaited_entered_and_made_a_task(url, run):
    async def main():
        async with hc.Session() as session:
            assert (await session.get(url + "/bytes/1")).status == 200
            async with session.get(url + "/bytes/2") as response:
                assert len(response.body) == 2
            task = asyncio.ensure_future(session.get(url + "/bytes/3"))
            other = asyncio.get_running_loop().create_task(session.get(url + "/bytes/4"))
            both = await asyncio.gather(task, other)
            assert [len(each.body) for each in both] == [3, 4]

    run(main())


def test_a_call_that_is_never_awaited_is_not_sent_and_says_so(url):
    async def main():
        async with hc.Session() as session:
            with pytest.warns(RuntimeWarning, match="never awaited"):
                session.get(url)
            assert session.stats()["submitted"] == 0

    asyncio.run(main())


def test_a_response_tells_everything(url, session):
    before = session.get_sync(url + "/status/404?body=gone")
    response = session.get_sync(url + "/bytes/1000")
    assert (before.status, before.ok, before.reason, before.text) == (404, False, "Not Found", "gone")
    assert (response.status, response.ok, response.reason, len(response.body)) == (200, True, "OK", 1000)
    assert (response.method, response.url, response.asked_url) == ("GET", url + "/bytes/1000", url + "/bytes/1000")
    assert response.history == ()
    assert response.http_version == "HTTP/1.1"
    assert (before.reused, response.reused) == (False, True)
    assert before.connection == response.connection == 1
    assert (before.attempts, response.attempts) == (1, 0) or response.attempts >= 1
    assert f"http://{response.remote.address}:{response.remote.port}" == url
    timing = response.timing
    assert timing.connected is None and timing.secured is None
    assert 0 <= timing.started <= timing.ready <= timing.sent <= timing.first_byte <= timing.done == response.elapsed
    assert before.timing.connected > 0
    assert "200" in repr(response)


def test_a_response_outlives_its_session(url):
    with hc.Session() as session:
        response = session.get_sync(url + "/bytes/64")
    assert len(response.body) == 64 and response.headers["content-length"] == "64"


def test_many_threads_may_read_one_response(url, session):
    response = session.get_sync(url + "/bytes/100000")
    seen = []
    threads = [threading.Thread(target=lambda: seen.append((response.body, response.headers))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [(response.body, response.headers)] * 8


# --------------------------------------------------------------------------------------------------------- redirects


def test_redirects_are_followed_and_leave_their_history(url, run):
    async def main():
        async with hc.Session() as session:
            response = await session.post(url + "/redirect/2", body=b"x")
            assert (response.status, response.url, response.asked_url) == (200, url + "/redirect/0", url + "/redirect/2")
            assert [(hop.status, hop.method, hop.url) for hop in response.history] == [
                (302, "POST", url + "/redirect/2"), (302, "GET", url + "/redirect/1"),
            ]
            assert response.history[0].headers["location"] == "/redirect/1"
            async with session.stream("GET", url + "/redirect/1") as streamed:
                pass
            assert (streamed.url, len(streamed.history)) == (url + "/redirect/0", 1)
            as_it_is = await session.get(url + "/redirect/1", max_redirects=0)
            assert (as_it_is.status, as_it_is.headers["location"]) == (302, "/redirect/0")
            with pytest.raises(hc.errors.TooManyRedirectsError):
                await session.get(url + "/redirect/5", max_redirects=3)
        async with hc.Session(max_redirects=0) as session:
            assert (await session.get(url + "/redirect/1")).status == 302

    run(main())


@pytest.mark.parametrize("where", ["session", "request"])
def test_redirects_from_https_to_http_need_a_word(server, where):
    target = f"{server.https}/redirect-to?url={server.http}/bytes/3"
    allowed = {"insecure_redirects": True}
    with hc.Session(tls_verify=False) as session, pytest.raises(hc.errors.RedirectError):
        session.get_sync(target)
    with hc.Session(tls_verify=False, **(allowed if where == "session" else {})) as session:
        assert session.get_sync(target, **(allowed if where == "request" else {})).url == server.http + "/bytes/3"


@pytest.mark.parametrize("where", ["session", "request"])
def test_compressed_bodies_are_decoded_unless_told_otherwise(url, where):
    raw = {"decompress": False}
    with hc.Session() as session:
        expected = session.get_sync(url + "/bytes/10000").body
        assert session.get_sync(url + "/gzip/10000").body == expected
        assert "gzip" in head_of(session.get_sync(url + "/echo/head"))["accept-encoding"]
        with session.stream_sync("GET", url + "/gzip/10000") as response:
            assert response.read() == expected
    with hc.Session(**(raw if where == "session" else {})) as session:
        body = session.get_sync(url + "/gzip/10000", **(raw if where == "request" else {})).body
        assert gzip.decompress(body) == expected


def test_a_base_url_and_credentials_of_a_session(url):
    with hc.Session(base_url=url + "/echo/", username="me", password="x") as session:
        head = session.get_sync("head")
        assert head.url == url + "/echo/head" and head_of(head)["authorization"] == "Basic bWU6eA=="
        assert session.get_sync("/bytes/3").body == session.get_sync(url + "/bytes/3").body


# ----------------------------------------------------------------------------------------------------------- headers


def test_headers_are_a_multi_view_in_order_without_case(session):
    fields = ["X-One: 1", "Set-Cookie: a=1", "X-Two: zwei", "set-cookie: b=2", "X-Raw: \xfc"]
    with Scripted(answer(b"", *fields)) as scripted:
        headers = session.get_sync(scripted.url).headers
    assert headers["set-COOKIE"] == "a=1" and headers.getall("Set-Cookie") == ["a=1", "b=2"]
    assert headers.getall("x-none") == [] and "x-none" not in headers and "X-ONE" in headers
    assert headers.get("x-none") is None and 7 not in headers
    assert list(headers) == ["X-One", "Set-Cookie", "X-Two", "X-Raw", "Content-Length"]
    assert len(headers) == 5 and len(headers.raw) == 6
    assert headers.fields()[:4] == [("X-One", "1"), ("Set-Cookie", "a=1"), ("X-Two", "zwei"), ("set-cookie", "b=2")]
    assert headers.raw[4] == (b"X-Raw", b"\xfc")
    with pytest.raises(KeyError, match="x-none"):
        headers["x-none"]


def test_request_headers_keep_order_and_case_and_may_be_repeated(url, session):
    pairs = [("X-B", "1"), (b"x-a", b"2"), ("X-B", "3"), ("X-Empty", "")]
    lines = session.get_sync(url + "/echo/head", headers=pairs).text.split("\r\n")
    mine = [line for line in lines if line.lower().startswith("x-")]
    assert mine == ["X-B: 1", "x-a: 2", "X-B: 3", "X-Empty:"]


def test_a_header_of_none_removes_the_automatic_one(url, session):
    assert head_of(session.get_sync(url + "/echo/head"))["user-agent"] == "libhc/" + hc.version()
    assert "user-agent" not in head_of(session.get_sync(url + "/echo/head", headers={"User-Agent": None}))


@pytest.mark.parametrize("headers", [{"X": 1}, {1: "x"}, [("a", "b\r\nc: d")], {"a b": "c"}])
def test_unacceptable_headers_are_refused(url, session, headers):
    with pytest.raises(hc.errors.InvalidError, match="header"):
        session.get_sync(url, headers=headers)


# ------------------------------------------------------------------------------------------------------------ bodies


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 5_000_000])
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bodies_of_bytes_arrive(url, session, kind, size):
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    assert session.post_sync(url + "/echo", body=kind(body)).body == body


def test_a_large_body_is_kept_alive_until_it_is_sent(url, run):
    async def main():
        async with hc.Session() as session:
            calls = [session.post(url + "/upload", body=bytes([number]) * 1_000_000) for number in range(8)]
            checksums = [(await call).json()["checksum"] for call in calls]
            again = [await session.post(url + "/upload", body=bytes([number]) * 1_000_000) for number in range(8)]
            assert checksums == [response.json()["checksum"] for response in again]
            assert len(set(checksums)) == 8

    run(main())


def test_text_and_json_bodies(url, session):
    assert session.post_sync(url + "/echo", body="grün").body == "grün".encode()
    response = session.post_sync(url + "/echo", json={"a": [1, None, "ü"]})
    assert response.json() == {"a": [1, None, "ü"]}
    assert response.headers["content-type"] == "application/json"
    mine = session.post_sync(url + "/echo", json=[], headers={"content-TYPE": "text/mine"})
    assert mine.headers.getall("content-type") == ["text/mine"]
    with pytest.raises(hc.errors.InvalidError, match="json"):
        session.post_sync(url, json=1, body=b"x")
    with pytest.raises(hc.errors.InvalidError, match="body"):
        session.post_sync(url, body=7)


def test_urls_get_queries_and_lose_what_is_not_ascii(url, session):
    def target(*arguments, **options):
        return session.get_sync(*arguments, **options).text.split(" ")[1]

    assert target(url + "/echo/head", params={"a": 1, "b": ["x y", "&"]}) == "/echo/head?a=1&b=x+y&b=%26"
    assert target(url + "/echo/head?z=0#frag", params="a=1") == "/echo/head?z=0&a=1"
    assert target(url + "/echo/head?q=grün") == "/echo/head?q=gr%C3%BCn"
    session.resolve_add("xn--bcher-kva.test", 0, ["127.0.0.1"])
    port = url.rpartition(":")[2]
    response = session.get_sync(f"http://bücher.test:{port}/echo/head")
    assert head_of(response)["host"] == f"xn--bcher-kva.test:{port}"


# ----------------------------------------------------------------------------------------------------------- charset


@pytest.mark.parametrize(
    "kind, body, text, encoding",
    [
        ("text/plain; charset=latin-1", b"\xfc", "ü", "latin-1"),
        ('text/plain; charset="UTF-16LE"', b"a\x00", "a", "UTF-16LE"),
        ("text/plain; charset=no-such", "ü".encode(), "ü", "utf-8"),
        ("text/plain; charset=base64", b"x", "x", "utf-8"),
        ("text/plain", "ü".encode(), "ü", "utf-8"),
        ("text/plain", b"\xfc\x80", "ü€", "cp1252"),
        ("text/plain", b"\xef\xbb\xbfx", "x", "utf-8-sig"),
        ("text/plain", b"\xff\xfea\x00", "a", "utf-16"),
        ("text/plain", b"\xff\xfe\x00\x00a\x00\x00\x00", "a", "utf-32"),
        ("text/html", b'<meta charset="latin-1">\xfc', '<meta charset="latin-1">ü', "latin-1"),
        ("text/xml", b'<?xml version="1.0" encoding="koi8-r"?>\xd1', '<?xml version="1.0" encoding="koi8-r"?>я', "koi8-r"),
    ],
)
def test_text_is_decoded_as_it_is_declared_marked_or_guessed(session, kind, body, text, encoding):
    with Scripted(answer(body, f"Content-Type: {kind}")) as scripted:
        response = session.get_sync(scripted.url)
    assert (response.text, response.encoding) == (text, encoding)


def test_json_is_utf_8_unless_it_says_otherwise(session):
    with Scripted(answer(json.dumps("ü", ensure_ascii=False).encode())) as scripted:
        assert session.get_sync(scripted.url).json() == "ü"
    with Scripted(answer(b'"\xfc"', "Content-Type: application/json; charset=latin-1")) as scripted:
        assert session.get_sync(scripted.url).json() == "ü"
    with Scripted(answer(b"1.5")) as scripted:
        assert session.get_sync(scripted.url).json(parse_float=str) == "1.5"


@pytest.mark.parametrize("length", [2_047, 2_048, 2_049, 10_000])
def test_a_url_of_any_length_arrives_whole(session, url, length):
    """Short ones go another way than long ones."""
    asked = (url + "/echo/head?").ljust(length, "a")
    assert session.get_sync(asked).text.partition("\r\n")[0] == f"GET {asked[len(url):]} HTTP/1.1"
    assert session.get_sync(url + "/method").text == "GET", "and leaves nothing behind"
