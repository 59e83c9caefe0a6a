"""Multipart bodies and forms by themselves."""

import asyncio
import gzip
import io
import warnings
import zlib

import pytest
from multidict import CIMultiDict, CIMultiDictProxy, MultiDict


class Stream:
    """The content of a response, in pieces of a given size."""

    def __init__(self, data, size=2**18):
        self.data, self.size = data, size

    async def read(self, count=-1):
        count = len(self.data) if count < 0 else min(count, self.size)
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    async def readline(self, **_):
        end = self.data.find(b"\n") + 1 or len(self.data)
        taken, self.data = self.data[:end], self.data[end:]
        return taken

    def unread_data(self, data):
        self.data = data + self.data

    def at_eof(self):
        return not self.data


class Writer:
    def __init__(self):
        self.data = b""

    async def write(self, chunk):
        self.data += bytes(chunk)


def reader_of(aiohttp, body, size=2**18, content_type="multipart/mixed; boundary=B"):
    return aiohttp.MultipartReader({"Content-Type": content_type}, Stream(body, size))


def parts_of(aiohttp, body, **options):
    """[(headers, bytes)] of a body, nested ones as lists."""

    async def read(reader):
        found = []
        async for part in reader:
            nested = isinstance(part, aiohttp.MultipartReader)
            found.append(await read(part) if nested else (dict(part.headers), bytes(await part.read())))
        return found

    return asyncio.run(read(reader_of(aiohttp, body, **options)))


def body_of(make):
    async def run():
        payload = make()
        writer = Writer()
        await payload.write(writer)
        return writer.data, payload

    return asyncio.run(run())


# ------------------------------------------------------------------------------------------------------ reading


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8192])
def test_parts(aiohttp, since, size):
    if size < 3:
        since(3, 10, "small pieces hid a boundary")
    body = b"preamble\r\n--B\r\nA: 1\r\n\r\none\r\n--B\r\n\r\n\r\n--B\r\nC: x\r\n\r\n\r\nthree\r\n\r\n--B--\r\nepilogue"
    found = parts_of(aiohttp, body, size=size)
    assert found == [({"A": "1"}, b"one"), ({}, b""), ({"C": "x"}, b"\r\nthree\r\n")]


@pytest.mark.parametrize("size", [1, 5, 8192])
def test_what_looks_like_a_boundary(aiohttp, since, size):
    if size < 3:
        since(3, 10, "small pieces hid a boundary")
    content = b"x--B\r--B\n--b\r\n-B\r\n--\r\n"
    assert parts_of(aiohttp, b"--B\r\n\r\n" + content + b"\r\n--B--", size=size) == [({}, content)]


def test_a_content_length_counts(aiohttp):
    body = b"--B\r\nContent-Length: 7\r\n\r\n\r\n--B--\r\n--B--\r\n"
    assert parts_of(aiohttp, body) == [({"Content-Length": "7"}, b"\r\n--B--")]


def test_nested(aiohttp):
    inner = b"--I\r\n\r\none\r\n--I\r\n\r\ntwo\r\n--I--\r\n"
    body = b"--B\r\nContent-Type: multipart/mixed; boundary=I\r\n\r\n" + inner + b"\r\n--B\r\n\r\nlast\r\n--B--\r\n"
    assert parts_of(aiohttp, body) == [[({}, b"one"), ({}, b"two")], ({}, b"last")]


def test_parts_that_are_not_read_are_skipped(aiohttp):
    async def run():
        reader = reader_of(aiohttp, b"--B\r\n\r\n" + b"x" * 50_000 + b"\r\n--B\r\n\r\ntwo\r\n--B--\r\n")
        await reader.next()
        second = await reader.next()
        return bytes(await second.read()), await reader.next(), reader.at_eof()

    assert asyncio.run(run()) == (b"two", None, True)


