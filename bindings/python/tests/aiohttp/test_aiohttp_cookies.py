"""Cookies of sessions: what is kept of responses, and what the server gets."""

import asyncio
from http.cookies import Morsel, SimpleCookie

import pytest
from recorder import Recorder, recorder, reply  # noqa: F401
from yarl import URL


def talk(aiohttp, *requests, jar=None, **options):
    """Requests (url, options) in one session; returns what `seen(session, response)` gives, or the jar."""

    async def run():
        made = jar(aiohttp) if jar is not None else aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=made, **options) as session:
            for url, given in requests:
                async with session.get(url, **given) as response:
                    await response.read()
        return made

    return asyncio.run(asyncio.wait_for(run(), 20))


def sent(request):
    return sorted(pair for field in request.values("cookie") for pair in field.split("; "))


def test_what_a_server_sets_comes_back(aiohttp, recorder):
    recorder.answer = lambda request: reply(b"", "Set-Cookie: a=1; Path=/", "Set-Cookie: b=2; Path=/deep; HttpOnly")
    talk(aiohttp, *[(recorder.url + path, {}) for path in ("/", "/", "/deep/x", "/other")])
    assert [sent(request) for request in recorder.requests] == [[], ["a=1"], ["a=1", "b=2"], ["a=1"]]


def test_what_a_server_takes_away(aiohttp, recorder):
    def answer(request):
        age = 1000 if request.target == "/set" else 0
        return reply(b"", f"Set-Cookie: a=1; Max-Age={age}; Path=/")

    recorder.answer = answer
    jar = talk(aiohttp, *[(recorder.url + path, {}) for path in ("/set", "/unset", "/after")])
    assert [sent(request) for request in recorder.requests] == [[], ["a=1"], []]
    assert len(jar) == 0


def test_cookies_of_a_request(aiohttp, recorder):
    morsel = Morsel()
    morsel.set("m", "3", "3")
    for given in ({"a": "1"}, [("a", "1")], SimpleCookie("a=1")):
        talk(aiohttp, (recorder.url, {"cookies": given}), (recorder.url, {}))
        assert [sent(request) for request in recorder.requests[-2:]] == [["a=1"], []]
    talk(aiohttp, (recorder.url, {"cookies": {"m": morsel}}))
    assert sent(recorder.last) == ["m=3"]


def test_cookies_of_a_session(aiohttp, recorder):
    talk(aiohttp, (recorder.url, {}), (recorder.url, {"cookies": {"b": "2"}}), cookies={"a": "1"})
    assert [sent(request) for request in recorder.requests] == [["a=1"], ["a=1", "b=2"]]


def test_a_request_wins_over_the_session(aiohttp, recorder):
    talk(aiohttp, (recorder.url, {"cookies": {"a": "mine"}}), cookies={"a": "1"})
    assert sent(recorder.last) == ["a=mine"]


def test_a_header_of_ones_own_is_joined(aiohttp, recorder):
    talk(aiohttp, (recorder.url, {"headers": {"Cookie": "h=1"}, "cookies": {"c": "2"}}), cookies={"s": "3"})
    assert sent(recorder.last) == ["c=2", "h=1", "s=3"]
    talk(aiohttp, (recorder.url, {"headers": {"Cookie": "as it is; =x"}}))
    assert recorder.last.values("cookie") == ["as it is; =x"]


def test_values_that_need_quotes(aiohttp, recorder):
    talk(aiohttp, (recorder.url, {"cookies": {"a": "x y,z"}}))
    assert recorder.last.values("cookie") == ['a="x y\\054z"']


def test_values_as_they_are(aiohttp, recorder, since):
    since(3, 12, "cookies of a request were quoted all the same")
    jar = lambda aiohttp: aiohttp.CookieJar(unsafe=True, quote_cookie=False)  # noqa: E731
    talk(aiohttp, (recorder.url, {"cookies": {"a": "x=y"}}), jar=jar)
    assert recorder.last.values("cookie") == ["a=x=y"]


def test_an_empty_jar_that_counts(aiohttp, recorder):
    recorder.answer = lambda request: reply(b"", "Set-Cookie: a=1")
    jar = talk(aiohttp, (recorder.url, {}), (recorder.url, {}), jar=lambda aiohttp: aiohttp.DummyCookieJar())
    assert [sent(request) for request in recorder.requests] == [[], []] and len(jar) == 0


