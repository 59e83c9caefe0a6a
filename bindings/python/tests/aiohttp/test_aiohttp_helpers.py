"""Credentials, header values, timers and resolvers by themselves."""

import asyncio
import datetime
import socket

import pytest
from yarl import URL


def silent_auth(aiohttp, *arguments):
    """BasicAuth without the warning that newer ones give."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return aiohttp.BasicAuth(*arguments)


def test_basic_auth(aiohttp):
    auth = silent_auth(aiohttp, "näme", "secret")
    assert (auth.login, auth.password, auth.encoding) == ("näme", "secret", "latin1")
    assert auth == ("näme", "secret", "latin1")
    assert auth.encode() == "Basic buRtZTpzZWNyZXQ="
    assert silent_auth(aiohttp, "näme", "", "utf-8").encode() == "Basic bsOkbWU6"


def test_basic_auth_is_deprecated(aiohttp, since):
    since(3, 14, "it was the way to do it")
    with pytest.warns(DeprecationWarning, match="encode_basic_auth"):
        aiohttp.BasicAuth("a")
    assert aiohttp.encode_basic_auth("ä", "b") == "Basic w6Q6Yg=="
    with pytest.raises(ValueError, match="not allowed in login"):
        aiohttp.encode_basic_auth("a:b")


@pytest.mark.parametrize("arguments", [(None,), ("a", None), ("a:b",)])
def test_what_is_no_login(aiohttp, arguments):
    with pytest.raises(ValueError, match="not allowed"):
        silent_auth(aiohttp, *arguments)


def test_decoding_a_field(aiohttp):
    assert aiohttp.BasicAuth.decode("Basic YTpi") == ("a", "b", "latin1")
    assert aiohttp.BasicAuth.decode("basic YTo6Yg==") == ("a", ":b", "latin1")
    assert aiohttp.BasicAuth.decode("Basic w6Q6", encoding="utf-8") == ("ä", "", "utf-8")
    for field, told in (
        ("Basic", "Could not parse"),
        ("Digest x", "Unknown authorization method"),
        ("Basic !", "Invalid base64"),
        ("Basic YQ==", "Invalid credentials"),
    ):
        with pytest.raises(ValueError, match=told):
            aiohttp.BasicAuth.decode(field)


def test_credentials_of_a_url(aiohttp, part):
    of_url = aiohttp.BasicAuth.from_url
    assert of_url(URL("http://a:b%20c@host/")) == ("a", "b c", "latin1")
    assert of_url(URL("http://a@host/")) == ("a", "", "latin1")
    assert of_url(URL("http://host/")) is None
    with pytest.raises(TypeError):
        of_url("http://a@host/")
    url, auth = part("helpers").strip_auth_from_url(URL("http://a:b@host/x"))
    assert (url, auth) == (URL("http://host/x"), ("a", "b", "latin1"))


def test_netrc(aiohttp, since, part, tmp_path, monkeypatch):
    since(3, 9, "the proxy's alone")
    helpers = part("helpers")
    path = tmp_path / "netrc"
    path.write_text("machine a.test login me password secret\n")
    monkeypatch.setenv("NETRC", str(path))
    file = helpers.netrc_from_env()
    assert helpers.basicauth_from_netrc(file, "a.test") == ("me", "secret", "latin1")
    for given, host in ((file, "b.test"), (None, "a.test")):
        with pytest.raises(LookupError):
            helpers.basicauth_from_netrc(given, host)
    path.write_text("nonsense here")
    assert helpers.netrc_from_env() is None
    monkeypatch.setenv("NETRC", str(tmp_path / "missing"))
    assert helpers.netrc_from_env() is None


def test_proxies_of_the_environment(part, monkeypatch, tmp_path):
    helpers = part("helpers")
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "missing"))
    monkeypatch.setenv("http_proxy", "http://me:secret@proxy.test:3128")
    monkeypatch.setenv("no_proxy", "local.test")
    proxy, auth = helpers.get_env_proxy_for_url(URL("http://a.test/"))
    assert (proxy, auth) == (URL("http://proxy.test:3128"), ("me", "secret", "latin1"))
    for url in ("https://a.test/", "http://local.test/", "http://x.local.test/"):
        with pytest.raises(LookupError):
            helpers.get_env_proxy_for_url(URL(url))
    monkeypatch.setenv("http_proxy", "https://proxy.test")
    assert helpers.proxies_from_env() == {}


@pytest.mark.parametrize(
    "text, parts",
    [
        ("", ("", "", "", {})),
        ("*", ("*", "*", "", {})),
        ("application/json", ("application", "json", "", {})),
        ("Application/JSON;Charset=\"UTF-8\"", ("application", "json", "", {"charset": "UTF-8"})),
        ("application/rss+xml; a=1;; b", ("application", "rss", "xml", {"a": "1", "b": ""})),
        ("text", ("text", "", "", {})),
    ],
)
def test_mime_types(part, text, parts):
    found = part("helpers").parse_mimetype(text)
    assert (found.type, found.subtype, found.suffix, dict(found.parameters)) == parts


@pytest.mark.parametrize(
    "raw, kind, parameters",
    [
        ("text/html; charset=utf-8", "text/html", {"charset": "utf-8"}),
        ('TEXT/HTML; charset="utf-8"', "text/html", {"charset": "utf-8"}),
        ("text/html", "text/html", {}),
        ("nonsense", "application/octet-stream", {}),
        ("multipart/x; boundary=\"a b\"", "multipart/x", {"boundary": "a b"}),
    ],
)
def test_content_types(since, part, raw, kind, parameters):
    since(3, 11, "a method of HeadersMixin")
    if raw == "nonsense":
        since(3, 12, "it was text/plain")
    found, given = part("helpers").parse_content_type(raw)
    assert (found, dict(given)) == (kind, parameters)


def test_content_types_that_pythons_parser_fails_at():
    """aiohttp raises IndexError for it."""
    from hc.aiohttp.helpers import parse_content_type

    assert parse_content_type("; charset*") == ("application/octet-stream", {})


def test_fields_that_take_long_to_read_do_not():
    """Each of these is as long as a head may be, and was chosen to be slow."""
    import time

    from hc.aiohttp import helpers

    start = time.monotonic()
    assert len(helpers.parse_links(["<" * 60_000], URL("http://a.test"))) == 0
    assert helpers.parse_content_type("text/html;" + "a*0=" * 15_000)[0] == "text/html"
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    "arguments, options, value",
    [
        (("form-data",), {}, "form-data"),
        (("form-data",), {"name": "a"}, 'form-data; name="a"'),
        (("form-data",), {"name": 'a"\\'}, 'form-data; name="a\\"\\\\"'),
        (("form-data",), {"name": "é"}, "form-data; name*=utf-8''%C3%A9"),
        (("attachment",), {"filename": "a b/é"}, 'attachment; filename="a%20b%2F%C3%A9"'),
        (("attachment", False), {"filename": 'a b"é'}, 'attachment; filename="a b\\"é"'),
        (("attachment", True, "latin1"), {"filename": "é"}, 'attachment; filename="%E9"'),
    ],
)
def test_writing_dispositions(part, arguments, options, value):
    assert part("helpers").content_disposition_header(*arguments, **options) == value


def test_what_is_no_disposition(part):
    write = part("helpers").content_disposition_header
    for arguments, options in ((("",), {}), (("a b",), {}), (("form-data",), {"a b": "x"}), (("form-data",), {"": "x"})):
        with pytest.raises(ValueError):
            write(*arguments, **options)


def test_addresses(part):
    helpers = part("helpers")
    for host in ("127.0.0.1", "::1"):
        assert helpers.is_ip_address(host)
    for host in ("a.test", "1.test", "", None):
        assert not helpers.is_ip_address(host)


def test_addresses_as_they_are_written_today(since, part):
    since(3, 14, "is_canonical_ipv4_address")
    is_canonical = part("helpers").is_canonical_ipv4_address
    assert is_canonical("127.0.0.1") and is_canonical("0.0.0.0") and is_canonical("255.255.255.255")
    for host in ("127.1", "2130706433", "0177.0.0.1", "256.0.0.1", "1.2.3", "1.2.3.4.5", "1.2.3.", "a.b.c.d", "1.2.3.²"):
        assert not is_canonical(host)


def test_maps_in_a_chain(aiohttp):
    first, second = {"a": 1}, {"a": 2, "b": 3}
    chain = aiohttp.ChainMapProxy([first, second])
    assert (chain["a"], chain["b"], chain.get("c", 9), len(chain), sorted(chain)) == (1, 3, 9, 2, ["a", "b"])
    assert "b" in chain and "c" not in chain and chain and not aiohttp.ChainMapProxy([{}])
    with pytest.raises(KeyError):
        chain["c"]
    with pytest.raises(TypeError, match="forbidden"):
        type("Derived", (aiohttp.ChainMapProxy,), {})


def test_dates_and_tags(aiohttp, part):
    helpers = part("helpers")
    date = datetime.datetime(1994, 11, 6, 8, 49, 37, tzinfo=datetime.timezone.utc)
    assert helpers.parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == date
    assert helpers.parse_http_date(None) is helpers.parse_http_date("x") is None
    assert helpers.parse_http_date("Sun, 99 Nov 1994 08:49:37 GMT") is None
    assert aiohttp.ETag("x") == aiohttp.ETag(value="x", is_weak=False) != aiohttp.ETag("x", True)
    with pytest.raises(ValueError):
        helpers.validate_etag_value('"')


def test_timers(part):
    helpers = part("helpers")

    async def run():
        handle = helpers.TimeoutHandle(asyncio.get_running_loop(), 0.001)
        timer = handle.timer()
        handle.start()
        with pytest.raises(asyncio.TimeoutError):
            with timer:
                await asyncio.get_running_loop().create_future()
        with pytest.raises(asyncio.TimeoutError):
            with timer:
                pass
        with helpers.TimeoutHandle(asyncio.get_running_loop(), None).timer():
            pass
        return helpers.TimeoutHandle(asyncio.get_running_loop(), None).start()

    assert asyncio.run(run()) is None


def test_a_cancellation_of_ones_own_is_no_timeout(part):
    async def run():
        timer = part("helpers").TimerContext(asyncio.get_running_loop())

        async def wait():
            with timer:
                await asyncio.get_running_loop().create_future()

        task = asyncio.ensure_future(wait())
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run())


# ------------------------------------------------------------------------------------------------------ resolvers


def test_the_resolver_of_the_system(aiohttp):
    async def run():
        resolver = aiohttp.ThreadedResolver()
        found = await resolver.resolve("localhost", 80, family=socket.AF_INET)
        await resolver.close()
        return found

    (result, *_) = asyncio.run(run())
    assert {name: result[name] for name in ("hostname", "host", "port", "family")} == {
        "hostname": "localhost",
        "host": "127.0.0.1",
        "port": 80,
        "family": socket.AF_INET,
    }
    assert result["flags"] & socket.AI_NUMERICHOST


def test_names_that_are_not_there(aiohttp):
    async def run():
        await aiohttp.ThreadedResolver().resolve("no such name", 80)

    with pytest.raises(socket.gaierror):
        asyncio.run(run())


def test_the_resolver_of_the_library():
    from hc import aiohttp

    async def run():
        resolver = aiohttp.AsyncResolver(nameservers=["127.0.0.1", "127.0.0.1:5353", "::1", "[::1]:5353"])
        with pytest.raises(NotImplementedError):
            await resolver.resolve("localhost")
        with pytest.warns(RuntimeWarning, match="tries: no effect"):
            aiohttp.AsyncResolver(tries=3)
        (result,) = await aiohttp.DefaultResolver().resolve("127.0.0.1", 80)
        return resolver.nameservers, result["host"]

    assert asyncio.run(run()) == ("127.0.0.1,127.0.0.1:5353,[::1],[::1]:5353", "127.0.0.1")


def test_the_names_of_fields(aiohttp):
    assert aiohttp.hdrs.CONTENT_TYPE == "Content-Type"
    assert aiohttp.hdrs.METH_ANY == "*"
    assert aiohttp.hdrs.METH_TRACE in aiohttp.hdrs.METH_ALL
