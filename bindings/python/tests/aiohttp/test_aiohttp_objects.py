"""Objects of aiohttp itself, given to ours: a program may go on making them there."""

import asyncio
import io
import warnings

import pytest
from recorder import Recorder, recorder, reply  # noqa: F401

from hc import aiohttp

original = pytest.importorskip("aiohttp")


def talk(recorder, method="GET", session=None, **options):
    """A request with options that are made on the loop, if they are callable; what the server got."""

    async def run():
        made = {name: value() if callable(value) else value for name, value in (session or {}).items()}
        async with aiohttp.ClientSession(**made) as client:
            given = {name: value() if callable(value) else value for name, value in options.items()}
            async with client.request(method, recorder.url + "/", **given) as response:
                await response.read()
                assert response.status == 200

    asyncio.run(asyncio.wait_for(run(), 20))
    return recorder.last


def form():
    fields = original.FormData()
    fields.add_field("a", io.BytesIO(b"content"), filename="f")
    return fields


def multipart():
    writer = original.MultipartWriter(boundary="B")
    writer.append("content")
    return writer


@pytest.mark.parametrize(
    "data, content, kind",
    [
        (form, b"\r\n\r\ncontent\r\n--", "multipart/form-data; boundary="),
        (lambda: original.FormData({"a": "1"}), b"a=1", "application/x-www-form-urlencoded"),
        (multipart, b"\r\n\r\ncontent\r\n--B--\r\n", "multipart/mixed; boundary=B"),
        (lambda: original.get_payload("content"), b"content", "text/plain; charset=utf-8"),
        (lambda: original.get_payload(io.BytesIO(b"content")), b"content", "application/octet-stream"),
        (lambda: original.JsonPayload({"a": 1}), b'{"a": 1}', "application/json"),
    ],
)
def test_bodies(recorder, data, content, kind):
    request = talk(recorder, "POST", data=data)
    assert content in request.body
    assert request.headers["content-type"].startswith(kind)


def test_streams(recorder):
    def stream():
        loop = asyncio.get_running_loop()
        protocol = original.base_protocol.BaseProtocol(loop=loop)
        made = original.StreamReader(protocol, 2**16, loop=loop)
        made.feed_data(b"one\ntwo")
        made.feed_eof()
        return made

    assert talk(recorder, "POST", data=stream).body == b"one\ntwo"


def test_a_file_of_a_payload_of_its(recorder, tmp_path):
    path = tmp_path / "some"
    path.write_bytes(b"content" * 100_000)
    with open(path, "rb") as file:
        request = talk(recorder, "POST", data=lambda: original.get_payload(file))
    assert request.body == path.read_bytes()


def test_timeouts_and_versions(recorder):
    timeout = original.ClientTimeout(total=5)
    talk(recorder, session={"timeout": timeout, "version": original.HttpVersion11})
    talk(recorder, timeout=timeout)


def test_credentials(recorder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # newer ones say that headers do
        auth = original.BasicAuth("a", "b")
        assert talk(recorder, auth=auth).headers["authorization"] == "Basic YTpi"
        assert talk(recorder, session={"auth": auth}).headers["authorization"] == "Basic YTpi"


def test_traces(recorder):
    told = []
    config = original.TraceConfig()

    async def receive(session, context, params):
        told.append(type(params).__name__)

    config.on_request_start.append(receive)
    config.on_connection_create_end.append(receive)
    config.on_request_end.append(receive)
    talk(recorder, session={"trace_configs": [config]})
    assert told == ["TraceRequestStartParams", "TraceConnectionCreateEndParams", "TraceRequestEndParams"]


def test_jars(recorder):
    recorder.answer = lambda request: reply(b"", "Set-Cookie: a=1")
    for jar in (lambda: original.CookieJar(unsafe=True), lambda: original.DummyCookieJar()):
        talk(recorder, session={"cookie_jar": jar})


def test_middlewares(recorder):
    if not hasattr(original, "DigestAuthMiddleware"):
        pytest.skip("since aiohttp 3.12: middlewares")
    middleware = original.DigestAuthMiddleware("a", "b")
    challenge = reply(b"", 'WWW-Authenticate: Digest realm="x", nonce="y"', status="401 Unauthorized")
    recorder.answer = lambda request: reply() if "authorization" in request.headers else challenge
    assert talk(recorder, session={"middlewares": (middleware,)}).headers["authorization"].startswith("Digest ")


def test_its_exceptions_catch_ours():
    async def run():
        async with aiohttp.ClientSession() as session:
            with pytest.raises(original.ClientConnectorError):
                await session.get("http://127.0.0.1:1/")

    asyncio.run(run())