def test_release_goes_to_the_end(aiohttp):
    async def run():
        reader = reader_of(aiohttp, b"--B\r\n\r\none\r\n--B\r\n\r\ntwo\r\n--B--\r\n")
        await reader.release()
        return reader.at_eof(), await reader.next()

    assert asyncio.run(run()) == (True, None)


def test_lines(aiohttp):
    async def run():
        part = await reader_of(aiohttp, b"--B\r\n\r\none\r\ntwo\nthree\r\n--B--\r\n").next()
        return [await part.readline() for _ in range(4)], part.at_eof()

    assert asyncio.run(run()) == ([b"one\r\n", b"two\n", b"three", b""], True)


def test_lines_that_begin_like_a_boundary():
    """aiohttp takes the end off the line before them."""
    from hc import aiohttp

    async def run():
        part = await reader_of(aiohttp, b"--B\r\n\r\none\r\n--Bad\r\n--B--\r\n").next()
        return [await part.readline() for _ in range(3)]

    assert asyncio.run(run()) == [b"one\r\n", b"--Bad", b""]


def test_chunks(aiohttp):
    async def run():
        content = bytes(range(256)) * 100
        part = await reader_of(aiohttp, b"--B\r\n\r\n" + content + b"\r\n--B--\r\n").next()
        chunks = []
        while chunk := await part.read_chunk(1000):
            chunks.append(bytes(chunk))
        return b"".join(chunks) == content, max(map(len, chunks))

    same, longest = asyncio.run(run())
    assert same and longest <= 1000


def test_meanings_of_a_part(aiohttp):
    async def run():
        head = b"--B\r\nContent-Type: text/plain; charset=latin1\r\n"
        seen = []
        for body, method in ((b"\xe4", "text"), (b'{"a": 1}', "json"), (b"a=1&b=%20&c=", "form"), (b"", "json")):
            part = await reader_of(aiohttp, head + b"\r\n" + body + b"\r\n--B--\r\n").next()
            seen.append(await getattr(part, method)())
        return seen

    assert asyncio.run(run()) == ["ä", {"a": 1}, [("a", "1"), ("b", " "), ("c", "")], None]


def test_names(aiohttp):
    async def run():
        head = b'--B\r\nContent-Disposition: form-data; name="field"; filename="a%20b.txt"\r\n\r\nx\r\n--B--\r\n'
        part = await reader_of(aiohttp, head).next()
        bare = await reader_of(aiohttp, b"--B\r\n\r\nx\r\n--B--\r\n").next()
        return part.name, part.filename, bare.name, bare.filename

    assert asyncio.run(run()) == ("field", "a%20b.txt", None, None)


def raw_deflate(data):
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


@pytest.mark.parametrize(
    "field, encoded, decoded",
    [
        (b"Content-Encoding: gzip", gzip.compress(b"time" * 1000), b"time" * 1000),
        (b"Content-Encoding: deflate", raw_deflate(b"time" * 1000), b"time" * 1000),
        (b"Content-Encoding: identity", b"same", b"same"),
        (b"Content-Transfer-Encoding: base64", b"dGltZQ==", b"time"),
        (b"Content-Transfer-Encoding: quoted-printable", b"a=3Db=20", b"a=b "),
        (b"Content-Transfer-Encoding: 8bit", b"same", b"same"),
    ],
)
def test_encodings_of_parts(aiohttp, field, encoded, decoded):
    async def run():
        part = await reader_of(aiohttp, b"--B\r\n" + field + b"\r\n\r\n" + encoded + b"\r\n--B--\r\n").next()
        return bytes(await part.read(decode=True))

    assert asyncio.run(run()) == decoded


@pytest.mark.parametrize("field", ["Content-Encoding", "Content-Transfer-Encoding"])
def test_unknown_encodings(aiohttp, field):
    async def run():
        part = await reader_of(aiohttp, f"--B\r\n{field}: new\r\n\r\nx\r\n--B--\r\n".encode()).next()
        await part.read(decode=True)

    with pytest.raises(RuntimeError, match="unknown content"):
        asyncio.run(run())


