#!/usr/bin/python3
"""Builds and tests libhc on the Debian releases it is for, and runs the oldest one's binaries on the newer ones.

    ./run matrix                all releases; the result goes to docs/matrix.md too
    ./run matrix trixie         some; docs/matrix.md stays
    ./run matrix --python       the tests of the Python package alone, with the aiohttp of Debian 13 and of sid; or of those
                                that are named
    ./run matrix --upgrade      with today's packages of each release
    ./run matrix --frozen-mirror    from a mirror that has stood still for so long that apt refuses its lists

Everything is below build/matrix: the releases (bookworm, trixie, sid), shared/source (the tree as it was when this
began), shared/<release> (its build), shared/ccache, log. To begin anew, delete it; nothing is mounted there once
this has ended.
"""

import argparse
import collections
import concurrent.futures
import datetime
import fcntl
import filecmp
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import count_tests
from matrix_chroot import Chroot, Failed

ROOT = pathlib.Path(__file__).resolve().parent.parent
HOME = ROOT / "build/matrix"
SHARED = HOME / "shared"
LOGS = HOME / "log"
REPORT = ROOT / "docs/matrix.md"
RELEASES = {"bookworm": "Debian 12", "trixie": "Debian 13", "sid": "Debian sid"}
OLDEST = "bookworm"
PROGRAMS = {"unit": 30, "engine": 60, "capi": 60, "functional": 120}  # seconds for one test, as in tests/CMakeLists
PYTHON_SECONDS = 1800  # for all tests of the Python package together; longer means that one hangs
VERSIONS = {"libcurl": "libcurl4-openssl-dev", "c-ares": "libc-ares-dev", "OpenSSL": "libssl-dev"}
NOT_SOURCE = {".git", ".cache", "build", "dist", "__pycache__"}

Tally = collections.namedtuple("Tally", "passed failed skipped unsteady problem", defaults=([], [], [], [], ""))
Row = collections.namedtuple("Row", "release built_on versions tallies")


# ------------------------------------------------------------------------------------------------- the source


def sources(top):
    """Relative paths of all files below `top` that are no one's output."""
    for folder, below, names in os.walk(top):
        below[:] = [name for name in below if name not in NOT_SOURCE]
        yield from (pathlib.Path(folder, name).relative_to(top) for name in names)


def take_snapshot(tree, copy):
    """Makes `copy` equal to `tree`. A changed file gets the time of the copy, not its own: it may have been written
    while an earlier snapshot was being built, and would then look older than what was built without it."""
    wanted = set(sources(tree))
    for path in set(sources(copy)) - wanted:
        (copy / path).unlink()
    for path in sorted(wanted):
        old, new = copy / path, tree / path
        if old.exists() and filecmp.cmp(old, new, shallow=False):
            continue
        old.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(new, old)


# --------------------------------------------------------------------------------------------------- building


def configure(chroot):
    where = f"/matrix/{chroot.suite}"
    chroot.run("configure", "cmake", "--preset", "dev", "-S", "/matrix/source", "-B", where)
    return where


def build(chroot):
    """Builds the test programs of one release; returns what could not be built, as {program: log}."""
    where = configure(chroot)
    known = chroot.output("ninja", "-C", where, "-t", "targets", "all")
    broken = {}
    for program in PROGRAMS:
        target = f"hc_{program}_tests"
        if f"\n{target}: phony" not in known:
            broken[program] = "no such tests"
            continue
        try:
            chroot.run(f"build-{program}", "ninja", "-k", "0", "-C", where, "-j", jobs(), target)
        except Failed as failure:
            broken[program] = f"not built ({failure})"
    return broken


def jobs():
    """The compiler wants about 1 GB for each of its jobs."""
    available = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 30
    return max(1, min(os.cpu_count(), available))


# ---------------------------------------------------------------------------------------------------- testing


def names_of_tests(listing):
    """The full names in the output of --gtest_list_tests, without the disabled."""
    suite = ""
    for line in listing.splitlines():
        name = line.split("#")[0].strip()
        if not line.startswith(" "):
            suite = name
        elif "DISABLED_" not in suite + name:
            yield suite + name


def run_test(chroot, program, name, seconds, log):
    """Runs one test in a process of its own; returns passed, failed or skipped."""
    command = chroot.command(program, f"--gtest_filter={name}")
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    ) as process:
        try:
            output = process.communicate(timeout=seconds)[0]
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output = process.communicate()[0] + f"\nmatrix: not done after {seconds} s\n".encode()
    if process.returncode == 0 and b"[  SKIPPED ] 1 test" in output:
        return "skipped"
    if process.returncode == 0 and b"[  PASSED  ] 1 test" in output:
        return "passed"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_bytes(output + f"\nmatrix: exit {process.returncode}\n".encode())
    return "failed"


