"""ClientSession: what its parameters and those of a request do, as the server sees it."""

import asyncio
import inspect
import json
import warnings

import pytest
from both import untidy
from conftest import passes, python
from multidict import CIMultiDict
from recorder import Recorder, recorder, reply  # noqa: F401
from yarl import URL


def sent(aiohttp, recorder, method="GET", path="/", session=None, **options):
    """One request; returns what the server got."""

    async def run():
        made = {} if session is None else session(aiohttp) if callable(session) else session
        async with aiohttp.ClientSession(**made) as client:
            url = path if "base_url" in made else recorder.url + path
            async with client.request(method, url, **options) as response:
                await response.read()

    asyncio.run(run())
    return recorder.last


def failed(aiohttp, kind, call, **session):
    """What a request raises: `call` is given the session and returns what is awaited."""

    async def run():
        async with aiohttp.ClientSession(**session) as client:
            with pytest.raises(kind) as caught:
                await call(client)
        return caught.value

    return asyncio.run(run())


# ------------------------------------------------------------------------------------------------------- the head


def test_the_head_of_a_plain_request(aiohttp, recorder):
    request = sent(aiohttp, recorder)
    assert (request.method, request.target) == ("GET", "/")
    assert [name for name, _ in request.fields] == ["Host", "Accept", "Accept-Encoding", "User-Agent"]
    assert request.headers["host"] == f"127.0.0.1:{recorder.port}"
    assert request.headers["accept"] == "*/*"
    assert request.headers["accept-encoding"].startswith("gzip, deflate")
    assert request.headers["user-agent"].startswith("Python/3.")


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"])
def test_methods(aiohttp, recorder, method):
    async def run():
        async with aiohttp.ClientSession() as session:
            async with getattr(session, method.lower())(recorder.url + "/m") as response:
                assert response.method == method
                assert await response.read() == (b"" if method == "HEAD" else b"ok")

    asyncio.run(run())
    assert (recorder.last.method, recorder.last.target, recorder.last.body) == (method, "/m", b"")
    has_length = method in ("POST", "PUT", "PATCH", "DELETE")
    assert recorder.last.headers.get("content-length") == ("0" if has_length else None)
    has_type = method in ("POST", "PUT", "PATCH")
    assert recorder.last.headers.get("content-type") == ("application/octet-stream" if has_type else None)


def test_other_methods(aiohttp, recorder):
    assert sent(aiohttp, recorder, "propfind").method == "PROPFIND"
    failed(aiohttp, ValueError, lambda session: session.request("G\r\nET", recorder.url))


def test_headers_of_session_and_request(aiohttp, recorder):
    session = {"headers": {"X-One": "session", "X-Two": "session"}}
    given = [("X-Two", "first"), ("X-Two", "second"), ("X-Three", "request")]
    request = sent(aiohttp, recorder, session=session, headers=given)
    assert request.values("X-One") == ["session"]
    assert request.values("X-Two") == ["first", "second"]
    assert request.values("X-Three") == ["request"]


def test_session_headers_can_be_changed(aiohttp, recorder):
    async def run():
        async with aiohttp.ClientSession(headers=CIMultiDict({"A": "1"})) as session:
            for value in ("2", "3"):
                session.headers["A"] = value
                await (await session.get(recorder.url)).read()
                assert recorder.last.headers["a"] == value
            del session.headers["A"]
            await (await session.get(recorder.url)).read()
            assert "a" not in recorder.last.headers

    asyncio.run(run())


def test_automatic_headers_replaced_and_skipped(aiohttp, recorder):
    given = {"Host": "other.test", "User-Agent": "mine", "Accept": "text/html", "Accept-Encoding": "identity"}
    request = sent(aiohttp, recorder, headers=given)
    assert {name: request.headers[name.lower()] for name in given} == given
    assert len(request.values("Host")) == 1
    skipped = sent(aiohttp, recorder, session={"skip_auto_headers": ["user-agent"]}, skip_auto_headers=["Accept"])
    assert "user-agent" not in skipped.headers and "accept" not in skipped.headers
    assert "accept-encoding" in skipped.headers
    assert "content-type" not in sent(aiohttp, recorder, "POST", skip_auto_headers=["Content-Type"]).headers


