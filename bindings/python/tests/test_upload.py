"""Bodies of requests from files and iterators, and what the library is lent."""

import asyncio
import gc
import gzip
import io

import pytest
from conftest import Scripted, answer

import hc
from hc import upload

CONTENT = bytes(range(256)) * 20_000


def checksum(url):
    with hc.Session() as session:
        return session.post_sync(url + "/upload", body=CONTENT).json()


async def pieces(size=70_000):
    for start in range(0, len(CONTENT), size):
        await asyncio.sleep(0)
        yield CONTENT[start : start + size]


def test_a_path_and_a_file(url, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    with hc.Session() as session, path.open("rb") as file:
        assert session.post_sync(url + "/upload", body=path).json() == checksum(url)
        assert session.post_sync(url + "/upload", body=file).json() == checksum(url)
        file.seek(len(CONTENT) - 10)
        assert session.post_sync(url + "/echo", body=file).body == CONTENT[-10:]
        assert session.post_sync(url + "/echo", body=path, body_offset=1, body_length=3).body == CONTENT[1:4]
        assert session.post_sync(url + "/echo", body=io.BytesIO(b"abc")).body == b"abc"
        with pytest.raises(hc.errors.InvalidError, match="binary"), path.open() as text:
            session.post_sync(url, body=text)
        with pytest.raises(hc.Error):
            session.post_sync(url, body=tmp_path / "none")


@pytest.mark.parametrize("size", [1_000, 70_000, 1_000_000])
def test_an_asynchronous_iterator(url, run, size):
    expected = checksum(url)

    async def main():
        async with hc.Session() as session:
            assert (await session.post(url + "/upload", body=pieces(size))).json() == expected
            async with session.stream("POST", url + "/upload", body=pieces(size)) as response:
                assert await response.json() == expected
            known = await session.post(url + "/upload", body=pieces(size), body_length=len(CONTENT))
            assert known.json() == expected
            assert not session._sender.feeds

    run(main())


def test_what_an_iterator_raises_is_the_cause(url, run):
    async def broken():
        yield b"x"
        raise ZeroDivisionError("oops")

    async def main():
        async with hc.Session() as session:
            with pytest.raises(hc.errors.CallbackError) as caught:
                await session.post(url + "/upload", body=broken())
            assert isinstance(caught.value.__cause__, ZeroDivisionError)

    run(main())


def test_an_iterator_needs_a_loop(url):
    with hc.Session() as session, pytest.raises(hc.errors.InvalidError, match="body"):
        session.post_sync(url, body=pieces())


def test_what_was_lent_comes_back(url, run):
    async def main():
        async with hc.Session() as session:
            await session.post(url + "/upload", body=CONTENT)
            with pytest.raises(hc.errors.InvalidError):
                await session.post("nonsense", body=CONTENT)
            slow = asyncio.ensure_future(session.post(url + "/upload/slow?ms=60000", body=bytes(50_000_000)))
            while not session.stats()["sockets_in_use"]:
                await asyncio.sleep(0.001)
            slow.cancel()
            await asyncio.gather(slow, return_exceptions=True)
        gc.collect()
        assert not upload._lent

    run(main())


def test_a_cancellation_inside_an_iterator_is_a_failure_too(url, run):
    async def cancelled():
        yield b"x"
        raise asyncio.CancelledError  # as of a task that it waits for

    async def main():
        async with hc.Session() as session:
            with pytest.raises(hc.errors.CallbackError) as caught:
                await asyncio.wait_for(session.post(url + "/upload", body=cancelled()), 20)
            assert isinstance(caught.value.__cause__, asyncio.CancelledError)

    run(main())


def test_an_iterator_that_goes_on_after_the_session_was_freed(run, monkeypatch):
    asked = []

    async def main():
        may_go_on = asyncio.Event()

        async def source():
            yield b"x"
            await may_go_on.wait()
            yield b"y"

        with Scripted(answer(b"early")) as server:
            session = hc.Session()
            response = await session.stream("POST", server.url, body=source())
            (feed, _), = session._sender.feeds.values()
            await session.close()
        del session
        gc.collect()
        monkeypatch.setattr(upload.lib, "hc_session_resume_upload", lambda *session: asked.append(session))
        may_go_on.set()
        await asyncio.wait([feed], timeout=20)
        response.close()

    run(main())
    assert asked == []


def test_a_file_that_decodes_is_refused(url, tmp_path):
    """Its descriptor has other bytes than it gives."""
    path = tmp_path / "file.gz"
    with gzip.open(path, "wb") as file:
        file.write(CONTENT)
    with gzip.open(path) as file, hc.Session() as session, pytest.raises(hc.errors.InvalidError, match="GzipFile"):
        session.post_sync(url + "/upload", body=file)


async def endless(events):
    try:
        while True:
            yield bytes(65_536)
    finally:
        events.append("closed")


def test_a_response_that_nobody_holds_ends_its_upload(run):
    """In a garbage collection on another thread, too."""
    events = []

    async def main(server):
        async with hc.Session() as session:
            held = [await session.stream("POST", server.url, body=endless(events))]
            (feed, _), = session._sender.feeds.values()
            with pytest.warns(ResourceWarning, match="unclosed response"):
                await asyncio.get_running_loop().run_in_executor(None, held.clear)
            await asyncio.wait([feed], timeout=20)
            assert feed.cancelled() and not session._sender.feeds

    with Scripted(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nsome") as server:
        run(main(server))
    assert events == ["closed"]


def test_an_upload_that_is_ended_leaves_its_generator_at_once(run):
    events = []

    async def main(server):
        async with hc.Session() as session:
            async with session.stream("POST", server.url, body=endless(events)):
                (feed, _), = session._sender.feeds.values()
            await asyncio.wait([feed], timeout=20)
            await asyncio.sleep(0)  # the loop closes generators in a task
            await asyncio.sleep(0)
            assert events == ["closed"]

    gc.disable()
    try:
        with Scripted(answer(b"early")) as server:
            run(main(server))
    finally:
        gc.enable()
