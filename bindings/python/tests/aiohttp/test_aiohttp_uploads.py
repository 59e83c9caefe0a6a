"""Uploads of every kind, as the server gets them."""

import asyncio
import gzip
import hashlib
import io
import os
import warnings
import zlib

import pytest
from conftest import Scripted
from multidict import MultiDict
from recorder import Recorder, recorder, reply  # noqa: F401


def ended(coroutine):
    """What it returns, in bounded time."""
    return asyncio.run(asyncio.wait_for(coroutine, 20))


def sent(aiohttp, recorder, make, method="POST", session=None, **options):
    """What the server got of `data=make()`."""

    async def run():
        async with aiohttp.ClientSession(**(session or {})) as client:
            async with client.request(method, recorder.url + "/", data=make(), **options) as response:
                assert response.status == 200
                await response.read()

    ended(run())
    return recorder.last


async def pieces():
    yield b"one"
    yield b""
    yield b"two"


def is_chunked(request):
    return request.headers.get("transfer-encoding") == "chunked" and "content-length" not in request.headers


@pytest.mark.parametrize(
    "make, body, content_type",
    [
        (lambda: b"abc", b"abc", "application/octet-stream"),
        (lambda: bytearray(b"abc"), b"abc", "application/octet-stream"),
        (lambda: memoryview(b"abc"), b"abc", "application/octet-stream"),
        (lambda: "äbc", "äbc".encode(), "text/plain; charset=utf-8"),
        (lambda: io.StringIO("äbc"), "äbc".encode(), "text/plain; charset=utf-8"),
        (lambda: io.BytesIO(b"abc"), b"abc", "application/octet-stream"),
        (lambda: {"a": "1", "b": "x y"}, b"a=1&b=x+y", "application/x-www-form-urlencoded"),
        (lambda: [("a", "1"), ("a", "2")], b"a=1&a=2", "application/x-www-form-urlencoded"),
        (lambda: MultiDict([("a", "1"), ("a", "2")]), b"a=1&a=2", "application/x-www-form-urlencoded"),
    ],
)
def test_what_has_a_size(aiohttp, recorder, make, body, content_type):
    request = sent(aiohttp, recorder, make)
    assert request.body == body
    assert request.headers["content-length"] == str(len(body))
    assert "transfer-encoding" not in request.headers
    assert request.headers["content-type"] == content_type


def test_nothing(aiohttp, recorder):
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        request = sent(aiohttp, recorder, lambda: None, method)
        assert (request.body, request.headers["content-length"]) == (b"", "0")
        assert ("content-type" in request.headers) == (method != "DELETE")
    request = sent(aiohttp, recorder, lambda: None, "GET")
    assert "content-length" not in request.headers and "content-type" not in request.headers


def test_empty_bodies(aiohttp, recorder):
    for make in (lambda: b"", lambda: "", lambda: io.BytesIO()):
        request = sent(aiohttp, recorder, make)
        assert (request.body, request.headers["content-length"]) == (b"", "0")


def test_a_body_of_a_get(aiohttp, recorder):
    request = sent(aiohttp, recorder, lambda: b"abc", "GET")
    assert (request.method, request.body, request.headers["content-length"]) == ("GET", b"abc", "3")


def test_much(aiohttp, recorder):
    content = os.urandom(5_000_000)
    request = sent(aiohttp, recorder, lambda: io.BytesIO(content))
    assert hashlib.sha256(request.body).digest() == hashlib.sha256(content).digest()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        request = sent(aiohttp, recorder, lambda: content)
    assert hashlib.sha256(request.body).digest() == hashlib.sha256(content).digest()


@pytest.mark.parametrize("size", [0, 1, 65536, 1_000_003])
def test_files(aiohttp, recorder, tmp_path, size):
    content = os.urandom(size)
    path = tmp_path / "some.bin"
    path.write_bytes(content)
    with open(path, "rb") as file:
        request = sent(aiohttp, recorder, lambda: file)
    assert request.body == content
    assert request.headers["content-length"] == str(size)
    assert request.headers["content-type"] == "application/octet-stream"
    assert "content-disposition" not in request.headers


def test_a_file_from_where_it_stands(aiohttp, recorder, tmp_path):
    path = tmp_path / "some.html"
    path.write_bytes(b"0123456789")
    with open(path, "rb") as file:
        file.read(4)
        request = sent(aiohttp, recorder, lambda: file)
    assert (request.body, request.headers["content-length"]) == (b"456789", "6")
    assert request.headers["content-type"] == "text/html"


def test_a_file_is_closed_afterwards(aiohttp, recorder, since, tmp_path):
    since(3, 12, "not when the answer was quick")
    path = tmp_path / "some"
    path.write_bytes(b"0123456789")

    async def run():
        file = open(path, "rb")
        async with aiohttp.ClientSession() as client:
            async with client.post(recorder.url, data=file) as response:
                await response.read()
            while not file.closed:
                await asyncio.sleep(0.001)  # a thread closes it

    ended(run())


