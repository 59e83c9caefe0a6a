"""What the library is given of a payload: bytes, a file, or an iterator. Ours alone."""

import asyncio
import io
import os
import tempfile

import pytest

import hc.aiohttp
from hc.aiohttp import payload as payloads
from hc.aiohttp._upload import body_of, pieces_of


async def everything(body):
    """The bytes of a body of any kind."""
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body)
    if hasattr(body, "fileno"):
        return os.pread(body.fileno(), 2**20, body.tell())
    return b"".join([piece async for piece in body])


def sent(make):
    """(the kind of body, its bytes, the same by pieces) of a payload that is made on a loop."""

    async def run():
        body = body_of(make())
        kind = "file" if hasattr(body, "fileno") else "iterator" if hasattr(body, "__aiter__") else "bytes"
        return kind, await everything(body), b"".join([piece async for piece in pieces_of(make())])

    return asyncio.run(run())


opened = []


@pytest.fixture(autouse=True)
def close_files():
    yield
    while opened:
        opened.pop().close()


def file_of(content, mode="w+b", **options):
    file = tempfile.TemporaryFile(mode, **options)
    opened.append(file)
    file.write(content)
    file.seek(3)
    return file


async def pieces():
    yield b"one"
    yield b"two"


class Compressed(io.BytesIO):
    """A file in memory that is read otherwise than it is kept."""

    def read(self, count=-1):
        return super().read(count).upper()


@pytest.mark.parametrize(
    "make, kind, content",
    [
        (lambda: b"abc", "bytes", b"abc"),
        (lambda: bytearray(b"abc"), "bytes", b"abc"),
        (lambda: "abc", "bytes", b"abc"),
        (lambda: io.StringIO("abc"), "bytes", b"abc"),
        (lambda: io.BytesIO(b"abc"), "bytes", b"abc"),
        (lambda: Compressed(b"abc"), "iterator", b"ABC"),
        (lambda: file_of(b"123abc"), "file", b"abc"),
        (lambda: file_of(b"123abc", buffering=0), "iterator", b"abc"),
        (lambda: file_of("123abc", "w+", encoding="utf-8"), "iterator", b"abc"),
        (pieces, "iterator", b"onetwo"),
    ],
)
def test_kinds(make, kind, content):
    assert sent(lambda: payloads.get_payload(make())) == (kind, content, content)


def test_a_file_is_sent_again_from_where_it_stood():
    async def run():
        file = file_of(b"123abc")
        payload = payloads.get_payload(file)
        seen = []
        for _ in range(2):
            seen.append(await everything(body_of(payload)))
            file.seek(0, os.SEEK_END)
        return seen

    assert asyncio.run(run()) == [b"abc", b"abc"]


def test_forms_in_memory_are_one_piece():
    def form(value):
        fields = hc.aiohttp.FormData()
        fields.add_field("a", value, filename="f")
        return fields()

    kind, content, _ = sent(lambda: form(io.BytesIO(b"x")))
    assert kind == "bytes" and content.count(b"\r\nx\r\n--") == 1
    kind, content, _ = sent(lambda: form(file_of(b"123abc")))
    assert kind == "iterator" and b"\r\nabc\r\n--" in content


class Written(payloads.Payload):
    """A payload of a program, which only knows how to write itself."""

    async def write(self, writer):
        for piece in self._value:
            await writer.write(piece)


class Changed(payloads.BytesPayload):
    """One that writes something else than its base."""

    async def write(self, writer):
        await writer.write(self._value.upper())


def test_payloads_of_programs():
    assert sent(lambda: Written([b"a", b"", bytearray(b"b"), memoryview(b"c")])) == ("iterator", b"abc", b"abc")
    assert sent(lambda: Changed(b"abc")) == ("iterator", b"ABC", b"ABC")


def test_a_failure_to_write_arrives():
    class Failing(Written):
        async def write(self, writer):
            await writer.write(b"some")
            raise OSError("disk")

    async def run():
        seen = []
        try:
            async for piece in body_of(Failing(None)):
                seen.append(piece)
        except OSError as failure:
            seen.append(str(failure))
        return seen

    assert asyncio.run(run()) == [b"some", "disk"]


def test_writing_waits_for_sending():
    """No more than one piece is made before it is asked for, and nothing goes on when nobody asks."""
    made = []

    class Endless(Written):
        async def write(self, writer):
            try:
                while True:
                    made.append(1)
                    await writer.write(b"piece")
            finally:
                made.append("closed")

    async def run():
        body = body_of(Endless(None))
        for _ in range(3):
            await body.__anext__()
        await asyncio.sleep(0)
        await body.aclose()
        await asyncio.sleep(0)

    asyncio.run(run())
    assert made == [1, 1, 1, "closed"]


class TestWithAiohttp:
    """Objects of aiohttp's classes are taken for ours."""

    original = pytest.importorskip("aiohttp")

    def test_payloads(self):
        for make in (lambda: b"abc", lambda: "abc", lambda: io.BytesIO(b"abc")):
            given = self.original.get_payload(make())
            assert payloads.get_payload(given) is given
            assert isinstance(given, payloads.Payload)
            assert sent(lambda make=make: self.original.get_payload(make()))[1] == b"abc"

    def test_forms(self):
        from hc.aiohttp.formdata import FORMS

        form = self.original.FormData({"a": "1"})
        assert isinstance(form, FORMS)
        assert asyncio.run(everything(body_of(form()))) == b"a=1"

    def test_multipart(self):
        def make():
            writer = self.original.MultipartWriter(boundary="B")
            writer.append("x")
            return writer

        kind, content, again = sent(make)
        assert kind == "iterator" and content == again and content.endswith(b"\r\n\r\nx\r\n--B--\r\n")

    def test_parts_in_ours(self):
        async def run():
            writer = hc.aiohttp.MultipartWriter(boundary="B")
            writer.append(self.original.get_payload("x"))
            return await everything(body_of(writer))

        assert asyncio.run(run()).endswith(b"\r\n\r\nx\r\n--B--\r\n")

    def test_jars_and_resolvers(self):
        assert issubclass(self.original.CookieJar, hc.aiohttp.abc.AbstractCookieJar)
        assert issubclass(self.original.ThreadedResolver, hc.aiohttp.abc.AbstractResolver)

    def test_what_only_its_modules_have(self):
        import hc.aiohttp.abc
        import hc.aiohttp.helpers

        assert hc.aiohttp.abc.AbstractRouter is self.original.abc.AbstractRouter
        assert hc.aiohttp.helpers.rfc822_formatted_time is self.original.helpers.rfc822_formatted_time
        for module in (hc.aiohttp.abc, hc.aiohttp.helpers):
            with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
                module.nothing


def test_the_stream_of_a_response_comes_by_pieces_not_lines():
    from hc.aiohttp.streams import StreamReader

    async def run():
        stream = StreamReader(None, 2**16, loop=asyncio.get_running_loop())
        stream.feed_data(b"one\ntwo\nthree")
        stream.feed_eof()
        payload = payloads.get_payload(stream)
        return type(payload), [piece async for piece in pieces_of(payload)]

    kind, pieces = asyncio.run(run())
    assert kind is payloads.StreamReaderPayload and pieces == [b"one\ntwo\nthree"]
