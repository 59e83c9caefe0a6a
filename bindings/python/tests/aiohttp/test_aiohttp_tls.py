"""`ssl`: True, False, contexts, fingerprints and hc.TLS, of a connector and of a request."""

import asyncio
import hashlib
import pathlib
import ssl

import pytest

import hc

# aiohttp 3.8.4 leaves some to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def ca(server):
    """The authority of the embedded server, as a file."""
    return server.endpoints["ca"]


@pytest.fixture(scope="module")
def digest(server):
    """SHA-256 of the embedded server's certificate."""
    pem = (pathlib.Path(server.endpoints["ca"]).parent / "server.pem").read_text()
    first = pem[: pem.index("-----END CERTIFICATE-----") + len("-----END CERTIFICATE-----\n")]
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).digest()


def connected(aiohttp, url, connector=None, **options):
    """Whether a request gets through; the exception if not."""

    async def run():
        made = aiohttp.TCPConnector(**(connector or {}))
        async with aiohttp.ClientSession(connector=made, timeout=aiohttp.ClientTimeout(total=20)) as session:
            try:
                async with session.get(url, **options) as response:
                    return len(await response.read()) == 1
            except aiohttp.ClientError as error:
                return error

    return asyncio.run(run())


def both_ways(aiohttp, url, given):
    """Of a connector, and of a request."""
    found = connected(aiohttp, url, {"ssl": given}), connected(aiohttp, url, ssl=given)
    assert type(found[0]) is type(found[1])
    return found[1]


def test_verified_by_default(aiohttp, server):
    assert isinstance(connected(aiohttp, server.https + "/bytes/1"), aiohttp.ClientConnectorCertificateError)


def test_not_verified(aiohttp, server):
    assert both_ways(aiohttp, server.https + "/bytes/1", False) is True


def test_a_context_with_an_authority(aiohttp, server, ca):
    context = ssl.create_default_context(cafile=ca)
    assert both_ways(aiohttp, server.https + "/bytes/1", context) is True


def test_contexts_that_do_not_verify(aiohttp, server):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    assert both_ways(aiohttp, server.https + "/bytes/1", context) is True


def test_a_default_context_verifies(aiohttp, server):
    error = both_ways(aiohttp, server.https + "/bytes/1", ssl.create_default_context())
    assert isinstance(error, aiohttp.ClientConnectorCertificateError)


def test_a_request_goes_before_its_connector(aiohttp, server):
    url = server.https + "/bytes/1"
    assert connected(aiohttp, url, {"ssl": ssl.create_default_context()}, ssl=False) is True


def test_a_fingerprint(aiohttp, server, digest):
    assert both_ways(aiohttp, server.https + "/bytes/1", aiohttp.Fingerprint(digest)) is True


def test_another_fingerprint(aiohttp, server, digest):
    error = both_ways(aiohttp, server.https + "/bytes/1", aiohttp.Fingerprint(b"x" * 32))
    assert isinstance(error, aiohttp.ServerFingerprintMismatch)
    assert error.expected == b"x" * 32 and (error.host, error.port)[0] == "127.0.0.1"
    assert error.got == digest


def test_what_is_no_fingerprint(aiohttp):
    for wrong in (b"x" * 16, b"x" * 20, b"x" * 5):
        with pytest.raises(ValueError):
            aiohttp.Fingerprint(wrong)
    assert aiohttp.Fingerprint(b"x" * 32).fingerprint == b"x" * 32


def test_the_older_arguments(aiohttp, server, ca, digest):
    url = server.https + "/bytes/1"
    for older in ({"verify_ssl": False}, {"ssl_context": ssl.create_default_context(cafile=ca)}, {"fingerprint": digest}):
        with pytest.warns(DeprecationWarning):
            assert connected(aiohttp, url, older) is True
        with pytest.warns(DeprecationWarning):
            assert connected(aiohttp, url, **older) is True


def test_server_hostname(aiohttp, server, ca, since):
    since(3, 9, "server_hostname")
    context = ssl.create_default_context(cafile=ca)
    url = server.https + "/bytes/1"
    assert connected(aiohttp, url, ssl=context, server_hostname="localhost") is True
    error = connected(aiohttp, url, ssl=context, server_hostname="other.test")
    assert isinstance(error, aiohttp.ClientConnectorCertificateError)


def test_connections_are_not_shared_between_identities(aiohttp, server, ca):
    """Of two that may see each other's, the stricter one would let everything through."""

    async def run():
        async with aiohttp.ClientSession() as session:
            url = server.https + "/bytes/1"
            async with session.get(url, ssl=False) as response:
                await response.read()
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await session.get(url)
            with pytest.raises(aiohttp.ServerFingerprintMismatch):
                await session.get(url, ssl=aiohttp.Fingerprint(b"x" * 32))

    asyncio.run(run())


def test_client_certificates_through_hc_tls(strict):
    import hc.aiohttp

    server, folder = strict
    url = server.https + "/bytes/1"
    ca = str(folder / "ca.pem")
    identity = hc.TLS(ca_file=ca, certificate_file=str(folder / "client.pem"), key_file=str(folder / "client.key"))
    assert both_ways(hc.aiohttp, url, identity) is True
    assert isinstance(connected(hc.aiohttp, url, ssl=hc.TLS(ca_file=ca)), hc.aiohttp.ClientError)


def test_what_ssl_cannot_be(aiohttp, server):
    async def run():
        async with aiohttp.ClientSession() as session:
            with pytest.raises(TypeError):
                await session.get(server.https, ssl="yes")

    asyncio.run(run())
