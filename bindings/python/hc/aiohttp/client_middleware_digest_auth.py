"""HTTP digest authentication, RFC 7616, as a middleware."""

import contextlib
import hashlib
import os
import re
import time
from typing import Any, Callable, Dict, Final, FrozenSet, List, Optional, Tuple, TypedDict, cast

from yarl import URL

from . import hdrs
from ._upload import pieces_of
from .client_exceptions import ClientError
from .client_middlewares import ClientHandlerType
from .client_reqrep import ClientRequest, ClientResponse

__all__ = ("DigestAuthMiddleware",)


class DigestAuthChallenge(TypedDict, total=False):
    realm: str
    nonce: str
    qop: str
    algorithm: str
    opaque: str
    domain: str
    stale: str


CHALLENGE_FIELDS: Final = ("realm", "nonce", "qop", "algorithm", "opaque", "domain", "stale")
QUOTED_AUTH_FIELDS: Final[FrozenSet[str]] = frozenset(
    ("username", "realm", "nonce", "uri", "response", "opaque", "cnonce")
)

_HASHES = {"MD5": hashlib.md5, "SHA": hashlib.sha1, "SHA-256": hashlib.sha256, "SHA-512": hashlib.sha512}
_SPELLINGS = {"SHA256": "SHA-256", "SHA512": "SHA-512", **{name: name for name in _HASHES}}

#: Each also with -SESS: the nonces are part of the first hash.
DigestFunctions: Dict[str, Callable[..., Any]] = {
    name + suffix: _HASHES[known] for name, known in _SPELLINGS.items() for suffix in ("", "-SESS")
}
SUPPORTED_ALGORITHMS: Final[Tuple[str, ...]] = tuple(sorted(DigestFunctions))

_PARAMETER = re.compile(r'(?:^|\s|,\s*)(\w+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+)))?')


