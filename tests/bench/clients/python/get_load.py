"""One client of tools/bench_python.py: CLIENT URL OUTSTANDING REQUESTS; prints one line of JSON.

So many coroutines send GETs one after another, as in any program that fetches many things. The CPU is that of the whole
process while they run: without the start of the interpreter and the imports, which differ and are paid once.
"""

import asyncio
import json
import resource
import sys
import time

SIZE = 1024


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def run(get, outstanding, requests):
    """All requests through one coroutine function; returns seconds and CPU seconds."""
    numbers = iter(range(requests))

    async def worker():
        for _ in numbers:
            status, body = await get()
            if status != 200 or len(body) != SIZE:
                raise SystemExit(f"a wrong answer: {status}, {len(body)} bytes")

    started, cpu = time.perf_counter(), cpu_seconds()
    await asyncio.gather(*(worker() for _ in range(outstanding)))
    return time.perf_counter() - started, cpu_seconds() - cpu


async def hc(url, outstanding, requests):
    import hc

    async with hc.Session(limit=outstanding) as session:

        async def get():
            response = await session.get(url)
            return response.status, response.body

        return await run(get, outstanding, requests)


async def aiohttp(url, outstanding, requests):
    import aiohttp

    return await with_aiohttp(aiohttp, url, outstanding, requests)


async def hc_aiohttp(url, outstanding, requests):
    import hc.aiohttp

    return await with_aiohttp(hc.aiohttp, url, outstanding, requests)


async def with_aiohttp(aiohttp, url, outstanding, requests):
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=outstanding)) as session:

        async def get():
            async with session.get(url) as response:
                return response.status, await response.read()

        return await run(get, outstanding, requests)


def main():
    client, url = sys.argv[1:3]
    outstanding, requests = map(int, sys.argv[3:5])
    if client.startswith("uvloop-"):
        import uvloop

        uvloop.install()
        client = client[len("uvloop-") :]
    seconds, cpu = asyncio.run({"hc": hc, "aiohttp": aiohttp, "hc.aiohttp": hc_aiohttp}[client](url, outstanding, requests))
    print(json.dumps({"requests": requests, "seconds": seconds, "cpu_us_per_request": cpu / requests * 1e6}))


if __name__ == "__main__":
    main()
