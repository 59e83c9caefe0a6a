"""Cookie jars by themselves."""

import asyncio
import os
import pickle
import time
import types

import pytest
from yarl import URL

HOST = URL("http://a.test/")


def cookies(aiohttp, url, *fields, **options):
    """What a jar sends to HOST or another URL after these Set-Cookie fields came from `url`."""
    to = URL(options.pop("to", str(url)))

    async def run():
        jar = aiohttp.CookieJar(**options)
        take(jar, fields, URL(url))
        return {name: morsel.value for name, morsel in jar.filter_cookies(to).items()}

    return asyncio.run(run())


def take(jar, fields, url):
    if hasattr(jar, "update_cookies_from_headers"):
        jar.update_cookies_from_headers(fields, url)
        return
    from http.cookies import SimpleCookie

    for field in fields:
        jar.update_cookies(SimpleCookie(field), url)


@pytest.mark.parametrize(
    "field, to, is_sent",
    [
        ("k=v", "http://a.test/", True),
        ("k=v", "http://a.test:8080/", True),
        ("k=v", "https://a.test/", True),
        ("k=v", "http://b.a.test/", False),
        ("k=v", "http://b.test/", False),
        ("k=v; Domain=a.test", "http://b.a.test/", True),
        ("k=v; Domain=.a.test", "http://b.a.test/", True),
        ("k=v; Domain=a.test.", "http://b.a.test/", False),
        ("k=v; Domain=a.test.", "http://a.test/", True),
        ("k=v; Domain=other.test", "http://other.test/", False),
        ("k=v; Domain=b.a.test", "http://b.a.test/", False),
        ("k=v; Domain=test", "http://x.test/", True),
        ("k=v; Secure", "http://a.test/", False),
        ("k=v; Secure", "https://a.test/", True),
        ("k=v; Secure", "wss://a.test/", True),
        ("k=v; Max-Age=0", "http://a.test/", False),
        ("k=v; Max-Age=-1", "http://a.test/", False),
        ("k=v; Max-Age=1000", "http://a.test/", True),
        ("k=v; Max-Age=nonsense", "http://a.test/", True),
        ("k=v; Max-Age=99999999999999999999", "http://a.test/", True),
        ("k=v; Expires=Wed, 09 Jun 2021 10:18:14 GMT", "http://a.test/", False),
        ("k=v; Expires=Wed, 09 Jun 2100 10:18:14 GMT", "http://a.test/", True),
        ("k=v; Expires=Wed, 09 Jun 2021 10:18:14 GMT; Max-Age=1000", "http://a.test/", True),
        ("k=v; Expires=nonsense", "http://a.test/", True),
    ],
)
def test_domain_secure_and_age(aiohttp, field, to, is_sent):
    assert cookies(aiohttp, "https://a.test/", field, to=to) == ({"k": "v"} if is_sent else {})


@pytest.mark.parametrize(
    "came_from, field, to, is_sent",
    [
        ("/", "k=v", "/any/where", True),
        ("/one/two", "k=v", "/one/two", True),
        ("/one/two", "k=v", "/one/other", True),
        ("/one/two", "k=v", "/one", True),
        ("/one/two/", "k=v", "/one/two/three", True),
        ("/one/two/", "k=v", "/one", False),
        ("/one/two", "k=v", "/", False),
        ("/one/two", "k=v; Path=/", "/", True),
        ("/one/two", "k=v; Path=relative", "/one/x", True),
        ("/", "k=v; Path=/one", "/one", True),
        ("/", "k=v; Path=/one", "/one/two", True),
        ("/", "k=v; Path=/one", "/onetwo", False),
        ("/", "k=v; Path=/one/", "/one", False),
        ("/", "k=v; Path=/one/", "/one/", True),
    ],
)
def test_path(aiohttp, came_from, field, to, is_sent):
    came = cookies(aiohttp, f"http://a.test{came_from}", field, to=f"http://a.test{to}")
    assert came == ({"k": "v"} if is_sent else {})


def test_the_closest_path_and_domain_win(aiohttp, since):
    since(3, 9, "3.8 goes by the order of arrival")
    fields = ["k=wide; Path=/; Domain=test", "k=close; Path=/one", "k=host; Path=/"]
    assert cookies(aiohttp, "http://a.test/one/", *fields, to="http://a.test/one/two") == {"k": "close"}
    assert cookies(aiohttp, "http://a.test/one/", *fields, to="http://a.test/") == {"k": "host"}
    assert cookies(aiohttp, "http://a.test/one/", *fields, to="http://b.test/") == {"k": "wide"}


def test_addresses_need_unsafe(aiohttp):
    for url in ("http://127.0.0.1/", "http://[::1]/"):
        assert cookies(aiohttp, url, "k=v") == {}
        assert cookies(aiohttp, url, "k=v", unsafe=True) == {"k": "v"}


