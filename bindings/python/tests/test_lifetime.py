"""Fork, exit, garbage collection, signals: no hang, no leak, no crash, and no word on stderr."""

import asyncio
import copy
import gc
import os
import pickle
import signal
import threading
import time

import pytest
from conftest import descriptors, passes, python, python_file, threads

import hc


def test_an_unclosed_session_warns_and_is_ended():
    before = descriptors(), threads()
    session = hc.Session()
    assert threads() > before[1]
    with pytest.warns(ResourceWarning, match="unclosed session"):
        del session
        gc.collect()
    assert (descriptors(), threads()) == before


def test_a_session_in_a_cycle_is_ended_too():
    before = descriptors(), threads()
    cycle = []
    session = hc.Session(on_log=lambda level, line, cycle=cycle: None)
    cycle.append(session)
    with pytest.warns(ResourceWarning, match="unclosed session"):
        del session, cycle
        gc.collect()
    assert (descriptors(), threads()) == before


def test_a_session_that_could_not_be_created_leaves_nothing():
    before = descriptors(), threads()
    with pytest.raises(hc.errors.InvalidError):
        hc.Session(dns_cache_size=0)
    gc.collect()
    assert (descriptors(), threads()) == before


def test_a_session_collected_inside_its_own_callback(url):
    """The garbage collector runs wherever it likes, also on the session's own thread."""
    out = passes(
        python(
            """
            import gc, sys, threading, hc

            def on_socket(info):
                sessions.clear()
                gc.collect()
                collected.set()

            collected = threading.Event()
            sessions = [hc.Session(on_socket=on_socket)]
            sender = sessions[0]._taken()  # as a blocking call does, but nothing of ours holds the session
            sender.send("GET", sys.argv[1], {}, 1)
            assert collected.wait(30)
            print("alive")
            """,
            url,
            options=("-X", "dev", "-W", "ignore"),
        )
    )
    assert out == "alive\n"


def test_the_thread_of_a_closed_session_is_joined():
    """Even if that thread is slow to come back from telling the loop."""
    ended_on, begins = [], threading.Event()

    class Watched(hc.Session):
        def __del__(self):
            ended_on.append(threading.current_thread())
            begins.set()
            super().__del__()

    async def main():
        loop = asyncio.get_running_loop()
        tell = loop.call_soon_threadsafe

        def tell_slowly(call):
            tell(call)
            begins.wait(10)

        loop.call_soon_threadsafe = tell_slowly
        await Watched().close()
        loop.call_soon_threadsafe = tell

    before = threads()
    asyncio.run(main())
    gc.collect()
    assert (ended_on, threads()) == ([threading.current_thread()], before)


def test_the_end_of_the_interpreter_does_not_wait_for_the_thread_of_a_session():
    """It halts threads that come back to it, and then collects what is left."""
    code = """
    import asyncio, gc, threading, hc

    async def main():
        loop = asyncio.get_running_loop()
        tell = loop.call_soon_threadsafe

        def tell_and_never_come_back(call):
            tell(call)
            threading.Event().wait()

        loop.call_soon_threadsafe = tell_and_never_come_back
        session = hc.Session()
        session.cycle = session
        await session.close()
        loop.call_soon_threadsafe = tell

    gc.disable()
    asyncio.run(main())
    """
    assert passes(python(code)) == ""


FORK = """
import os, sys, hc
url = sys.argv[1]
session = hc.Session()
assert session.get_sync(url + "/bytes/1").status == 200
child = os.fork()
if child == 0:
    try:
        for call in (lambda: session.get_sync(url), session.stats, session.dns_clear):
            try:
                call()
            except hc.errors.ForkedError as error:
                assert str(error)
            else:
                raise AssertionError("the parent's session works in the child")
        session.close_sync()
        with hc.Session() as mine:
            assert mine.get_sync(url + "/bytes/2").status == 200
        del session
    except BaseException as failure:
        print(repr(failure), flush=True)
        os._exit(1)
    HOW_IT_ENDS
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 0
assert session.get_sync(url + "/bytes/1").reused
session.close_sync()
"""


@pytest.mark.parametrize("end", ["os._exit(0)", "sys.exit(0)"])
def test_fork(url, end):
    passes(python(FORK.replace("HOW_IT_ENDS", end), url))