def test_header_values_are_text(aiohttp, recorder):
    failed(aiohttp, TypeError, lambda session: session.get(recorder.url, headers={"X": 1}))


def test_headers_are_utf8_and_never_broken(aiohttp, recorder):
    value = sent(aiohttp, recorder, headers={"X-Name": "naïve"}).headers["x-name"]
    assert value.encode("latin-1").decode("utf-8") == "naïve"
    failed(aiohttp, ValueError, lambda session: session.get(recorder.url, headers={"X": "a\r\nB: c"}))


# -------------------------------------------------------------------------------------------------------- the URL


@pytest.mark.parametrize(
    "path, params, target",
    [
        ("/p", {"a": "1", "b": "x y"}, "/p?a=1&b=x+y"),
        ("/p", [("a", "1"), ("a", "2")], "/p?a=1&a=2"),
        ("/p", {"n": 1, "f": 1.5}, "/p?n=1&f=1.5"),
        ("/p", {}, "/p"),
        ("/p?q=1", None, "/p?q=1"),
        ("/p?q=%20&r=a+b", None, "/p?q=%20&r=a+b"),
        ("/a b/ü", None, "/a%20b/%C3%BC"),
        ("/%61%2Fb", None, "/a%2Fb"),
        ("/p#fragment", None, "/p"),
        ("/a/../b/./c", None, "/b/c"),
        ("", None, "/"),
    ],
)
def test_urls_and_params(aiohttp, recorder, path, params, target):
    assert sent(aiohttp, recorder, path=path, params=params).target == target


def test_params_come_after_the_query(aiohttp, recorder, since):
    since(3, 9, "before, they took the place of it")
    assert sent(aiohttp, recorder, path="/p?a=1&b=2", params={"a": "3", "c": "4"}).target == "/p?a=1&b=2&a=3&c=4"


def test_an_encoded_url_is_left_alone(aiohttp, recorder):
    async def run():
        async with aiohttp.ClientSession() as session:
            await session.get(URL(f"{recorder.url}/%7Eb?q=%2B", encoded=True))

    asyncio.run(run())
    assert recorder.last.target == "/%7Eb?q=%2B"


def test_url_and_real_url(aiohttp, recorder):
    async def run():
        async with aiohttp.ClientSession() as session:
            async with session.get(recorder.url + "/p#top", params={"a": "b"}) as response:
                assert str(response.url) == recorder.url + "/p?a=b"
                assert str(response.real_url) == recorder.url + "/p?a=b#top"
                assert response.host == "127.0.0.1"

    asyncio.run(run())


def test_base_url(aiohttp, recorder):
    session = {"base_url": recorder.url}
    assert sent(aiohttp, recorder, path="/x/y", session=session).target == "/x/y"


def test_base_url_with_a_path(aiohttp, recorder, since):
    since(3, 12, "paths of base_url")
    session = {"base_url": recorder.url + "/api/v1/"}
    assert sent(aiohttp, recorder, path="users", session=session).target == "/api/v1/users"
    assert sent(aiohttp, recorder, path="/users", session=session).target == "/users"

    async def run():
        with pytest.raises(ValueError, match="trailing"):
            aiohttp.ClientSession(base_url=recorder.url + "/api")

    asyncio.run(run())


@pytest.mark.parametrize("url", ["http://", "http:///path", "/only/a/path", ""])
def test_invalid_urls(aiohttp, url):
    assert isinstance(failed(aiohttp, aiohttp.InvalidURL, lambda session: session.get(url)), ValueError)


def test_other_schemes(aiohttp, since):
    since(3, 10, "its own exception")
    for url in ("ftp://a.test/", "file:///etc/passwd", "nonsense:"):
        failed(aiohttp, aiohttp.NonHttpUrlClientError, lambda session: session.get(url))


# ----------------------------------------------------------------------------------------------------------- auth


