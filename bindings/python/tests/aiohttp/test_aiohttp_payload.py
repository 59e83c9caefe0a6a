"""Payloads by themselves: what they write, their sizes and their header fields."""

import asyncio
import io
import os
import warnings

import pytest


class Writer:
    """Where payloads write themselves to."""

    def __init__(self):
        self.data = b""

    async def write(self, chunk):
        self.data += bytes(chunk)

    async def write_eof(self, chunk=b""):
        self.data += bytes(chunk)

    async def drain(self):
        pass


def written(make, times=1):
    """(bytes written, payload) of a payload that is made on a loop."""

    async def run():
        payload = make()
        writer = Writer()
        for _ in range(times):
            await payload.write(writer)
        return writer.data, payload

    return asyncio.run(run())


async def pieces():
    yield b"one"
    yield b""
    yield b"two"


@pytest.mark.parametrize(
    "data, content, size, content_type",
    [
        (b"abc", b"abc", 3, "application/octet-stream"),
        (bytearray(b"abc"), b"abc", 3, "application/octet-stream"),
        (memoryview(b"abc")[1:], b"bc", 2, "application/octet-stream"),
        ("äb", "äb".encode(), 3, "text/plain; charset=utf-8"),
        ("", b"", 0, "text/plain; charset=utf-8"),
    ],
)
def test_in_memory(aiohttp, part, data, content, size, content_type):
    found, payload = written(lambda: part("payload").get_payload(data))
    assert found == content
    assert (payload.size, payload.content_type) == (size, content_type)
    assert payload.headers["Content-Type"] == content_type


def test_string_encodings(aiohttp):
    latin = aiohttp.StringPayload("ä", encoding="latin1")
    named = aiohttp.StringPayload("ä", content_type="text/html; charset=latin1")
    assert (latin.size, latin.content_type, latin.encoding) == (1, "text/plain; charset=latin1", "latin1")
    assert (named.size, named.content_type, named.encoding) == (1, "text/html; charset=latin1", "latin1")


def test_in_memory_files(aiohttp, part):
    text, payload = written(lambda: part("payload").get_payload(io.StringIO("abä")))
    assert (text, payload.size) == ("abä".encode(), 4)
    file = io.BytesIO(b"0123456789")
    file.seek(3)
    assert part("payload").get_payload(file).size == 7
    data, _ = written(lambda: part("payload").get_payload(file))
    assert data == b"3456789"


@pytest.mark.parametrize("mode, buffering", [("rb", -1), ("rb", 0), ("r+b", -1)])
def test_files(aiohttp, since, part, tmp_path, mode, buffering):
    if buffering == 0:
        since(3, 12, "an unbuffered file had no size")
    path = tmp_path / "some.txt"
    content = os.urandom(300_000)
    path.write_bytes(b"skipped" + content)

    def make():
        file = open(path, mode, buffering)
        file.seek(7)
        payload = part("payload").get_payload(file)
        assert payload.size == len(content)
        return payload

    data, payload = written(make)
    payload._value.close()
    assert data == content
    assert payload.content_type == "text/plain"
    assert payload.filename == "some.txt"
    assert payload.headers["Content-Disposition"] == 'attachment; filename="some.txt"'


def test_text_files(aiohttp, part, tmp_path):
    path = tmp_path / "text"
    path.write_text("äöü\n" * 1000, encoding="utf-8")
    data, payload = written(lambda: part("payload").get_payload(open(path, encoding="utf-8")))
    payload._value.close()
    assert data == path.read_bytes()
    assert payload.content_type == "text/plain; charset=utf-8"


def test_files_are_sent_again_from_where_they_stood(aiohttp, since, part, tmp_path):
    since(3, 12, "files were closed after they were written")
    path = tmp_path / "some"
    path.write_bytes(b"0123456789")

    def make():
        file = open(path, "rb")
        file.seek(5)
        return part("payload").get_payload(file)

    data, payload = written(make, times=2)
    assert data == b"56789" * 2
    assert payload.size == 5 and not payload.consumed
    payload._value.close()


def test_closing_a_payload_closes_its_file(aiohttp, since, part, tmp_path):
    since(3, 12, "files were closed after they were written")
    path = tmp_path / "some"
    path.write_bytes(b"0123456789")
    file = open(path, "rb")

    async def run():
        payload = part("payload").get_payload(file)
        await payload.close()
        while not file.closed:
            await asyncio.sleep(0)
        return payload.consumed

    assert asyncio.run(run())


def test_pipes_have_no_size(aiohttp, part):
    reading, writing = os.pipe()
    os.write(writing, b"from a pipe")
    os.close(writing)
    file = open(reading, "rb")
    assert part("payload").get_payload(file).size is None
    data, _ = written(lambda: part("payload").get_payload(file))
    file.close()
    assert data == b"from a pipe"