def test_fork_while_another_thread_holds_our_lock(url):
    passes(
        python(
            """
            import asyncio, os, sys, threading, hc
            from hc._queue import LoopQueue

            async def get():
                async with hc.Session() as session:
                    assert (await session.get(sys.argv[1] + "/bytes/1")).status == 200

            def hold():
                with LoopQueue._lock:
                    held.set()
                    forked.wait()

            held, forked = threading.Event(), threading.Event()
            thread = threading.Thread(target=hold)
            thread.start()
            held.wait()
            child = os.fork()
            if child == 0:
                asyncio.run(asyncio.wait_for(get(), 30))
                os._exit(0)
            forked.set()
            thread.join()
            _, status = os.waitpid(child, 0)
            assert os.waitstatus_to_exitcode(status) == 0
            """,
            url,
        )
    )


def test_fork_with_a_running_loop(url):
    """asyncio itself can start another loop in the child; the parent's queue stays the parent's."""
    passes(
        python(
            """
            import asyncio, os, sys, hc
            url = sys.argv[1]

            async def get():
                async with hc.Session() as session:
                    assert (await session.get(url + "/bytes/1")).status == 200

            async def main():
                async with hc.Session() as session:
                    hanging = asyncio.ensure_future(session.get(url + "/hang"))
                    assert (await session.get(url + "/bytes/1")).status == 200
                    child = os.fork()
                    if child == 0:
                        asyncio.events._set_running_loop(None)
                        try:
                            asyncio.run(get())
                        except BaseException as failure:
                            print(repr(failure), flush=True)
                            os._exit(1)
                        os._exit(0)
                    _, status = await asyncio.get_running_loop().run_in_executor(None, os.waitpid, child, 0)
                    assert os.waitstatus_to_exitcode(status) == 0
                    assert (await session.get(url + "/bytes/1")).status == 200
                    assert not hanging.done()
                    hanging.cancel()

            asyncio.run(main())
            """,
            url,
        )
    )


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(url, method, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        """
import multiprocessing, sys, hc

def get(url):
    with hc.Session() as session:
        return session.get_sync(url + "/bytes/7").body

if __name__ == "__main__":
    method, url = sys.argv[1:]
    session = hc.Session()
    expected = session.get_sync(url + "/bytes/7").body
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(get, [url] * 8) == [expected] * 8
        pool.close()
        pool.join()
    session.close_sync()
"""
    )
    passes(python_file(program, method, url))


@pytest.mark.parametrize(
    "ending",
    [
        "pass",
        "raise SystemExit(0)",
        "keep = session  # a global, and never closed",
        "threading.Thread(target=session.get_sync, args=(url + '/hang',), daemon=True).start(); until_busy()",
        "threading.Thread(target=session.get_sync, args=(url + '/delay/200',)).start(); until_busy()",
        "asyncio.new_event_loop().run_until_complete(begin())",
        "threading.Thread(target=flood, daemon=True).start(); until_busy()",
    ],
)
def test_the_interpreter_ends_with_a_session_open(url, ending):
    """With callbacks, which must not be called into an interpreter that is gone. Nothing may hang or crash."""
    ran = python(
        f"""
        import asyncio, sys, threading, hc
        url = sys.argv[1]

        def until_busy():
            while session.stats()["submitted"] < 2:
                pass

        async def begin():
            global task
            task = asyncio.ensure_future(session.get(url + "/hang"))
            while not session.stats()["in_flight"]:
                await asyncio.sleep(0)

        def flood():
            while True:
                try:
                    session.get_sync(url + "/close")
                except hc.Error:
                    return

        session = hc.Session(on_log=print, on_socket=lambda info: None, on_resolve=lambda query: None)
        session.get_sync(url + "/bytes/1")
        {ending}
        """,
        url,
        options=("-X", "dev", "-W", "ignore"),
    )
    assert ran.returncode == 0, ran.stderr


def test_ctrl_c_ends_a_blocking_call(url):
    """The request is cancelled, and the session goes on."""
    # What a shell starts in the background ignores the signal, and so would Python.
    before_us = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        interrupt_a_blocking_call(url)
    finally:
        signal.signal(signal.SIGINT, before_us)


