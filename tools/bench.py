#!/usr/bin/python3
"""Measures libhc against what people would otherwise use, on this machine, against local servers.

    ./run bench [SUITE...]              the suites are core, bodies, python and rust; all of them when none is named
    ./run bench core --json FILE        the result as a list of objects, too
    ./run bench core --quick            one run of half a second each: does everything still run? No thresholds
    ./run bench core --only TEXT        the scenarios with TEXT in their name
    ./run bench core --chroot sid       the clients built and run in a Debian chroot, against this system's servers;
                                        --frozen-mirror as for ./run matrix

Each run is one process of at least three seconds. The clients of a scenario take turns, and each number is the
median of five runs. CPU and memory are those of the whole client process. Nothing is pinned. Everything is below
build/bench; what is measured, and how, is in docs/performance.md.
"""

import argparse
import json
import os
import pathlib
import statistics
import sys

import bench_bodies
import bench_core
import bench_python
import bench_rust
from bench_clients import HOME, BenchFailed, Here, InChroot, Runner
from bench_servers import Servers

SUITES = {
    "core": bench_core.scenarios,
    "bodies": bench_bodies.scenarios,
    "python": bench_python.scenarios,
    "rust": bench_rust.scenarios,
}
BUSY = 0.3  # cores used by others, above which the numbers say too much about them


# -------------------------------------------------------------------------------------------------- measuring


def median_of(runs):
    """One result from several runs: the median of each number by itself."""
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def measure(scenario, runner, rounds):
    """All clients in turn, `rounds` times; returns {client: result}."""
    runs = {client.name: [] for client in scenario.clients}
    for _ in range(rounds):
        for client in scenario.clients:
            runs[client.name].append(runner.run(client))
    results = {}
    for client in scenario.clients:
        result = median_of(runs[client.name])
        result["runs"] = [run["requests_per_s"] for run in runs[client.name]]
        result["rounds"] = runs[client.name]
        results[client.name] = result
    return results


def rows_of(scenario, results, quick):
    """The JSON objects of one scenario."""
    rows = []
    for client in scenario.clients:
        row = {"scenario": scenario.name, "client": client.name, "connections": scenario.connections}
        row.update({key: rounded(value) for key, value in results[client.name].items() if key != "rounds"})
        rows.append(row)
    if not quick:
        checks = [check for check in scenario.checks if check.client in results]
        for row in rows:
            row["asked"] = [check.as_json() for check in checks if check.client == row["client"]]
    return rows


def rounded(value):
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(f"{value:.5g}")


# -------------------------------------------------------------------------------------------------- reporting

COLUMNS = (
    ("requests/s", "requests_per_s", "{:,.0f}"),
    ("CPU us each", "cpu_us_per_request", "{:,.1f}"),
    ("peak MB", "peak_rss_mb", "{:,.1f}"),
)


class Style:
    """Bold, green and red on a terminal; plain text elsewhere."""

    def __init__(self):
        self.is_on = sys.stdout.isatty() and os.environ.get("NO_COLOR") is None

    def __call__(self, code, text):
        return f"\033[{code}m{text}\033[0m" if self.is_on else text


STYLE = Style()


def show(scenario, results):
    """One scenario on the terminal: its clients, then what was asked beside what was measured."""
    print(f"\n{STYLE(1, scenario.title)}")
    extras = [column for column in scenario.columns]
    columns = [*COLUMNS, *extras]
    print("  " + "client".ljust(18) + "".join(head.rjust(15) for head, _, _ in columns))
    for client in scenario.clients:
        result = results[client.name]
        cells = [form.format(result[key]) if key in result else "-" for _, key, form in columns]
        busy = result["cores_used_by_others"]
        note = f"   others used {busy:.1f} cores" if busy > BUSY else ""
        print("  " + client.name.ljust(18) + "".join(cell.rjust(15) for cell in cells) + STYLE(33, note))


def show_checks(checks):
    for check in checks:
        mark = STYLE(32, "met") if check.is_met else STYLE(31, "NOT MET")
        print(f"  {check.what:<50} {check.form.format(check.value):>13}   asked {check.asked:<12} {mark}")


def show_sum(checks, system):
    met = sum(check.is_met for check in checks)
    print(f"\n{STYLE(1, f'{met} of {len(checks)} asked values met')}")
    for check in checks:
        if not check.is_met:
            print(f"  not met: {check.scenario}: {check.what} {check.form.format(check.value)}, asked {check.asked}")
    print("\n" + "\n".join(f"  {name}: {text}" for name, text in system.items()))


# ------------------------------------------------------------------------------------------------------- start


def arguments():
    parser = argparse.ArgumentParser(prog="./run bench", description="Measures libhc.")
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=", ".join(SUITES))
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the result there, too")
    parser.add_argument("--quick", action="store_true", help="one short run each, no thresholds")
    parser.add_argument("--only", default="", metavar="TEXT", help="scenarios with TEXT in their name")
    parser.add_argument("--chroot", metavar="RELEASE", help="a release of ./run matrix")
    parser.add_argument("--frozen-mirror", action="store_true", help="take lists that are past their validity")
    parser.add_argument("--packages", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if unknown := set(options.suites) - set(SUITES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    options.suites = options.suites or list(SUITES)
    return options


def run_suites(options, place, servers):
    runner = Runner(place, 0.5 if options.quick else 3.0, servers.pids)
    rows, checks, everything = [], [], {}
    for suite in options.suites:
        for scenario in SUITES[suite](servers, place, options.quick):
            if options.only not in scenario.name:
                continue
            results = everything[scenario.name] = measure(scenario, runner, 1 if options.quick else 5)
            show(scenario, results)
            if not options.quick:
                scenario.evaluate(everything)
                show_checks(scenario.checks)
                checks += scenario.checks
            rows += rows_of(scenario, results, options.quick)
            sys.stdout.flush()
    return rows, checks


def main():
    options = arguments()
    HOME.mkdir(parents=True, exist_ok=True)
    place = InChroot(options.chroot, options.packages, options.frozen_mirror) if options.chroot else Here()
    load = os.getloadavg()[0]
    try:
        place.build()
        with Servers(HOME, place) as servers:
            rows, checks = run_suites(options, place, servers)
    except BenchFailed as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    system = {**place.versions(), "load before": f"{load:.1f}"}
    if not options.quick:
        show_sum(checks, system)
    if options.json:
        options.json.write_text(json.dumps([{**row, "system": system} for row in rows], indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
