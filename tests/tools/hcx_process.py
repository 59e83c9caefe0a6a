"""Runs hcx as a user does; for the tests beside this. The first argument is its path."""

import contextlib
import os
import pty
import socket
import subprocess
import sys
import threading
import unittest

HCX = os.path.abspath(sys.argv.pop(1))
PATIENCE = 240  # seconds; for a machine that is busy, and for sanitizers


def hcx(*arguments, stdin=None, environment=None):
    return subprocess.run(
        [HCX, *arguments], input=stdin, capture_output=True, timeout=PATIENCE, env={**os.environ, **(environment or {})}
    )


@contextlib.contextmanager
def answering(answer, holds=False):
    """A server that gives each connection this answer, and closes it, or waits until the client does. Its URL."""
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
                    if holds:
                        connection.recv(1)

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


class Fetching(unittest.TestCase):
    """Tests of hcx get, with a server for all of them."""

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