def test_base64_comes_in_whole_groups(aiohttp, since):
    since(3, 14, "a chunk could end inside a group")

    async def run():
        head = b"--B\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        part = await reader_of(aiohttp, head + b"dGlt\r\nZWVu\r\nZG" * 30 + b"\r\n--B--\r\n", size=11).next()
        chunks = []
        while chunk := await part.read_chunk(13):
            chunks.append(chunk)
        return [len(bytes(chunk).translate(None, b"\r\n")) % 4 for chunk in chunks]

    *groups, _ = asyncio.run(run())
    assert set(groups) == {0}


def test_the_charset_of_a_form(aiohttp, since):
    since(3, 11, "it was a part as any other")
    field = b'Content-Disposition: form-data; name="%s"\r\n\r\n'
    body = b"--:\r\n" + field % b"_charset_" + b"latin1\r\n--:\r\n" + field % b"a" + b"\xe4\r\n--:--\r\n"

    async def run():
        reader = reader_of(aiohttp, body, content_type="multipart/form-data; boundary=:")
        part = await reader.next()
        return await part.text()

    assert asyncio.run(run()) == "ä"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no boundary at all",
        b"--B\r\n\r\nnever closed",
        b"--B\r\n\r\none\r\n--Bad\r\n\r\ntwo\r\n--B--",
        b"--B\r\nContent-Length: 50\r\n\r\nshort\r\n--B--\r\n",
        b"--B\r\nContent-Length: 2\r\n\r\nlonger\r\n--B--\r\n",
    ],
)
def test_broken_bodies(aiohttp, body):
    with pytest.raises(ValueError):
        parts_of(aiohttp, body)


@pytest.mark.parametrize("length", [b"-1", b"1_0", b"+1", b"x"])
def test_lengths_that_are_none(aiohttp, since, length):
    since(3, 14, "int() was enough")
    with pytest.raises(ValueError):
        parts_of(aiohttp, b"--B\r\nContent-Length: " + length + b"\r\n\r\nx\r\n--B--\r\n")


def test_broken_header_fields(aiohttp, since, part):
    since(3, 9, "not all of them were refused")
    error = part("http_exceptions").InvalidHeader
    for line in (b"no colon", b": no name", b"a b: c"):
        with pytest.raises(error):
            parts_of(aiohttp, b"--B\r\n" + line + b"\r\n\r\nx\r\n--B--\r\n")


def test_limits_of_header_fields(aiohttp, since, part):
    since(3, 14, "no limits")
    many = b"".join(b"A%d: x\r\n" % number for number in range(200))
    with pytest.raises(part("http_exceptions").BadHttpMessage):
        parts_of(aiohttp, b"--B\r\n" + many + b"\r\nx\r\n--B--\r\n")


def test_what_is_no_multipart(aiohttp):
    with pytest.raises(AssertionError):
        reader_of(aiohttp, b"", content_type="text/plain")
    with pytest.raises(ValueError, match="boundary missed"):
        reader_of(aiohttp, b"", content_type="multipart/mixed")
    with pytest.raises(ValueError, match="too long"):
        parts_of(aiohttp, b"", content_type="multipart/mixed; boundary=" + "x" * 71)


def test_a_part_that_is_too_large(aiohttp, since):
    since(3, 14, "client_max_size")

    async def run():
        headers = CIMultiDictProxy(CIMultiDict())
        stream = Stream(b"x" * 100_000 + b"\r\n--B--\r\n")
        await aiohttp.BodyPartReader(b"--B", headers, stream, client_max_size=50_000).read()

    with pytest.raises(ValueError):
        asyncio.run(run())


# ------------------------------------------------------------------------------------------------------ writing