def escape_quotes(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def unescape_quotes(value: str) -> str:
    return value.replace('\\"', '"').replace("\\\\", "\\")


def parse_header_pairs(header: str) -> Dict[str, str]:
    """The parameters of the first challenge of a field; a word without "=" begins another one."""
    pairs: Dict[str, str] = {}
    for name, quoted, plain in (match.groups() for match in _PARAMETER.finditer(header)):
        if quoted is not None or plain is not None:
            pairs[name] = unescape_quotes(quoted) if quoted is not None else plain
        elif pairs:
            break
    return pairs


class DigestAuthMiddleware:
    """Answers the challenges of one server, the first that a request goes to; others are asked without it.

    Requests to where a challenge was met are answered before they are challenged again, unless preemptive is false.
    """

    def __init__(self, login: str, password: str, preemptive: bool = True) -> None:
        if login is None:
            raise ValueError("None is not allowed as login value")
        if password is None:
            raise ValueError("None is not allowed as password value")
        if ":" in login:
            raise ValueError('A ":" is not allowed in username (RFC 1945#section-11.1)')
        self._login = login
        self._password = password
        self._preemptive = preemptive
        self._challenge: DigestAuthChallenge = {}
        self._last_nonce = ""
        self._nonce_count = 0
        self._protection_space: List[str] = []
        self._origin: Optional[URL] = None  # of the first request

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        origin = request.url.origin()
        if self._origin is None:
            self._origin = origin
        is_known = self._in_protection_space(request.url)
        if origin != self._origin and not is_known:
            return await handler(request)
        if self._preemptive and self._challenge and is_known:
            await self._sign(request)
        response = await handler(request)
        if not self._authenticate(response) or getattr(request.body, "consumed", False):
            return response  # what was an iterator is gone
        response.release()
        await self._sign(request)
        response = await handler(request)
        self._authenticate(response)  # the next request may need what it says
        return response

    async def _sign(self, request: ClientRequest) -> None:
        try:
            request.headers[hdrs.AUTHORIZATION] = await self._encode(request.method, request.url, request.body)
        except ClientError:
            self._challenge = {}  # the next request asks for another one
            raise

    # ------------------------------------------------------------------------------------------- the challenge

    def _authenticate(self, response: ClientResponse) -> bool:
        """Whether the response is a challenge that can be answered; keeps it."""
        scheme, _, parameters = response.headers.get(hdrs.WWW_AUTHENTICATE, "").partition(" ")
        if response.status != 401 or scheme.lower() != "digest":
            return False
        pairs = parse_header_pairs(parameters)
        if not pairs or not _is_text(parameters):
            return False
        self._challenge = cast(DigestAuthChallenge, {name: pairs[name] for name in CHALLENGE_FIELDS if name in pairs})
        self._protection_space = self._spaces_of(response.url.origin())
        return bool(self._challenge)

    def _spaces_of(self, origin: URL) -> List[str]:
        """What the challenge says it is for; if nothing, the whole server."""
        spaces = []
        for uri in self._challenge.get("domain", "").replace('"', "").split():
            with contextlib.suppress(ValueError):  # not a URL
                spaces.append(str(origin.join(URL(uri)) if uri.startswith("/") else URL(uri)))
        return spaces or [str(origin)]

    def _in_protection_space(self, url: URL) -> bool:
        text = str(url)
        return any(_is_below(text, space) for space in self._protection_space)

    # --------------------------------------------------------------------------------------------- the answer

    async def _encode(self, method: str, url: URL, body: Any) -> str:
        """The value of the Authorization field; ClientError if the challenge cannot be answered."""
        challenge = self._challenge
        _check(challenge)
        algorithm = challenge.get("algorithm", "MD5")
        function, target, qop = _function_of(algorithm), URL(url).raw_path_qs, _quality(challenge)
        signed = f"{method.upper()}:{target}"
        if qop == "auth-int":
            signed += f":{function(await _bytes_of(body)).hexdigest()}"
        count, cnonce = self._next_count(challenge["nonce"]), self._client_nonce()
        answer = {
            "username": escape_quotes(self._login),
            "realm": escape_quotes(challenge["realm"]),
            "nonce": escape_quotes(challenge["nonce"]),
            "uri": target,
            "response": self._proof(function, signed, (count, cnonce, qop) if qop else (), cnonce),
            "algorithm": algorithm,
        }
        if challenge.get("opaque"):
            answer["opaque"] = escape_quotes(challenge["opaque"])
        if qop:
            answer.update(qop=qop, nc=count, cnonce=cnonce)
        return "Digest " + ", ".join(_parameter(name, value) for name, value in answer.items())

    def _proof(self, function: Callable[..., Any], signed: str, counted: Tuple[str, ...], cnonce: str) -> str:
        """RFC 7616, 3.4.1."""

        def digest(*texts: str) -> str:
            value: str = function(":".join(texts).encode()).hexdigest()
            return value

        nonce = self._challenge["nonce"]
        secret = digest(self._login, self._challenge["realm"], self._password)
        if self._challenge.get("algorithm", "").upper().endswith("-SESS"):
            secret = digest(secret, nonce, cnonce)
        return digest(secret, nonce, *counted, digest(signed))

    def _next_count(self, nonce: str) -> str:
        """How often this nonce was answered."""
        self._nonce_count = self._nonce_count + 1 if nonce == self._last_nonce else 1
        self._last_nonce = nonce
        return f"{self._nonce_count:08x}"

    def _client_nonce(self) -> str:
        seed = f"{self._nonce_count}{self._last_nonce}{time.ctime()}".encode() + os.urandom(8)
        return hashlib.sha1(seed).hexdigest()[:16]


def _is_text(value: str) -> bool:
    """Whether it can be sent back: what is not UTF-8 has no encoding."""
    return value.encode("utf-8", "ignore").decode() == value


def _check(challenge: DigestAuthChallenge) -> None:
    for name in ("realm", "nonce"):
        if name not in challenge:
            raise ClientError(f"Malformed Digest auth challenge: Missing '{name}' parameter")
    if not challenge["nonce"]:
        raise ClientError("Security issue: Digest auth challenge contains empty 'nonce' value")


def _function_of(algorithm: str) -> Callable[..., Any]:
    name = algorithm.upper()
    if name not in DigestFunctions:
        text = f"Digest auth error: Unsupported hash algorithm: {name}. "
        raise ClientError(text + f"Supported algorithms: {', '.join(SUPPORTED_ALGORITHMS)}")
    return DigestFunctions[name]


def _quality(challenge: DigestAuthChallenge) -> str:
    """The best that the server offers; "" if it knows none."""
    offered = challenge.get("qop", "")
    names = {name.strip() for name in offered.split(",")}
    for known in ("auth-int", "auth"):
        if known in names:
            return known
    if offered:
        raise ClientError(f"Digest auth error: Unsupported Quality of Protection (qop) value(s): {offered}")
    return ""


def _is_below(text: str, space: str) -> bool:
    """Whether it begins with the space, and goes on in a path of its own."""
    return text.startswith(space) and (text == space or space.endswith("/") or text[len(space)] == "/")


def _parameter(name: str, value: str) -> str:
    return f'{name}="{value}"' if name in QUOTED_AUTH_FIELDS else f"{name}={value}"


async def _bytes_of(body: Any) -> bytes:
    if not body:
        return b""
    if hasattr(body, "as_bytes"):  # an iterator keeps them there for sending
        return bytes(await body.as_bytes())
    return b"".join([piece async for piece in pieces_of(body)])
