"""Redirects, middlewares, and what happens at each hop."""

import asyncio
import io

import pytest
from recorder import Recorder, recorder, reply  # noqa: F401
from yarl import URL


def redirecting(status, to="/end", *fields):
    """/start leads to `to`, everything else is answered."""

    def answer(request):
        if request.target.startswith("/start"):
            return reply(b"moved", f"Location: {to}", *fields, status=f"{status} Moved")
        return reply(b"there")

    return answer


def went(aiohttp, recorder, method="GET", **options):
    """(what was asked for at the server, the response)."""

    async def run():
        async with aiohttp.ClientSession(**options.pop("session", {})) as session:
            async with session.request(method, recorder.url + "/start", **options) as response:
                await response.read()
                return response

    response = asyncio.run(run())
    return [(request.method, request.target, request.body) for request in recorder.requests], response


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed(aiohttp, recorder, status):
    recorder.answer = redirecting(status, "/end?a=b")
    asked, response = went(aiohttp, recorder)
    assert asked == [("GET", "/start", b""), ("GET", "/end?a=b", b"")]
    assert response.status == 200 and response.url == URL(recorder.url + "/end?a=b")
    assert [(hop.status, hop.url.path, hop.reason) for hop in response.history] == [(status, "/start", "Moved")]
    assert response.history[0].headers["Location"] == "/end?a=b"


@pytest.mark.parametrize(
    "status, method, then",
    [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "POST", "GET"),
        (307, "POST", "POST"),
        (308, "POST", "POST"),
        (301, "PUT", "PUT"),
        (302, "PATCH", "PATCH"),
        (303, "PUT", "GET"),
        (303, "DELETE", "GET"),
        (308, "DELETE", "DELETE"),
    ],
)
def test_methods_and_bodies(aiohttp, recorder, status, method, then):
    recorder.answer = redirecting(status)
    asked, _ = went(aiohttp, recorder, method, data=b"body")
    assert asked == [(method, "/start", b"body"), (then, "/end", b"" if then == "GET" else b"body")]


def test_head_stays_head(aiohttp, recorder):
    recorder.answer = lambda request: reply(b"", *(["Location: /end"] if request.target == "/start" else []), status="303 X" if request.target == "/start" else "200 OK")
    asked, _ = went(aiohttp, recorder, "HEAD", allow_redirects=True)
    assert [each[0] for each in asked] == ["HEAD", "HEAD"]


def test_head_is_not_redirected_by_default(aiohttp, recorder):
    recorder.answer = redirecting(302)

    async def run():
        async with aiohttp.ClientSession() as session:
            assert (await session.head(recorder.url + "/start")).status == 302

    asyncio.run(run())


def test_not_followed(aiohttp, recorder):
    recorder.answer = redirecting(302)
    asked, response = went(aiohttp, recorder, allow_redirects=False)
    assert (response.status, response.history, len(asked)) == (302, (), 1)


def test_without_a_location(aiohttp, recorder):
    recorder.answer = lambda request: reply(b"what?", status="302 Found")
    _, response = went(aiohttp, recorder)
    assert response.status == 302 and len(recorder.requests) == 1 and response.history == (response,)


@pytest.mark.parametrize("options", [{}, {"headers": {"X": "y"}}])
def test_max_redirects(aiohttp, recorder, options):
    recorder.answer = redirecting(302, "/start")

    async def run():
        async with aiohttp.ClientSession() as session:
            for limit in (1, 3, 10):
                recorder.requests.clear()
                with pytest.raises(aiohttp.TooManyRedirects) as caught:
                    await session.get(recorder.url + "/start", max_redirects=limit, **options)
                assert len(recorder.requests) == len(caught.value.history) == limit
                assert caught.value.status == 0 and caught.value.request_info.url.path == "/start"
            recorder.requests.clear()
            with pytest.raises(aiohttp.TooManyRedirects):
                await session.get(recorder.url + "/start")
            assert len(recorder.requests) == 10

    asyncio.run(run())


