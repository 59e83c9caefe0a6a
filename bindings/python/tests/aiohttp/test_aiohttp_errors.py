"""What goes wrong on the way, and as which exception; the tree of exceptions itself."""

import asyncio
import pickle

import ssl

import pytest
from conftest import Scripted, passes, python
from recorder import Recorder, recorder, reply  # noqa: F401

import hc.aiohttp

OK = b"HTTP/1.1 200 OK\r\n"


def failing(aiohttp, kind, url, method="GET", read=True, session=None, **options):
    """The exception that a request, or the reading of its response, ends with."""

    async def run():
        async with aiohttp.ClientSession(**{"timeout": aiohttp.ClientTimeout(total=20), **(session or {})}) as client:
            with pytest.raises(kind) as caught:
                async with client.request(method, url, **options) as response:
                    if read:
                        await response.read()
        return caught.value

    return asyncio.run(run())


# ------------------------------------------------------------------------------------------------------- connecting


@pytest.mark.parametrize("options", [{}, {"params": {"a": "b"}}])
def test_refused(aiohttp, options):
    error = failing(aiohttp, aiohttp.ClientConnectorError, "http://127.0.0.1:1/", **options)
    assert (error.host, error.port, error.errno) == ("127.0.0.1", 1, 111)
    assert isinstance(error.os_error, ConnectionRefusedError) and isinstance(error, OSError)
    assert str(error).startswith("Cannot connect to host 127.0.0.1:1 ssl:default [")


def test_no_such_name(aiohttp):
    error = failing(aiohttp, aiohttp.ClientConnectorError, "http://no-such-host.invalid/")
    assert (error.host, error.port) == ("no-such-host.invalid", 80)
    assert isinstance(error, getattr(aiohttp, "ClientConnectorDNSError", aiohttp.ClientConnectorError))


def test_no_such_unix_socket(aiohttp, part, tmp_path):
    path = str(tmp_path / "socket")

    async def run():
        connector = aiohttp.UnixConnector(path=path)
        async with aiohttp.ClientSession(connector=connector) as session:
            with pytest.raises(part("client_exceptions").UnixClientConnectorError) as caught:
                await session.get("http://unix/")
        assert caught.value.path == path and str(caught.value).startswith(f"Cannot connect to unix socket {path} ssl:")

    asyncio.run(run())


def test_a_certificate_nobody_signed(aiohttp, server):
    error = failing(aiohttp, aiohttp.ClientConnectorCertificateError, server.https + "/bytes/1")
    assert isinstance(error, ssl.CertificateError) and isinstance(error, aiohttp.ClientSSLError)
    assert isinstance(error.certificate_error, ssl.SSLError) and error.host and error.ssl is True


def test_tls_to_a_server_without(aiohttp):
    with Scripted(b"this is no TLS\r\n", at_once=True) as server:
        error = failing(aiohttp, aiohttp.ClientConnectorSSLError, server.url.replace("http:", "https:"))
    assert isinstance(error, ssl.SSLError) and isinstance(error, aiohttp.ClientSSLError)


# -------------------------------------------------------------------------------------------------- before the head


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_closed_without_an_answer(aiohttp, method):
    with Scripted(b"") as server:
        error = failing(aiohttp, aiohttp.ServerDisconnectedError, server.url, method)
        assert error.message == "Server disconnected" == str(error)


def test_reset_without_an_answer(aiohttp, server):
    error = failing(aiohttp, aiohttp.ClientOSError, server.http + "/reset", "POST")
    assert error.errno == 104


@pytest.mark.parametrize(
    "answer",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
        OK + b"Content-Length: x\r\n\r\n",
    ],
)
def test_no_http(aiohttp, answer):
    with Scripted(answer) as server:
        error = failing(aiohttp, aiohttp.ClientResponseError, server.url)
        assert error.status == 400 and error.message and error.request_info.url.port


def test_too_many_headers(aiohttp, since, server):
    since(3, 14, "max_headers")
    error = failing(aiohttp, aiohttp.ClientResponseError, server.http + "/headerbomb?count=1000&size=1")
    assert error.status == 400


def test_bounds_of_a_head(aiohttp, recorder, since):
    since(3, 14, "bounds for one request")
    recorder.answer = lambda request: reply(b"ok", "X-Long: " + "x" * 500, *(["A: b"] * 20))
    for options in ({"max_field_size": 300}, {"max_headers": 10}):
        error = failing(aiohttp, aiohttp.ClientResponseError, recorder.url, **options)
        assert error.status == 400
        assert failing(aiohttp, aiohttp.ClientResponseError, recorder.url, session=options).status == 400


def test_larger_heads_for_those_who_ask(aiohttp, recorder, since):
    since(3, 14, "max_headers")
    recorder.answer = lambda request: reply(b"ok", "X-Long: " + "x" * 100_000, *(["A: b"] * 500))

    async def run():
        async with aiohttp.ClientSession(max_field_size=200_000, max_headers=1000) as session:
            async with session.get(recorder.url) as response:
                assert len(response.headers["X-Long"]) == 100_000 and await response.read() == b"ok"

    asyncio.run(run())


