"""TLS identities: what each option does, against the embedded server and nginx, and that two share nothing."""

import hashlib
import inspect
import os
import pathlib
import signal
import ssl
import subprocess
import threading

import pytest
from conftest import descriptors, reserved, wait_until_it_accepts

import hc
from hc import _ffi

NGINX = """
worker_processes 1; daemon off; pid nginx.pid; error_log error.log;
events {{ worker_connections 64; }}
http {{
  access_log off; keepalive_timeout 600s;
  client_body_temp_path t; proxy_temp_path t; fastcgi_temp_path t; uwsgi_temp_path t; scgi_temp_path t;
  ssl_certificate {pki}/server.pem; ssl_certificate_key {pki}/server.key;
  ssl_client_certificate {pki}/ca.pem; ssl_verify_client optional;
  server {{
    listen 127.0.0.1:{any} ssl; ssl_protocols TLSv1.2 TLSv1.3;
    location / {{ return 200 "$host $ssl_server_name $ssl_client_verify $ssl_protocol $connection"; }}
  }}
  server {{
    listen 127.0.0.1:{old} ssl; ssl_protocols TLSv1.2;
    location / {{ return 200 "$ssl_protocol"; }}
  }}
}}
"""


@pytest.fixture(scope="module")
def pki(server):
    """The folder with the certificates of the embedded server."""
    return pathlib.Path(server.endpoints["ca"]).parent


class Nginx:
    def __init__(self, folder, pki):
        self.holders = reserved(), reserved()
        self.port, self.old_port = (holder.getsockname()[1] for holder in self.holders)
        user = "user root;" if os.geteuid() == 0 else ""  # the folder is ours alone
        text = user + NGINX.format(pki=pki, any=self.port, old=self.old_port)
        (folder / "nginx.conf").write_text(text)
        command = ["/usr/sbin/nginx", "-p", str(folder), "-c", "nginx.conf", "-e", str(folder / "error.log")]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        wait_until_it_accepts(self.port, self.process)

    @property
    def url(self):
        return f"https://localhost:{self.port}/"

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        for holder in self.holders:
            holder.close()


@pytest.fixture(scope="module")
def nginx(tmp_path_factory, pki):
    nginx = Nginx(tmp_path_factory.mktemp("nginx"), pki)
    yield nginx
    nginx.stop()


def fingerprint(certificate):
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate.read_text())).hexdigest()


def fetched(url, **options):
    with hc.Session() as session:
        return session.get_sync(url, **options).text


# ------------------------------------------------------------------------------------------------------------- options


def test_it_takes_every_option_of_the_c_interface():
    fields = {name for name, *_ in _ffi.hc_tls_options._fields_}
    signature = inspect.signature(hc.TLS.__init__).parameters
    assert set(signature) - {"self"} == fields - {"struct_size", "reserved", "pin_count"}
    assert all(parameter.default is None for name, parameter in signature.items() if name != "self")


@pytest.mark.parametrize(
    "name, value",
    [
        ("verify", 0), ("min_version", 1.3), ("min_version", "1.1"), ("ca_file", 3), ("ca_pem", ""), ("pins", "ab"),
        ("pins", 7), ("pins", ["sha256//abc"]), ("pins", [7]), ("key_file", "alone"), ("server_name", "a\nb"),
    ],
)
def test_a_bad_option_is_named(name, value):
    with pytest.raises(hc.errors.InvalidError, match=name):
        hc.TLS(**{name: value})


@pytest.mark.parametrize(
    "name, more",
    [
        ("ca_file", {}), ("ca_pem", {}), ("certificate_file", {}), ("certificate_pem", {}),
        ("key_file", {"certificate_file": "client.pem"}), ("key_pem", {"certificate_file": "client.pem"}),
        ("key_log_file", {}),
    ],
)
def test_what_cannot_be_read_is_named(pki, tmp_path, name, more):
    more = {key: pki / value for key, value in more.items()}
    with pytest.raises(hc.errors.TLSConfigError, match=name):
        hc.TLS(**{name: "no certificate" if name.endswith("_pem") else tmp_path / "none" / "file"}, **more)


def test_a_session_takes_an_identity_or_the_simple_form(pki):
    for more in ({"ca_file": pki / "ca.pem"}, {"tls_verify": True}):
        with pytest.raises(hc.errors.InvalidError, match=next(iter(more))):
            hc.Session(tls=hc.TLS(), **more)


# -------------------------------------------------------------------------------------------------- whom we trust