def test_writing(aiohttp):
    def make():
        writer = aiohttp.MultipartWriter("mixed", boundary="B")
        writer.append(b"one", {"X-A": "1"})
        writer.append("two")
        writer.append_json({"a": 1})
        writer.append_form([("a", "1"), ("b", "x y")])
        return writer

    data, writer = body_of(make)
    assert writer.size == len(data)
    assert (len(writer), bool(writer), writer.boundary) == (4, True, "B")
    assert writer.content_type == "multipart/mixed; boundary=B"
    assert data.startswith(b"--B\r\nContent-Type: application/octet-stream\r\nX-A: 1\r\nContent-Length: 3\r\n\r\none\r\n--B\r\n")
    assert data.endswith(b"\r\n--B--\r\n")
    found = parts_of(aiohttp, data)
    assert [content for _, content in found] == [b"one", b"two", b'{"a": 1}', b"a=1&b=x+y"]


def test_written_in_part(aiohttp):
    async def run():
        writer, target = aiohttp.MultipartWriter(boundary="B"), Writer()
        writer.append(b"x")
        await writer.write(target, close_boundary=False)
        return target.data

    assert asyncio.run(run()).endswith(b"\r\n\r\nx\r\n")


def test_nothing_in_it(aiohttp):
    data, writer = body_of(lambda: aiohttp.MultipartWriter(boundary="B"))
    assert (data, writer.size) == (b"--B--\r\n", 7)


@pytest.mark.parametrize(
    "headers, content",
    [
        ({"Content-Encoding": "gzip"}, b"text" * 1000),
        ({"Content-Encoding": "deflate"}, b"text" * 1000),
        ({"Content-Encoding": "identity"}, b"text"),
        ({"Content-Transfer-Encoding": "base64"}, b"four" * 1001),
        ({"Content-Transfer-Encoding": "quoted-printable"}, "Größe = 1\n".encode()),
        ({"Content-Transfer-Encoding": "binary"}, b"\0\1"),
        ({"Content-Encoding": "gzip", "Content-Transfer-Encoding": "base64"}, b"text" * 1000),
    ],
)
def test_encoding_of_parts(aiohttp, headers, content):
    def make():
        writer = aiohttp.MultipartWriter(boundary="B")
        writer.append(content, headers)
        return writer

    data, writer = body_of(make)
    is_encoded = set(headers.values()) & {"gzip", "deflate", "base64", "quoted-printable"}
    assert writer.size == (None if is_encoded else len(data))

    async def run():
        part = await reader_of(aiohttp, data).next()
        return bytes(await part.read(decode=True))

    assert asyncio.run(run()) == content


def test_encodings_that_cannot_be_written(aiohttp):
    writer = aiohttp.MultipartWriter()
    for field in ("Content-Encoding", "Content-Transfer-Encoding"):
        with pytest.raises(RuntimeError, match="unknown content"):
            writer.append(b"x", {field: "new"})
    with pytest.raises(TypeError, match="Cannot create payload"):
        writer.append(object())


def test_boundaries(aiohttp):
    assert aiohttp.MultipartWriter(boundary="a b").content_type == 'multipart/mixed; boundary="a b"'
    assert aiohttp.MultipartWriter(boundary='a"\\').content_type == 'multipart/mixed; boundary="a\\"\\\\"'
    for boundary in ("é", "a\nb"):
        with pytest.raises(ValueError):
            aiohttp.MultipartWriter(boundary=boundary)


def test_a_part_that_was_read_is_written_on(aiohttp):
    async def run():
        body = b'--B\r\nContent-Disposition: form-data; name="n"; filename="f"\r\n\r\nsome\r\n--B--\r\n'
        part = await reader_of(aiohttp, body).next()
        writer, target = aiohttp.MultipartWriter(boundary="C"), Writer()
        writer.append(part)
        await writer.write(target)
        return target.data

    data = asyncio.run(run())
    assert b'Content-Disposition: attachment; name="n"; filename="f"\r\n\r\nsome\r\n--C--' in data