def run_program(chroot, built_on, program):
    """Runs all tests of one program. What fails is tried once more, alone: a busy machine is no difference between
    versions. It is then called unsteady."""
    path = f"/matrix/{built_on}/bin/hc_{program}_tests"
    seconds = PROGRAMS[program]
    logs = LOGS / f"{chroot.suite}-tests-of-{built_on}" / program
    shutil.rmtree(logs, ignore_errors=True)
    names = list(names_of_tests(chroot.output(path, "--gtest_list_tests")))
    if not names:
        return Tally(problem="does not start")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = list(pool.map(lambda name: run_test(chroot, path, name, seconds, log_of(logs, name)), names))
    tally = Tally([], [], [], [])
    for name, outcome in zip(names, outcomes):
        if outcome == "failed" and run_test(chroot, path, name, seconds, log_of(logs, name + ".again")) == "passed":
            outcome = "unsteady"
        getattr(tally, outcome).append(name)
    return tally


def log_of(logs, name):
    return logs / (name.replace("/", "_") + ".log")


def test(chroot, built_on, broken):
    """Runs what was built on one release on another, or on the same."""
    tallies = {}
    for program in PROGRAMS:
        if program in broken:
            tallies[program] = Tally(problem=broken[program])
        else:
            tallies[program] = run_program(chroot, built_on, program)
        say(f"{chroot.suite}, built on {built_on}: {program}: {in_words(tallies[program])}")
    compiler = "g++ " + chroot.output("g++", "-dumpfullversion") if built_on == chroot.suite else "-"
    return Row(chroot.suite, built_on, {**versions_of(chroot), "compiler": compiler}, tallies)


def versions_of(chroot):
    return {name: chroot.version_of(package) for name, package in VERSIONS.items()}


# ------------------------------------------------------------------------------------------------ Python's tests


def test_python(chroot):
    """Builds the library and runs the tests of the Python package on it, with Python and aiohttp of the release."""
    where = configure(chroot)
    chroot.run("build-python", "ninja", "-C", where, "-j", jobs(), "hc", "hcx")
    versions = {"Python": chroot.output("/usr/bin/python3", "-c", "import platform; print(platform.python_version())")}
    versions["aiohttp"] = chroot.output("/usr/bin/python3", "-c", "import aiohttp; print(aiohttp.__version__)")
    say(f"{chroot.suite}: testing")
    tally = run_pytest(chroot, where) if versions["aiohttp"] else Tally(problem="no aiohttp to compare with")
    say(f"{chroot.suite}: python: {in_words(tally)}")
    return Row(chroot.suite, chroot.suite, {**versions_of(chroot), **versions}, {"python": tally})


