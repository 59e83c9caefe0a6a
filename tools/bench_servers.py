"""The servers of tools/bench.py: nginx with a configuration of its own, and `hcx serve`. Both end with us."""

import contextlib
import ctypes
import os
import pathlib
import resource
import signal
import socket
import subprocess
import time

from bench_clients import ROOT, TRUSTED, BenchFailed

NAMES = "bench.test"  # made-up hosts are below it
BODY = "x" * 1024
CONFIGURATION = """
worker_processes 1;
daemon off;
pid nginx.pid;
error_log error.log;
{user}
worker_rlimit_nofile {files};
events {{ worker_connections {connections}; }}
http {{
  access_log off;
  sendfile on;
  default_type text/plain;
  keepalive_requests 100000000;
  keepalive_timeout 600s;
  client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp; uwsgi_temp_path temp; scgi_temp_path temp;
  ssl_certificate server.pem;
  ssl_certificate_key server.key;
  server {{
    listen 127.0.0.1:{http} backlog=4096;
    location = /1k {{ return 200 "{body}"; }}
    location = /1g {{ alias {prefix}/1g; }}
    location = /64m {{ alias {prefix}/64m; }}
    location = /10m {{ alias {prefix}/10m; }}
  }}
  server {{ # every handshake is a full one
    listen 127.0.0.1:{https} ssl backlog=4096;
    ssl_session_tickets off;
    ssl_session_cache off;
    location = /1k {{ return 200 "${{ssl_session_reused}}{body}"; }}
  }}
  server {{
    listen 127.0.0.1:{resuming} ssl backlog=4096;
    ssl_session_cache shared:bench:1m;
    location = /1k {{ return 200 "${{ssl_session_reused}}{body}"; }}
    location = /1g {{ alias {prefix}/1g; }}
    location = /64m {{ alias {prefix}/64m; }}
  }}
}}
"""


def free_ports(count):
    """Ports that nobody uses now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def end_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


class Servers:
    """Starts them, tells their URLs, ends them.

    1 KB bodies: url() over http, tls_url() with full handshakes only, resuming_url() with resumption; with `host`, a
    made-up name. large_url() is 1 GB or 64 MB of zeros, medium_url() 10 MB. delay_url(ms) answers after so many milliseconds,
    upload_url() when it has read a body, with a certificate of upload_ca_file.
    """

    def __init__(self, home, place):
        self.prefix = home / "nginx"
        self.http, self.https, self.resuming = free_ports(3)
        self.place = place
        self.processes = []
        self.ca_file = ""
        self.upload_ca_file = ""
        self.served = {}  # by `hcx serve`: scheme to ADDRESS:PORT

    def url(self, host="127.0.0.1"):
        return f"http://{host}:{self.http}/1k"

    def large_url(self, scheme="http", size="1g"):
        return f"{scheme}://127.0.0.1:{self.http if scheme == 'http' else self.resuming}/{size}"

    def medium_url(self):
        return f"http://127.0.0.1:{self.http}/10m"

    def upload_url(self, scheme="http"):
        return f"{scheme}://{self.served[scheme]}/upload?checksum=0"

    def tls_url(self, host="127.0.0.1"):
        return f"https://{host}:{self.https}/1k"

    def resuming_url(self, host="127.0.0.1"):
        return f"https://{host}:{self.resuming}/1k"

    def delay_url(self, ms):
        return f"http://{self.served['http']}/delay/{ms}"

    def pids(self):
        """Of all server processes; nginx has a worker."""
        for process in self.processes:
            yield process.pid
            with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="ascii") as children:
                yield from map(int, children.read().split())

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait()

    def _start(self):
        (self.prefix / "temp").mkdir(parents=True, exist_ok=True)
        self._make_certificates()
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        text = CONFIGURATION.format(
            http=self.http, https=self.https, resuming=self.resuming, body=BODY, files=files,
            prefix=self.prefix, connections=min(files, 16384), user="user root;" if os.geteuid() == 0 else "",
        )
        (self.prefix / "nginx.conf").write_text(text)
        for name, size in (("1g", 1 << 30), ("64m", 64 << 20), ("10m", 10_000_000)):
            with (self.prefix / name).open("wb") as file:
                file.truncate(size)  # sparse
        self._start_nginx()
        self._start_own()

    def _start_nginx(self):
        command = ["nginx", "-p", str(self.prefix), "-c", "nginx.conf", "-e", "error.log"]
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
        self.processes.append(subprocess.Popen(command, preexec_fn=end_with_parent))
        for port in (self.http, self.https, self.resuming):
            self._wait_for(port)

    def _wait_for(self, port):
        end = time.monotonic() + 10
        while time.monotonic() < end and self.processes[0].poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                return
            time.sleep(0.05)
        raise BenchFailed(f"nginx does not answer, see {self.prefix}/error.log")

    def _start_own(self):
        command = [str(ROOT / "build/release/bin/hcx"), "serve", "--exit-with-parent"]
        command += ["--http", "127.0.0.1:0", "--https", "127.0.0.1:0"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.processes.append(process)
        for line in process.stdout:
            if line == "ready\n":
                break
            name, _, value = line.strip().partition(" ")
            self.served[name] = value
        if "https" not in self.served:
            raise BenchFailed("hcx serve does not start")
        self.upload_ca_file = self.place.share(pathlib.Path(self.served["ca"]))

    def _make_certificates(self):
        """An authority of our own and one certificate for all made-up names. The clients trust a bundle as long as a
        system's, because how long it is matters."""
        def openssl(name, subject, *more):
            command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
            command += ["-days", "3", "-subj", f"/CN={subject}", "-keyout", f"{name}.key", "-out", f"{name}.pem", *more]
            subprocess.run(command, cwd=self.prefix, check=True, capture_output=True)

        openssl("ca", "bench authority", "-addext", "keyUsage=keyCertSign,cRLSign")
        names = f"subjectAltName=IP:127.0.0.1,DNS:*.{NAMES}"
        signed = ["-CA", "ca.pem", "-CAkey", "ca.key"]
        openssl("server", NAMES, *signed, "-addext", names, "-addext", "basicConstraints=critical,CA:FALSE")
        bundle = self.prefix / "bundle.pem"
        bundle.write_bytes(TRUSTED.read_bytes() + (self.prefix / "ca.pem").read_bytes())
        self.ca_file = self.place.share(bundle)