# -------------------------------------------------------------------------------------------------------- forms


def form(aiohttp, *arguments, **options):
    data, payload = body_of(lambda: aiohttp.FormData(*arguments, **options)())
    return payload.content_type, data


@pytest.mark.parametrize(
    "fields, body",
    [
        ({"a": "1", "b": "x y"}, b"a=1&b=x+y"),
        ([("a", "1"), ("a", "2")], b"a=1&a=2"),
        ((("a", "é"),), b"a=%C3%A9"),
        (MultiDict([("a", "1"), ("a", "2")]), b"a=1&a=2"),
        ([("a", ["1", "2"])], b"a=1&a=2"),
        ([MultiDict(a="1"), ("b", "2")], b"b=2&a=1"),
        ((), b""),
    ],
)
def test_urlencoded(aiohttp, fields, body):
    assert form(aiohttp, fields) == ("application/x-www-form-urlencoded", body)


def test_the_charset_of_urlencoded_forms(aiohttp):
    assert form(aiohttp, {"a": "é"}, charset="latin1") == ("application/x-www-form-urlencoded; charset=latin1", b"a=%E9")


def test_a_file_makes_it_multipart(aiohttp, tmp_path):
    path = tmp_path / "x.txt"
    path.write_bytes(b"content")
    with open(path, "rb") as file:
        content_type, data = form(aiohttp, [("plain", "text"), ("file", file), ("memory", io.BytesIO(b"more"))])
    assert content_type.startswith("multipart/form-data; boundary=")
    found = parts_of(aiohttp, data, content_type=content_type)
    assert [content for _, content in found] == [b"text", b"content", b"more"]
    assert [headers["Content-Disposition"] for headers, _ in found] == [
        'form-data; name="plain"',
        'form-data; name="file"; filename="x.txt"',
        'form-data; name="memory"; filename="memory"',
    ]
    assert all("Content-Length" not in headers for headers, _ in found)
    assert found[1][0]["Content-Type"] == "text/plain"


def test_fields_with_a_name_or_a_type(aiohttp):
    def make():
        fields = aiohttp.FormData()
        fields.add_field("a", "{}", content_type="application/json")
        fields.add_field("b", "text", filename="b.bin")
        fields.add_fields(("c", "1"), ("d", "2"))
        assert fields.is_multipart
        return fields()

    data, payload = body_of(make)
    found = parts_of(aiohttp, data, content_type=payload.content_type)
    assert [headers["Content-Type"] for headers, _ in found[:2]] == ["application/json", "text/plain; charset=utf-8"]
    assert [content for _, content in found] == [b"{}", b"text", b"1", b"2"]


def test_bytes_become_files_with_a_warning(aiohttp):
    fields = aiohttp.FormData()
    with pytest.warns(DeprecationWarning, match="no longer create a file field"):
        fields.add_field("a", b"x")
    assert fields.is_multipart
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fields.add_field("b", b"x", filename="b")


def test_what_a_form_refuses(aiohttp, since, except_in):
    fields = aiohttp.FormData()
    with pytest.raises(TypeError, match="filename must be"):
        fields.add_field("a", "x", filename=1)
    with pytest.raises(TypeError, match="content_type must be"):
        fields.add_field("a", "x", content_type=1)
    with pytest.raises(TypeError, match="content_transfer_encoding must be"):
        fields.add_field("a", "x", content_transfer_encoding=1)
    with pytest.raises(TypeError, match="Only io.IOBase"):
        fields.add_fields("a")
    except_in(3, 11, "types were not looked at; Debian 12's 3.8.4 has the correction")
    with pytest.raises(ValueError, match="header injection"):
        fields.add_field("a", "x", content_type="a/b\r\nX: y")
    since(3, 14, "names were not looked at")
    with pytest.raises(ValueError, match="header injection"):
        fields.add_field("a\r\nX: y", "x")


