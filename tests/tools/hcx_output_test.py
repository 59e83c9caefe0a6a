#!/usr/bin/python3
"""What hcx get writes, where to, and when.

    tests/tools/hcx_output_test.py PATH-OF-HCX [unittest argument]
"""

import hashlib
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import unittest

from hcx_process import HCX, PATIENCE, Fetching, answering, on_terminal


class Output(Fetching):
    def test_prints_bodies_in_the_order_of_the_urls(self):
        urls = [self.url + f"/delay/{ms}" for ms in (60, 30, 1)]
        result = self.get(*urls, self.endpoint + "/method")
        self.assertEqual(result.stdout, b"60\n30\n1\nGET")
        self.assertEqual(result.stderr, b"")

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

    def get_in(self, folder, arguments, redirection=""):
        command = ["sh", "-c", f'cd "$1" && shift && exec "$0" get "$@" {redirection}', HCX, folder, *arguments]
        result = subprocess.run(command, capture_output=True, timeout=PATIENCE)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, b"", b""), command)

    def test_a_file_is_one_file_whatever_its_names_are(self):
        # The second answer comes first, and has to wait.
        urls = [self.url + "/delay/50", self.url + "/method"]
        for prepare, one, other in (
            ("", "a", "./a"), ("", "b/../a", "{}/a"), ("ln -s a link", "link", "a"), ("ln -s link2 link; ln -s b/a link2", "b/a", "link"),
            ("touch a; ln a hard", "hard", "a"), ("touch a", "/proc/self/cwd/a", "a"),
        ):  # fmt: skip
            with self.subTest(prepare, one=one, other=other), tempfile.TemporaryDirectory() as folder:
                subprocess.run(["sh", "-c", "mkdir b; " + prepare], cwd=folder, check=True)
                self.get_in(folder, ["-o", one, "-o", other.format(folder), *urls])
                self.assertEqual(pathlib.Path(folder, other.format(folder)).read_bytes(), b"50\nGET")

    def test_a_file_that_is_stdout_too_is_stdout(self):
        urls = [self.url + "/delay/50", self.url + "/method"]
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "out")
            for outputs in (["-o", "-", "-o", "/dev/stdout"], ["-o", "/dev/stdout"], ["-o", "out"], ["-o-", "-o", "./out"]):
                self.get_in(folder, [*outputs, *urls], ">out")
                self.assertEqual(path.read_bytes(), b"50\nGET", outputs)
            self.get_in(folder, ["-o", "/dev/stdout", urls[1]], ">>out")
            self.assertEqual(path.read_bytes(), b"50\nGETGET")
            self.get_in(folder, ["-D", "/dev/stdout", urls[1]], ">out")
            self.assertRegex(path.read_bytes(), rb"(?s)\AHTTP/1\.1 200 OK\r\n.*\r\n\r\nGET\Z")

    def test_a_file_that_is_stderr_too_is_stderr(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("/dev/stderr", "err"):
                pathlib.Path(folder, "err").write_bytes(b"before ")
                self.get_in(folder, ["-w", "%{stderr}|", "-o", name, self.url + "/method"], "2>>err")
                self.assertEqual(pathlib.Path(folder, "err").read_bytes(), b"before GET|", name)
                self.get_in(folder, ["-w", "%{stderr}|", "-o", name, self.url + "/method"], "2>err")
                self.assertEqual(pathlib.Path(folder, "err").read_bytes(), b"GET|", name)

    def test_heads_and_bodies_may_share_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "x").write_bytes(b"what was there")
            names = ["-D", "./x", "-o", "x", "-o", folder + "/x"]
            self.get_in(folder, [*names, self.url + "/delay/50", self.url + "/method"])
            head = rb"HTTP/1\.1 200 OK\r\n(?:[^\r\n]+\r\n)+\r\n"
            self.assertRegex(pathlib.Path(folder, "x").read_bytes(), rb"\A" + head + rb"50\n" + head + rb"GET\Z")

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
        # Fewer descriptors than the limit allows connections.
        script = 'ulimit -n 64 && exec "$0" get -m 60 -L "$@" >/dev/null'
        urls = [self.url + "/redirect/3", *[self.url + "/bytes/5000000"] * 60]
        result = subprocess.run(["sh", "-c", script, HCX, *urls], capture_output=True, timeout=PATIENCE)
        self.assertEqual((result.returncode, result.stderr), (0, b""))

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

    def test_waits_for_readers_of_pipes_that_do_not_block(self):
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        filler = os.write(writing, bytes(1 << 20))
        command = [HCX, "get", "-v", self.url + "/bytes/1000000"]
        with subprocess.Popen(command, stdout=writing, stderr=subprocess.PIPE) as process:
            os.close(writing)
            while process.stderr.readline() not in (b"< \n", b""):
                pass  # the body comes next, and finds the pipe full
            with open(reading, "rb") as body:
                self.assertEqual(len(body.read()), filler + 1_000_000)
            process.stderr.read()
            self.assertEqual(process.wait(PATIENCE), 0)

    def test_a_body_cut_short_is_printed_as_far_as_it_came(self):
        result = self.get(self.url + "/truncate?claimed=100&sent=50", self.url + "/method", code=1)
        self.assertEqual((len(result.stdout), result.stdout[50:]), (53, b"GET"))
        self.assertIn(b"HC_E_INCOMPLETE", result.stderr)

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
        told = self.get("-v", "-i", "-b", "a=geheim", "-H", "cookie: b=geheim", self.url + "/cookies?set=c=d")
        self.assertEqual(re.findall(r"(?mi)^. (?:set-)?cookie: .*$", told.stderr.decode()),
                         ["> cookie: (not shown)", "> Cookie: (not shown)", "< Set-Cookie: (not shown)"])  # fmt: skip
        self.assertNotIn(b"geheim", told.stderr)
        self.assertIn(b"\r\nSet-Cookie: c=d", told.stdout)

    def test_names_files_as_urls_do(self):
        with tempfile.TemporaryDirectory() as folder:
            self.get_in(folder, ["-O", "-o", "b", "-O", self.url + "/bytes/3?x#y", self.url + "/method", self.url + "/-"])
            self.assertEqual(pathlib.Path(folder, "3").read_bytes(), b"012")
            self.assertEqual(pathlib.Path(folder, "b").read_bytes(), b"GET")
            self.assertTrue(pathlib.Path(folder, "-").exists())
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

    def test_timing_is_one_line_per_request(self):
        lines = self.get("--timing", self.url + "/delay/20", "--repeat", "2").stderr.decode().splitlines()
        self.assertEqual(lines[0].split(), "waited dns connect tls sent first done total ms".split())
        self.assertEqual(len(lines), 3)
        self.assertGreaterEqual(float(lines[1].split()[7]), 20)

    def test_closed_descriptors_are_nobody_elses(self):
        def run(redirection):
            command = ["sh", "-c", f'exec "$0" get "$1" {redirection}', HCX, self.url + "/method"]
            result = subprocess.run(command, capture_output=True, timeout=PATIENCE)
            return result.returncode, result.stdout, result.stderr.decode()

        failed = f"hcx: {self.url}/method: cannot write stdout: Bad file descriptor\n"
        self.assertEqual(run(">&-"), (1, b"", failed))
        self.assertEqual(run("<&- >&-"), (1, b"", failed))
        self.assertEqual(run("<&- 2>&-"), (0, b"GET", ""))

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
        for arguments in (
            ["--compressed", "-d", "abc", "-u", "me:pw"], ["-X", "POST"], ["-X", "PUT"], ["-X", "PATCH"], ["-d", ""], ["-A", "", "-b", "a=b"],
            ["-T", __file__], ["-T", "-"], ["-X", "POST", "-T", __file__], ["-X", "PUT", "-d", "a"], ["-H", "Host: other"],
            ["-H", "Accept:", "-H", "User-Agent: me", "-H", "X-E;", "-e", "http://r/"],
        ):  # fmt: skip
            told = self.get("-v", *arguments, self.url + "/echo/head", stdin=b"")
            sent = told.stdout.decode().replace("\r\n", "\n").rstrip("\n").splitlines()
            text = told.stderr.decode().replace("Basic (not shown)", "Basic bWU6cHc=").replace("Cookie: (not shown)", "Cookie: a=b")
            shown = re.findall("(?m)^> (.+)$", text)
            self.assertEqual(sorted(map(str.rstrip, shown)), sorted(map(str.rstrip, sent)), arguments)
        with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as proxy:
            told = self.get("-v", "-x", proxy, "http://h.test/a?b").stderr.decode()
        self.assertIn("> GET http://h.test/a?b HTTP/1.1\n", told)


if __name__ == "__main__":
    unittest.main()
