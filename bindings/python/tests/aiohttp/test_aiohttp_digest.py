"""Digest authentication, with a server that checks it."""

import asyncio
import hashlib
import io
import re

import pytest
from recorder import Recorder, recorder, reply  # noqa: F401

HASHES = {"MD5": "md5", "SHA": "sha1", "SHA-256": "sha256", "SHA256": "sha256", "SHA-512": "sha512"}


def parameters_of(field):
    found = re.findall(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))', field)
    return {name: re.sub(r"\\(.)", r"\1", quoted) or plain for name, quoted, plain in found}


class Guard:
    """Lets in who knows the password; counts what it asked for."""

    def __init__(self, login="me", password="secret", algorithm="MD5", qop="auth", extra="", nonces=("n1",)):
        self.login, self.password, self.algorithm, self.qop, self.extra = login, password, algorithm, qop, extra
        self.nonces, self.challenges, self.counts = list(nonces), 0, []

    def __call__(self, request):
        given = parameters_of(request.headers.get("authorization", ""))
        if given and given["nonce"] == self.nonces[0] and self.is_right(request, given):
            self.counts.append(given.get("nc"))
            return reply(b"welcome")
        self.challenges += 1
        if given and len(self.nonces) > 1:
            self.nonces.pop(0)
        qop = f', qop="{self.qop}"' if self.qop else ""
        algorithm = f", algorithm={self.algorithm}" if self.algorithm else ""
        challenge = f'Digest realm="the \\"realm\\"", nonce="{self.nonces[0]}"{qop}{algorithm}{self.extra}'
        return reply(b"who?", f"WWW-Authenticate: {challenge}", status="401 Unauthorized")

    def is_right(self, request, given):
        algorithm = self.algorithm or "MD5"

        def digest(*texts):
            return hashlib.new(HASHES[algorithm.replace("-SESS", "")], ":".join(texts).encode()).hexdigest()

        secret = digest(self.login, 'the "realm"', self.password)
        if algorithm.endswith("-SESS"):
            secret = digest(secret, given["nonce"], given["cnonce"])
        signed = f"{request.method}:{request.target}"
        if given.get("qop") == "auth-int":
            signed += ":" + hashlib.new(HASHES[algorithm.replace("-SESS", "")], request.body).hexdigest()
        proofs = [given["nc"], given["cnonce"], given["qop"]] if self.qop else []
        expected = digest(secret, given["nonce"], *proofs, digest(signed))
        return given["uri"] == request.target and given["response"] == expected


def asked(aiohttp, recorder, *requests, login="me", password="secret", **options):
    """The statuses of requests (method, path, options) in one session."""

    async def run():
        seen = []
        middleware = aiohttp.DigestAuthMiddleware(login, password, **options)
        async with aiohttp.ClientSession(middlewares=(middleware,)) as session:
            for method, path, given in requests:
                async with session.request(method, recorder.url + path, **given) as response:
                    await response.read()
                    seen.append(response.status)
        return seen

    return asyncio.run(asyncio.wait_for(run(), 20))


@pytest.fixture(autouse=True)
def not_before(since):
    since(3, 12, "digest authentication")


@pytest.mark.parametrize("algorithm", ["", "MD5", "MD5-SESS", "SHA", "SHA-256", "SHA256", "SHA-256-SESS", "SHA-512"])
@pytest.mark.parametrize("qop", ["", "auth", "auth-int", "auth,auth-int"])
def test_algorithms_and_qualities(aiohttp, recorder, algorithm, qop):
    if algorithm.endswith("-SESS") and not qop:
        pytest.skip("there is no cnonce without qop")
    recorder.answer = Guard(algorithm=algorithm, qop=qop)
    assert asked(aiohttp, recorder, ("POST", "/x?a=%20b", {"data": b"body"})) == [200]
    first, second = recorder.requests
    assert "authorization" not in first.headers
    assert first.body == second.body == b"body"


def test_a_known_challenge_is_answered_at_once(aiohttp, recorder):
    guard = recorder.answer = Guard()
    assert asked(aiohttp, recorder, *[("GET", f"/{number}", {}) for number in range(3)]) == [200, 200, 200]
    assert guard.challenges == 1
    assert guard.counts == ["00000001", "00000002", "00000003"]


def test_unless_it_is_not_to_be(aiohttp, recorder):
    guard = recorder.answer = Guard()
    assert asked(aiohttp, recorder, *[("GET", "/", {})] * 2, preemptive=False) == [200, 200]
    assert guard.challenges == 2


def test_a_nonce_that_is_stale(aiohttp, recorder):
    guard = recorder.answer = Guard(nonces=("n1", "n2"))
    assert asked(aiohttp, recorder, ("GET", "/1", {})) == [200]
    guard.nonces = ["n3"]
    assert asked(aiohttp, recorder, ("GET", "/1", {}), ("GET", "/2", {})) == [200, 200]
    assert guard.counts[-2:] == ["00000001", "00000002"]


