#!/usr/bin/python3
"""Runs hcx as a user does.

    tests/tools/hcx_test.py PATH-OF-HCX [unittest argument, such as Get]
"""

import base64
import contextlib
import hashlib
import json
import os
import pathlib
import pty
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

HCX = None
MANUAL = pathlib.Path(__file__).resolve().parents[2] / "docs/man/hcx.1"
PATIENCE = 240  # seconds; for a machine that is busy, and for sanitizers


def hcx(*arguments, stdin=None, environment=None):
    return subprocess.run(
        [HCX, *arguments], input=stdin, capture_output=True, timeout=PATIENCE, env={**os.environ, **(environment or {})}
    )


@contextlib.contextmanager
def answering(answer):
    """A server that gives each connection this answer, and closes it. Its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:  # it is shut down
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield "http://127.0.0.1:%d/" % listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def on_terminal(*arguments, environment=None):
    """What hcx writes to a terminal, and its exit code."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [HCX, *arguments], stdout=follower, stderr=follower, env={**os.environ, **(environment or {})}
    )
    os.close(follower)
    output = b""
    while True:
        try:
            piece = os.read(leader, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        output += piece
    os.close(leader)
    return output, process.wait(PATIENCE)


class Server:
    """An hcx serve that lives as long as its stdin is open."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [HCX, "serve", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.endpoints = {}
        for line in self.process.stdout:
            if line.strip() == "ready":
                return
            kind, endpoint = line.split()
            self.endpoints.setdefault(kind, endpoint)
        raise RuntimeError("the server did not start")

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(PATIENCE)


class Command(unittest.TestCase):
    def test_help_goes_to_stdout(self):
        for arguments in (["help"], ["--help"], ["get", "--help"], ["demo", "--help"], ["doctor", "--help"]):
            result = hcx(*arguments)
            self.assertEqual(result.returncode, 0, arguments)
            self.assertTrue(result.stdout.startswith(b"usage: hcx"), arguments)
            self.assertEqual(result.stderr, b"", arguments)

    def test_version(self):
        self.assertRegex(hcx("--version").stdout, rb"^hcx \d+\.\d+\.\d+ \(libcurl ")

    def test_wrong_usage_is_one_line_and_exit_2(self):
        for arguments in ([], ["nonsense"], ["get"], ["get", "-Q", "u"], ["demo", "--limit"], ["demo", "x"], ["doctor", "x"]):
            result = hcx(*arguments)
            self.assertEqual(result.returncode, 2, arguments)
            self.assertRegex(result.stderr, rb"\Ahcx: [^\n]+\n\Z", arguments)
            self.assertEqual(result.stdout, b"", arguments)


    def test_what_cannot_be_written_is_an_error(self):
        for arguments in (["--version"], ["help"], ["get", "--help"], ["doctor"], ["demo", "--help"], ["serve", "--help"],
                          ["demo", "--requests", "1"], ["demo", "--requests", "1", "--sweep", "limit"]):  # fmt: skip
            with open("/dev/full", "wb") as full:
                result = subprocess.run([HCX, *arguments], stdout=full, stderr=subprocess.PIPE, timeout=PATIENCE)
            self.assertEqual(result.returncode, 1, arguments)
            self.assertRegex(result.stderr, rb"\Ahcx: cannot write stdout: [^\n]+\n\Z", arguments)


class Get(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(
            "--http", "127.0.0.1:0", "--https", "127.0.0.1:0", "--tls-name", "tls.test",
            "--dns", "127.0.0.1:0", "--dns-name", "a.test=127.0.0.1", "--dns-name", "no.test=nxdomain",
        )  # fmt: skip
        cls.endpoint = cls.server.endpoints["http"]
        cls.url = "http://" + cls.endpoint
        cls.port = cls.endpoint.rsplit(":", 1)[1]
        cls.tls_port = cls.server.endpoints["https"].rsplit(":", 1)[1]

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def get(self, *arguments, code=0, **more):
        result = hcx("get", *arguments, **more)
        self.assertEqual(result.returncode, code, result)
        return result

    def test_prints_bodies_in_the_order_of_the_urls(self):
        urls = [self.url + f"/delay/{ms}" for ms in (60, 30, 1)]
        result = self.get(*urls, self.endpoint + "/method")
        self.assertEqual(result.stdout, b"60\n30\n1\nGET")
        self.assertEqual(result.stderr, b"")

    def test_one_connection_serves_repetitions(self):
        result = self.get(self.url + "/connection", "--repeat", "5", "--limit", "1")
        self.assertEqual(len(set(re.findall(rb"\d+", result.stdout))), 1, result)

    def test_sends_headers_as_asked(self):
        head = self.get(
            self.url + "/echo/head", "-H", "X-A: b", "-H", "User-Agent:", "-H", "X-Empty;", "-X", "PUT"
        ).stdout.decode()
        self.assertTrue(head.startswith("PUT /echo/head HTTP/1.1"), head)
        self.assertIn("X-A: b", head)
        self.assertRegex(head, r"X-Empty: ?\r?\n")
        self.assertNotIn("User-Agent", head)

    def test_posts_data(self):
        self.assertEqual(self.get(self.url + "/echo", "-d", "a=b", "-d", "c").stdout, b"a=b&c")
        self.assertIn(b"POST /echo/head", self.get(self.url + "/echo/head", "-d", "x").stdout)
        with tempfile.TemporaryDirectory() as folder:
            data = bytes(range(256)) * 1000
            pathlib.Path(folder, "data").write_bytes(data)
            self.assertEqual(self.get(self.url + "/echo", "-d", f"@{folder}/data").stdout, data)
            self.assertEqual(self.get(self.url + "/echo", "-d", "@-", stdin=data).stdout, data)

    def test_writes_files(self):
        with tempfile.TemporaryDirectory() as folder:
            urls = [self.url + "/bytes/3", self.url + "/method"]
            result = self.get(*urls, "-o", folder + "/first")
            self.assertEqual(pathlib.Path(folder, "first").read_bytes(), b"012")
            self.assertEqual(result.stdout, b"GET")
            self.get(urls[0], "-o", folder + "/missing/file", code=1)

    def test_bodies_go_into_files_as_they_come(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "body")
            size = 200_000_000
            command = [HCX, "get", "-v", "-o", str(path), f"{self.url}/bytes/{size}"]
            with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
                told = process.stderr.read()
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
            self.assertEqual(process.returncode, 0)
            self.assertEqual(path.stat().st_size, size)
            self.assertIn(f"* {size} bytes of body", told.decode().replace(",", ""))
            self.assertLess(usage.ru_maxrss, 100_000, "KB: not the whole body")

    def test_files_get_what_came_before_a_failure_and_nothing_of_what_is_not_wanted(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "body")
            self.get(self.url + "/truncate?claimed=100&sent=50", "-o", str(path), code=1)
            self.assertEqual(path.stat().st_size, 50)
            path.unlink()
            self.get(self.url + "/status/404", "-f", "-o", str(path), code=22)
            self.assertFalse(path.exists())
            self.get(self.url + "/bytes/3", self.url + "/bytes/3", "-o", str(path), "-o", str(path))
            self.assertEqual(path.read_bytes(), b"012012")
            self.get(self.url + "/status/204", "-i", "-o", folder + "/head")
            self.assertTrue(pathlib.Path(folder, "head").read_bytes().startswith(b"HTTP/1.1 204 "))

    def test_uploads_files(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "body")
            path.write_bytes(b"x" * 100_000)
            result = hcx("get", "-T", str(path), self.url + "/echo")
            self.assertEqual(result.stdout, b"x" * 100_000)
            self.assertIn(b"PUT /echo/head ", hcx("get", "-T", str(path), self.url + "/echo/head").stdout)
            self.assertEqual(hcx("get", "-T", str(path), "-d", "x", self.url + "/echo").returncode, 2)

    def test_an_output_that_fails_is_its_own_urls_error(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "good")
            url = self.url + "/bytes/3"
            for bad, why in ((folder + "/missing/file", "No such file"), ("/dev/full", "No space left")):
                result = self.get("-o", bad, "-o", str(path), url, url, self.url + "/method", code=1)
                self.assertRegex(result.stderr.decode(), rf"\Ahcx: {url}: cannot write {bad}: {why}[^\n]*\n\Z")
                self.assertEqual((path.read_bytes(), result.stdout), (b"012", b"GET"))
            result = self.get("-s", "-o", "/dev/full", url, code=1)
            self.assertEqual(result.stderr, b"")
            # An endless answer ends when nobody can be given it.
            self.get("-o", "/dev/full", self.url + "/drip?bytes=1000000000&chunk=1000&every_ms=1", code=1)

    def test_more_urls_than_there_may_be_files(self):
        with tempfile.TemporaryDirectory() as folder:
            names = [f"{folder}/{number}" for number in range(600)]
            outputs = [word for name in names for word in ("-o", name)]
            script = 'ulimit -n 256 && exec "$0" "$@"'
            command = ["sh", "-c", script, HCX, "get", *outputs, self.url + "/delay/50", *[self.url + "/method"] * 599]
            result = subprocess.run(command, capture_output=True, timeout=PATIENCE)
            self.assertEqual((result.returncode, result.stderr), (0, b""))
            self.assertEqual({pathlib.Path(name).read_bytes() for name in names[1:]}, {b"GET"})

    def test_warns_of_outputs_without_url(self):
        result = self.get("-o", "/dev/null", "-o", "/dev/null", self.url + "/method")
        self.assertEqual(result.stderr, b"hcx: warning: more outputs than URLs\n")
        self.assertEqual(self.get("-s", "-o", "/dev/null", "-o", "x", self.url + "/method").stderr, b"")

    def run_measured(self, *arguments):
        """What it wrote to stdout, by a digest; and its most memory, in KB."""
        with subprocess.Popen([HCX, "get", *arguments], stdout=subprocess.PIPE) as process:
            digest = hashlib.sha256()
            while piece := process.stdout.read(1 << 20):
                digest.update(piece)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0)
        return digest.hexdigest(), usage.ru_maxrss

    def test_bodies_go_to_stdout_as_they_come(self):
        _, memory = self.run_measured(self.url + "/bytes/200000000")
        self.assertLess(memory, 100_000, "KB: not the whole body")
        large = self.url + "/bytes/200000000"
        _, memory = self.run_measured(*["-o", "/dev/null"] * 3, large, large, large)
        self.assertLess(memory, 100_000, "KB: none of them waits for another")

    def test_what_waits_for_its_turn_holds_its_server_back(self):
        pattern = self.get(self.url + "/bytes/251").stdout  # which then begins again
        sizes = [100_400_000, 110_440_000, 90_360_000, 5]
        digest, memory = self.run_measured(*[f"{self.url}/bytes/{size}" for size in sizes])
        expected = hashlib.sha256()
        for size in sizes:
            for _ in range(size // 251 // 1000):
                expected.update(pattern * 1000)
            expected.update(pattern[: size % 251])
        self.assertEqual(digest, expected.hexdigest())
        self.assertLess(memory, 130_000, "KB: 64 MB of what waits, and a window for each")

    def test_a_turn_never_waits_for_who_waits_for_it(self):
        large = self.url + "/bytes/100000000"
        for limit in (["--limit", "1"], ["--limit", "2"], ["--limit-per-host", "2"], []):
            self.run_measured("-L", *limit, self.url + "/redirect/3", large, large)

    def test_pieces_of_a_body_come_through_at_once(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            url = "http://127.0.0.1:%d/" % listener.getsockname()[1]
            with subprocess.Popen([HCX, "get", "-i", url], stdout=subprocess.PIPE) as process:
                connection, _ = listener.accept()
                with connection:
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst")
                    head = b"".join(process.stdout.readline() for _ in range(3))
                    self.assertTrue(head.endswith(b"\r\n\r\n"), head)
                    self.assertEqual(process.stdout.read(5), b"first")
                    connection.sendall(b"after")
                    self.assertEqual(process.stdout.read(), b"after")

    def test_a_body_cut_short_is_printed_as_far_as_it_came(self):
        result = self.get(self.url + "/truncate?claimed=100&sent=50", self.url + "/method", code=1)
        self.assertEqual((len(result.stdout), result.stdout[50:]), (53, b"GET"))
        self.assertIn(b"HC_E_INCOMPLETE", result.stderr)

    def test_redirects_are_followed_when_asked(self):
        self.assertEqual(hcx("get", self.url + "/redirect/2").stdout, b"moved\n")
        self.assertEqual(hcx("get", "-L", self.url + "/redirect/2").stdout, b"arrived\n")
        result = hcx("get", "-L", "--max-redirs", "1", self.url + "/redirect/2")
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"HC_E_TOO_MANY_REDIRECTS", result.stderr)
        result = hcx("get", "-L", "--max-redirs", "0", self.url + "/redirect/2", self.url + "/method")
        self.assertEqual((result.returncode, result.stdout), (1, b"GET"))
        self.assertIn(b"HC_E_TOO_MANY_REDIRECTS", result.stderr)
        self.assertEqual(hcx("get", "-L", "--max-redirs", "-1", self.url + "/redirect/60").stdout, b"arrived\n")

    def test_compressed(self):
        self.assertTrue(hcx("get", self.url + "/gzip/1000").stdout.startswith(b"\x1f\x8b"))
        plain = hcx("get", self.url + "/bytes/1000").stdout
        self.assertEqual(hcx("get", "--compressed", self.url + "/gzip/1000").stdout, plain)

    def test_head_and_include(self):
        head = self.get("-I", self.url + "/bytes/9").stdout
        self.assertTrue(head.startswith(b"HTTP/1.1 200 OK\r\n"), head)
        self.assertTrue(head.endswith(b"Content-Length: 9\r\n\r\n"), head)
        self.assertTrue(self.get("-i", self.url + "/bytes/3").stdout.endswith(b"\r\n\r\n012"))

    def test_verbose_shows_heads_and_no_secrets(self):
        result = self.get("-v", "-u", "me:geheim", "-H", "X-A: b", self.url + "/status/404")
        lines = result.stderr.decode().splitlines()
        self.assertIn("> GET /status/404 HTTP/1.1", lines)
        self.assertIn("> X-A: b", lines)
        self.assertIn("< HTTP/1.1 404 Not Found", lines)
        self.assertTrue(any(line.startswith("* Connection #1, new, to 127.0.0.1:") for line in lines), lines)
        self.assertNotIn("geheim", result.stderr.decode())

    def test_everyday_letters(self):
        url = self.url + "/echo/head"

        def head(*arguments):
            return self.get(*arguments).stdout.decode().replace("\r\n", "\n")

        self.assertIn("\nUser-Agent: me/1\n", head(url, "-A", "me/1"))
        self.assertNotIn("User-Agent", head(url, "-A", ""))
        self.assertIn("\nCookie: a=b; c=d\n", head("-b", "a=b", url, "--cookie", "c=d"))
        self.assertIn(b"-b", self.get("-b", "jar.txt", url, code=2).stderr)
        self.assertTrue(head("-G", "-d", "q=1", "--data-raw", "@r", url + "?a#f").startswith("GET /echo/head?a&q=1&@r HTTP"))
        self.assertTrue(head("-IG", "-d", "x", "-D", "-", "-o", "/dev/null", self.url + "/bytes/1").startswith("HTTP/1.1 200"))
        self.assertEqual(self.get("--data-raw", "@x", self.url + "/echo").stdout, b"@x")
        self.assertEqual(self.get("--data-binary", "@-", self.url + "/echo", stdin=b"a\nb").stdout, b"a\nb")
        self.assertEqual(self.get("--url", self.url + "/bytes/1", self.url + "/method").stdout, b"0GET")
        self.assertEqual(self.get(self.url + "/method", "--url", self.url + "/bytes/1").stdout, b"GET0")
        self.assertEqual(self.get("--tlsv1.2", "--keepalive-time", "5", self.url + "/method").stdout, b"GET")
        self.assertEqual(self.get("--interface", "127.0.0.1", self.url + "/method").stdout, b"GET")
        self.assertEqual(self.get("--interface", "if!lo", self.url + "/method").stdout, b"GET")
        self.get("--interface", "host!192.0.2.1", self.url + "/method", code=1)
        large = self.get("--max-filesize", "1K", self.url + "/bytes/1024", self.url + "/bytes/1025", code=1)
        self.assertIn(b"HC_E_TOO_LARGE", large.stderr)
        self.assertEqual(self.get("-fsS", self.url + "/status/404", code=22).stderr.count(b"\n"), 1)

    def test_names_files_as_urls_do(self):
        with tempfile.TemporaryDirectory() as folder:
            script = 'cd "$1" && shift && exec "$0" get "$@"'
            urls = [self.url + "/bytes/3?x#y", self.url + "/method"]
            command = ["sh", "-c", script, HCX, folder, "-O", "-o", "b", *urls]
            result = subprocess.run(command, capture_output=True, timeout=PATIENCE)
            self.assertEqual((result.returncode, result.stdout), (0, b""))
            self.assertEqual(pathlib.Path(folder, "3").read_bytes(), b"012")
            self.assertEqual(pathlib.Path(folder, "b").read_bytes(), b"GET")
        self.assertIn(b"-O", self.get("-O", self.url + "/", code=2).stderr)

    def test_dumps_heads(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "heads")
            result = self.get("-LD", str(path), self.url + "/redirect/1", self.url + "/bytes/3")
            self.assertEqual(result.stdout, b"arrived\n012")
            self.assertEqual(re.findall(rb"HTTP/1\.1 (\d+)", path.read_bytes()), [b"302", b"200", b"200"])
        result = self.get("-D", "/nonexistent/x", self.url + "/method", code=1)
        self.assertEqual(result.stdout, b"GET")
        self.assertIn(b"cannot write /nonexistent/x", result.stderr)

    def test_write_out(self):
        form = r"|%{http_code} %{size_download} %{num_redirects} %{num_connects} %{http_version} %{exitcode}%% %{x\n"
        result = self.get("-L", "-w", form, self.url + "/redirect/1", self.url + "/status/404", "--limit", "1")
        self.assertEqual(result.stdout, b"arrived\n|200 8 1 1 1.1 0% %{x\n404\n|404 4 0 0 1.1 0% %{x\n")
        form = "%{remote_ip}:%{remote_port} %{url_effective} %{content_type}%{stderr}%{time_total} %{errormsg}"
        result = self.get("-L", "-o", "/dev/null", "-w", form, self.url + "/redirect/1")
        self.assertEqual(result.stdout.decode(), f"{self.endpoint} {self.url}/redirect/0 text/plain")
        self.assertRegex(result.stderr, rb"\A0\.\d{6} \Z")
        form = "%{response_code} %{exitcode} %{errormsg}"
        self.assertRegex(self.get("-sw", form, self.url + "/reset", code=1).stdout, rb"\A000 1 HC_E_DISCONNECTED: ")
        self.assertEqual(self.get("-fsw", form, self.url + "/status/404", code=22).stdout, b"404 22 HTTP/1.1 404 Not Found")
        self.assertIn(b"-w: unknown variable %{nonsense}", self.get("-w", "%{nonsense}", self.url, code=2).stderr)
        times = self.get("-w", "%{time_namelookup} %{time_connect} %{time_appconnect} %{time_starttransfer}", self.url + "/delay/20")
        moments = [float(word) for word in times.stdout.split()[1:]]
        self.assertEqual(moments[2], 0)
        self.assertTrue(0 < moments[1] < 0.02 + moments[1] <= moments[3], moments)

    def test_sends_stdin(self):
        with subprocess.Popen([HCX, "get", "-T", "-", self.url + "/echo"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            data = os.urandom(3_000_000)
            writer = threading.Thread(target=lambda: (process.stdin.write(data), process.stdin.close()))
            writer.start()
            self.assertEqual(process.stdout.read(), data)
            writer.join()
            self.assertEqual(process.wait(PATIENCE), 0)
        head = self.get("-T", "-", self.url + "/echo/head", stdin=b"").stdout
        self.assertIn(b"Transfer-Encoding: chunked", head)
        self.get("-T", "-", self.url, self.url, stdin=b"", code=2)
        # Who does not read any more is not waited for.
        with subprocess.Popen([HCX, "get", "-T", "-", "http://127.0.0.1:1/"], stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            self.assertEqual(process.wait(PATIENCE), 1)

    def test_uploads_get_the_files_name(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "a file")
            path.write_bytes(b"x")
            for url, target in (("", "/a%20file"), ("/b/", "/b/a%20file"), ("/b", "/b"), ("/b/?q", "/b/?q")):
                told = self.get("-v", "-T", str(path), self.url + url).stderr.decode()
                self.assertIn(f"> PUT {target} HTTP/1.1\n", told)

    def test_address_lists(self):
        url = self.url + "/method"
        self.assertEqual(self.get("--public-only", "--allow-addresses", "127.0.0.0/8", url).stdout, b"GET")
        for arguments in (["--allow-addresses", "10.0.0.0/8"], ["--deny-addresses", "127.0.0.1"]):
            self.assertIn(b"HC_E_ADDRESS_DENIED", self.get(*arguments, url, code=1).stderr)
        self.assertIn(b"--deny-addresses", self.get("--deny-addresses", "x", url, code=2).stderr)

    def test_a_proxy_has_a_user_and_trust_of_its_own(self):
        told = self.get("-v", "-x", "http://x:y@" + self.endpoint, "-U", "m@e:p/w", "http://h.test/echo/head")
        self.assertIn(b"> Proxy-Authorization: (not shown)", told.stderr)
        self.assertIn(b"Proxy-Authorization: Basic " + base64.b64encode(b"m@e:p/w"), told.stdout)
        self.get("-U", "a:b", self.url, code=2)
        proxy = f"https://127.0.0.1:{self.tls_port}"
        target = self.url + "/method"
        self.assertIn(b"HC_E_TLS_VERIFY", self.get("-k", "-x", proxy, target, code=1).stderr)
        for trusted in (["--proxy-insecure"], ["--proxy-cacert", self.server.endpoints["ca"]], ["--cacert", self.server.endpoints["ca"]]):
            self.assertEqual(self.get("-x", proxy, *trusted, target).stdout, b"GET")
        self.assertIn(b"HC_E_TLS_CONFIG", self.get("-x", proxy, "--proxy-cert", "/nonexistent", target, code=1).stderr)

    def test_authenticates(self):
        expected = b"Authorization: Basic bWU6cHc="
        self.assertIn(expected, self.get("-u", "me:pw", self.url + "/echo/head").stdout)
        self.assertIn(expected, self.get(f"http://me:pw@{self.endpoint}/echo/head").stdout)
        self.assertIn(b"Authorization: Basic OnB3", self.get("-u", ":pw", self.url + "/echo/head").stdout)

    def test_timing_is_one_line_per_request(self):
        lines = self.get("--timing", self.url + "/delay/20", "--repeat", "2").stderr.decode().splitlines()
        self.assertEqual(lines[0].split(), "waited dns connect tls sent first done total ms".split())
        self.assertEqual(len(lines), 3)
        self.assertGreaterEqual(float(lines[1].split()[7]), 20)

    def test_resolves_as_told(self):
        urls = [f"http://made.up:{self.port}/method"]
        self.assertEqual(self.get(*urls, "--resolve", f"made.up:{self.port}:127.0.0.1").stdout, b"GET")
        self.assertEqual(self.get(*urls, "--resolve", "made.up:*:127.0.0.1").stdout, b"GET")
        self.assertEqual(self.get(*urls, "--resolve", f"+made.up:{self.port}:127.0.0.1").stdout, b"GET")
        in_brackets = ["--resolve", f"[::1]:{self.port}:127.0.0.1", f"http://[::1]:{self.port}/method"]
        self.assertEqual(self.get(*in_brackets).stdout, b"GET")
        self.assertIn(b"'*'", self.get(*urls, "--resolve", f"*:{self.port}:127.0.0.1", code=2).stderr)
        servers = self.server.endpoints["dns"]
        self.assertEqual(self.get(f"http://a.test:{self.port}/method", "--dns-servers", servers).stdout, b"GET")

    def test_errors_are_one_line_without_userinfo(self):
        servers = self.server.endpoints["dns"]
        result = self.get(f"http://me:geheim@no.test:{self.port}/a", "--dns-servers", servers, code=1)
        text = result.stderr.decode()
        self.assertRegex(text, rf"\Ahcx: http://no\.test:{self.port}/a: HC_E_DNS: .* \(resolving, after [\d.]+ \w+\)\n\Z")
        for url in ("http://me:geheim@h:99999/", "ftp://me:geheim@h/", "http://me:geheim@[::x/"):
            result = self.get(url, code=1)
            self.assertIn(b"HC_E_INVALID", result.stderr)
            self.assertNotIn(b"geheim", result.stderr)

    def test_one_failure_of_several_is_exit_1_and_the_others_are_printed(self):
        result = self.get(self.url + "/reset", self.url + "/method", code=1)
        self.assertEqual(result.stdout, b"GET")
        self.assertIn(b"HC_E_DISCONNECTED", result.stderr)
        self.assertEqual(self.get("-s", self.url + "/reset", code=1).stderr, b"")

    def test_fail_on_status(self):
        self.assertEqual(self.get(self.url + "/status/404").stdout, b"404\n")
        result = self.get("-f", self.url + "/status/404", self.url + "/method", code=22)
        self.assertEqual(result.stdout, b"GET")
        self.assertEqual(result.stderr.decode(), f"hcx: {self.url}/status/404: HTTP/1.1 404 Not Found\n")
        self.get("-f", self.url + "/status/404", self.url + "/reset", code=1)

    def test_timeouts(self):
        self.assertIn(b"HC_E_TIMEOUT_TOTAL", self.get("-m", "0.1", self.url + "/hang", code=1).stderr)
        no_limit = ["-m", "0", "--connect-timeout", "0"]
        self.assertEqual(self.get(*no_limit, self.url + "/delay/20").stdout, b"20\n")

    def test_tls(self):
        url = f"https://tls.test:{self.tls_port}/method"
        resolve = ["--resolve", f"tls.test:{self.tls_port}:127.0.0.1"]
        ca_file = self.server.endpoints["ca"]
        self.assertEqual(self.get(url, *resolve, "--cacert", ca_file).stdout, b"GET")
        refused = self.get(url, *resolve, "--cacert", ca_file, "--pin-sha256", "00" * 32, code=1).stderr
        self.assertIn(b"HC_E_TLS_VERIFY", refused)
        seen = re.search(rb"SHA-256 is ([0-9a-f]{64})", refused)[1].decode()
        self.assertEqual(self.get(url, *resolve, "--cacert", ca_file, "--pin-sha256", seen).stdout, b"GET")
        self.assertIn(b"HC_E_TLS_CONFIG", self.get(url, "--cert", "/nonexistent:x", code=1).stderr)
        dead = self.get(url, *resolve, "-x", "http://127.0.0.1:1", "--noproxy", "other.test", code=1).stderr
        self.assertIn(b"HC_E_PROXY", dead)
        self.assertIn(b"HC_E_ADDRESS_DENIED", self.get(url, *resolve, "--public-only", code=1).stderr)
        self.assertIn(b"HC_E_CONNECT", self.get(url, "--unix-socket", "/nonexistent", code=1).stderr)
        self.assertIn(b"HC_E_TLS_VERIFY", self.get(url, *resolve, code=1).stderr)
        self.assertEqual(self.get(url, *resolve, "-k").stdout, b"GET")
        self.assertIn(b"HC_E_TLS_CONFIG", self.get(url, "--cacert", "/nonexistent", code=1).stderr)

    def test_closed_descriptors_are_nobody_elses(self):
        def run(redirection):
            command = ["sh", "-c", f'exec "$0" get "$1" {redirection}', HCX, self.url + "/method"]
            result = subprocess.run(command, capture_output=True, timeout=PATIENCE)
            return result.returncode, result.stdout, result.stderr.decode()

        failed = f"hcx: {self.url}/method: cannot write stdout: Bad file descriptor\n"
        self.assertEqual(run(">&-"), (1, b"", failed))
        self.assertEqual(run("<&- >&-"), (1, b"", failed))
        self.assertEqual(run("<&- 2>&-"), (0, b"GET", ""))

    def test_mistakes_in_values_are_wrong_usage_in_our_words(self):
        for option, value in (
            ("--dns-servers", "x"), ("-x", "ftp://h"), ("--pin-sha256", "zz"), ("--cacert", ""), ("--noproxy=x", "-T"),
            ("-d", "@/"), ("-d", "@/nonexistent"), ("--proxy-header", "X-A:"), ("--proxy-header", "X-A"),
        ):  # fmt: skip
            result = self.get(self.url + "/method", option, value, code=2)
            self.assertRegex(result.stderr.decode(), rf"\Ahcx: {option if '=' not in option else '-T'}\b.*\n\Z")

    def test_a_file_of_authorities_must_be_there_though_nobody_asks_it(self):
        result = self.get("-k", "--cacert", "/nonexistent", self.url + "/method", code=1)
        self.assertIn(b"HC_E_TLS_CONFIG", result.stderr)

    def test_no_proxy_beats_the_environment(self):
        environment = {"http_proxy": "http://127.0.0.1:1", "no_proxy": "127.0.0.1"}
        url = self.url + "/method"
        self.assertEqual(self.get("--trust-env", url, environment=environment).stdout, b"GET")
        self.assertEqual(self.get("--trust-env", "-x", "", url, environment=environment).stdout, b"GET")
        refused = self.get("--trust-env", "--noproxy", "", url, environment=environment, code=1)
        self.assertIn(b"HC_E_PROXY", refused.stderr)

    def test_a_server_cannot_write_to_the_terminal(self):
        fields = b"X-A: tab\tbell\x7f C1 \xc2\x9b31m stray \x9b31m \xc3\xa4\r\n"
        answer = b"HTTP/1.1 200 OK\r\n" + fields + b"Content-Length: 0\r\n\r\n"
        with answering(answer) as url:
            self.assertEqual(self.get("-I", url).stdout, answer)
            self.assertIn(fields.rstrip(b"\r\n"), self.get("-v", url).stderr)
            for option in ("-i", "-v"):
                seen, code = on_terminal("get", option, url)
                self.assertEqual(code, 0)
                self.assertIn(b"X-A: tab\tbell? C1 ?31m stray ?31m \xc3\xa4", seen)
                self.assertFalse({0x7F, 0x9B} & set(seen), seen)

    def test_all_heads_on_the_way_are_shown(self):
        url = self.url + "/redirect/2"
        head = rb"HTTP/1\.1 302\r\n(?:[^\r\n]+\r\n)+\r\n" * 2 + rb"HTTP/1\.1 200 OK\r\n(?:[^\r\n]+\r\n)+\r\n"
        self.assertRegex(self.get("-iL", url).stdout, rb"\A" + head + rb"arrived\n\Z")
        self.assertRegex(self.get("-IL", url).stdout, rb"\A" + head + rb"\Z")
        self.assertRegex(self.get("-i", url).stdout, rb"\AHTTP/1\.1 302 Found\r\n")
        told = self.get("-vL", url, "-d", "x").stderr.decode()
        lines = [line for line in told.splitlines() if re.match(r"> [A-Z]+ |< HTTP|\* Conn", line)]
        shown = [re.sub(r", to \S+$", "", line) for line in lines]
        self.assertEqual(shown, [
            "* Connection #1, new", "> POST /redirect/2 HTTP/1.1", "< HTTP/1.1 302",
            "* Connection #1, reused", "> GET /redirect/1 HTTP/1.1", "< HTTP/1.1 302",
            "* Connection #1, reused", "> GET /redirect/0 HTTP/1.1", "< HTTP/1.1 200 OK",
        ])  # fmt: skip
        self.assertEqual(told.count("> Content-Length: 1\n"), 1)
        dead = self.get("-vL", self.url + "/redirect-to?url=http://127.0.0.1:1/b", code=1).stderr.decode()
        self.assertRegex(dead, r"(?s)> GET /redirect-to.*< HTTP/1.1 302\n.*\n\* No connection\n\* ")

    def test_verbose_shows_what_was_sent(self):
        told = self.get("-v", "--compressed", "-d", "abc", "-u", "me:pw", self.url + "/echo/head")
        sent = told.stdout.decode().replace("\r\n", "\n").rstrip("\n").splitlines()
        shown = re.findall("(?m)^> (.+)$", re.sub(r"Basic \(not shown\)", "Basic bWU6cHc=", told.stderr.decode()))
        self.assertEqual(sorted(shown), sorted(sent))
        with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as proxy:
            told = self.get("-v", "-x", proxy, "http://h.test/a?b").stderr.decode()
        self.assertIn("> GET http://h.test/a?b HTTP/1.1\n", told)


class Demo(unittest.TestCase):
    def test_everything_adds_up(self):
        result = hcx("demo", "--requests", "3000", "--plain")
        text = result.stdout.decode()
        self.assertEqual(result.returncode, 0, text + result.stderr.decode())
        self.assertIn("3,000 submitted =", text)
        self.assertGreater(text.count("  ok      "), 10)
        self.assertRegex(text, r"loop thread busy +\d+\.\d %")
        self.assertNotIn("FAILED", text)
        self.assertNotIn("\x1b", text)
        self.assertNotIn("\r", text)
        self.assertLessEqual(max(map(len, text.splitlines())), 80)

    def test_few_requests_and_tight_limits(self):
        for arguments in (["--requests", "1"], ["--requests", "500", "--limit", "3", "--limit-per-host", "1", "--seed", "9"]):
            result = hcx("demo", *arguments)
            self.assertEqual(result.returncode, 0, result.stdout.decode())

    def test_a_trace_shows_every_request_and_connection(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "trace.json")
            result = hcx("demo", "--requests", "1500", "--limit", "20", "--plain", "--trace", str(file))
            text = result.stdout.decode()
            self.assertEqual(result.returncode, 0, text + result.stderr.decode())
            self.assertIn("1,500 requests drawn in ", text)
            trace = json.loads(file.read_text())
        bars = [event for event in trace["traceEvents"] if event["ph"] == "X"]
        names = [event for event in trace["traceEvents"] if event["ph"] == "M"]
        self.assertEqual(len(bars) + len(names), len(trace["traceEvents"]))
        for bar in bars:
            self.assertGreaterEqual(bar["ts"], 0)
            self.assertGreaterEqual(bar["dur"], 0)
        requests = [bar for bar in bars if bar["pid"] == 1 and "id" in bar.get("args", {})]
        self.assertEqual(len({bar["args"]["id"] for bar in requests}), 1500)
        self.assertEqual(len(requests), 1500)
        # What takes no time has no bar: "send" where the request goes out with the call that began it, "receive" where
        # all of the answer comes in one read.
        steps = {bar["name"] for bar in bars if bar["pid"] == 1 and "args" not in bar}
        self.assertEqual({"await", "connect", "dns", "in line"}, steps - {"send", "receive"})
        self.check_rows(bars, names)
        opened = int(re.search(r"session: ([\d,]+) sockets opened", text).group(1).replace(",", ""))
        rows = {event["tid"] for event in names if event["pid"] == 2 and event["name"] == "thread_name"}
        self.assertEqual(len(rows), opened)
        self.assertGreater(len({bar["tid"] for bar in bars if bar["pid"] == 2 and bar["name"].startswith("GET /")}), 5)

    def check_rows(self, bars, names):
        """In each row bars lie side by side or one within another, and each row has a name."""
        named = {(event["pid"], event["tid"]) for event in names}
        rows = {}
        for bar in bars:
            rows.setdefault((bar["pid"], bar["tid"]), []).append((round(bar["ts"] * 1000), round((bar["ts"] + bar["dur"]) * 1000)))
        for row, spans in rows.items():
            self.assertIn(row, named)
            open_ends = []
            for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
                while open_ends and open_ends[-1] <= start:
                    open_ends.pop()
                self.assertTrue(not open_ends or end <= open_ends[-1], (row, start, end, open_ends))
                open_ends.append(end)

    def test_a_trace_that_cannot_be_written_is_one_line(self):
        result = hcx("demo", "--requests", "1", "--trace", "/nowhere/at/all")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, rb"\Ahcx: cannot write /nowhere/at/all: [^\n]+\n\Z")
        self.assertEqual(hcx("demo", "--trace", "x", "--sweep", "limit").returncode, 2)

    def test_a_sweep_shows_where_more_connections_stop_helping(self):
        result = hcx("demo", "--sweep", "limit", "--requests", "400", "--plain")
        text = result.stdout.decode()
        self.assertEqual(result.returncode, 0, text + result.stderr.decode())
        limits = re.findall(r"^ +([\d,]+) +[\d,]+ +[\d,.]+ ms +[\d,.]+ ms +\d+ %$", text, re.MULTILINE)
        self.assertEqual(limits, "1 2 5 10 20 50 100 200".split())
        self.assertRegex(text, r"(From \d+ connections? on|Up to 200 connections)")
        self.assertEqual(hcx("demo", "--sweep", "colours").returncode, 2)

    def run_on_terminal(self, *arguments, environment):
        output, code = on_terminal("demo", *arguments, environment=environment)
        self.assertEqual(code, 0, output)
        return output.decode()

    def test_a_terminal_gets_progress_and_colours(self):
        arguments = ["--requests", "3000"]
        text = self.run_on_terminal(*arguments, environment={"TERM": "xterm", "NO_COLOR": ""})
        self.assertIn(" waiting\x1b[K", text)
        self.assertIn("\x1b[32mok", text)
        text = self.run_on_terminal(*arguments, environment={"TERM": "xterm", "NO_COLOR": "1"})
        self.assertNotIn("\x1b[32m", text)
        text = self.run_on_terminal("--plain", *arguments, environment={"TERM": "xterm", "NO_COLOR": ""})
        self.assertNotIn("\x1b", text)

    def test_ctrl_c_ends_in_order(self):
        process = subprocess.Popen([HCX, "demo", "--requests", "50,000,000"], stdout=subprocess.PIPE)
        head = process.stdout.readline() + process.stdout.readline() + process.stdout.readline()
        self.assertIn(b"hcx demo", head)
        # It says nothing more until the end; the signal may come before the first request as well as after.
        try:
            process.wait(0.5)
        except subprocess.TimeoutExpired:
            pass
        process.terminate()
        text = process.stdout.read().decode()
        process.stdout.close()
        self.assertEqual(process.wait(PATIENCE), 130, text)
        self.assertNotIn("FAILED", text)


class Manual(unittest.TestCase):
    """The page says what the help texts say, neither less nor more."""

    @classmethod
    def setUpClass(cls):
        page = subprocess.run(
            ["mandoc", "-Tascii", "-Owidth=150", MANUAL], capture_output=True, check=True, timeout=PATIENCE
        )
        cls.page = re.sub(".\b", "", page.stdout.decode())  # bold and underlined, as on a line printer
        cls.sections = dict(re.findall(r"(?ms)^([A-Z][A-Z ]+)\n(.*?)(?=^[A-Z]|\Z)", cls.page))

    def options_in(self, text, indent):
        """All that stand in the first column, which ends at two blanks."""
        columns = re.findall(rf"(?m)^ {{{indent}}}(-.*?)(?:  |$)", text)
        return {option for column in columns for option in re.findall(r"(?<![\w-])--?\w[\w.-]*", column)}

    def test_is_well_formed(self):
        result = subprocess.run(["mandoc", "-Tlint", "-Wwarning", MANUAL], capture_output=True, timeout=PATIENCE)
        self.assertEqual((result.returncode, result.stdout.decode()), (0, ""))

    def test_has_each_option_and_no_other(self):
        for command in ("get", "demo", "serve"):
            helped = self.options_in(hcx(command, "--help").stdout.decode(), "2,6") - {"-h", "--help"}
            self.assertGreater(len(helped), 5, command)
            self.assertEqual(self.options_in(self.sections[command.upper()], "5"), helped, command)

    def test_has_each_command(self):
        commands = set(re.findall(r"(?m)^  hcx (\w+)", hcx("help").stdout.decode()))
        self.assertEqual(set(re.findall(r"(?m)^ +hcx (\w+)", self.sections["SYNOPSIS"])), commands)
        for command in commands:
            self.assertIn(f"hcx {command}", self.sections[command.upper()])

    def test_has_each_route_of_the_server(self):
        text = hcx("serve", "--help").stdout.decode()
        routes = re.findall(r"\s(/\S+)", text[text.index("\nRoutes:") : text.index("(parameters")])
        self.assertGreater(len(routes), 30)
        for route in routes:
            self.assertRegex(self.sections["SERVE"], rf"(?<!\S){route}(?![\w/-])")


class Serve(unittest.TestCase):
    def test_wrong_usage_is_one_line_and_exit_2(self):
        for text, *arguments in (
            ("unknown option: --htp", "--htp", "0"),
            ("--http needs a value", "--http"),
            ("port: '70000' is not a number from 0 to 65535", "--http", "70000"),
            ("not an IP address: localhost", "--http", "localhost:0"),
            ("--dns-name needs --dns", "--dns-name", "a.test=127.0.0.1"),
            ("--dns: there is only one DNS server", "--dns", "0", "--dns", "0"),
            ("--tls-name, --tls-directory, --require-client-cert and --no-session-tickets need --https", "--tls-name", "a"),
        ):
            result = hcx("serve", *arguments)
            self.assertEqual(result.stderr.decode(), f"hcx serve: {text} (hcx serve --help tells what there is)\n")
            self.assertEqual((result.returncode, result.stdout), (2, b""))

    def test_names_the_endpoint_that_it_cannot_have(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            endpoint = "127.0.0.1:%d" % taken.getsockname()[1]
            for kind in ("--http", "--https", "--dns"):
                result = hcx("serve", "--http", "127.0.0.1:0", kind, endpoint)
                self.assertEqual(result.returncode, 1, result)
                what = f"hcx serve: cannot (bind|listen on) {endpoint}: Address already in use\n"
                self.assertRegex(result.stderr.decode(), rf"\A{what}\Z")

    def test_works_as_a_background_job_of_a_terminal(self):
        keyboard, terminal = os.openpty()
        self.addCleanup(os.close, keyboard)
        job = ["setsid", "--ctty", "--wait", "sh", "-mc", '"$0" serve --http 127.0.0.1:0 & echo $!; wait', HCX]
        with subprocess.Popen(job, stdin=terminal, stdout=subprocess.PIPE, text=True) as shell:
            os.close(terminal)
            lines = sorted(shell.stdout.readline() for _ in range(3))  # NUMBER, http ENDPOINT, ready
            endpoint = lines[1].split()[1]
            try:
                os.write(keyboard, b"\n")
                # Who reads a terminal in the background is stopped, which the time of the answer lets happen.
                got = hcx("get", "-m", "30", f"http://{endpoint}/delay/50")
            finally:
                os.kill(int(lines[0]), signal.SIGKILL)
        self.assertEqual((got.returncode, got.stdout), (0, b"50\n"))


class Doctor(unittest.TestCase):
    def test_tells_what_there_is(self):
        result = hcx("doctor")
        text = result.stdout.decode()
        self.assertEqual(result.returncode, 0, text)
        for label in ("libhc", "libcurl", "c-ares", "TLS", "descriptors", "CA bundle", "nameservers", "hosts", "kernel"):
            self.assertRegex(text, rf"(?m)^  {label} +\S")

    def test_tells_who_looks_at_the_proxies_of_the_environment(self):
        for variable in ("https_proxy", "NO_PROXY"):
            text = " ".join(hcx("doctor", environment={variable: "127.0.0.1"}).stdout.decode().split())
            self.assertRegex(text, rf"environment .*\b{variable}\b.* set: only sessions with trust_env ")

    def test_warns_about_few_descriptors(self):
        script = 'ulimit -n 256 && exec "$0" doctor'
        result = subprocess.run(["sh", "-c", script, HCX], capture_output=True, timeout=PATIENCE)
        self.assertEqual(result.returncode, 0, result)
        self.assertIn(b"only 256 descriptors", result.stdout)


if __name__ == "__main__":
    HCX = os.path.abspath(sys.argv.pop(1))
    unittest.main()