def test_basic_auth(aiohttp, recorder):
    expected = "Basic dXNlcjpwYXNz"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        auth = aiohttp.BasicAuth("user", "pass")
        assert sent(aiohttp, recorder, auth=auth).headers["authorization"] == expected
        assert sent(aiohttp, recorder, session={"auth": auth}).headers["authorization"] == expected
        refused = failed(
            aiohttp,
            ValueError,
            lambda session: session.get(recorder.url, headers={"Authorization": "x"}, auth=auth),
        )
        assert "Cannot combine" in str(refused)
        failed(aiohttp, TypeError, lambda session: session.get(recorder.url, auth=("user", "pass")))


def test_credentials_in_the_url(aiohttp, recorder):
    async def run():
        async with aiohttp.ClientSession() as session:
            url = recorder.url.replace("//", "//user:pass@") + "/"
            async with session.get(url) as response:
                assert response.url.user is None and response.request_info.url.password is None

    asyncio.run(run())
    assert recorder.last.headers["authorization"] == "Basic dXNlcjpwYXNz"


def test_netrc_with_trust_env(aiohttp, recorder, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login user password pass\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert "authorization" not in sent(aiohttp, recorder).headers
    if aiohttp.__name__ == "hc.aiohttp":  # older ones read it for proxies only
        assert sent(aiohttp, recorder, session={"trust_env": True}).headers["authorization"] == "Basic dXNlcjpwYXNz"


def test_auth_is_deprecated(aiohttp, recorder, since):
    since(3, 14, "auth is deprecated")
    auth = aiohttp.BasicAuth("user", "pass") if False else None
    with pytest.warns(DeprecationWarning):
        auth = aiohttp.BasicAuth("user", "pass")
    with pytest.warns(DeprecationWarning, match="'auth' parameter"):
        sent(aiohttp, recorder, auth=auth)


# -------------------------------------------------------------------------------------------------------- cookies


def test_cookies_of_session_request_and_server(aiohttp, recorder):
    recorder.answer = lambda request: reply(b"", "Set-Cookie: from=server; Path=/")

    async def run():
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookies={"of": "session"}, cookie_jar=jar) as session:
            await session.get(recorder.url)
            assert recorder.last.headers["cookie"] == "of=session"
            await session.get(recorder.url, cookies={"of": "request", "more": "1"})
            assert set(recorder.last.headers["cookie"].split("; ")) == {"of=request", "more=1", "from=server"}
            response = await session.get(recorder.url, headers={"Cookie": "own=1"})
            assert set(recorder.last.headers["cookie"].split("; ")) == {"of=session", "own=1", "from=server"}
            assert response.cookies["from"].value == "server"
            assert {cookie.key for cookie in session.cookie_jar} == {"of", "from"}

    asyncio.run(run())


def test_cookies_of_ip_addresses_are_unsafe(aiohttp, recorder):
    recorder.answer = lambda request: reply(b"", "Set-Cookie: from=server")

    async def run():
        async with aiohttp.ClientSession() as session:
            await session.get(recorder.url)
            await session.get(recorder.url)
            assert "cookie" not in recorder.last.headers
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
            response = await session.get(recorder.url)
            assert response.cookies["from"].value == "server"
            await session.get(recorder.url)
            assert "cookie" not in recorder.last.headers

    asyncio.run(run())


# ------------------------------------------------------------------------------------------------- JSON and status


def test_json_bodies(aiohttp, recorder):
    request = sent(aiohttp, recorder, "POST", json={"a": [1, None, "ü"]})
    assert json.loads(request.body) == {"a": [1, None, "ü"]}
    assert request.headers["content-type"] == "application/json"
    assert request.headers["content-length"] == str(len(request.body))
    session = {"json_serialize": lambda value: "made"}
    assert sent(aiohttp, recorder, "PUT", session=session, json=1).body == b"made"
    failed(aiohttp, ValueError, lambda session: session.post(recorder.url, json=1, data=b"x"))


def test_json_serialize_bytes(aiohttp, recorder, since):
    since(3, 14, "json_serialize_bytes")
    assert sent(aiohttp, recorder, "POST", session={"json_serialize_bytes": lambda _: b"made"}, json=1).body == b"made"