def test_text_files(aiohttp, recorder, tmp_path):
    path = tmp_path / "some.txt"
    path.write_text("äöü\n" * 100, encoding="utf-8")
    with open(path, encoding="utf-8") as file:
        request = sent(aiohttp, recorder, lambda: file)
    assert request.body == path.read_bytes()
    assert request.headers["content-length"] == str(path.stat().st_size)
    assert request.headers["content-type"] == "text/plain; charset=utf-8"


def test_text_files_in_another_encoding():
    """aiohttp announces the size on disk, and then sends another."""
    from hc import aiohttp

    with Recorder() as recorder:
        import tempfile

        with tempfile.NamedTemporaryFile("w+", encoding="latin1") as file:
            file.write("äöü")
            file.seek(0)
            request = sent(aiohttp, recorder, lambda: file.file)
    assert request.body == "äöü".encode() and is_chunked(request)


@pytest.mark.parametrize("mode", ["rb", "rt"])
def test_files_that_decode_are_sent_whole(recorder, tmp_path, mode):
    """Newer ones of aiohttp end the body where the file would end."""
    from hc import aiohttp

    path = tmp_path / "file.gz"
    with gzip.open(path, "wb") as file:
        file.write(b"hello" * 1000)
    with gzip.open(path, mode) as file:
        assert sent(aiohttp, recorder, lambda: file).body == b"hello" * 1000
    with gzip.open(path, mode) as file:
        form = aiohttp.FormData()
        form.add_field("file", file, filename="a")
        assert b"hello" * 1000 + b"\r\n--" in sent(aiohttp, recorder, lambda: form).body


def test_pipes_are_chunked(aiohttp, recorder):
    reading, writing = os.pipe()
    os.write(writing, b"from a pipe")
    os.close(writing)
    with open(reading, "rb") as file:
        request = sent(aiohttp, recorder, lambda: file)
    assert request.body == b"from a pipe" and is_chunked(request)


def test_asynchronous_iterators_are_chunked(aiohttp, recorder):
    request = sent(aiohttp, recorder, pieces)
    assert request.body == b"onetwo" and is_chunked(request)
    assert request.headers["content-type"] == "application/octet-stream"


def test_an_iterator_with_a_length_is_not(aiohttp, recorder):
    request = sent(aiohttp, recorder, pieces, headers={"Content-Length": "6"})
    assert request.body == b"onetwo"
    assert request.headers["content-length"] == "6" and "transfer-encoding" not in request.headers


def test_many_pieces(aiohttp, recorder):
    async def many():
        for number in range(2000):
            yield b"%04d" % number * 100

    request = sent(aiohttp, recorder, many)
    assert request.body == b"".join(b"%04d" % number * 100 for number in range(2000))


def test_the_body_of_a_response_as_a_body(aiohttp, recorder):
    async def run():
        async with aiohttp.ClientSession() as session:
            async with session.get(recorder.url + "/from") as response:
                async with session.post(recorder.url + "/to", data=response.content) as other:
                    await other.read()

    recorder.answer = lambda request: reply(b"some content" * 1000)
    ended(run())
    assert recorder.last.body == b"some content" * 1000


@pytest.mark.parametrize("chunked", [True, False])
def test_chunked(aiohttp, recorder, chunked):
    request = sent(aiohttp, recorder, lambda: b"abc", chunked=chunked or None)
    assert request.body == b"abc" and is_chunked(request) == chunked


def test_chunked_against_the_headers(aiohttp, recorder):
    for headers in ({"Transfer-Encoding": "chunked"}, {"Content-Length": "3"}):
        with pytest.raises(ValueError, match="chunked can not be set"):
            sent(aiohttp, recorder, lambda: b"abc", chunked=True, headers=headers)


def test_chunked_by_a_header(recorder):
    """aiohttp announces chunks then, and sends the body without any."""
    from hc import aiohttp

    request = sent(aiohttp, recorder, lambda: b"abc", headers={"Transfer-Encoding": "chunked"})
    assert request.body == b"abc" and is_chunked(request)


@pytest.mark.parametrize("given, coding", [(True, "deflate"), ("deflate", "deflate"), ("gzip", "gzip")])
def test_compressed(aiohttp, recorder, since, given, coding):
    if given == "gzip":
        since(3, 9, "it was deflate")
    request = sent(aiohttp, recorder, lambda: b"text" * 1000, compress=given)
    assert request.headers["content-encoding"] == coding and is_chunked(request)
    assert (gzip if coding == "gzip" else zlib).decompress(request.body) == b"text" * 1000


