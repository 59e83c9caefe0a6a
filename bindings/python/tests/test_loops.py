"""One session on many loops and threads; loops that end at a bad moment."""

import asyncio
import gc
import threading
import warnings

import pytest
from conftest import descriptors, passes, python, threads

import hc
from hc._queue import LoopQueue


async def get(session, url, count=1):
    for _ in range(count):
        assert (await session.get(url + "/bytes/10")).status == 200


def test_one_session_serves_several_loops_and_threads_at_once(url, run):
    failures = []

    def on_thread(session):
        try:
            asyncio.run(many(session))
            for _ in range(20):
                session.get_sync(url + "/bytes/10")
        except BaseException as failure:
            failures.append(failure)

    async def many(session):
        await asyncio.gather(*(get(session, url, 20) for _ in range(5)))

    async def main(session):
        workers = [threading.Thread(target=on_thread, args=(session,)) for _ in range(4)]
        for worker in workers:
            worker.start()
        await many(session)
        await asyncio.get_running_loop().run_in_executor(None, lambda: [worker.join() for worker in workers])
        await session.close()

    session = hc.Session()
    run(main(session))
    assert not failures
    assert session.stats()["succeeded"] == 5 * 100 + 4 * 20


def test_sessions_on_one_loop_share_a_queue_and_the_last_one_ends_it(url, run):
    async def main():
        before = descriptors()
        one, two = hc.Session(), hc.Session()
        await get(one, url)
        await get(two, url)
        queue = one._sender.queue
        assert two._sender.queue is queue and queue.users == 2
        await one.close()
        await get(two, url)
        assert queue.close.alive
        await two.close()
        assert not queue.close.alive
        assert descriptors() == before

    run(main())


def test_a_thousand_loops_with_one_session(url, run):
    before = descriptors(), threads()
    session = hc.Session()
    for _ in range(1_000):
        run(get(session, url))
    assert len(session._senders) == 1 and session.stats()["connections_made"] <= 2
    session.close_sync()
    gc.collect()
    assert (descriptors(), threads()) == before


def test_many_loops_with_a_session_each(url, run):
    before = descriptors(), threads()

    async def main():
        async with hc.Session() as session:
            await get(session, url)

    for _ in range(100):
        run(main())
    gc.collect()
    assert (descriptors(), threads()) == before


def test_a_loop_that_is_closed_with_requests_in_flight(url, run):
    """Its requests are cancelled, its descriptors go, and the session works on another loop."""
    before = descriptors()
    session = hc.Session()

    async def start():
        task = asyncio.ensure_future(session.get(url + "/hang"))
        task._log_destroy_pending = False  # uvloop's and asyncio's complaint is not the subject
        while session.stats()["sockets_in_use"] == 0:
            await asyncio.sleep(0.001)
        return task

    loop = asyncio.new_event_loop()
    task = loop.run_until_complete(start())
    loop.close()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        del loop, task
        gc.collect()
    run(get(session, url))
    while session.stats()["in_flight"]:
        pass
    assert session.stats()["cancelled"] == 1
    session.close_sync()
    gc.collect()
    assert descriptors() == before


def test_a_loop_that_goes_on_sees_to_one_that_was_closed(url):
    session = hc.Session()

    async def start():
        task = asyncio.ensure_future(session.get(url + "/hang"))
        task._log_destroy_pending = False
        while session.stats()["in_flight"] == 0:
            await asyncio.sleep(0.001)

    kept, closed = asyncio.new_event_loop(), asyncio.new_event_loop()
    kept.run_until_complete(session.get(url + "/bytes/1"))
    closed.run_until_complete(start())
    closed.close()
    kept.run_until_complete(session.get(url + "/bytes/1"))
    assert [sender.loop for sender in session._senders.values()] == [kept]
    del closed
    gc.collect()
    kept.run_until_complete(session.close())
    kept.close()
    assert session.closed