def test_the_query_comes_from_the_location(aiohttp, recorder):
    recorder.answer = redirecting(302, "/end?from=location")
    asked, _ = went(aiohttp, recorder, params={"a": "b"})
    assert [target for _, target, _ in asked] == ["/start?a=b", "/end?from=location"]


@pytest.mark.parametrize("location, target", [("end", "/end"), ("?x", "/start?x"), ("//127.0.0.1:{port}/x", "/x"), ("/a b", "/a%20b")])
def test_relative_locations(aiohttp, recorder, location, target):
    seen = []

    def answer(request):
        seen.append(request.target)
        if len(seen) == 1:
            return reply(b"", "Location: " + location.format(port=recorder.port), status="302 Found")
        return reply(b"there")

    recorder.answer = answer
    went(aiohttp, recorder)
    assert seen == ["/start", target]


def test_bad_locations(aiohttp, recorder, since):
    since(3, 10, "before, some were a plain ValueError")

    async def run():
        async with aiohttp.ClientSession() as session:
            for location in ("http://", "http://a.test:port/"):
                recorder.answer = redirecting(302, location)
                with pytest.raises(aiohttp.InvalidURL):
                    await session.get(recorder.url + "/start")

    asyncio.run(run())


def test_locations_of_other_schemes(aiohttp, recorder, since):
    since(3, 10, "its own exception")

    async def run():
        async with aiohttp.ClientSession() as session:
            recorder.answer = redirecting(302, "ftp://a.test/")
            with pytest.raises(aiohttp.NonHttpUrlRedirectClientError):
                await session.get(recorder.url + "/start")

    asyncio.run(run())


def test_credentials_stay_at_their_origin(aiohttp, recorder):
    with Recorder() as other:
        recorder.answer = redirecting(302, other.url + "/end")
        given = {"Authorization": "secret", "X-Other": "stays"}
        _, response = went(aiohttp, recorder, headers=given)
        assert recorder.last.headers["authorization"] == "secret"
        assert "authorization" not in other.last.headers and other.last.headers["x-other"] == "stays"
        assert other.last.headers["host"] == f"127.0.0.1:{other.port}" and response.status == 200
    recorder.answer = redirecting(302, "/end")
    went(aiohttp, recorder, headers=given)
    assert recorder.last.target == "/end" and recorder.last.headers["authorization"] == "secret"


def test_credentials_of_a_session_are_not_for_those_a_redirect_leads_to(recorder):
    """Ours alone: aiohttp sends them everywhere, unless there is a base_url."""
    import hc.aiohttp

    async def run():
        with pytest.warns(DeprecationWarning):
            session = hc.aiohttp.ClientSession(auth=hc.aiohttp.BasicAuth("user", "pass"))
        async with session, session.get(recorder.url + "/start") as response:
            assert response.status == 200

    with Recorder() as other:
        recorder.answer = redirecting(302, other.url + "/end")
        asyncio.run(run())
        assert "authorization" in recorder.last.headers and "authorization" not in other.last.headers
    recorder.answer = redirecting(302, "/end")
    asyncio.run(run())
    assert recorder.last.target == "/end" and "authorization" in recorder.last.headers


def test_cookies_stay_at_their_origin(aiohttp, recorder, since):
    since(3, 12, "cookies of a request stay at its origin")
    with Recorder() as other:
        recorder.answer = redirecting(302, other.url + "/end")
        went(aiohttp, recorder, headers={"Cookie": "a=1"}, cookies={"b": "2"})
        assert set(recorder.last.headers["cookie"].split("; ")) == {"a=1", "b=2"}
        assert "cookie" not in other.last.headers


def test_cookies_of_each_hop_are_kept(aiohttp, recorder):
    recorder.answer = redirecting(302, "/end", "Set-Cookie: hop=1; Path=/")

    async def run():
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            for options in ({}, {"headers": {"A": "b"}}):
                session.cookie_jar.clear()
                await session.get(recorder.url + "/start", **options)
                assert recorder.last.target == "/end" and recorder.last.headers["cookie"] == "hop=1"

    asyncio.run(run())


