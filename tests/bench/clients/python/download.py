"""One client of tools/bench_python.py: CLIENT URL COUNT; prints one line of JSON.

Reads a large body so many times, one after another, in pieces as they arrive.
"""

import asyncio
import json
import sys
import time

from get_load import cpu_seconds

CLIENT, URL, COUNT = sys.argv[1], sys.argv[2], int(sys.argv[3])


async def run(pieces):
    """Goes through an asynchronous iterator of pieces for each download; returns bytes, seconds and CPU seconds."""
    total, started, cpu = 0, time.perf_counter(), cpu_seconds()
    for _ in range(COUNT):
        async for piece in pieces():
            total += len(piece)
    return total, time.perf_counter() - started, cpu_seconds() - cpu


async def hc():
    import hc

    async with hc.Session() as session:

        async def pieces():
            async with session.stream("GET", URL) as response:
                async for piece in response:
                    yield piece

        return await run(pieces)


async def views():
    import hc

    async with hc.Session() as session:

        async def pieces():
            async with session.stream("GET", URL) as response:
                async for view in response.iter_views():
                    yield view

        return await run(pieces)


async def aiohttp():
    import aiohttp

    return await with_aiohttp(aiohttp, lambda content: content.iter_any())


async def aiohttp_chunked():
    import aiohttp

    return await with_aiohttp(aiohttp, lambda content: content.iter_chunked(1 << 16))


async def hc_aiohttp():
    import hc.aiohttp

    return await with_aiohttp(hc.aiohttp, lambda content: content.iter_chunked(1 << 16))


async def with_aiohttp(module, iterate):
    async with module.ClientSession() as session:

        async def pieces():
            async with session.get(URL) as response:
                async for piece in iterate(response.content):
                    yield piece

        return await run(pieces)


CLIENTS = {
    "hc": hc,
    "views": views,
    "aiohttp": aiohttp,
    "aiohttp-chunked": aiohttp_chunked,
    "hc.aiohttp": hc_aiohttp,
}


total, seconds, cpu = asyncio.run(CLIENTS[CLIENT]())
if total == 0:
    raise SystemExit("nothing was read")
result = {"requests": COUNT, "seconds": seconds, "cpu_us_per_request": cpu / COUNT * 1e6}
print(json.dumps({**result, "bytes": total, "mb_per_s": total / seconds / 1e6, "cpu_ms_per_mb": cpu * 1e9 / total}))
