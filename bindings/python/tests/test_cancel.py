"""A cancelled task cancels its request, at each phase of its life, and frees its slot."""

import asyncio

import pytest
from conftest import until

import hc
from hc import upload

PHASES = ["waiting", "resolving", "connecting", "sending", "awaiting", "receiving"]


def target(phase, server, silent, unreachable):
    """(URL, session options, request options) of a request that stays in that phase."""
    if phase == "waiting":
        return f"http://127.0.0.1:{silent}/", {"limit": 1}, {}
    if phase == "resolving":
        return f"http://mute.test:{server.port}/", {"nameservers": server.endpoints["dns"]}, {}
    if phase == "connecting":
        return f"http://127.0.0.1:{unreachable}/", {}, {}
    if phase == "sending":
        return server.http + "/upload/slow?ms=60000", {"send_buffer": 4096}, {"body": bytes(50_000_000)}
    if phase == "awaiting":
        return server.http + "/hang", {}, {}
    return server.http + "/drip?bytes=100000&chunk=1&every_ms=5", {}, {}


def is_under_way(phase, stats):
    if phase == "waiting":
        return stats["waiting"] == 1
    if phase == "resolving":
        return stats["dns_lookups"] == 1
    if phase == "connecting":
        return stats["sockets_connecting"] == 1
    return stats["sockets_in_use"] == 1


@pytest.mark.parametrize("phase", PHASES)
def test_cancel_at_each_phase(run, server, silent, unreachable, phase):
    url, session_options, request_options = target(phase, server, silent, unreachable)

    async def main():
        async with hc.Session(**session_options) as session:
            calls = [asyncio.ensure_future(session.request("POST", url, **request_options))]
            if phase == "waiting":
                calls.append(asyncio.ensure_future(session.request("POST", url)))
            await until(lambda: is_under_way(phase, session.stats()))
            if phase == "receiving":
                await asyncio.sleep(0.1)  # no statistic tells that bytes have come before the end of a request
            calls[-1].cancel()
            with pytest.raises(asyncio.CancelledError):
                await calls[-1]
            await until(lambda: session.stats()["cancelled"] == 1)
            assert session.stats()["in_flight"] == len(calls) - 1
            for call in calls[:-1]:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
            await until(lambda: session.stats()["in_flight"] == 0)
            stats = session.stats()
            assert stats["sockets_connecting"] + stats["sockets_in_use"] == 0
            await until(lambda: not upload._lent)  # the body is given up, too

    run(main())


def test_a_task_cancelled_before_it_begins_sends_nothing(url, run):
    async def main():
        async with hc.Session() as session:
            task = asyncio.ensure_future(session.get(url))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert session.stats()["submitted"] == 0

    run(main())


def test_wait_for_cancels(url, run):
    async def main():
        async with hc.Session() as session:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(session.get(url + "/hang"), 0.05)
            await until(lambda: session.stats()["cancelled"] == 1)

    run(main())


def test_a_cancel_that_meets_its_answer_loses_nothing(url, run):
    """Cancelled at every moment from before the submit to after the answer; each request has exactly one end."""

    async def main():
        async with hc.Session(limit=8) as session:
            for round_number in range(300):
                task = asyncio.ensure_future(session.get(url + "/bytes/1"))
                for _ in range(round_number % 12):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            await until(lambda: session.stats()["in_flight"] == 0)
            await asyncio.sleep(0)
            stats = session.stats()
            assert stats["submitted"] == stats["succeeded"] + stats["failed"] + stats["cancelled"]
            assert stats["failed"] == 0
            await until(lambda: not session._sender.waiting)

    run(main())


def test_a_coroutine_that_is_closed_cancels(url):
    async def main():
        async with hc.Session() as session:
            call = session.get(url + "/hang")
            call.send(None)  # as a task would
            call.close()
            await until(lambda: session.stats()["cancelled"] == 1)

    asyncio.run(main())


def test_close_ends_what_is_under_way(url, run):
    async def main():
        session = hc.Session(limit=1)
        running = asyncio.ensure_future(session.get(url + "/hang"))
        await until(lambda: session.stats()["sockets_in_use"] == 1)
        waiting = asyncio.ensure_future(session.get(url + "/hang"))
        await until(lambda: session.stats()["waiting"] == 1)
        await session.close()
        first, second = await asyncio.gather(running, waiting, return_exceptions=True)
        assert type(first) is hc.errors.CancelledError and type(second) is hc.errors.ClosedError
        await session.close()  # again is harmless

    run(main())


def test_close_with_drain_lets_it_finish(url, run):
    async def main():
        session = hc.Session()
        call = asyncio.ensure_future(session.get(url + "/delay/100"))
        await until(lambda: session.stats()["sockets_in_use"] == 1)
        await session.close(drain=30)
        assert (await call).status == 200

    run(main())


def test_close_ends_more_requests_than_are_taken_at_one_time(url, run):
    async def main():
        session = hc.Session(limit=1)
        calls = [asyncio.ensure_future(session.get(url + "/hang")) for _ in range(2_000)]
        await until(lambda: session.stats()["waiting"] == 1_999)
        await session.close()
        done, pending = await asyncio.wait(calls, timeout=20)
        assert not pending
        assert {type(call.exception()) for call in done} == {hc.errors.CancelledError, hc.errors.ClosedError}

    run(main())