def test_raise_for_status(aiohttp, recorder):
    recorder.answer = lambda request: reply(b"gone", status="410 Gone")
    for session, options in (({"raise_for_status": True}, {}), ({}, {"raise_for_status": True})):
        error = failed(aiohttp, aiohttp.ClientResponseError, lambda s: s.get(recorder.url, **options), **session)
        assert (error.status, error.message) == (410, "Gone")
        assert str(error.request_info.real_url) == recorder.url
        assert error.headers["Content-Length"] == "4"

    async def run():
        async with aiohttp.ClientSession(raise_for_status=True) as client:
            assert (await client.get(recorder.url, raise_for_status=False)).status == 410

    asyncio.run(run())


def test_raise_for_status_may_be_a_coroutine_function(aiohttp, recorder, since):
    since(3, 9, "callable raise_for_status")

    async def check(response):
        raise KeyError(response.status)

    failed(aiohttp, KeyError, lambda session: session.get(recorder.url, raise_for_status=check))
    failed(aiohttp, KeyError, lambda session: session.get(recorder.url), raise_for_status=check)


# --------------------------------------------------------------------------------- how it is awaited, and how it ends


def test_a_request_is_a_coroutine_and_a_context(aiohttp, recorder):
    async def run():
        async with aiohttp.ClientSession() as session:
            call = session.get(recorder.url)
            assert asyncio.iscoroutine(call) and inspect.isawaitable(call)
            assert (await asyncio.ensure_future(call)).status == 200
            call = session.get(recorder.url)
            call.close()
            assert len(recorder.requests) == 1
            async with session.get(recorder.url) as response:
                assert await response.text() == "ok"
            assert response.closed
            answers = await asyncio.gather(*(session.get(recorder.url) for _ in range(5)))
            assert [answer.status for answer in answers] == [200] * 5

    asyncio.run(run())


def test_an_unknown_parameter_is_a_type_error_at_once(aiohttp):
    async def run():
        async with aiohttp.ClientSession() as session:
            with pytest.raises(TypeError):
                session.get("http://a.test/", nonsense=1)
        with pytest.raises(TypeError):
            aiohttp.ClientSession(nonsense=1)
        with untidy(aiohttp), pytest.raises(TypeError):
            aiohttp.request("GET", "http://a.test/", nonsense=1)

    asyncio.run(run())


def test_a_closed_session(aiohttp, recorder):
    async def run():
        session = aiohttp.ClientSession()
        assert not session.closed
        await session.close()
        await session.close()
        assert session.closed and session.connector is None
        with pytest.raises(RuntimeError, match="Session is closed"):
            await session.get(recorder.url)
        with pytest.raises(TypeError):
            with session:
                pass

    asyncio.run(run())


def test_detach(aiohttp):
    async def run():
        session = aiohttp.ClientSession()
        connector = session.connector
        session.detach()
        assert session.closed and not connector.closed
        await connector.close()

    asyncio.run(run())


def test_properties(aiohttp):
    async def run():
        timeout = aiohttp.ClientTimeout(total=3)
        jar = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(
            timeout=timeout, cookie_jar=jar, skip_auto_headers=["Accept"], headers={"A": "b"}, trust_env=True
        ) as session:
            assert session.timeout is timeout and session.cookie_jar is jar and session.trust_env is True
            assert session.headers == CIMultiDict({"A": "b"}) and session.skip_auto_headers == {"Accept"}
            assert session.auth is None and session.connector_owner is True and session.raise_for_status is False
            assert session.auto_decompress is True and session.json_serialize is json.dumps
            assert session.trace_configs == [] and tuple(session.version) == (1, 1)
            assert session.requote_redirect_url is True and isinstance(session.connector, aiohttp.TCPConnector)
            with pytest.warns(DeprecationWarning):
                assert session.loop is asyncio.get_running_loop()
            with pytest.warns(DeprecationWarning):
                session.requote_redirect_url = False

    asyncio.run(run())