def test_treat_as_secure_origin(aiohttp):
    for origin in ("http://a.test", URL("http://a.test/path"), ["http://b.test", URL("http://a.test")]):
        came = cookies(aiohttp, "https://a.test/", "k=v; Secure", to="http://a.test/", treat_as_secure_origin=origin)
        assert came == {"k": "v"}
        came = cookies(aiohttp, "https://a.test/", "k=v; Secure", to="http://a.test:8/", treat_as_secure_origin=origin)
        assert came == {}


def test_quoting(aiohttp, since):
    since(3, 12, "quote_cookie=False had no effect on values from a dict")

    async def run():
        sent = []
        for quote in (True, False):
            jar = aiohttp.CookieJar(quote_cookie=quote)
            jar.update_cookies({"plain": "v", "comma": "a,b", "space": "a b"}, HOST)
            sent.append({name: morsel.OutputString() for name, morsel in jar.filter_cookies(HOST).items()})
        return sent

    quoted, raw = asyncio.run(run())
    assert raw == {"plain": "plain=v", "comma": "comma=a,b", "space": "space=a b"}
    assert quoted["plain"] == "plain=v"
    assert quoted["space"] == 'space="a b"'
    assert quoted["comma"] == 'comma="a\\054b"'


def test_quoted_values_go_back_as_they_came(aiohttp, since):
    since(3, 12, "coded values are kept")

    async def run():
        jar = aiohttp.CookieJar()
        jar.update_cookies_from_headers(['k="a b"', 'x="abc"'], HOST)
        return {name: morsel.OutputString() for name, morsel in jar.filter_cookies(HOST).items()}

    assert asyncio.run(run()) == {"k": 'k="a b"', "x": 'x="abc"'}


def test_the_kinds_of_cookies_that_are_taken(aiohttp):
    from http.cookies import Morsel, SimpleCookie

    async def run():
        jar = aiohttp.CookieJar()
        jar.update_cookies({"a": "1"}, HOST)
        jar.update_cookies([("b", "2")], HOST)
        jar.update_cookies(SimpleCookie("c=3; Path=/"), HOST)
        morsel = Morsel()
        morsel.set("d", "4", "4")
        jar.update_cookies({"d": morsel}, HOST)
        jar.update_cookies({"e": "5"})  # no URL: for every host
        here = {name: morsel.value for name, morsel in jar.filter_cookies(HOST).items()}
        elsewhere = {name: morsel.value for name, morsel in jar.filter_cookies(URL("http://else.test/")).items()}
        return here, elsewhere, len(jar), sorted(morsel.key for morsel in jar)

    here, elsewhere, count, names = asyncio.run(run())
    assert here == {"a": "1", "b": "2", "c": "3", "d": "4", "e": "5"}
    assert elsewhere == {"e": "5"}
    assert (count, names) == (5, ["a", "b", "c", "d", "e"])


def test_what_is_sent_has_no_attributes(aiohttp):
    async def run():
        jar = aiohttp.CookieJar()
        take(jar, ["k=v; Path=/; Max-Age=1000; HttpOnly; SameSite=Lax"], HOST)
        return jar.filter_cookies(HOST)["k"].OutputString(), [dict(morsel) for morsel in jar][0]

    sent, kept = asyncio.run(run())
    assert sent == "k=v"
    assert kept["httponly"] and kept["samesite"] == "Lax" and kept["domain"] == "a.test"


def test_a_cookie_set_again_replaces(aiohttp):
    async def run():
        jar = aiohttp.CookieJar()
        seen = []
        for value in ("1", "2", "3; Max-Age=0"):
            take(jar, [f"k={value}"], HOST)
            seen.append({name: morsel.value for name, morsel in jar.filter_cookies(HOST).items()})
        return seen

    assert asyncio.run(run()) == [{"k": "1"}, {"k": "2"}, {}]


def test_expiry_follows_the_clock(aiohttp, since, part, monkeypatch):
    since(3, 9, "3.8 counts in datetime")
    now = time.time()

    async def run():
        nonlocal now
        jar = aiohttp.CookieJar()
        take(jar, ["short=1; Max-Age=10", "long=1; Max-Age=100", "kept=1"], HOST)
        seen = []
        for seconds in (9, 2, 90):
            now += seconds
            seen.append(sorted(jar.filter_cookies(HOST)))
        return seen

    monkeypatch.setattr(part("cookiejar"), "time", types.SimpleNamespace(time=lambda: now))
    assert asyncio.run(run()) == [["kept", "long", "short"], ["kept", "long"], ["kept"]]


def test_clear(aiohttp):
    async def run():
        jar = aiohttp.CookieJar()

        def fill():
            jar.clear()
            for host in ("a.test", "b.a.test", "other.test"):
                jar.update_cookies({"k": "v", "x": "v"}, URL(f"http://{host}/"))

        def places():
            return sorted((morsel["domain"], morsel.key) for morsel in jar)

        fill()
        jar.clear_domain("a.test")
        first = places()
        fill()
        jar.clear(lambda morsel: morsel.key == "k")
        second = places()
        jar.clear()
        return first, second, len(jar)

    first, second, rest = asyncio.run(run())
    assert first == [("other.test", "k"), ("other.test", "x")]
    assert second == [("a.test", "x"), ("b.a.test", "x"), ("other.test", "x")]
    assert rest == 0


