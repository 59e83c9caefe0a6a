"""The suite `python` of tools/bench.py: hc.Session and hc.aiohttp beside aiohttp in the same interpreter, and beside Go's
net/http."""

from bench_clients import Client
from bench_scenario import CPU, RATE, Scenario, at_least, at_most, ratio

# outstanding: at least so many times aiohttp's requests/s, at most so much of its CPU, at least so much of Go's
# requests/s. In a chroot aiohttp is a newer one.
ASKED = {64: (6.0, 0.25, 0.8), 1_000: (6.0, 0.25, 0.8)}
ASKED_IN_CHROOT = {64: (2.5, None, None), 1_000: (2.5, None, None)}

# The same of hc.aiohttp: requests/s and CPU.
ASKED_OF_AIOHTTP = (4.0, 1 / 3)
ASKED_OF_AIOHTTP_IN_CHROOT = (2.0, None)


def scenarios(servers, place, is_quick):
    asked = ASKED_IN_CHROOT if place.is_chroot else ASKED
    for outstanding, (rate, cpu, of_go) in asked.items():
        if outstanding == 64 or not is_quick:
            yield load(servers, place, outstanding, rate, cpu, of_go)
    yield download(servers, place)


def load(servers, place, outstanding, rate, cpu, of_go):
    """1 KB GETs over connections that stay."""
    name, url = f"python-{outstanding}", servers.url()

    def python(client, shown=None):
        def command(count, _):
            return place.python("tests/bench/clients/python/get_load.py", client, url, outstanding, count)

        return Client(shown or client, command, guess=max(500, 2 * outstanding))

    clients = [python("hc", "libhc"), python("hc.aiohttp"), python("aiohttp"), python("uvloop-hc", "libhc, uvloop")]
    checks = [at_least("requests/s, of aiohttp", ratio(RATE, name, "libhc", "aiohttp"), rate)]
    if cpu is not None:
        checks.append(at_most("CPU each, of aiohttp", ratio(CPU, name, "libhc", "aiohttp"), cpu))
    checks += of_aiohttp(name, *(ASKED_OF_AIOHTTP_IN_CHROOT if place.is_chroot else ASKED_OF_AIOHTTP))
    if of_go is not None:
        clients.append(go(place, url, outstanding))
        checks.append(at_least("requests/s, of Go's net/http", ratio(RATE, name, "libhc", "Go net/http"), of_go))
    return Scenario(name, f"Python: {outstanding:,} outstanding requests", outstanding, clients, checks)


def of_aiohttp(name, rate, cpu):
    """What is asked of hc.aiohttp, in whose place aiohttp would be."""
    checks = [at_least("requests/s of hc.aiohttp, of aiohttp", ratio(RATE, name, "hc.aiohttp", "aiohttp"), rate)]
    if cpu is not None:
        checks.append(at_most("CPU each of hc.aiohttp, of aiohttp", ratio(CPU, name, "hc.aiohttp", "aiohttp"), cpu))
    return checks


def download(servers, place):
    """1 GB in pieces, one after another."""
    name, url = "python-download", servers.large_url()

    def python(client, shown):
        def command(count, _):
            return place.python("tests/bench/clients/python/download.py", client, url, count)

        return Client(shown, command, guess=1)

    chunked = "aiohttp, iter_chunked"
    checks = [
        at_least("bytes/s, of aiohttp", ratio("mb_per_s", name, "libhc", "aiohttp"), 2.0),
        at_least("bytes/s of hc.aiohttp, of aiohttp", ratio("mb_per_s", name, "hc.aiohttp", chunked), 2.0),
    ]
    columns = [("MB/s", "mb_per_s", "{:,.0f}"), ("CPU ms/MB", "cpu_ms_per_mb", "{:.2f}")]
    clients = [python("hc", "libhc"), python("views", "libhc, views"), python("hc.aiohttp", "hc.aiohttp")]
    clients += [python("aiohttp", "aiohttp"), python("aiohttp-chunked", chunked)]
    return Scenario(name, "Python: downloads of 1 GB, streamed", 1, clients, checks, columns)


def go(place, url, outstanding):
    program = place.go("tests/bench/clients/go/get_load.go")

    def command(count, _):
        return [program, url, str(outstanding), str(count)]

    return Client("Go net/http", command, guess=max(2_000, 2 * outstanding))