def test_a_wrong_password_is_tried_once(aiohttp, recorder):
    recorder.answer = Guard()
    assert asked(aiohttp, recorder, ("GET", "/", {}), password="wrong") == [401]
    assert len(recorder.requests) == 2


@pytest.mark.parametrize(
    "challenge",
    ["Basic realm=x", "Digest", "Digest ", "Bearer x", "", 'Digest ="x"'],
)
def test_other_challenges_are_left_alone(aiohttp, recorder, challenge):
    fields = [f"WWW-Authenticate: {challenge}"] if challenge else []
    recorder.answer = lambda request: reply(b"", *fields, status="401 Unauthorized")
    assert asked(aiohttp, recorder, ("GET", "/", {})) == [401]
    assert len(recorder.requests) == 1


@pytest.mark.parametrize(
    "challenge, told",
    [
        ('realm="x"', "Missing 'nonce'"),
        ('nonce="x"', "Missing 'realm'"),
        ('realm="x", nonce=""', "empty 'nonce'"),
        ('realm="x", nonce="y", qop="new"', "Unsupported Quality of Protection"),
        ('realm="x", nonce="y", algorithm=NEW', "Unsupported hash algorithm: NEW"),
    ],
)
def test_challenges_that_make_no_sense(aiohttp, recorder, challenge, told):
    recorder.answer = lambda request: reply(b"", f"WWW-Authenticate: Digest {challenge}", status="401 Unauthorized")
    with pytest.raises(aiohttp.ClientError, match=told):
        asked(aiohttp, recorder, ("GET", "/", {}))


def test_a_challenge_that_makes_no_sense_is_forgotten(recorder):
    """aiohttp answers it in each request to come, and fails before one is sent."""
    from hc import aiohttp

    async def run():
        middleware = aiohttp.DigestAuthMiddleware("me", "secret")
        async with aiohttp.ClientSession(middlewares=(middleware,)) as session:
            with pytest.raises(aiohttp.ClientError):
                await session.get(recorder.url)
            recorder.answer = Guard()
            async with session.get(recorder.url) as response:
                return response.status

    recorder.answer = lambda request: reply(b"", 'WWW-Authenticate: Digest realm="x"', status="401 Unauthorized")
    assert asyncio.run(run()) == 200


def test_a_second_challenge_in_the_field_does_not_count(aiohttp, recorder):
    recorder.answer = Guard(extra=', Basic realm="other"')
    assert asked(aiohttp, recorder, ("GET", "/", {})) == [200]


def test_quotes_in_the_login(aiohttp, recorder):
    recorder.answer = Guard(login='m"e\\')
    assert asked(aiohttp, recorder, ("GET", "/", {}), login='m"e\\') == [200]


def test_opaque_comes_back(aiohttp, recorder):
    recorder.answer = Guard(extra=', opaque="o\\"p"')
    assert asked(aiohttp, recorder, ("GET", "/", {})) == [200]
    assert parameters_of(recorder.last.headers["authorization"])["opaque"] == 'o"p'


def test_the_domain_of_a_challenge(aiohttp, recorder):
    guard = recorder.answer = Guard(extra=', domain="/in /also/"')
    requests = [("GET", path, {}) for path in ("/in", "/in/side", "/also/x", "/inside", "/out")]
    assert asked(aiohttp, recorder, *requests) == [200] * 5
    assert guard.challenges == 3  # the first, and the two that are outside


def test_other_servers_get_nothing(aiohttp, recorder):
    async def run():
        middleware = aiohttp.DigestAuthMiddleware("me", "secret")
        async with aiohttp.ClientSession(middlewares=(middleware,)) as session:
            seen = []
            for url in (recorder.url, other.url):
                async with session.get(url) as response:
                    seen.append(response.status)
            return seen

    recorder.answer = Guard()
    with Recorder(Guard()) as other:
        assert asyncio.run(run()) == [200, 401]
        assert [request.headers.get("authorization") for request in other.requests] == [None]


def test_files_are_sent_again(aiohttp, recorder, tmp_path):
    path = tmp_path / "some"
    path.write_bytes(b"content" * 1000)
    recorder.answer = Guard()
    with open(path, "rb") as file:
        requests = ("POST", "/", {"data": file}), ("POST", "/", {"data": io.BytesIO(b"memory")})
        assert asked(aiohttp, recorder, *requests) == [200, 200]
    assert recorder.requests[1].body == path.read_bytes()


def test_an_iterator_is_not_sent_again(recorder):
    """aiohttp sends an empty body the second time."""
    from hc import aiohttp

    async def pieces():
        yield b"once"

    recorder.answer = Guard()
    assert asked(aiohttp, recorder, ("POST", "/", {"data": pieces()})) == [401]
    assert [request.body for request in recorder.requests] == [b"once"]


def test_what_is_no_login(aiohttp):
    for arguments in ((None, "x"), ("x", None), ("a:b", "x")):
        with pytest.raises(ValueError):
            aiohttp.DigestAuthMiddleware(*arguments)