def test_save_and_load(aiohttp, tmp_path):
    path = tmp_path / "jar"

    async def run():
        jar = aiohttp.CookieJar()
        take(jar, ["k=v", "wide=1; Domain=a.test", "path=1; Path=/one", "quoted=a b"], HOST)
        jar.update_cookies({"shared": "1"})
        jar.save(path)
        other = aiohttp.CookieJar()
        other.load(str(path))
        urls = [HOST, HOST / "one", URL("http://b.a.test"), URL("http://else.test")]
        return [[{n: m.value for n, m in each.filter_cookies(url).items()} for url in urls] for each in (jar, other)]

    saved, loaded = asyncio.run(run())
    assert saved[0] == loaded[0]
    assert saved[1] == loaded[1]
    assert saved[3] == loaded[3]


def test_a_saved_jar_keeps_hosts_and_times(aiohttp, since, tmp_path):
    since(3, 14, "saved as JSON")
    path = tmp_path / "jar"

    async def run():
        jar = aiohttp.CookieJar()
        take(jar, ["k=v", "gone=v; Max-Age=0", "later=v; Max-Age=1000"], HOST)
        jar.save(path)
        other = aiohttp.CookieJar()
        other.load(path)
        return sorted(other.filter_cookies(HOST)), sorted(other.filter_cookies(URL("http://b.a.test"))), other

    here, below, jar = asyncio.run(run())
    assert (here, below) == (["k", "later"], [])
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert jar.host_only_cookies == {("a.test", "k"), ("a.test", "later")}


def test_a_pickle_of_anything_else_is_refused(aiohttp, since, tmp_path):
    since(3, 14, "older ones unpickle everything")
    path = tmp_path / "jar"
    path.write_bytes(pickle.dumps(os.system))

    async def run():
        aiohttp.CookieJar().load(path)

    with pytest.raises(pickle.UnpicklingError, match="Forbidden class"):
        asyncio.run(run())


def test_pickles_of_older_jars_are_read(aiohttp, tmp_path):
    from collections import defaultdict
    from http.cookies import SimpleCookie

    kept = defaultdict(SimpleCookie)
    kept[("a.test", "")] = SimpleCookie("k=v; Path=/; Domain=a.test")
    path = tmp_path / "jar"
    path.write_bytes(pickle.dumps(kept))

    async def run():
        jar = aiohttp.CookieJar()
        jar.load(path)
        return {name: morsel.value for name, morsel in jar.filter_cookies(HOST).items()}

    assert asyncio.run(run()) == {"k": "v"}


def test_the_dummy_keeps_nothing(aiohttp):
    async def run():
        jar = aiohttp.DummyCookieJar()
        jar.update_cookies({"k": "v"}, HOST)
        jar.clear()
        jar.clear_domain("a.test")
        return len(jar), list(jar), dict(jar.filter_cookies(HOST))

    assert asyncio.run(run()) == (0, [], {})


def test_a_jar_needs_a_loop(aiohttp, since):
    since(3, 9, "3.8 makes a loop, and warns")
    with pytest.raises(RuntimeError):
        aiohttp.CookieJar()


@pytest.mark.parametrize(
    "date, seconds",
    [
        ("Wed, 09 Jun 2021 10:18:14 GMT", 1623233894),
        ("Wednesday, 09-Jun-21 10:18:14 GMT", 1623233894),
        ("Wed Jun  9 10:18:14 2021", 1623233894),
        ("10:18:14 9 june 2021", 1623233894),
        ("1 Jan 70 00:00:00", 0),
        ("1 Jan 69 00:00:00", 3124224000),
        ("32 Jan 2021 00:00:00", None),
        ("1 Jan 1600 00:00:00", None),
        ("1 Jan 2021 24:00:00", None),
        ("1 Jan 2021 00:60:00", None),
        ("1 Jan 2021", None),
        ("Jan 2021 00:00:00", None),
        ("", None),
    ],
)
def test_dates(aiohttp, date, seconds):
    found = aiohttp.CookieJar._parse_date(date)
    assert (found.timestamp() if hasattr(found, "timestamp") else found) == seconds


@pytest.mark.parametrize(
    "field, names",
    [
        ("a=1", ["a"]),
        ("a=1; b=2", ["a", "b"]),
        ('a="x;y"; Path=/', ["a"]),
        ('a="never closed; Path=/', ["a"]),
        ("{a}=1", ["{a}"]),
        ("a[0]=1", ["a[0]"]),
        ("Path=/; a=1", []),
        ("a", []),
        ("", []),
    ],
)
def test_fields_as_they_are_in_the_wild(aiohttp, since, field, names):
    since(3, 12, "a parser of its own")

    async def run():
        jar = aiohttp.CookieJar()
        jar.update_cookies_from_headers([field], HOST)
        return [morsel.key for morsel in jar]

    assert asyncio.run(run()) == names
