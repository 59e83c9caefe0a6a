#!/usr/bin/python3
"""Runs hcx as a user does: all but hcx get.

    tests/tools/hcx_test.py PATH-OF-HCX [unittest argument, such as Demo]
"""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import unittest

from hcx_process import HCX, PATIENCE, hcx, on_terminal

MANUAL = pathlib.Path(__file__).resolve().parents[2] / "docs/man/hcx.1"


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

    def test_signals_end_it_in_order(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            with self.subTest(number):
                self.end_by(number, code)

    def end_by(self, number, code):
        process = subprocess.Popen([HCX, "demo", "--requests", "50,000,000"], stdout=subprocess.PIPE)
        head = process.stdout.readline() + process.stdout.readline() + process.stdout.readline()
        self.assertIn(b"hcx demo", head)
        # It says nothing more until the end; the signal may come before the first request as well as after.
        try:
            process.wait(0.5)
        except subprocess.TimeoutExpired:
            pass
        process.send_signal(number)
        text = process.stdout.read().decode()
        process.stdout.close()
        self.assertEqual(process.wait(PATIENCE), code, text)
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

    @unittest.skipUnless("UNUSABLE_CURL_LIBRARY" in os.environ, "sanitizers want to be the first library")
    def test_tells_only_why_where_libcurl_cannot_be_used(self):
        for what, why in (("old", "libcurl 7.70.0 is older than 7.88"), ("no-tls", "this libcurl is built without TLS")):
            environment = {"LD_PRELOAD": os.environ["UNUSABLE_CURL_LIBRARY"], "UNUSABLE_CURL": what}
            result = hcx("doctor", environment=environment)
            self.assertEqual(result.returncode, 1, result)
            text = " ".join(result.stdout.decode().split())
            self.assertRegex(text, r"\Ahcx doctor libhc \S+ MISSING a session cannot be created here: HC_E_UNSUPPORTED: " + why + r"\Z")
            version = hcx("--version", environment=environment).stdout
            self.assertRegex(version.decode(), rf"\Ahcx \S+ \(HC_E_UNSUPPORTED: {why}\)\n\Z")
            demo = hcx("demo", environment=environment)
            self.assertEqual((demo.returncode, demo.stdout, demo.stderr.decode()), (1, b"", f"hcx: HC_E_UNSUPPORTED: {why}\n"))


if __name__ == "__main__":
    unittest.main()
