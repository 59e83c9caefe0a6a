"""Bodies that are read piece by piece."""

import asyncio
import gc
import signal
import socket
import threading

import pytest
from conftest import Scripted, answer, descriptors, passes, python, until

import hc

SIZES = [0, 1, 1_000, 65_536, 3_000_001]


class Source:
    """Sends an endless body to one connection, and counts what the socket took."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/"
        self.sent = 0
        self.is_stuck = threading.Event()  # nothing could be sent for a while
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        connection, _ = self.listener.accept()
        with connection:
            connection.recv(65536)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
            connection.settimeout(0.5)
            try:
                while self.sent < 100_000_000:
                    try:
                        self.sent += connection.send(b"x" * 10_000)
                    except socket.timeout:
                        self.is_stuck.set()
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.thread.join()
        self.listener.close()


@pytest.mark.parametrize("size", SIZES)
def test_a_body_arrives_whole_in_pieces(url, run, size):
    async def main():
        async with hc.Session() as session:
            expected = (await session.get(f"{url}/bytes/{size}")).body
            async with session.stream("GET", f"{url}/bytes/{size}") as response:
                assert (response.status, response.headers["content-length"]) == (200, str(size))
                pieces = [piece async for piece in response]
                assert b"".join(pieces) == expected and all(pieces)
                assert response.closed and await response.read_some() == b""
            async with session.stream("GET", f"{url}/bytes/{size}") as response:
                assert await response.read() == expected and await response.read() == b""
            async with session.stream("GET", f"{url}/bytes/{size}") as response:
                cut = [piece async for piece in response.iter_chunked(1_000)]
                assert b"".join(cut) == expected and {len(piece) for piece in cut[:-1]} <= {1_000}
            assert session.stats()["connections_made"] == 1

    run(main())


@pytest.mark.parametrize("size", SIZES)
def test_the_same_blocking(url, size):
    with hc.Session() as session:
        expected = session.get_sync(f"{url}/bytes/{size}").body
        with session.stream_sync("GET", f"{url}/bytes/{size}") as response:
            assert (response.status, response.headers["content-length"]) == (200, str(size))
            assert b"".join(response) == expected and response.closed and response.read_some() == b""
        with session.stream_sync("GET", f"{url}/bytes/{size}") as response:
            assert b"".join(response.iter_chunked(1_000)) == expected
        assert session.stats()["connections_made"] == 1 and len(session._idle) == 1


def test_the_head_is_there_before_the_body(url, run):
    async def main():
        async with hc.Session() as session:
            async with session.stream("GET", url + "/drip?bytes=1000&chunk=1&every_ms=20") as response:
                assert response.timing.first_byte is not None and response.timing.done is None
                assert response.elapsed == 0.0 and response.remote.address == "127.0.0.1"
                assert len(await response.read_some()) < 1000

    run(main())


def test_views_need_no_copy_and_outlive_everything(url, run):
    async def main():
        async with hc.Session() as session:
            expected = (await session.get(url + "/bytes/300000")).body
            async with session.stream("GET", url + "/bytes/300000") as response:
                views = [view async for view in response.iter_views()]
            assert all(view.readonly for view in views) and b"".join(views) == expected
            return views, expected

    views, expected = run(main())
    gc.collect()
    assert b"".join(views) == expected
    with hc.Session() as session, session.stream_sync("GET", url + "/bytes/300000") as response:
        assert b"".join(bytes(view) for view in response.iter_views()) == expected


@pytest.mark.parametrize("pieces", ["response", "response.iter_views()"])
def test_a_loop_that_is_left_in_the_middle_asks_nothing_of_a_loop_that_ends(url, pieces):
    """Neither shutdown_asyncgens() nor one more turn."""
    code = f"""
        import asyncio, sys, hc
        async def main():
            async with hc.Session() as session:
                async with session.stream("GET", sys.argv[1]) as response:
                    async for piece in {pieces}:
                        return len(piece)
        loop = asyncio.new_event_loop()
        print(loop.run_until_complete(main()) > 0)
        loop.close()
    """
    assert passes(python(code, url + "/bytes/3000000")) == "True\n"


def test_a_piece_is_no_larger_than_asked(url, run):
    async def main():
        async with hc.Session() as session, session.stream("GET", url + "/bytes/10000") as response:
            assert len(await response.read_some(7)) <= 7
            assert len(await response.read()) >= 9_993

    run(main())


def test_text_and_json(run):
    async def main(scripted):
        async with hc.Session() as session:
            async with session.stream("GET", scripted.url) as response:
                assert await response.text() == '"ü"'
            async with session.stream("GET", scripted.url) as response:
                assert await response.json() == "ü"

    with Scripted(answer(b'"\xfc"', "Content-Type: application/json; charset=latin-1")) as scripted:
        run(main(scripted))
        with hc.Session() as session:
            with session.stream_sync("GET", scripted.url) as response:
                assert response.text() == '"ü"'
            with session.stream_sync("GET", scripted.url) as response:
                assert response.json() == "ü"


def test_what_the_head_says_stays_after_the_close(url, run):
    async def main():
        async with hc.Session() as session:
            async with session.stream("GET", url + "/bytes/1000") as response:
                pass
            assert response.closed and response.headers["content-length"] == "1000" and response.reason == "OK"
            with pytest.raises(hc.errors.ClosedError, match="response is closed"):
                await response.read_some()

    run(main())


@pytest.mark.parametrize("option", ["session", "request"])
def test_a_reader_that_does_not_read_holds_the_server_back(run, option):
    window = {"body_window": 65_536}

    async def main(source):
        small = {"receive_buffer": 8_192}
        async with hc.Session(**small, **(window if option == "session" else {})) as session:
            async with session.stream("GET", source.url, **(window if option == "request" else {})) as response:
                await asyncio.get_running_loop().run_in_executor(None, source.is_stuck.wait, 60)
                assert source.is_stuck.is_set() and source.sent < 2_000_000
                got = 0
                while got < 5_000_000:
                    got += len(await response.read_some())
                assert source.sent >= got - 10_000  # the last send may not be counted yet

    with Source() as source:
        run(main(source))


@pytest.mark.parametrize("path, is_kept", [("/bytes/20000", True), ("/bytes/50000000", False)])
def test_closing_early_keeps_the_connection_if_the_rest_is_short(url, run, path, is_kept):
    async def main():
        async with hc.Session() as session:
            async with session.stream("GET", url + path) as response:
                await response.read_some(1)
            while session.stats()["in_flight"]:
                await asyncio.sleep(0.001)
            assert (await session.get(url + "/bytes/1")).reused == is_kept

    run(main())


def test_a_body_that_breaks_off_gives_its_bytes_and_then_the_error(url, run):
    where = url + "/truncate?claimed=100&sent=50"

    async def main():
        async with hc.Session() as session, session.stream("GET", where) as response:
            got = b""
            with pytest.raises(hc.errors.IncompleteError) as caught:
                async for piece in response:
                    got += piece
            assert len(got) == 50 and caught.value.url == where and str(caught.value)

    run(main())
    with hc.Session() as session, session.stream_sync("GET", where) as response:
        got = b""
        with pytest.raises(hc.errors.IncompleteError):
            for piece in response:
                got += piece
        assert len(got) == 50


def test_failures_before_the_head(run):
    async def main():
        async with hc.Session() as session:
            with pytest.raises(hc.errors.ConnectError) as caught:
                async with session.stream("GET", "http://127.0.0.1:1/"):
                    pass
            assert (caught.value.method, caught.value.url) == ("GET", "http://127.0.0.1:1/")

    run(main())
    with hc.Session() as session, pytest.raises(hc.errors.ConnectError) as caught:
        session.stream_sync("GET", "http://127.0.0.1:1/")
    assert caught.value.url == "http://127.0.0.1:1/"


def test_max_body_of_a_streamed_response(url):
    with hc.Session() as session, session.stream_sync("GET", url + "/bytes/1000000", max_body=1_000) as response:
        with pytest.raises(hc.errors.TooLargeError):
            response.read()


def test_cancel_before_the_head_and_while_reading(url, run):
    async def main():
        async with hc.Session() as session:
            head = asyncio.ensure_future(session.stream("GET", url + "/hang"))
            while not session.stats()["sockets_in_use"]:
                await asyncio.sleep(0.001)
            head.cancel()
            with pytest.raises(asyncio.CancelledError):
                await head
            async with session.stream("GET", url + "/drip?bytes=1000&chunk=1&every_ms=100") as response:
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(response.read(), 0.05)
            while session.stats()["in_flight"]:
                await asyncio.sleep(0.001)
            assert session.stats()["cancelled"] == 2
            while session._sender.waiting:
                await asyncio.sleep(0.001)

    run(main())


def test_a_response_that_nobody_holds_is_given_back_with_a_warning(url, run):
    async def main():
        async with hc.Session() as session:
            response = await session.stream("GET", url + "/bytes/50000000")
            with pytest.warns(ResourceWarning, match="unclosed response"):
                del response
                gc.collect()
            while session.stats()["in_flight"]:
                await asyncio.sleep(0.001)

    run(main())


def test_close_of_the_session_ends_a_stream(url, run):
    async def main():
        session = hc.Session()
        response = await session.stream("GET", url + "/drip?bytes=1000&chunk=1&every_ms=100")
        reading = asyncio.ensure_future(response.read())
        await asyncio.sleep(0)
        await session.close()
        with pytest.raises(hc.errors.CancelledError):
            await reading
        response.close()

    run(main())


def test_nothing_is_left_behind(url, run):
    async def main():
        before = descriptors()
        async with hc.Session() as session:
            for _ in range(20):
                calls = [session.stream("GET", url + "/bytes/300000") for _ in range(8)]
                responses = await asyncio.gather(*calls)
                for number, response in enumerate(responses):
                    if number % 2:
                        assert len(await response.read()) == 300_000
                    response.close()
        assert descriptors() == before

    run(main())


def test_a_blocking_read_that_was_interrupted_is_the_last(url):
    """Its queue is closed, which cancels the request."""

    class Interrupted(Exception):
        pass

    def interrupt(*_):
        raise Interrupted

    before_us = signal.signal(signal.SIGALRM, interrupt)
    try:
        with hc.Session() as session:
            with session.stream_sync("GET", url + "/drip?bytes=1000&chunk=1&every_ms=10000") as response:
                signal.setitimer(signal.ITIMER_REAL, 0.05)
                with pytest.raises(Interrupted):
                    response.read()
                with pytest.raises(hc.errors.CancelledError):
                    response._news.wait()  # as a read() that is faster than the cancellation
                with pytest.raises(hc.errors.CancelledError):
                    response.read()
            assert session.get_sync(url + "/bytes/1").status == 200
    finally:
        signal.signal(signal.SIGALRM, before_us)


@pytest.mark.parametrize("limit", [0, -1, 1.5, "1", None])
def test_a_piece_of_no_size_is_refused(url, run, limit):
    """It would look like the end of the body."""

    async def main():
        async with hc.Session() as session, session.stream("GET", url + "/bytes/1000") as response:
            with pytest.raises(hc.errors.InvalidError, match="limit"):
                await response.read_some(limit)
            assert len(await response.read()) == 1_000

    run(main())
    with hc.Session() as session, session.stream_sync("GET", url + "/bytes/1000") as response:
        with pytest.raises(hc.errors.InvalidError, match="limit"):
            response.read_some(limit)
        assert len(response.read()) == 1_000


@pytest.mark.parametrize("limit", [1.5, "1"])
def test_a_wrong_limit_loses_nothing(url, limit):
    with hc.Session() as session, session.stream_sync("GET", url + "/bytes/1000") as response:
        first = response.read_some(1)
        with pytest.raises(TypeError):
            response._blocks.read(limit)
        assert len(first + response.read()) == 1_000


def test_a_cancel_that_meets_the_end_leaves_nothing(url, run):
    async def main():
        async with hc.Session() as session:
            call = session.stream("GET", url + "/bytes/1")
            call.send(None)  # as a task would
            await until(lambda: not session._sender.waiting)
            call.close()
            assert not session._sender.waiting

    run(main())