# ----------------------------------------------------------------------------------------------------- in the body


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Content-Length: 10\r\n\r\nabc",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc",
        OK + b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        OK + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
    ],
)
def test_a_body_that_is_not_whole(aiohttp, answer):
    with Scripted(answer) as server:
        failing(aiohttp, (aiohttp.ClientPayloadError, aiohttp.ClientResponseError), server.url)


def test_a_body_cut_short_is_a_payload_error(aiohttp):
    with Scripted(OK + b"Content-Length: 1000000\r\n\r\n" + b"x" * 500_000) as server:

        async def run():
            async with aiohttp.ClientSession() as session:
                async with session.get(server.url) as response:
                    got = 0
                    with pytest.raises(aiohttp.ClientPayloadError):
                        async for piece in response.content.iter_any():
                            got += len(piece)
                    with pytest.raises(aiohttp.ClientPayloadError):
                        await response.content.read()
                    assert got <= 500_000 and response.content.exception() is not None

        asyncio.run(run())


def test_interim_answers_are_passed_over(aiohttp, server):
    async def run():
        async with aiohttp.ClientSession() as session:
            async with session.get(server.http + "/1xx?count=3") as response:
                assert response.status == 200

    asyncio.run(run())


# ------------------------------------------------------------------------------------------------- idempotent repeats


def test_a_kept_connection_that_was_closed(aiohttp, recorder, since):
    """The server closes after its answer without saying so: the next request finds that out."""
    since(3, 10, "repeats idempotent requests")
    seen = []

    def answer(request):
        seen.append(request.connection)
        if seen.count(request.connection) == 2:
            return None
        return reply(b"ok")

    recorder.answer = answer

    async def run():
        async with aiohttp.ClientSession() as session:
            for _ in range(4):
                async with session.get(recorder.url) as response:
                    assert await response.read() == b"ok"

    asyncio.run(run())


# --------------------------------------------------------------------------------------------------------- the tree


def test_the_tree_is_the_original_one(part):
    ours = hc.aiohttp.client_exceptions
    original = pytest.importorskip("aiohttp.client_exceptions")
    for name in original.__all__:
        mine, theirs = getattr(ours, name), getattr(original, name)
        assert issubclass(mine, theirs)
        bases = {base.__name__ for base in theirs.__mro__}
        assert bases <= {base.__name__ for base in mine.__mro__}, name


def test_code_that_catches_aiohttps_catches_ours():
    original = pytest.importorskip("aiohttp")
    with pytest.raises(original.ClientConnectorError):
        failing_error = failing(hc.aiohttp, original.ClientConnectorError, "http://127.0.0.1:1/")
        raise failing_error


def test_newer_exceptions(aiohttp, since):
    since(3, 10, "newer exceptions")
    assert issubclass(aiohttp.ConnectionTimeoutError, aiohttp.ServerTimeoutError)
    assert issubclass(aiohttp.SocketTimeoutError, (aiohttp.ServerTimeoutError, asyncio.TimeoutError))
    assert issubclass(aiohttp.ClientConnectorDNSError, aiohttp.ClientConnectorError)
    assert issubclass(aiohttp.InvalidUrlRedirectClientError, (aiohttp.InvalidURL, aiohttp.RedirectClientError))
    assert issubclass(aiohttp.NonHttpUrlRedirectClientError, aiohttp.NonHttpUrlClientError)
    assert issubclass(aiohttp.ClientConnectionResetError, ConnectionResetError)


def test_exceptions_can_be_pickled(aiohttp, part):
    errors = part("client_exceptions")
    key = part("client_reqrep").ConnectionKey("a.test", 80, False, None, None, None, None)
    made = [
        errors.ClientConnectorError(key, OSError(1, "x")),
        errors.ServerDisconnectedError("gone"),
        errors.ServerFingerprintMismatch(b"a", b"b", "h", 1),
        errors.InvalidURL("http:"),
        errors.ClientPayloadError("x"),
        errors.ServerTimeoutError("slow"),
    ]
    for error in made:
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is type(error) and str(again) == str(error) and again.args[1:] == error.args[1:] or error is made[0]


def test_how_a_response_error_reads(aiohttp):
    error = aiohttp.ClientResponseError(None, (), status=404, message="No", headers={})
    assert repr(error) == "ClientResponseError(None, (), status=404, message='No', headers={})"
    with pytest.warns(DeprecationWarning):
        assert aiohttp.ClientResponseError(None, ()).status == 0 and error.code == 404 if hasattr(error, "code") else warn()


def warn():
    import warnings

    warnings.warn("no code any more", DeprecationWarning)


def test_without_aiohttp_nothing_is_missing():
    code = """
    import sys
    sys.modules["aiohttp"] = None
    import asyncio, hc.aiohttp as aiohttp
    missing = [name for name in aiohttp.__all__ if not hasattr(aiohttp, name) and "Gunicorn" not in name]
    assert not missing, missing
    assert aiohttp.ClientConnectorError.__mro__[1] is aiohttp.ClientOSError
    try:
        aiohttp.web
    except AttributeError as error:
        print(error)
    """
    assert passes(python(code)) == "module 'hc.aiohttp' has no attribute 'web'\n"


@pytest.mark.parametrize("proxy", ["nope", "127.0.0.1:1", "http:///x"])
def test_a_proxy_without_a_host(aiohttp, recorder, proxy):
    async def run():
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.InvalidURL):
                await session.get(recorder.url, proxy=proxy)

    asyncio.run(run())