def test_a_file_is_sent_again(aiohttp, recorder, since, tmp_path):
    since(3, 12, "payloads are rewound")
    recorder.answer = redirecting(307)
    (tmp_path / "file").write_bytes(b"x" * 100_000)
    with open(tmp_path / "file", "rb") as file:
        asked, _ = went(aiohttp, recorder, "POST", data=file)
    assert [len(body) for _, _, body in asked] == [100_000, 100_000]
    recorder.requests.clear()
    asked, _ = went(aiohttp, recorder, "POST", data=io.BytesIO(b"abc"))
    assert [body for _, _, body in asked] == [b"abc", b"abc"]


def test_an_iterator_cannot_be_sent_again(aiohttp, recorder, since):
    since(3, 12, "it fails in place of sending nothing")
    recorder.answer = redirecting(307)

    async def pieces():
        yield b"abc"

    async def run():
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientPayloadError, match="consumed"):
                await session.post(recorder.url + "/start", data=pieces())

    asyncio.run(run())


def test_raise_for_status_is_about_the_last_one(aiohttp, recorder):
    recorder.answer = redirecting(302)
    _, response = went(aiohttp, recorder, raise_for_status=True)
    assert response.status == 200


# ---------------------------------------------------------------------------------------------------- middlewares


def test_middlewares(aiohttp, recorder, since):
    since(3, 12, "middlewares")
    order = []

    def middleware(name):
        async def call(request, handler):
            order.append(f"{name} {request.method} {request.url.path}")
            request.headers["X-" + name] = "1"
            response = await handler(request)
            order.append(f"{name} {response.status}")
            return response

        return call

    recorder.answer = redirecting(302)
    went(aiohttp, recorder, session={"middlewares": [middleware("A"), middleware("B")]})
    assert order == [
        "A GET /start", "B GET /start", "B 302", "A 302", "A GET /end", "B GET /end", "B 200", "A 200"
    ]  # fmt: skip
    assert recorder.last.headers["x-a"] == recorder.last.headers["x-b"] == "1"
    order.clear()
    went(aiohttp, recorder, session={"middlewares": [middleware("A")]}, middlewares=[middleware("C")], allow_redirects=False)
    assert order == ["C GET /start", "C 302"]


def test_a_middleware_may_repeat_and_change_the_body(aiohttp, recorder, since):
    since(3, 12, "middlewares")

    async def call(request, handler):
        first = await handler(request)
        assert first.status == 200 and request.session is not None
        first.release()
        request.headers["X-Again"] = "yes"
        await request.update_body(b"another")
        return await handler(request)

    asked, _ = went(aiohttp, recorder, "POST", data=b"body", middlewares=[call])
    assert asked == [("POST", "/start", b"body"), ("POST", "/start", b"another")]
    assert recorder.last.headers["content-length"] == "7"


def test_a_middleware_may_answer_or_raise(aiohttp, recorder, since):
    since(3, 12, "middlewares")

    async def inner(request, handler):
        async with request.session.get(recorder.url + "/token", middlewares=()) as response:
            request.headers["Authorization"] = await response.text()
        return await handler(request)

    asked, _ = went(aiohttp, recorder, middlewares=[inner])
    assert [target for _, target, _ in asked] == ["/token", "/start"]
    assert recorder.last.headers["authorization"] == "ok"

    async def refuse(request, handler):
        raise KeyError("no")

    with pytest.raises(KeyError):
        went(aiohttp, recorder, middlewares=[refuse])


@pytest.mark.parametrize("requote", [True, False])
def test_bytes_beyond_ascii_in_a_location(recorder, requote):
    """aiohttp raises UnicodeEncodeError, or loses them."""
    from hc import aiohttp

    location = "/\xe4"  # as the byte E4
    recorder.answer = lambda request: reply(b"", f"Location: {location}", status="302 Found") if request.target == "/" else reply()

    async def run():
        async with aiohttp.ClientSession(requote_redirect_url=requote) as session:
            async with session.get(recorder.url + "/") as response:
                return response.status

    assert asyncio.run(run()) == 200
    assert recorder.last.target == "/%E4"