def run_pytest(chroot, where):
    tests, results = "/matrix/source/bindings/python", SHARED / chroot.suite / "python.xml"
    results.unlink(missing_ok=True)
    command = ["timeout", "--kill-after=10", PYTHON_SECONDS, "/usr/bin/python3", "-B", "-X", "dev", "-W", "error"]
    command += ["-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "--rootdir", tests]
    command += ["--junit-xml", f"{where}/{results.name}", tests]
    built = {"HC_LIBRARY": f"{where}/lib/libhc.so.0", "HC_HCX": f"{where}/bin/hcx"}
    with (LOGS / f"{chroot.suite}-python.log").open("w") as log:
        ran = subprocess.run(
            chroot.command(*command, environment=built), stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False
        )
    return tally_of_pytest(ran.returncode, results.read_text() if results.exists() else "")


def tally_of_pytest(status, results):
    """0 and 1 are how a run ends that came to its end: all passed, or some failed."""
    tally = Tally([], [], [], [])
    for name, outcome in count_tests.outcomes_in(results):
        getattr(tally, outcome).append(name)
    if not tally.passed or status != (1 if tally.failed else 0):
        return tally._replace(problem=f"pytest ended with {status} ({in_words(tally) or 'no test ran'})")
    return tally


# --------------------------------------------------------------------------------------------------- reporting


def in_words(tally):
    if tally.problem:
        return tally.problem
    counts = {"passed": tally.passed, "failed": tally.failed, "skipped": tally.skipped, "unsteady": tally.unsteady}
    return ", ".join(f"{len(names)} {what}" for what, names in counts.items() if names)


def in_short(tally):
    if tally.problem:
        return tally.problem.split(" (")[0]
    steady = len(tally.passed) + len(tally.unsteady)
    return f"{steady} / {len(tally.failed)} / {len(tally.skipped)}"


def table(rows):
    """The result as lines of Markdown, aligned so that a terminal can show them too."""
    cells = [["release", *rows[0].versions, "built on", *rows[0].tallies]]
    for row in rows:
        built_on = "itself" if row.built_on == row.release else RELEASES[row.built_on]
        cells.append([RELEASES[row.release], *row.versions.values(), built_on, *map(in_short, row.tallies.values())])
    widths = [max(map(len, column)) for column in zip(*cells)]
    cells.insert(1, ["-" * width for width in widths])
    return ["| " + " | ".join(text.ljust(width) for text, width in zip(line, widths)) + " |" for line in cells]


def exceptions(rows):
    """Every test that failed, passed only at the second attempt or was skipped, as lines of Markdown."""
    found = []
    for row in rows:
        for program, tally in row.tallies.items():
            for what in ("failed", "unsteady", "skipped"):
                for name in getattr(tally, what):
                    found.append(f"- {RELEASES[row.release]}, built on {RELEASES[row.built_on]}: `{program}.{name}` {what}")
    return found


REPORT_TEXT = """# Every libcurl

The result of the last `./run matrix`, {date}. Each cell: tests passed / failed / skipped. A test that passed only at
its second attempt counts as passed and is named below as unsteady. What differs between the versions is in
[curl-notes.md](curl-notes.md).{mirror}

{table}

{exceptions}
"""


FROZEN = " The mirror had stood still: its lists were past their validity, so newer packages may exist."


def report(rows, is_complete, is_frozen):
    lines, odd = table(rows), exceptions(rows)
    print("\n".join(["", *lines, "", *odd]))
    if is_complete:
        text = "\n".join(odd) or "No test failed, was skipped, or needed a second attempt."
        REPORT.parent.mkdir(exist_ok=True)
        date = datetime.date.today().isoformat()
        REPORT.write_text(REPORT_TEXT.format(
            date=date, mirror=FROZEN if is_frozen else "", table="\n".join(lines), exceptions=text))
    tallies = [tally for row in rows for tally in row.tallies.values()]
    failed = sum(len(tally.failed) + bool(tally.problem) for tally in tallies)
    skipped = sum(len(tally.skipped) for tally in tallies)
    passed = sum(len(tally.passed) + len(tally.unsteady) for tally in tallies)
    print(f"\n{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return failed == 0 and passed > 0


# ------------------------------------------------------------------------------------------------------- start


def stop(number, _frame):
    """As process 1 of our namespace we take everything with us, builds and mounts; there is nothing to wait for."""
    os._exit(128 + number)


def say(text):
    print(f"== {text}", flush=True)


def arguments():
    parser = argparse.ArgumentParser(prog="./run matrix", description="Builds and tests on every Debian.")
    parser.add_argument("releases", nargs="*", metavar="RELEASE", help=", ".join(RELEASES))
    parser.add_argument("--packages", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--python", action="store_true", help="the tests of the Python package, in place of the core's")
    parser.add_argument("--upgrade", action="store_true", help="bring the releases' packages up to date first")
    parser.add_argument("--frozen-mirror", action="store_true", help="take lists that are past their validity")
    options = parser.parse_args()
    if unknown := set(options.releases) - set(RELEASES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    return options


def releases_for(options):
    """The oldest one's binaries run on the others, so that it is always among them. Python's tests are for newer ones, if
    none is named: `./run test` passes them on the oldest, with corrections of aiohttp that the chroots do not have."""
    if options.python:
        wanted = set(options.releases) or set(RELEASES) - {OLDEST}
    else:
        wanted = set(options.releases or RELEASES) | {OLDEST}
    return [name for name in RELEASES if name in wanted]


def run_release(release, options, broken_of):
    say(f"{release}: getting ready")
    chroot = Chroot(release, HOME / release, SHARED, LOGS, options.frozen_mirror)
    chroot.prepare(options.packages.split())
    if options.upgrade:
        chroot.upgrade()
    say(f"{release}: building")
    if options.python:
        return [test_python(chroot)]
    broken_of[release] = build(chroot)
    rows = [test(chroot, release, broken_of[release])]
    if OLDEST in broken_of and release != OLDEST:
        rows.append(test(chroot, OLDEST, broken_of[OLDEST]))
    return rows


def main():
    options = arguments()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    if os.getpid() != 1:  # else what is mounted and started here would outlive this
        print("matrix: start it with ./run matrix", file=sys.stderr)
        return 2
    for directory in (SHARED / "source", SHARED / "ccache", LOGS):
        directory.mkdir(parents=True, exist_ok=True)
    lock = (HOME / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("matrix: another one is running", file=sys.stderr)
        return 2
    take_snapshot(ROOT, SHARED / "source")
    chosen = releases_for(options)
    rows, broken_of = [], {}
    try:
        for release in chosen:
            rows += run_release(release, options, broken_of)
    except Failed as failure:
        print(f"matrix: {failure}", file=sys.stderr)
        return 1
    return 0 if report(rows, len(chosen) == len(RELEASES) and not options.python, options.frozen_mirror) else 1


if __name__ == "__main__":
    sys.exit(main())