@pytest.mark.parametrize("form", ["file", "text", "bytes"])
@pytest.mark.parametrize("where", ["session", "request"])
def test_authorities(server, pki, form, where):
    def trusting(name):
        path = pki / name
        given = {"file": {"ca_file": path}, "text": {"ca_pem": path.read_text()}, "bytes": {"ca_pem": path.read_bytes()}}
        return {"tls": hc.TLS(**given[form])}

    def status(identity):
        in_session, in_request = (identity, {}) if where == "session" else ({}, identity)
        with hc.Session(**in_session) as session:
            return session.get_sync(server.https + "/bytes/1", **in_request).status

    assert status(trusting("ca.pem")) == 200
    with pytest.raises(hc.errors.TLSVerifyError):
        status(trusting("other_ca.pem"))


def test_verification_is_switched_off_by_name_only(server):
    with pytest.raises(hc.errors.TLSVerifyError):
        fetched(server.https + "/bytes/1", tls=hc.TLS())
    with pytest.raises(hc.errors.TLSVerifyError):
        fetched(server.https + "/bytes/1", tls=hc.TLS(verify=None))
    assert fetched(server.https + "/method", tls=hc.TLS(verify=False)) == "GET"


def test_pins_come_on_top_of_verification(server, pki):
    right, wrong = fingerprint(pki / "server.pem"), fingerprint(pki / "client.pem")
    ours = {"ca_file": pki / "ca.pem"}
    assert fetched(server.https + "/method", tls=hc.TLS(pins=[wrong, right.upper()], **ours)) == "GET"
    assert fetched(server.https + "/method", tls=hc.TLS(pins=(right,), verify=False)) == "GET"
    for refused in ({"pins": [wrong], **ours}, {"pins": [wrong], "verify": False}, {"pins": [right]}):
        with pytest.raises(hc.errors.TLSVerifyError):
            fetched(server.https + "/method", tls=hc.TLS(**refused))


def test_min_version(nginx, pki):
    modern = hc.TLS(ca_file=pki / "ca.pem", min_version="1.3")
    old = f"https://localhost:{nginx.old_port}/"
    assert fetched(old, tls=hc.TLS(ca_file=pki / "ca.pem", min_version="1.2")) == "TLSv1.2"
    assert " TLSv1.3 " in fetched(nginx.url, tls=modern)
    with pytest.raises(hc.errors.TLSError):
        fetched(old, tls=modern)


def test_server_name(nginx, pki):
    host, name, *_ = fetched(nginx.url, tls=hc.TLS(verify=False, server_name="other.test")).split(" ")
    assert (host, name) == ("localhost", "other.test")
    with pytest.raises(hc.errors.TLSVerifyError, match="mismatch"):
        fetched(nginx.url, tls=hc.TLS(ca_file=pki / "ca.pem", server_name="other.test"))


def test_key_log_file(server, tmp_path):
    assert fetched(server.https + "/method", tls=hc.TLS(verify=False, key_log_file=tmp_path / "keys")) == "GET"
    assert "CLIENT_TRAFFIC_SECRET_0 " in (tmp_path / "keys").read_text()


# -------------------------------------------------------------------------------------------------------- who we are


def test_our_certificate_as_file_and_as_text(strict):
    server, folder = strict
    certificate, key = folder / "client.pem", folder / "client.key"
    for given in (
        {"certificate_file": certificate, "key_file": str(key)},
        {"certificate_pem": certificate.read_bytes(), "key_pem": key.read_text()},
        {"certificate_pem": key.read_text() + certificate.read_text()},
    ):
        assert fetched(server.https + "/method", tls=hc.TLS(ca_file=folder / "ca.pem", **given)) == "GET"


def test_a_server_that_asks_for_a_certificate_refuses_us_without_or_with_a_strangers(strict):
    server, folder = strict
    stranger = {"certificate_file": folder / "other_client.pem", "key_file": folder / "other_client.key"}
    for given in ({}, stranger):
        with pytest.raises((hc.errors.TLSError, hc.errors.DisconnectedError)):  # its reset may overtake its refusal
            fetched(server.https + "/method", tls=hc.TLS(ca_file=folder / "ca.pem", **given))


