"""Debian systems in directories, for tools/matrix.py and tests/packages: made with debootstrap, entered with chroot.

Rules
  Mounts     are made in the mount namespace that `./run matrix` starts us in, and the processes in its process
             namespace: both end with us, whatever ends us, so nothing is ever left mounted or running.
  Services   never start: policy-rc.d answers 101 in there.
  Mirror     the one that this machine's apt uses for Debian. One that has stood still so long that its lists are
             no longer valid is refused, unless the caller takes it all the same; signatures are checked always.
"""

import os
import pathlib
import shutil
import subprocess

ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/tmp",
    "LC_ALL": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
    "CCACHE_DIR": "/matrix/ccache",
}
PROXIES = ("http_proxy", "https_proxy", "no_proxy")  # apt and debootstrap may need them; tests must not see them


def mirror():
    """Where apt gets Debian itself from, or None."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Label: Debian"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    return listed[0] if listed else None


class Failed(Exception):
    """A step did not work; the text says which, and where its output is."""


class Chroot:
    """One Debian release in `root`, with the directory `shared` at /matrix, and `source` at /matrix/source."""

    def __init__(self, suite, root, shared, logs, takes_frozen_mirror=False, source=None):
        self.suite = suite
        self.takes_frozen_mirror = takes_frozen_mirror
        self.root = pathlib.Path(root)
        self.shared = pathlib.Path(shared)
        self.source = pathlib.Path(source or self.shared / "source")
        self.logs = pathlib.Path(logs)

    def prepare(self, packages):
        """Makes it if it is not there, enters its mounts, and installs what is missing."""
        if not self.root.is_dir():
            self._bootstrap()
        self._forbid_services()
        self._mount_all()
        missing = [package for package in packages if not self._is_installed(package)]
        if missing:
            self.install(*missing)

    def install(self, *packages):
        """Names, or paths of .deb files in there."""
        self._apt("update")
        self._apt("install", "--no-install-recommends", *packages)

    def upgrade(self):
        """Brings every package to what the mirror has today."""
        self._apt("update")
        self._apt("full-upgrade")

    def command(self, *arguments, environment=None):
        """How to run a program in there, for subprocess."""
        settings = {**ENVIRONMENT, **(environment or {})}
        return ["chroot", str(self.root), "/usr/bin/env", "-i"] + [f"{k}={v}" for k, v in settings.items()] + [
            *map(str, arguments)
        ]

    def output(self, *arguments):
        """What a program in there prints; empty if it fails."""
        ran = subprocess.run(self.command(*arguments), capture_output=True, text=True, check=False)
        return ran.stdout.strip() if ran.returncode == 0 else ""

    def run(self, step, *arguments, environment=None):
        """Runs a program in there; its output goes to a log."""
        self._logged(step, self.command(*arguments, environment=environment))

    def version_of(self, package):
        return self.output("dpkg-query", "-W", "-f", "${Version}", package)

    def _bootstrap(self):
        source = mirror()
        if source is None:
            raise Failed("apt here knows no mirror of Debian: run this on Debian")
        unfinished = self.root.with_name(self.root.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        self._logged("debootstrap", ["debootstrap", "--variant=minbase", self.suite, str(unfinished), source])
        unfinished.rename(self.root)

    def _forbid_services(self):
        policy = self.root / "usr/sbin/policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)

    def _mount_all(self):
        mount("proc", self.root / "proc", "-t", "proc")
        mount("sysfs", self.root / "sys", "-t", "sysfs", "-o", "ro")
        mount("tmpfs", self.root / "tmp", "-t", "tmpfs", "-o", "mode=1777")
        mount("tmpfs", self.root / "dev/shm", "-t", "tmpfs", "-o", "mode=1777")
        for name in ("hosts", "resolv.conf"):  # names resolve as they do outside
            inside = self.root / "etc" / name
            inside.touch()
            mount(os.path.realpath(f"/etc/{name}"), inside, "--bind")
        mount(self.shared, self.root / "matrix", "--bind")
        mount(self.source, self.root / "matrix/source", "--bind")
        mount("none", self.root / "matrix/source", "-o", "remount,bind,ro")

    def _is_installed(self, package):
        return self.output("dpkg-query", "-W", "-f", "${db:Status-Status}", package) == "installed"

    def _apt(self, *arguments):
        proxies = {name: os.environ[name] for name in PROXIES if name in os.environ}
        validity = ["-o", "Acquire::Check-Valid-Until=false"] if self.takes_frozen_mirror else []
        self.run(f"apt-{arguments[0]}", "apt-get", "-q", "-y", *validity, *arguments, environment=proxies)

    def _logged(self, step, command):
        log = self.logs / f"{self.suite}-{step}.log"
        with log.open("w") as out:
            ran = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False)
        if ran.returncode != 0:
            raise Failed(f"{self.suite}: {step} failed, see {log}")


def mount(what, where, *options):
    if not where.exists():
        where.mkdir(parents=True)
    subprocess.run(["mount", *options, str(what), str(where)], check=True)