def test_cookies_of_a_response(aiohttp, recorder):
    recorder.answer = lambda request: reply(b"", "Set-Cookie: a=1; Path=/; Max-Age=5", "Set-Cookie: b=xy")

    async def run():
        async with aiohttp.ClientSession() as session:
            async with session.get(recorder.url) as response:
                return {name: morsel.value for name, morsel in response.cookies.items()}, response.cookies["a"]["max-age"]

    found, age = asyncio.run(run())
    assert (found, age) == ({"a": "1", "b": "xy"}, "5")


def test_cookies_that_make_no_sense(aiohttp, recorder):
    fields = ("", "=", "; ;", "Path=/", "a", "good=1", "bad=\xff", "x" * 5000 + "=1")
    recorder.answer = lambda request: reply(b"", *[f"Set-Cookie: {field}" for field in fields])
    jar = talk(aiohttp, (recorder.url, {}))
    assert "good" in {morsel.key for morsel in jar}


def test_a_jar_shared_by_sessions(aiohttp, recorder):
    recorder.answer = lambda request: reply(b"", "Set-Cookie: a=1")

    async def run():
        jar = aiohttp.CookieJar(unsafe=True)
        for _ in range(2):
            async with aiohttp.ClientSession(cookie_jar=jar) as session:
                async with session.get(recorder.url):
                    pass
                assert session.cookie_jar is jar

    asyncio.run(run())
    assert [sent(request) for request in recorder.requests] == [[], ["a=1"]]


def test_a_jar_of_ones_own(aiohttp, recorder, part):
    """One with what 3.8 asks for, and no more."""

    class Jar(part("abc").AbstractCookieJar):
        unsafe = quote_cookie = True
        cookies, host_only_cookies = {}, frozenset()

        def __init__(self):
            super().__init__()
            self.calls = []

        def __iter__(self):
            return iter(())

        def __len__(self):
            return 1

        def clear(self, predicate=None):
            pass

        def clear_domain(self, domain):
            pass

        def update_cookies(self, cookies, response_url=URL()):
            names = [name for name, _ in (cookies.items() if hasattr(cookies, "items") else cookies)]
            self.calls.append((names, response_url.path))

        def filter_cookies(self, request_url=URL()):
            return SimpleCookie("own=1")

    recorder.answer = lambda request: reply(b"", "Set-Cookie: a=1", "Set-Cookie: b=2")
    jar = talk(aiohttp, (recorder.url + "/p", {}), jar=lambda _: Jar())
    assert jar.calls == [(["a", "b"], "/p")]
    assert sent(recorder.last) == ["own=1"]


def test_a_jar_of_aiohttp_is_taken(recorder):
    original = pytest.importorskip("aiohttp")
    from hc import aiohttp

    recorder.answer = lambda request: reply(b"", "Set-Cookie: a=1")
    jar = talk(aiohttp, (recorder.url, {}), (recorder.url, {}), jar=lambda _: original.CookieJar(unsafe=True))
    assert [sent(request) for request in recorder.requests] == [[], ["a=1"]] and len(jar) == 1


def test_secure_cookies_of_an_origin_that_is_trusted(aiohttp, recorder):
    recorder.answer = lambda request: reply(b"", "Set-Cookie: a=1; Secure")
    for origin, expected in ((None, []), (recorder.url, ["a=1"])):
        jar = lambda aiohttp: aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=origin)  # noqa: B023,E731
        talk(aiohttp, (recorder.url, {}), (recorder.url, {}), jar=jar)
        assert sent(recorder.last) == expected


def test_redirects_set_and_send(aiohttp, except_in, recorder):
    except_in(3, 11, "a redirect loses the cookies of the request")

    def answer(request):
        if request.target == "/":
            return reply(b"", "Location: /next", "Set-Cookie: hop=1; Path=/", status="302 Found")
        return reply(b"", "Set-Cookie: last=1; Path=/")

    recorder.answer = answer
    talk(aiohttp, (recorder.url + "/", {"cookies": {"mine": "1"}}), (recorder.url + "/after", {}))
    assert [sent(request) for request in recorder.requests] == [["mine=1"], ["hop=1", "mine=1"], ["hop=1", "last=1"]]


def test_cookies_of_a_response_that_a_middleware_released(aiohttp, recorder, since):
    since(3, 12, "middlewares")

    async def middleware(request, handler):
        response = await handler(request)
        response.release()
        return response

    recorder.answer = lambda request: reply(b"body", "Set-Cookie: a=1; Path=/")

    async def run():
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar, middlewares=[middleware]) as session:
            async with session.get(recorder.url):
                return [(morsel.key, morsel.value) for morsel in jar]

    assert asyncio.run(run()) == [("a", "1")]