def test_compressed_pieces(aiohttp, recorder):
    request = sent(aiohttp, recorder, pieces, compress=True)
    assert zlib.decompress(request.body) == b"onetwo"


def test_compress_against_the_headers(aiohttp, recorder):
    with pytest.raises(ValueError, match="compress can not be set"):
        sent(aiohttp, recorder, lambda: b"abc", compress=True, headers={"Content-Encoding": "gzip"})
    request = sent(aiohttp, recorder, lambda: b"abc", headers={"Content-Encoding": "own"})
    assert (request.body, request.headers["content-encoding"]) == (b"abc", "own")


def test_a_content_type_of_ones_own(aiohttp, recorder):
    request = sent(aiohttp, recorder, lambda: {"a": "1"}, headers={"Content-Type": "x/y"})
    assert request.values("content-type") == ["x/y"]
    request = sent(aiohttp, recorder, lambda: b"abc", skip_auto_headers={"Content-Type"})
    assert request.values("content-type") == []


def test_multipart(aiohttp, recorder):
    def make():
        writer = aiohttp.MultipartWriter("mixed", boundary="B")
        writer.append("one")
        writer.append(io.BytesIO(b"two"))
        return writer

    request = sent(aiohttp, recorder, make)
    assert request.headers["content-type"] == "multipart/mixed; boundary=B"
    assert request.headers["content-length"] == str(len(request.body))
    assert request.body.count(b"--B\r\n") == 2 and request.body.endswith(b"\r\n--B--\r\n")


def test_multipart_of_what_has_no_size(aiohttp, recorder):
    def make():
        writer = aiohttp.MultipartWriter("mixed", boundary="B")
        writer.append(pieces())
        return writer

    request = sent(aiohttp, recorder, make)
    assert is_chunked(request) and request.body.endswith(b"\r\n\r\nonetwo\r\n--B--\r\n")


def test_forms_with_files(aiohttp, recorder, tmp_path):
    path = tmp_path / "some.txt"
    path.write_bytes(b"content" * 100_000)
    with open(path, "rb") as file:
        request = sent(aiohttp, recorder, lambda: {"name": "value", "file": file})
    assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert request.headers["content-length"] == str(len(request.body))
    assert b'name="file"; filename="some.txt"\r\n\r\n' + path.read_bytes() in request.body


def test_a_file_alone_makes_no_form(aiohttp, recorder):
    def form():
        return aiohttp.FormData({"file": io.BytesIO(b"x")})

    assert sent(aiohttp, recorder, form).headers["content-type"].startswith("multipart/form-data")


def test_payloads_of_a_program(aiohttp, recorder):
    class Payload(aiohttp.Payload):
        async def write(self, writer):
            for piece in self._value:
                await writer.write(piece)

        def decode(self, encoding="utf-8", errors="strict"):
            return ""

    request = sent(aiohttp, recorder, lambda: Payload([b"one", b"two"], content_type="a/b"))
    assert request.body == b"onetwo" and is_chunked(request)
    assert request.headers["content-type"] == "a/b"


def test_what_no_body_can_be_made_of(aiohttp, recorder):
    for data in (object(), 1):
        with pytest.raises(TypeError):
            sent(aiohttp, recorder, lambda data=data: data)
    with pytest.raises(ValueError, match="data and json"):
        sent(aiohttp, recorder, lambda: b"x", json={})
    assert recorder.requests == []


# ---------------------------------------------------------------------------------------------------- what fails


def failed(aiohttp, recorder, make, kind, **options):
    async def run():
        async with aiohttp.ClientSession() as client:
            with pytest.raises(kind) as caught:
                async with client.post(recorder.url + "/", data=make(), **options) as response:
                    await response.read()
        return caught.value

    return ended(run())


def test_an_iterator_that_raises(aiohttp, recorder, since):
    since(3, 12, "another class of error, and the reason not told")

    async def broken():
        yield b"some"
        raise ValueError("mine")

    error = failed(aiohttp, recorder, broken, aiohttp.ClientConnectionError)
    assert "mine" in str(error)
    assert recorder.requests == []


def test_an_iterator_that_raises_an_oserror(aiohttp, recorder, since):
    since(3, 9, "another class of error")

    async def broken():
        yield b"some"
        raise OSError(28, "disk full")

    error = failed(aiohttp, recorder, broken, aiohttp.ClientOSError)
    assert error.errno == 28 and "Can not write request body" in str(error)


def test_the_connection_of_a_broken_upload_is_not_used_again(aiohttp, recorder, since):
    since(3, 9, "another class of error")

    async def broken():
        yield b"some"
        raise ValueError("mine")

    async def run():
        async with aiohttp.ClientSession() as client:
            with pytest.raises(aiohttp.ClientError):
                await client.post(recorder.url + "/", data=broken())
            async with client.get(recorder.url + "/next") as response:
                return await response.text()

    assert ended(run()) == "ok"
    assert [request.target for request in recorder.requests] == ["/next"]


