"""The suite `rust` of tools/bench.py: the crate hc beside reqwest, in the same program under the same runtime."""

from bench_clients import Client
from bench_scenario import RATE, Scenario, at_least, at_most, ratio

OUTSTANDING = (1, 64, 1_000, 4_000)
SMALLER_FROM = 1_000  # from so many on, less memory is asked for
SOURCE = "tests/bench/clients/rust"


def scenarios(servers, place, is_quick):
    if place.is_chroot:
        return  # what stands beside hc is one release's reqwest
    program = place.rust(SOURCE, "get_load")
    for outstanding in OUTSTANDING:
        if outstanding <= 64 or not is_quick:
            yield load(servers, program, outstanding)


def load(servers, program, outstanding):
    """1 KB GETs over connections that stay, by tasks on tokio's usual runtime."""
    name, url = f"rust-{outstanding}", servers.url()

    def client(crate, shown):
        def command(count, _):
            return [*program, crate, url, str(outstanding), str(count)]

        return Client(shown, command, guess=max(2_000, 2 * outstanding))

    checks = [at_least("requests/s, of reqwest", ratio(RATE, name, "libhc", "reqwest"), 1.0)]
    if outstanding >= SMALLER_FROM:
        checks.append(at_most("peak memory, of reqwest", ratio("peak_rss_mb", name, "libhc", "reqwest"), 0.99))
    clients = [client("hc", "libhc"), client("reqwest", "reqwest")]
    return Scenario(name, f"Rust: {outstanding:,} outstanding requests", outstanding, clients, checks)