def test_what_cannot_be_sent_in_a_form(aiohttp):
    fields = aiohttp.FormData([("a", "1"), ("b", object())], **{})
    fields.add_field("file", "x", filename="f")
    with pytest.raises(TypeError, match="Can not serialize value"):
        fields()


def test_a_form_can_be_sent_twice(aiohttp, since):
    since(3, 12, "a second time was refused")

    async def run():
        fields = aiohttp.FormData()
        fields.add_field("a", "x", filename="f")
        seen = []
        for _ in range(2):
            writer = Writer()
            await fields().write(writer)
            seen.append(writer.data)
        return seen

    first, second = asyncio.run(run())
    assert first == second


def test_forms_in_eight_bits(aiohttp):
    def make(**options):
        fields = aiohttp.FormData(**options)
        fields.add_field('a"', "x", filename="ü")
        return fields()

    quoted, _ = body_of(make)
    raw, _ = body_of(lambda: make(quote_fields=False))
    assert b'name="a\\""; filename="%C3%BC"' in quoted
    assert 'name="a\\""; filename="ü"'.encode() in raw


def test_multipart_by_default(aiohttp, since):
    since(3, 11, "default_to_multipart")
    content_type, _ = form(aiohttp, {"a": "1"}, default_to_multipart=True)
    assert content_type.startswith("multipart/form-data")


# -------------------------------------------------------------------------------------------- Content-Disposition


@pytest.mark.parametrize(
    "field, kind, parameters",
    [
        (None, None, {}),
        ("inline", "inline", {}),
        ("ATTACHMENT", "attachment", {}),
        ('attachment; filename="a.txt"', "attachment", {"filename": "a.txt"}),
        ("attachment; filename=a.txt", "attachment", {"filename": "a.txt"}),
        ('attachment; filename="a;b.txt"', "attachment", {"filename": "a;b.txt"}),
        ('attachment; filename="a\\"b"', "attachment", {"filename": 'a"b'}),
        ("attachment; filename*=UTF-8''%e2%82%ac", "attachment", {"filename*": "€"}),
        ('attachment; filename*0="a"; filename*1="b"', "attachment", {"filename*0": "a", "filename*1": "b"}),
        ('attachment; filename="/etc/x"', "attachment", {"filename": "etc/x"}),
    ],
)
def test_dispositions(aiohttp, field, kind, parameters):
    assert aiohttp.parse_content_disposition(field) == (kind, parameters)


@pytest.mark.parametrize(
    "field, warning",
    [
        ('"inline"', "BadContentDispositionHeader"),
        ("attachment; filename=a b", "BadContentDispositionHeader"),
        ("attachment; filename", "BadContentDispositionHeader"),
        ("attachment; a=1; a=2", "BadContentDispositionHeader"),
        ("attachment; a b=1", "BadContentDispositionParam"),
        ("attachment; filename*=x", "BadContentDispositionParam"),
        ("attachment; filename*=utf-8''%ff", "BadContentDispositionParam"),
    ],
)
def test_broken_dispositions(aiohttp, field, warning):
    with pytest.warns(getattr(aiohttp, warning)):
        _, parameters = aiohttp.parse_content_disposition(field)
    assert parameters == {}


@pytest.mark.parametrize(
    "parameters, name",
    [
        ({}, None),
        ({"filename": "a"}, "a"),
        ({"filename": "a", "filename*": "b"}, "b"),
        ({"filename*0": "a", "filename*1": "b", "filename*3": "d"}, "ab"),
        ({"filename*0*": "utf-8''%e4%bd%a0", "filename*1": "x"}, "你x"),
        ({"filename*1": "b"}, None),
        ({"other": "x"}, None),
    ],
)
def test_names_of_files(aiohttp, parameters, name):
    assert aiohttp.content_disposition_filename(parameters) == name
