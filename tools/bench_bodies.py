"""The suite `bodies` of tools/bench.py: large bodies through the C interface, beside libcurl's multi interface."""

from bench_clients import Client
from bench_scenario import CPU, Scenario, at_least, at_most, ratio

GIGABYTE = 1 << 30
LARGE = 524_288  # what libhc reads at one time when it can; curl-multi's own is 16 KB
MANY = 100
COLUMNS = [("MB/s", "mb_per_s", "{:,.0f}"), ("CPU ms/MB", "cpu_ms_per_mb", "{:.3f}")]


def scenarios(servers, place, is_quick):
    bodies = Bodies(place)
    for scheme in ("http", "https"):
        url = servers.large_url(scheme, "64m" if is_quick else "1g")
        yield bodies.download(scheme, url, servers.ca_file)
    for scheme in ("http", "https"):
        yield bodies.upload(scheme, servers.upload_url(scheme), servers.upload_ca_file, is_quick)
    yield bodies.many_downloads(servers.medium_url())


class Bodies:
    """Makes the scenarios; each compares the same bytes, once read or given by libhc's caller, once by curl-multi's."""

    def __init__(self, place):
        self.place = place

    def libhc(self, url, concurrency=1, guess=1, name="libhc", **options):
        def command(count, _):
            return self.place.command("bodies_libhc", url, concurrency, count, *settings(options))

        return Client(name, command, guess=guess)

    def curl(self, url, concurrency=1, guess=1, **options):
        def command(count, _):
            return self.place.command("curl_multi", url, concurrency, count, 0, *settings(options))

        name = f"curl-multi, {LARGE >> 10}K" if "buffer" in options else "curl-multi"
        return Client(name, command, guess=guess)

    def download(self, scheme, url, ca_file):
        """A callback takes the pieces as they come, or a thread that waits for them."""
        options = {"ca_file": ca_file} if scheme == "https" else {}
        clients = [
            self.libhc(url, read="callback", **options),
            self.libhc(url, name="libhc, a thread waits", read="wait", **options),
            self.curl(url, discard=1, **options),
            self.curl(url, discard=1, buffer=LARGE, **options),
        ]
        return scenario(f"bodies-down-{scheme}", f"1 GB down ({scheme})", clients)

    def upload(self, scheme, url, ca_file, is_quick):
        """A callback gives the bytes."""
        options = {"ca_file": ca_file} if scheme == "https" else {}
        options["upload"] = GIGABYTE // 16 if is_quick else GIGABYTE
        clients = [
            self.libhc(url, read="wait", **options),
            self.curl(url, **options),
            self.curl(url, buffer=LARGE, **options),
        ]
        return scenario(f"bodies-up-{scheme}", f"1 GB up ({scheme})", clients)

    def many_downloads(self, url):
        """Their callbacks read, or one thread does, told by one queue."""
        clients = [
            self.libhc(url, MANY, guess=MANY, read="callback"),
            self.libhc(url, MANY, guess=MANY, name="libhc, one queue", read="queue"),
            self.curl(url, MANY, guess=MANY, discard=1),
            self.curl(url, MANY, guess=MANY, discard=1, buffer=LARGE),
        ]
        return scenario("bodies-down-100", f"10 MB down, {MANY} at one time", clients, MANY)


def scenario(name, title, clients, connections=1):
    checks = [
        at_least("bytes/s, of curl-multi", ratio("mb_per_s", name, "libhc", "curl-multi"), 0.95),
        at_most("CPU, of curl-multi", ratio(CPU, name, "libhc", "curl-multi"), 1.05),
    ]
    return Scenario(name, title, connections, clients, checks, COLUMNS)


def settings(options):
    return [f"{key}={option}" for key, option in options.items()]
