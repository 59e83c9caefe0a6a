"""Where the clients of tools/bench.py are built and run, and what a run of one comes to."""

import fcntl
import json
import os
import pathlib
import platform
import re
import resource
import subprocess
import time

from matrix import HOME as MATRIX_HOME, LOGS, SHARED, jobs, take_snapshot
from matrix_chroot import Chroot, Failed

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILT = ROOT / "build/release/bin"
HOME = ROOT / "build/bench"
TRUSTED = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
LONGEST_RUN = 300  # seconds; longer means that it hangs
SLACK = 1.15  # how much longer than asked a run is planned, so that few have to be repeated


class BenchFailed(Exception):
    """Something did not work; the text says what."""


# -------------------------------------------------------------------------------------------------------- where


class Here:
    """The clients in the release preset of this tree."""

    is_chroot = False

    def build(self):
        """`./run bench` has done it."""

    def command(self, program, *arguments):
        return [str(BUILT / f"hc_bench_{program}"), *map(str, arguments)]

    def python(self, script, *arguments):
        """A program of this tree that imports hc."""
        return python_command(ROOT, BUILT.parent, script, arguments)

    def go(self, source):
        """Builds a program of one file with Go; returns its path."""
        built = HOME / pathlib.Path(source).stem
        environment = {**os.environ, "GO111MODULE": "off", "GOCACHE": str(HOME / "go-cache"), "GOFLAGS": ""}
        ran = subprocess.run(
            ["go", "build", "-o", str(built), str(ROOT / source)], env=environment, capture_output=True, text=True, check=False
        )
        if ran.returncode != 0:
            raise BenchFailed(f"go build fails:\n{ran.stderr}")
        return str(built)

    def rust(self, folder, name):
        """Builds a crate with Debian's compiler and packages; returns the beginning of its command line."""
        built = ROOT / "build/rust"
        library = BUILT.parent / "lib"
        environment = {**os.environ, "PATH": f"/usr/bin:{os.environ['PATH']}", "CARGO_TARGET_DIR": str(built)}
        ran = subprocess.run(
            ["cargo", "build", "--quiet", "--release", "--offline"],
            cwd=ROOT / folder,
            env={**environment, "HC_LIB_DIR": str(library)},
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode != 0:
            raise BenchFailed(f"cargo build fails:\n{ran.stderr}")
        return ["env", f"LD_LIBRARY_PATH={library}", str(built / "release" / name)]

    def share(self, path):
        """The name of a file of ours as the client sees it."""
        return str(path)

    def versions(self):
        return versions(lambda *command: subprocess.run(command, capture_output=True, text=True, check=False).stdout)


class InChroot:
    """The clients built and run in a release of ./run matrix."""

    is_chroot = True

    def __init__(self, release, packages, takes_frozen_mirror=False):
        self.chroot = Chroot(release, MATRIX_HOME / release, SHARED, LOGS, takes_frozen_mirror)
        self.packages = packages.split()
        self.where = f"/matrix/{release}-release"

    def build(self):
        if os.getpid() != 1:  # else what is mounted would outlive this
            raise BenchFailed("start it with ./run bench")
        for directory in (SHARED / "source", SHARED / "ccache", SHARED / "bench", LOGS):
            directory.mkdir(parents=True, exist_ok=True)
        self.lock = (MATRIX_HOME / "lock").open("w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)  # ./run matrix uses the same directories
        take_snapshot(ROOT, SHARED / "source")
        try:
            self.chroot.prepare(self.packages)
            self.chroot.run("configure", "cmake", "--preset", "release", "-S", "/matrix/source", "-B", self.where)
            self.chroot.run("build-bench", "ninja", "-C", self.where, "-j", jobs(), "hc_bench_clients")
        except Failed as failure:
            raise BenchFailed(str(failure)) from failure

    def command(self, program, *arguments):
        return self.chroot.command(f"{self.where}/bin/hc_bench_{program}", *arguments)

    def python(self, script, *arguments):
        return self.chroot.command(*python_command("/matrix/source", self.where, script, arguments))

    def share(self, path):
        (SHARED / "bench" / path.name).write_bytes(path.read_bytes())
        return f"/matrix/bench/{path.name}"

    def versions(self):
        return versions(self.chroot.output)


def python_command(source, built, script, arguments):
    """Debian's interpreter, with the package of a tree and the library of a build, and nothing else of this machine's."""
    settings = [f"HC_LIBRARY={built}/lib/libhc.so.0", f"PYTHONPATH={source}/bindings/python"]
    return ["env", *settings, "/usr/bin/python3", "-B", f"{source}/{script}", *map(str, arguments)]


def versions(output):
    """What the numbers depend on."""
    installed = {
        name: output("dpkg-query", "-W", "-f", "${Version}", package).strip()
        for name, package in (("libcurl", "libcurl4-openssl-dev"), ("c-ares", "libc-ares-dev"), ("OpenSSL", "libssl-dev"))
    }
    server = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=False).stderr
    return {
        **installed,
        "nginx": server.strip().rpartition("/")[2],
        "Python": output("/usr/bin/python3", "-V").strip().rpartition(" ")[2],
        "aiohttp": output("dpkg-query", "-W", "-f", "${Version}", "python3-aiohttp").strip() or "-",
        "Go": output("dpkg-query", "-W", "-f", "${Version}", "golang-go").strip() or "-",
        "reqwest": output("dpkg-query", "-W", "-f", "${Version}", "librust-reqwest-dev").strip() or "-",
        "compiler": "g++ " + output("g++", "-dumpfullversion").strip(),
        "kernel": platform.release(),
        "cores": str(os.cpu_count()),
    }


# ------------------------------------------------------------------------------------------------------ running


class Client:
    """One client in one scenario: `command` makes its command line for a number of requests and for seconds."""

    def __init__(self, name, command, requests=None, guess=20_000):
        self.name = name
        self.command = command
        self.fixed = requests  # how many, if not as many as the time allows
        self.planned = guess  # for the next run


class Machine:
    """How busy everybody else on this machine is while we measure."""

    def __init__(self, server_pids):
        self.server_pids = server_pids  # a function
        self.ticks = os.sysconf("SC_CLK_TCK")
        self.start = self._others()

    def others(self, own_seconds):
        """Cores that were used since the beginning, by neither the servers nor a client that took `own_seconds`."""
        time_before, used_before = self.start
        now, used = self._others()
        return max(used - used_before - own_seconds, 0) / (now - time_before)

    def _others(self):
        user, nice, system, _, _, irq, softirq, *_ = map(int, pathlib.Path("/proc/stat").read_text().split()[1:9])
        return time.monotonic(), (user + nice + system + irq + softirq - self._servers()) / self.ticks

    def _servers(self):
        ticks = 0
        for pid in self.server_pids():
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks


class Runner:
    def __init__(self, place, seconds, server_pids):
        self.server_pids = server_pids
        self.measure = str(BUILT / "hc_bench_measure")
        self.place = place
        self.seconds = seconds
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))  # inherited by all that is started

    def run(self, client):
        """One run that lasts long enough, as {key: number}."""
        while True:
            result = self._run_once(client, client.fixed or client.planned)
            rate = result["requests"] / result["seconds"]
            client.planned = max(int(rate * self.seconds * SLACK), 1)
            if client.fixed or result["seconds"] >= self.seconds:
                return result

    def _run_once(self, client, requests):
        command = [self.measure, *client.command(requests, self.seconds * 1.02)]
        machine = Machine(self.server_pids)
        try:
            ran = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONGEST_RUN, check=False
            )
        except subprocess.TimeoutExpired:
            raise BenchFailed(f"{client.name} hangs: {' '.join(command)[:500]}") from None
        if ran.returncode != 0:
            raise BenchFailed(f"{client.name} fails: {' '.join(command)[:500]}\n{ran.stderr}")
        *own, usage = ran.stdout.strip().splitlines()
        return summary(parse("\n".join(own)), json.loads(usage), machine)


def parse(output):
    """What a client says about itself: one line of JSON, or the text of wrk."""
    if output.startswith("{"):
        return json.loads(output)
    if match := re.search(r"(\d+) requests in ([\d.]+)s", output):
        return {"requests": float(match[1]), "seconds": float(match[2])}
    raise BenchFailed(f"cannot read: {output}")


def summary(own, usage, machine):
    if own["requests"] == 0:
        raise BenchFailed("a client was not answered once: is the machine busy?")
    cpu = usage["user_s"] + usage["system_s"]
    by_bytes = {"cpu_ms_per_mb": cpu * 1e9 / own["body_bytes"]} if own.get("body_bytes") else {}
    return {
        "requests_per_s": own["requests"] / own["seconds"],
        "cpu_us_per_request": cpu / own["requests"] * 1e6,
        "user_us_per_request": usage["user_s"] / own["requests"] * 1e6,
        "peak_rss_mb": usage["peak_rss_mb"],
        "cores_used_by_others": machine.others(cpu),
        **by_bytes,
        **own,
    }