def test_asynchronous_iterators(aiohttp, part):
    data, payload = written(lambda: part("payload").get_payload(pieces()))
    assert (data, payload.size, payload.content_type) == (b"onetwo", None, "application/octet-stream")


def test_an_iterator_is_consumed_by_writing_it(aiohttp, since, part):
    since(3, 12, "payloads did not say so")

    async def run():
        written_once = part("payload").get_payload(pieces())
        await written_once.write(Writer())
        cached = part("payload").get_payload(pieces())
        seen = [await cached.as_bytes(), await cached.as_bytes(), cached.decode()]
        return written_once.consumed, cached.consumed, seen

    assert asyncio.run(run()) == (True, False, [b"onetwo", b"onetwo", "onetwo"])


def test_json(aiohttp):
    payload = aiohttp.JsonPayload({"a": 1})
    assert (payload._value, payload.content_type) == (b'{"a": 1}', "application/json")
    payload = aiohttp.JsonPayload([], "utf-16", "application/x", lambda _: "x")
    assert payload._value == "x".encode("utf-16")


def test_what_a_payload_cannot_be_made_of(aiohttp, part):
    payload = part("payload")
    for data in (object(), 1, None, {}):
        with pytest.raises(payload.LookupError):
            payload.get_payload(data)
    with pytest.raises(TypeError, match="byte-ish"):
        payload.BytesPayload("text")
    with pytest.raises(TypeError, match="AsyncIterable"):
        payload.AsyncIterablePayload([])


def test_much_in_one_piece_warns(aiohttp):
    with pytest.warns(ResourceWarning, match="Sending a large body directly"):
        aiohttp.BytesPayload(b"x" * (2**20 + 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        aiohttp.BytesPayload(b"x" * 2**20)


def test_headers_and_names(aiohttp):
    payload = aiohttp.BytesPayload(b"", headers={"X-A": "1", "content-type": "a/b"}, filename="f.html")
    assert payload.headers["Content-Type"] == "a/b"
    assert payload.headers["x-a"] == "1"
    assert payload._binary_headers == b"content-type: a/b\r\nX-A: 1\r\n\r\n"
    payload.set_content_disposition("form-data", name="é", filename="ü x")
    value = payload.headers["Content-Disposition"]
    assert value == "form-data; name*=utf-8''%C3%A9; filename=\"%C3%BC%20x\""


def test_header_injection_is_refused(aiohttp, except_in):
    except_in(3, 11, "it was not; Debian 12's 3.8.4 has the correction")
    payload = aiohttp.BytesPayload(b"", headers={"X-A": "1\r\nX-B: 2"})
    with pytest.raises(ValueError):
        payload._binary_headers


def test_the_registry(aiohttp, part):
    module = part("payload")

    class Special(bytes):
        pass

    class First:
        pass

    @module.payload_type(Special)
    class SpecialPayload(module.BytesPayload):
        pass

    @module.payload_type(First, order=module.Order.try_first)
    class FirstPayload(module.BytesPayload):
        def __init__(self, value, *arguments, **options):
            super().__init__(b"first", *arguments, **options)

    assert type(module.get_payload(First())) is FirstPayload
    assert isinstance(module.get_payload(Special(b"x")), module.BytesPayload)
    given = module.BytesPayload(b"x")
    assert module.get_payload(given) is given
    with pytest.raises(ValueError, match="Unsupported order"):
        module.PAYLOAD_REGISTRY.register(FirstPayload, First, order="no")


def test_writing_a_part_of_it(aiohttp, since, part, tmp_path):
    since(3, 12, "write_with_length")
    path = tmp_path / "some"
    path.write_bytes(b"0123456789")

    async def run():
        seen = []
        for data in (b"0123456789", io.BytesIO(b"0123456789"), open(path, "rb"), digits()):
            payload, writer = part("payload").get_payload(data), Writer()
            await payload.write_with_length(writer, 4)
            seen.append(writer.data)
            if isinstance(data, io.BufferedReader):
                data.close()
        return seen

    async def digits():
        for digit in b"0123456789":
            yield bytes([digit])

    assert asyncio.run(run()) == [b"0123"] * 4


def test_streamer(aiohttp, part):
    async def send(writer, text):
        await writer.write(text)
        await writer.write(b"!")

    with pytest.warns(DeprecationWarning, match="streamer is deprecated"):
        sender = aiohttp.streamer(send)
    data, payload = written(lambda: part("payload").get_payload(sender(b"hi")))
    assert (data, payload.size) == (b"hi!", None)