def test_key_password(strict, tmp_path):
    server, folder = strict
    encrypted = tmp_path / "encrypted.key"
    command = ["openssl", "pkcs8", "-topk8", "-in", str(folder / "client.key"), "-passout", "pass:secret"]
    subprocess.run([*command, "-out", str(encrypted)], check=True)
    ours = {"ca_file": folder / "ca.pem", "certificate_file": folder / "client.pem", "key_file": encrypted}
    assert fetched(server.https + "/method", tls=hc.TLS(key_password="secret", **ours)) == "GET"
    for password in ({}, {"key_password": "wrong"}):
        with pytest.raises(hc.errors.TLSConfigError, match="key_file") as caught:
            hc.TLS(**ours, **password)
        assert "wrong" not in str(caught.value)


def test_nginx_sees_our_certificate_and_identities_share_no_connection(nginx, pki, run):
    known = hc.TLS(
        ca_file=pki / "ca.pem", certificate_file=pki / "client.pem", key_file=pki / "client.key", min_version="1.3"
    )

    async def main():
        async with hc.Session(ca_file=pki / "ca.pem") as session:
            nobody = (await session.get(nginx.url)).text
            somebody = (await session.get(nginx.url, tls=known)).text
            assert nobody.startswith("localhost localhost NONE TLSv1.3 ")
            assert somebody.startswith("localhost localhost SUCCESS TLSv1.3 ")
            # Each goes back to its own connection, whose number is the last word.
            assert (await session.get(nginx.url)).text == nobody
            assert (await session.get(nginx.url, tls=known)).text == somebody
        async with hc.Session(tls=known) as session, session.stream("GET", nginx.url) as response:
            assert " SUCCESS " in await response.text()

    run(main())


def test_proxy_tls_is_for_the_proxy_alone(nginx, pki):
    """nginx is the proxy, and answers in the name of a server of plain http."""
    proxy, url = nginx.url.rstrip("/"), "http://behind.test/"
    trusted = hc.TLS(ca_file=pki / "ca.pem")
    known = hc.TLS(ca_file=pki / "ca.pem", certificate_file=pki / "client.pem", key_file=pki / "client.key")
    with hc.Session(proxy=proxy, proxy_tls=known) as session:
        assert session.get_sync(url).text.startswith("behind.test localhost SUCCESS ")
    with hc.Session(proxy=proxy, tls=known) as session:  # trusted as the server would be, and shown nothing
        assert session.get_sync(url).text.startswith("behind.test localhost NONE ")
    with hc.Session(proxy=proxy, tls=trusted, proxy_tls=hc.TLS(ca_file=pki / "other_ca.pem")) as session:
        with pytest.raises(hc.errors.TLSVerifyError):
            session.get_sync(url)


# ------------------------------------------------------------------------------------ the certificates of the server


def test_certificates_of_the_server(server, pki, run):
    text = (pki / "server.pem").read_bytes()
    der = ssl.PEM_cert_to_DER_cert(text.decode())

    async def main():
        async with hc.Session(ca_file=pki / "ca.pem") as session:
            url = server.https + "/bytes/1"
            assert (await session.get(url)).certificates == ()
            kept = await session.get(url, certificates="der")
            assert kept.reused and kept.certificates[0] == der
            assert (await session.get(url, certificates="pem")).certificates[0] == text
            async with session.stream("GET", url, certificates="der") as response:
                assert await response.read() != b"" and response.closed
            assert response.certificates == kept.certificates
            assert (await session.get(server.http + "/bytes/1", certificates="der")).certificates == ()
            with pytest.raises(hc.errors.InvalidError, match="certificates"):
                await session.get(url, certificates="text")

    run(main())


def test_a_certificate_that_was_seen_can_be_pinned(server, pki):
    with hc.Session(ca_file=pki / "ca.pem") as session:
        seen = session.get_sync(server.https + "/method", certificates="der").certificates[0]
        pinned = hc.TLS(verify=False, pins=[hashlib.sha256(seen).hexdigest()])
        assert session.get_sync(server.https + "/method", tls=pinned).text == "GET"


# ---------------------------------------------------------------------------------------------------------- their life


def test_an_identity_may_go_before_its_requests(server, pki, run):
    async def main():
        async with hc.Session() as session:
            url = server.https + "/delay/20"
            calls = [session.get(url, tls=hc.TLS(ca_file=pki / "ca.pem"), force_close=True) for _ in range(5)]
            for call in calls:
                assert (await call).status == 200

    before = descriptors()
    run(main())
    assert descriptors() == before


def test_one_identity_serves_many_sessions_and_threads(server, pki):
    identity = hc.TLS(ca_file=pki / "ca.pem")
    statuses = []

    def use():
        with hc.Session(tls=identity) as session:
            statuses.append(session.get_sync(server.https + "/bytes/1").status)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 4
