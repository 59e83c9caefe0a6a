#!/usr/bin/python3
"""What hcx get asks for, whom it trusts, and which way it takes.

    tests/tools/hcx_get_test.py PATH-OF-HCX [unittest argument]
"""

import base64
import os
import pathlib
import re
import subprocess
import tempfile
import threading
import unittest

from hcx_process import HCX, PATIENCE, Fetching, answering, hcx


class Get(Fetching):
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

    def test_uploads_files(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "body")
            path.write_bytes(b"x" * 100_000)
            result = hcx("get", "-T", str(path), self.url + "/echo")
            self.assertEqual(result.stdout, b"x" * 100_000)
            self.assertIn(b"PUT /echo/head ", hcx("get", "-T", str(path), self.url + "/echo/head").stdout)
            self.assertEqual(hcx("get", "-T", str(path), "-d", "x", self.url + "/echo").returncode, 2)

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

    def test_what_cannot_be_read_is_not_sent(self):
        def run(redirection, *arguments):
            command = ["sh", "-c", f'exec "$0" get "$@" {redirection}', HCX, *arguments]
            result = subprocess.run(command, capture_output=True, timeout=PATIENCE)
            return result.returncode, result.stdout, result.stderr.decode().removesuffix(" (hcx help tells what there is)\n")

        url = self.url + "/echo/head"
        for redirection, why in (("<&-", "Bad file descriptor"), ("</", "Is a directory")):
            for option, letter in (("-d", "-d"), ("--data-binary", "-d"), ("-w", "-w")):
                self.assertEqual(run(redirection, option, "@-", url), (2, b"", f"hcx: {letter}: cannot read stdin: {why}"))
            self.assertEqual(run(redirection, "-T", "-", url), (1, b"", f"hcx: {url}: cannot read stdin: {why}\n"))
        self.assertEqual(run("", "-d", "@/", url), (2, b"", "hcx: -d: cannot read /: Is a directory"))
        self.assertEqual(run("", "-w", "@/nowhere", url), (2, b"", "hcx: -w: cannot read /nowhere: No such file or directory"))

    def test_waits_for_data_on_pipes_that_do_not_block(self):
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        with subprocess.Popen([HCX, "get", "-w", "|", "-d", "@-", self.url + "/echo"], stdin=reading, stdout=subprocess.PIPE) as process:
            os.close(reading)
            with open(writing, "wb") as body:
                body.write(b"x" * 300_000)
            self.assertEqual(process.stdout.read(), b"x" * 300_000 + b"|")
            self.assertEqual(process.wait(PATIENCE), 0)

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
        for mark in "/?#":
            url = f"http://me:ge{mark}heim@127.0.0.1/x/"
            told = self.get("-v", "--timing", url, code=1).stderr
            self.assertRegex(told, rb"(?m)^hcx: http://127\.0\.0\.1/x/: HC_E_INVALID: url: .*\n\Z")
            for text in (told, self.get("-O", url, code=2).stderr):
                self.assertNotRegex(text, rb"ge\W|heim")

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
        # One whose body never comes to an end.
        head = b"HTTP/1.1 404 No\r\nContent-Length: 1000000000000\r\n\r\n"
        with answering(head + bytes(100_000), holds=True) as url:
            self.get("-f", url, code=22)

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

    def test_mistakes_in_values_are_wrong_usage_in_our_words(self):
        for option, value in (
            ("--dns-servers", "x"), ("-x", "ftp://h"), ("--pin-sha256", "zz"), ("--cacert", ""), ("--noproxy=x", "-T"),
            ("-d", "@/"), ("-d", "@/nonexistent"), ("-T", "/"), ("-T", "/nonexistent"), ("--proxy-header", "X-A:"), ("--proxy-header", "X-A"),
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


if __name__ == "__main__":
    unittest.main()
