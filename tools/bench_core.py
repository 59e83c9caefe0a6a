"""The suite `core` of tools/bench.py: the engine, through the C interface and a completion queue."""

from bench_clients import Client
from bench_scenario import CPU, RATE, Scenario, at_least, at_most, ratio, value
from bench_servers import NAMES

# connections: (at least so many times the baseline's requests/s, at most so many times its CPU)
KEEPALIVE = {64: (1.1, 1.0), 1_000: (1.4, 0.7), 4_000: (2.0, 0.55), 10_000: None}
ORIGINS, CONNECTIONS_EACH = 200, 5
MEMORY = ("B/connection", "bytes_per_connection", "{:,.0f}")
ALLOCATED = ("of malloc", "malloc_bytes_per_connection", "{:,.0f}")
TRIMMED = ("trimmed", "trimmed_bytes_per_connection", "{:,.0f}")
RESUMED = ("resumed", "resumed_share", "{:.0%}")


def scenarios(servers, place, is_quick):
    """All scenarios in the order in which they are run; `is_quick` makes the long lines shorter."""
    core = Core(servers, place, is_quick)
    for connections, asked in KEEPALIVE.items():
        if connections <= 1_000 or not is_quick:
            yield core.keepalive(connections, asked)
    yield core.waiting()
    yield core.submit()
    yield from (core.sessions(scheme) for scheme in ("http", "https"))
    yield from (core.tls_new(origins) for origins in (1, 20))
    yield core.tls_resumed()
    yield from (core.tls_memory(origins) for origins in (1, 20))
    yield core.idle_memory()
    yield core.origins()
    yield core.mixed_delays()
    yield core.clocks()


def names(count):
    return [f"o{number}.{NAMES}" for number in range(count)]