def test_asyncio_run_that_leaves_tasks_behind(url):
    """asyncio.run() cancels them; nothing is left to warn about."""
    passes(
        python(
            """
            import asyncio, sys, hc

            async def main():
                global task
                async with hc.Session() as session:
                    task = asyncio.ensure_future(session.get(sys.argv[1] + "/hang"))
                    while not session.stats()["sockets_in_use"]:
                        await asyncio.sleep(0.001)
                    await asyncio.sleep(0)

            asyncio.run(main())
            assert type(task.exception()) is hc.errors.CancelledError
            """,
            url,
        )
    )


def test_a_session_that_is_collected_while_its_loop_runs_on(url, run):
    async def main():
        before = descriptors()
        session = hc.Session()
        await get(session, url)
        queue = session._sender.queue
        with pytest.warns(ResourceWarning, match="unclosed session"):
            del session
            gc.collect()
        while queue.close.alive:
            await asyncio.sleep(0.001)
        assert descriptors() == before
        assert LoopQueue._all.get(id(asyncio.get_running_loop())) in (None, queue)

    run(main())


def test_close_from_another_thread(url, run):
    async def main():
        session = hc.Session()
        call = asyncio.ensure_future(session.get(url + "/hang"))
        while session.stats()["sockets_in_use"] == 0:
            await asyncio.sleep(0.001)
        queue = session._sender.queue
        await asyncio.get_running_loop().run_in_executor(None, session.close_sync)
        with pytest.raises(hc.errors.CancelledError):
            await call
        while queue.close.alive:
            await asyncio.sleep(0.001)

    run(main())


def test_own_resolver_as_function_and_as_coroutine(server, run):
    asked = []

    def answer(query):
        asked.append((query.host, query.family))
        return ["127.0.0.1"] if query.host == "mine.test" else None

    async def later(query):
        await asyncio.sleep(0)
        asked.append(query.host)
        if query.host == "bad.test":
            raise ValueError("not today")
        return ["127.0.0.1"]

    async def main():
        async with hc.Session(on_resolve=answer, nameservers=server.endpoints["dns"]) as session:
            assert (await session.get(f"http://Mine.test:{server.port}/bytes/1")).status == 200
            assert (await session.get(f"http://two.test:{server.port}/bytes/1")).status == 200
        async with hc.Session(on_resolve=later) as session:
            assert (await session.get(f"http://mine.test:{server.port}/bytes/1")).status == 200
            with pytest.raises(hc.errors.DNSError, match="ValueError: not today"):
                await session.get("http://bad.test/")

    run(main())
    assert asked == [("mine.test", "any"), ("two.test", "any"), "mine.test", "bad.test"]


def test_own_resolver_that_answers_from_another_thread(server):
    def take(query):
        threading.Thread(target=query.answer, args=(["127.0.0.1"], 60)).start()
        return query

    with hc.Session(on_resolve=take) as session:
        assert session.get_sync(f"http://any.test:{server.port}/bytes/1").status == 200


def test_an_answered_query_cannot_be_answered_again(server):
    seen = []

    def take(query):
        query.answer(["127.0.0.1"])
        with pytest.raises(RuntimeError, match="answered already"):
            query.fail()
        seen.append(query)
        return query

    with hc.Session(on_resolve=take) as session:
        assert session.get_sync(f"http://any.test:{server.port}/bytes/1").status == 200
    assert len(seen) == 1


def test_a_query_is_open_until_its_answer_is_one(server):
    def take(query):
        with pytest.raises(hc.errors.InvalidError, match="ttl"):
            query.answer(["127.0.0.1"], -1)
        for none in ([], ["nowhere"]):
            with pytest.raises(hc.errors.InvalidError, match="addresses"):
                query.answer(none)
        with pytest.raises(hc.errors.InvalidError, match="reason"):
            query.fail(7)
        query.answer(["127.0.0.1"], 60)
        return query

    with hc.Session(on_resolve=take) as session:
        assert session.get_sync(f"http://any.test:{server.port}/bytes/1").status == 200