def test_timeouts_of_a_session(aiohttp):
    async def run():
        assert aiohttp.ClientTimeout() == aiohttp.ClientTimeout(None, None, None, None)
        with pytest.warns(DeprecationWarning) as caught:
            session = aiohttp.ClientSession(read_timeout=7, conn_timeout=8)
        told = [f"{name} is deprecated, use timeout argument instead" for name in ("read_timeout", "conn_timeout")]
        assert [str(each.message) for each in caught] == told
        assert (session.timeout.total, session.timeout.connect) == (7, 8)
        await session.close()
        with pytest.raises(ValueError, match="conflict"):
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(), read_timeout=1)

    with untidy(aiohttp):  # older ones leave a half-made session
        asyncio.run(run())


def test_timeouts_of_a_session_since(aiohttp, since):
    since(3, 11, "sock_connect by default, and no other type")

    async def run():
        async with aiohttp.ClientSession() as session:
            assert (session.timeout.total, session.timeout.sock_connect) == (300, 30)
        with pytest.raises(ValueError, match="ClientTimeout"):
            aiohttp.ClientSession(timeout=3)

    asyncio.run(run())


def test_deriving_is_discouraged(aiohttp):
    with pytest.warns(DeprecationWarning, match="Inheritance class Mine from ClientSession is discouraged"):

        class Mine(aiohttp.ClientSession):
            pass


def test_response_class_and_request_class(aiohttp, recorder):
    class MyResponse(aiohttp.ClientResponse):
        def shout(self):
            return self.reason.upper() + "!"

    class MyRequest(aiohttp.ClientRequest):
        def __init__(self, *arguments, **named):
            super().__init__(*arguments, **named)
            self.headers["X-Mine"] = "yes"

    async def run():
        async with aiohttp.ClientSession(response_class=MyResponse, request_class=MyRequest) as session:
            response = await session.get(recorder.url)
            assert isinstance(response, MyResponse) and response.shout() == "OK!"

    asyncio.run(run())
    assert recorder.last.headers["x-mine"] == "yes"


def test_the_request_function(aiohttp, recorder):
    async def run():
        async with aiohttp.request("POST", recorder.url, data=b"body", headers={"A": "b"}, params={"q": "1"}) as response:
            assert response.status == 200 and await response.read() == b"ok"

    asyncio.run(run())
    assert (recorder.last.target, recorder.last.body, recorder.last.headers["a"]) == ("/?q=1", b"body", "b")

    async def fail():
        with pytest.raises(aiohttp.ClientConnectorError):
            async with aiohttp.request("GET", "http://127.0.0.1:1/"):
                pass

    asyncio.run(fail())


@pytest.mark.parametrize("module", ["hc.aiohttp", "aiohttp"])
def test_an_unclosed_session_warns(module):
    if module == "aiohttp":
        pytest.importorskip("aiohttp")
    code = f"""
    import asyncio, gc, warnings, {module} as aiohttp
    async def run():
        session = aiohttp.ClientSession()
        del session
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        asyncio.run(run())
        gc.collect()
    print(sorted({{str(one.message).split("<")[0] for one in caught}}))
    """
    ran = python(code, options=())
    assert ran.stdout == "['Unclosed client session ']\n", ran.stderr


def test_a_session_needs_a_loop(aiohttp):
    if aiohttp.__name__ == "hc.aiohttp":  # older ones only warned
        with pytest.raises(RuntimeError):
            aiohttp.ClientSession()


def test_web_sockets_are_not_there_yet():
    import hc.aiohttp

    async def run():
        async with hc.aiohttp.ClientSession() as session:
            with pytest.raises(NotImplementedError):
                session.ws_connect("ws://a.test/")

    asyncio.run(run())


def test_nothing_is_left_open_by_a_program():
    code = """
    import asyncio, hc.aiohttp as aiohttp
    async def run():
        async with aiohttp.ClientSession() as session:
            try:
                await session.get("http://127.0.0.1:1/")
            except aiohttp.ClientConnectorError as error:
                print(error.host, error.port, error.errno)
    asyncio.run(run())
    """
    assert passes(python(code)) == "127.0.0.1 1 111\n"