def interrupt_a_blocking_call(url):
    with hc.Session() as session:
        def interrupt():
            while session.stats()["sockets_in_use"] == 0:
                time.sleep(0.001)
            os.kill(os.getpid(), signal.SIGINT)

        before = descriptors()
        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            session.get_sync(url + "/hang")
        thread.join()
        while session.stats()["in_flight"]:
            pass
        assert session.stats()["cancelled"] == 1
        assert session.get_sync(url + "/bytes/1").status == 200
        assert descriptors() <= before + 5  # a queue and a connection


def test_blocking_calls_reuse_their_queues(url):
    with hc.Session() as session:
        session.get_sync(url + "/bytes/1")
        before = descriptors()
        for _ in range(50):
            session.get_sync(url + "/bytes/1")
        assert descriptors() == before and len(session._idle) == 1


def test_few_queues_are_kept_after_many_blocking_calls_at_once(url):
    with hc.Session() as session:
        workers = [threading.Thread(target=session.get_sync, args=(url + "/delay/50",)) for _ in range(40)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert session.stats()["succeeded"] == 40 and 1 <= len(session._idle) <= 16


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, pickle.dumps])
def test_what_has_a_handle_is_not_copied(url, clone):
    """Both copies would give the handle back."""
    with hc.Session() as session, session.stream_sync("GET", url + "/bytes/1") as stream:
        for owner in (session, stream, session.get_sync(url + "/bytes/1"), hc.TLS()):
            with pytest.raises(TypeError, match=f"hc.{type(owner).__name__} cannot be copied"):
                clone(owner)


def test_closing_twice_and_from_two_threads(url):
    session = hc.Session()
    workers = [threading.Thread(target=session.close_sync) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    session.close_sync()
    assert session.closed


def test_a_session_whose_last_holder_is_a_body(url):
    """The library gives a body back on the session's own thread, which goes on with the session's callbacks."""
    out = passes(
        python(
            """
            import asyncio, gc, sys, threading, time, hc
            from hc import _callbacks

            class Body(bytes):
                pass

            async def main():
                session = hc.Session(on_trace=hold)
                body = Body(100_000)
                body.session = session
                call = asyncio.ensure_future(session.post(sys.argv[1] + "/hang", body=body))
                while not holds.is_set():
                    await asyncio.sleep(0)  # the thread must not meet submit and cancel in one turn
                call.cancel()
                await asyncio.gather(call, return_exceptions=True)

            def hold(event):
                holds.set()
                all_dropped.wait(30)

            holds = threading.Event()
            all_dropped = threading.Event()
            asyncio.run(main())
            gc.collect()
            all_dropped.set()
            deadline = time.monotonic() + 10
            while not _callbacks._outliving and time.monotonic() < deadline:
                time.sleep(0.001)  # the session's end has no event of its own
            time.sleep(0.1)  # what the thread still does must not crash
            print(len(_callbacks._outliving))
            """,
            url,
            options=("-X", "dev", "-W", "ignore"),
        )
    )
    assert out == "1\n"


def test_a_close_that_is_refused_closes_nothing(url):
    seen = []

    def on_socket(info):
        with pytest.raises(hc.errors.DeadlockError):
            session.close_sync()
        seen.append(session.closed)

    with hc.Session(on_socket=on_socket) as session:
        with pytest.raises(hc.errors.InvalidError, match="drain"):
            session.close_sync(drain=-1)
        with pytest.raises(hc.errors.InvalidError, match="drain"):
            asyncio.run(session.close(drain="soon"))
        assert not session.closed
        assert session.get_sync(url + "/bytes/1").status == 200
    assert seen == [False]
    assert session.closed


def test_a_task_that_is_collected_with_the_session_sends_nothing(url):
    code = """
        import asyncio, gc, sys, hc
        from hc._sender import Sender

        async def late(session):
            try:
                await asyncio.get_running_loop().create_future()  # which nobody else holds
            finally:
                await session.get(sys.argv[1])

        async def main():
            session = hc.Session()
            await session.get(sys.argv[1])
            task = asyncio.ensure_future(late(session))
            await asyncio.sleep(0)
            Sender.send = lambda *_: print("sent")
            del session, task
            gc.collect()
            print("collected")

        asyncio.run(main())
    """
    ran = python(code, url + "/bytes/1", options=("-W", "ignore"))
    assert (ran.returncode, ran.stdout) == (0, "collected\n"), ran.stderr