def test_an_answer_before_the_upload_ends(aiohttp, since):
    """A server that has seen enough: its answer counts, and the upload ends."""
    import socket
    import threading

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def serve():
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(reply(b"enough", "Connection: close", status="413 Too Large"))
                while connection.recv(65536):
                    pass

        server = threading.Thread(target=serve)
        server.start()

        async def endless():
            while True:
                yield b"x" * 10_000
                await asyncio.sleep(0)

        async def run():
            async with aiohttp.ClientSession() as client:
                url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
                async with client.post(url, data=endless()) as response:
                    return response.status, await response.read()

        assert ended(run()) == (413, b"enough")
        server.join()


def test_cancelling_an_upload_closes_the_iterator(aiohttp, recorder):
    events = []

    async def slow():
        try:
            yield b"some"
            events.append("asked")
            await asyncio.get_running_loop().create_future()
        finally:
            events.append("closed")

    async def run():
        async with aiohttp.ClientSession() as client:
            task = asyncio.ensure_future(client.post(recorder.url + "/", data=slow()))
            while "asked" not in events:
                await asyncio.sleep(0.001)  # the other end takes what it takes
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            while "closed" not in events:
                await asyncio.sleep(0.001)

    ended(run())
    assert events == ["asked", "closed"]


def test_expect_100(aiohttp, recorder):
    request = sent(aiohttp, recorder, lambda: b"abc", expect100=True)
    assert (request.body, request.headers["expect"].lower()) == (b"abc", "100-continue")


# ------------------------------------------------------------------------------------------- bodies and redirects


def redirecting(status):
    def answer(request):
        if request.target == "/":
            return reply(b"", "Location: /there", status=f"{status} Moved")
        return reply(b"ok")

    return answer


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_that_keeps_the_body(aiohttp, recorder, since, tmp_path, status):
    since(3, 12, "files and iterators were lost")
    path = tmp_path / "some"
    path.write_bytes(b"0123456789")
    recorder.answer = redirecting(status)
    for make in (lambda: b"0123456789", lambda: io.BytesIO(b"0123456789"), lambda: open(path, "rb")):
        sent(aiohttp, recorder, make, "PUT")
        first, second = recorder.requests[-2:]
        assert (first.target, second.target, second.method) == ("/", "/there", "PUT")
        assert first.body == second.body == b"0123456789"


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirect_that_drops_the_body(aiohttp, recorder, status):
    recorder.answer = redirecting(status)
    request = sent(aiohttp, recorder, lambda: b"abc")
    assert (request.target, request.method, request.body) == ("/there", "GET", b"")
    assert "content-length" not in request.headers and "transfer-encoding" not in request.headers


def test_an_iterator_cannot_be_sent_again(aiohttp, recorder, since):
    since(3, 12, "it was sent empty")
    recorder.answer = redirecting(307)
    error = failed(aiohttp, recorder, pieces, aiohttp.ClientPayloadError)
    assert "consumed request body" in str(error)


def test_uploads_leave_nothing(recorder):
    """No object, no task, after many of every kind."""
    import gc

    from hc import aiohttp

    class Written(aiohttp.Payload):
        async def write(self, writer):
            await writer.write(b"one")
            await writer.write(b"two")

    def form():
        fields = aiohttp.FormData({"a": "1"})
        fields.add_field("b", io.BytesIO(b"x"), filename="b")
        return fields

    kinds = (lambda: b"x", lambda: {"a": "1"}, pieces, form, lambda: io.BytesIO(b"x" * 1000), lambda: Written(None))

    async def run():
        async with aiohttp.ClientSession() as client:

            async def many(count):
                for make in kinds * count:
                    async with client.post(recorder.url, data=make()) as response:
                        await response.read()
                recorder.requests.clear()
                gc.collect()
                return len(gc.get_objects())

            before = await many(20)
            after = await many(60)
            return after - before, len(asyncio.all_tasks())

    grown, tasks = ended(run())
    assert grown < 50 and tasks <= 2


def test_a_response_that_outlives_its_loop_gives_its_upload_up():
    from hc import aiohttp

    async def endless():
        while True:
            yield bytes(65536)

    async def start(url):
        session = aiohttp.ClientSession()
        return session, await session.post(url, data=endless())

    with Scripted(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nsome") as server:
        loop = asyncio.new_event_loop()
        session, response = loop.run_until_complete(start(server.url))
        transfer = response._transfer
        transfer.feed._log_destroy_pending = False  # asyncio's complaint is not the subject
        loop.close()
        response.close()
        assert transfer.handle == 0
        session.connector.close()
        with pytest.raises(StopIteration):
            session.close().send(None)
