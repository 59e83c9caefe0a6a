"""Nothing grows: neither descriptors nor memory over 100,000 requests."""

import pytest
from conftest import passes, python

PROGRAM = """
import asyncio, gc, os, sys, time, hc
mode, url, total = sys.argv[1], sys.argv[2], int(sys.argv[3])

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def state():
    gc.collect()
    return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task")), len(gc.get_objects())

async def some(session, count):
    numbers = iter(range(count))

    async def worker():
        for number in numbers:
            kind = number % 20 if mode == "mixed" else -1
            try:
                if kind == 1:
                    await session.get(url + "/truncate?claimed=10&sent=5")
                elif kind == 2:
                    call = asyncio.ensure_future(session.get(url + "/delay/5"))
                    await asyncio.sleep(0)
                    call.cancel()
                    await call
                elif kind == 3:
                    assert len((await session.post(url + "/echo", body=bytes(70_000))).body) == 70_000
                else:
                    response = await session.get(url + "/bytes/1000", headers=None)
                    assert len(response.body) == 1000 and response.headers["content-length"] == "1000"
            except (hc.Error, asyncio.CancelledError) as failure:
                assert kind in (1, 2), failure

    await asyncio.gather(*(worker() for _ in range(64)))

async def main():
    async with hc.Session(limit=64) as session:
        await some(session, total // 5)
        before, memory = state(), resident()
        await some(session, total)
        after, grown = state(), resident() - memory
        descriptors = after[0] - before[0]
        assert abs(descriptors) <= 64, descriptors  # connections come and go within the limit
        assert after[1] <= before[1]
        assert after[2] - before[2] < 500, after[2] - before[2]
        assert grown < 8_000_000, grown
        stats = session.stats()
        assert stats["submitted"] == stats["succeeded"] + stats["failed"] + stats["cancelled"] + stats["in_flight"]

start = state()[:2]
asyncio.run(main())
for _ in range(1_000):  # a thread that was joined leaves /proc a moment later
    if state()[:2] == start:
        break
    time.sleep(0.01)
assert state()[:2] == start, (state(), start)
"""


@pytest.mark.parametrize("mode, total", [("plain", 100_000), ("mixed", 20_000)])
def test_nothing_grows(url, mode, total):
    """Without -X dev, which makes asyncio an order of magnitude slower."""
    passes(python(PROGRAM, mode, url, str(total), options=("-W", "error")))


def test_nothing_grows_over_blocking_calls(url):
    passes(
        python(
            """
            import gc, os, sys, hc
            with hc.Session() as session:
                def some(count):
                    for _ in range(count):
                        assert len(session.get_sync(sys.argv[1] + "/bytes/1000").body) == 1000
                    gc.collect()
                    return len(os.listdir("/proc/self/fd")), len(gc.get_objects())
                before, after = some(500), some(5_000)
                assert after[0] == before[0] and after[1] - before[1] < 100, (before, after)
            """,
            url,
            options=("-W", "error"),
        )
    )