class Core:
    """Makes the scenarios; each method says what is compared."""

    def __init__(self, servers, place, is_quick):
        self.servers, self.place, self.is_quick = servers, place, is_quick

    # ---------------------------------------------------------------------------------------------- the clients

    def load(self, name, url, outstanding, requests=None, guess=20_000, **options):
        def command(count, _):
            return self.place.command("load_libhc", url, outstanding, count, *settings(options))

        return Client(name, command, requests, max(guess, 2 * outstanding))

    def curl(self, name, url, concurrency, guess=20_000, **options):
        def command(count, _):
            return self.place.command("curl_multi", url, concurrency, count, 0, *settings(options))

        return Client(name, command, guess=max(guess, 2 * concurrency))

    def wrk(self, url, connections):
        def command(_, seconds):
            whole = max(1, int(seconds + 0.99))
            return ["wrk", "-t1", f"-c{connections}", f"-d{whole}s", url]

        return Client("wrk -t1", command)

    # --------------------------------------------------------------------------------------------- the scenarios

    def keepalive(self, connections, asked):
        """1 KB GETs over connections that stay."""
        name, url = f"keepalive-{connections}", self.servers.url()
        checks = [
            at_most("CPU each, of that at 64", ratio(CPU, name, "libhc", "libhc", "keepalive-64"), 2.0),
        ]
        if asked:
            checks = [
                at_least("requests/s, of curl-multi", ratio(RATE, name, "libhc", "curl-multi"), asked[0]),
                at_most("CPU each, of curl-multi", ratio(CPU, name, "libhc", "curl-multi"), asked[1]),
            ]
        clients = [
            self.load("libhc", url, connections),
            self.curl("curl-multi", url, connections),
            self.wrk(url, connections),
        ]
        if connections == 64:
            # What the baseline sends: User-Agent and Accept-Encoding are half of a head, and a tenth of its instructions.
            clients.insert(1, self.load("libhc, bare head", url, connections, head="bare"))
        return Scenario(name, f"keep-alive, {connections:,} connections", connections, clients, checks)

    def waiting(self):
        """Many requests in line for 64 connections, beside no line at all."""
        name, url = "waiting", self.servers.url()
        lines = 10_000 if self.is_quick else 100_000
        clients = [
            self.load("libhc", url, lines, guess=2 * lines, limit=64),
            self.load("libhc-64", url, 64),
            self.curl("curl-multi", url, 5_000, guess=10_000, max_total=64),
            self.curl("curl-multi-64", url, 64),
        ]
        what = "requests/s, of 64 outstanding"
        checks = [
            at_least(what, ratio(RATE, name, "libhc", "libhc-64"), 0.9),
            at_most("CPU each, of 64 outstanding", ratio(CPU, name, "libhc", "libhc-64"), 1.1),
        ]
        return Scenario(name, "waiting: 100,000 submitted at limit 64 (curl-multi: 5,000)", 64, clients, checks)

    def submit(self):
        """One thread submits; nothing is answered."""
        name, count = "submit", 20_000 if self.is_quick else 200_000

        def command(_, seconds):
            return self.place.command("waiting_libhc", count, seconds)

        checks = [
            at_least("submits/s", value(RATE, name), 1_000_000, form="{:,.0f}"),
            at_most("bytes of a waiting request besides its own", value("bytes_per_waiting", name), 1_024, form="{:,.0f}"),
        ]
        columns = [
            ("CPU us/submit", "submit_cpu_us", "{:,.2f}"),
            ("in line/s", "settled_per_s", "{:,.0f}"),
            ("B/waiting", "bytes_per_waiting", "{:,.0f}"),
            ("of malloc", "malloc_bytes_per_waiting", "{:,.0f}"),
        ]
        title = f"submit from one thread until {count:,} wait (60-byte URLs, 3 headers)"
        return Scenario(name, title, 1, [Client("libhc", command)], checks, columns)

    def sessions(self, scheme):
        """What is lost without a shared session."""
        url = self.servers.url() if scheme == "http" else self.servers.resuming_url()

        def client(name, mode, guess):
            def command(count, _):
                return self.place.command("sessions_libhc", url, count, mode, f"ca_file={self.servers.ca_file}")

            return Client(name, command, guess=guess)

        clients = [client("one for all", "shared", 2_000), client("one for each", "each", 20)]
        return Scenario(f"sessions-{scheme}", f"one session for all requests, or one for each ({scheme})", 1, clients)

    def tls_urls(self, url, origins):
        return ",".join(url(host) for host in names(origins))

    def tls_options(self):
        return {"ca_file": self.servers.ca_file, "address": "127.0.0.1"}

    def tls_new(self, origins):
        """A new, verified connection with a full handshake for each request."""
        name, url = f"tls-new-{origins}", self.tls_urls(self.servers.tls_url, origins)
        options = {**self.tls_options(), "per": "request", "force_close": 1}
        clients = [
            self.load("libhc", url, 8, guess=100, resumed=1, **options),
            self.curl("curl-multi", url, 8, guess=20, **options),
        ]
        checks = [at_most("CPU ms of a new connection", value(CPU, name, scale=0.001), 3.0, form="{:.2f} ms")]
        title = f"TLS, new connections with full handshakes, origins: {origins}"
        return Scenario(name, title, 8, clients, checks, [RESUMED])

    def tls_resumed(self):
        """The same with a server that resumes sessions."""
        name, url = "tls-resumed", self.tls_urls(self.servers.resuming_url, 1)
        options = {**self.tls_options(), "force_close": 1}
        clients = [
            self.load("libhc", url, 8, guess=100, resumed=1, **options),
            self.curl("curl-multi", url, 8, guess=20, **options),
        ]
        checks = [at_most("CPU ms of a resumed connection", value(CPU, name, scale=0.001), 1.5, form="{:.2f} ms")]
        return Scenario(name, "TLS, new connections that resume a session", 8, clients, checks, [RESUMED])

    def tls_memory(self, origins):
        """Verified connections that are all open at the same time, and idle in the end."""
        name, count = f"tls-memory-{origins}", 100 if self.is_quick else 500
        url = self.tls_urls(self.servers.tls_url, origins)
        client = self.load("libhc", url, count, requests=count, memory=1, **self.tls_options())
        checks = [at_most("KB of an idle TLS connection", value(MEMORY[1], name, scale=1 / 1024), 140, form="{:.1f} KB")]
        columns = [MEMORY, ("sockets", "sockets_idle", "{:,.0f}")]
        return Scenario(name, f"TLS, {count} idle connections, origins: {origins}", count, [client], checks, columns)

    def idle_memory(self):
        # The answers wait until all connections are there.
        name, count = "idle-memory", 500 if self.is_quick else 4_000
        client = self.load("libhc", self.servers.delay_url(1000), count, requests=2 * count, memory=1)
        checks = [at_most("KB of an idle plain connection", value(MEMORY[1], name, scale=1 / 1024), 8, form="{:.1f} KB")]
        columns = [MEMORY, ALLOCATED, TRIMMED, ("sockets", "sockets_idle", "{:,.0f}")]
        return Scenario(name, f"{count:,} idle plain connections", count, [client], checks, columns)

    def origins(self):
        """Many hosts with a few connections each."""
        name, count = "origins", ORIGINS * CONNECTIONS_EACH
        url = ",".join(self.servers.url(host) for host in names(ORIGINS))
        clients = [
            self.load("libhc", url, count, address="127.0.0.1", limit_per_host=CONNECTIONS_EACH),
            self.curl("curl-multi", url, count, address="127.0.0.1"),
        ]
        title = f"{ORIGINS} origins with {CONNECTIONS_EACH} connections each"
        return Scenario(name, title, count, clients, as_good_as_the_baseline(name))

    def mixed_delays(self):
        """Slow answers among fast ones."""
        name, connections = "mixed-delays", 256
        url = ",".join([self.servers.delay_url(1)] * 9 + [self.servers.delay_url(200)])
        clients = [
            self.load("libhc", url, connections, per="request"),
            self.curl("curl-multi", url, connections, per="request"),
        ]
        title = f"90 % of the answers after 1 ms, 10 % after 200 ms, {connections} connections"
        return Scenario(name, title, connections, clients, as_good_as_the_baseline(name))

    def clocks(self):
        """All eight clocks set, a trace hook, and the statistics read ten times a second, beside none of that."""
        name, url = "clocks", self.servers.url()
        clients = [
            self.load("all on", url, 64, clocks="all", trace=1, stats_ms=100),
            self.load("all off", url, 64, clocks="off"),
        ]
        checks = [
            at_most("CPU each, of all off", ratio(CPU, name, "all on", "all off"), 1.03, client="all on"),
            at_least("requests/s, of all off", ratio(RATE, name, "all on", "all off"), 0.97, client="all on"),
        ]
        return Scenario(name, "clocks, trace and statistics", 64, clients, checks)


def as_good_as_the_baseline(name):
    return [at_least("requests/s, of curl-multi", ratio(RATE, name, "libhc", "curl-multi"), 1.0)]


def settings(options):
    return [f"{key}={option}" for key, option in options.items()]
