"""One ClientSession.request(): hop after hop, with what each hop needs anew: cookies, credentials, a proxy."""

import dataclasses
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Sequence, Tuple

from multidict import CIMultiDict
from yarl import URL

from . import hdrs, helpers
from ._exchange import Call, send
from ._request import ClientRequest, has_credentials
from ._response import ClientResponse
from .client_exceptions import (
    ClientPayloadError,
    InvalidUrlClientError,
    InvalidUrlRedirectClientError,
    NonHttpUrlRedirectClientError,
    TooManyRedirects,
)
from .client_middlewares import ClientHandlerType, build_client_middlewares
from .cookiejar import CookieJar
from .tracing import send_all

if TYPE_CHECKING:
    from .client import ClientSession

REDIRECTS = frozenset((301, 302, 303, 307, 308))
_FOLLOWED_SCHEMES = ("http", "https", "")
_OF_AN_ORIGIN = (hdrs.AUTHORIZATION, hdrs.COOKIE, hdrs.PROXY_AUTHORIZATION)


@dataclasses.dataclass
class Journey:
    """What changes from hop to hop, and what stays."""

    session: "ClientSession"
    call: Call
    method: str
    url: URL
    headers: "CIMultiDict[str]"
    params: Any
    data: Any
    cookies: Any
    auth: Any
    proxy: Optional[URL]
    proxy_auth: Any
    proxy_headers: Any
    allow_redirects: bool
    max_redirects: int
    middlewares: Sequence[Any]
    constant: Dict[str, Any]  # arguments of every ClientRequest
    history: List[ClientResponse] = dataclasses.field(default_factory=list)
    request: Optional[ClientRequest] = None
    has_left_its_origin: bool = False

    async def run(self, first: Optional[ClientResponse] = None) -> ClientResponse:
        """The last response, with the others as its history. The first one may be there already."""
        handler: ClientHandlerType = send
        if self.middlewares:
            handler = build_client_middlewares(send, self.middlewares)
        response = await self._one_hop(handler) if first is None else first
        while await self.is_redirected(response):
            response = await self._one_hop(handler)
        await self.end()
        response._history = tuple(self.history)
        return response

    async def _one_hop(self, handler: ClientHandlerType) -> ClientResponse:
        self.request = await self.next_request()
        response = await handler(self.request)
        self.session._keep_cookies(response)
        return response

    async def resume(self, response: ClientResponse, started: float) -> ClientResponse:
        """Goes on after the response to a request without options."""
        if self.call.deadline is not None:
            self.call.deadline = started + self.call.timeout.total
        template, target = response._asked
        self.request = template.request(target)
        response = await self.run(response)
        await check_status(response, self.call.raise_for_status)
        return response

    async def is_redirected(self, response: ClientResponse) -> bool:
        """Whether there is another hop; it is prepared then."""
        if not self.allow_redirects or response.status not in REDIRECTS:
            return False
        await self.tell("on_request_redirect", response)
        self.history.append(response)
        if self.max_redirects and len(self.history) >= self.max_redirects:
            await self._give_up(response)
            raise TooManyRedirects(self.history[0].request_info, tuple(self.history))
        self._choose_method(response)
        location = response.headers.get(hdrs.LOCATION) or response.headers.get(hdrs.URI)
        if location is None:
            return False  # the original counts it in its own history, too
        try:
            self._follow(location)
        except BaseException:
            await self._give_up(response)
            raise
        response.release()
        return True

    async def _give_up(self, response: ClientResponse) -> None:
        response.close()
        await self.end()

    async def end(self) -> None:
        body: Any = None if self.request is None else self.request._body
        if hasattr(body, "close"):  # payloads of aiohttp 3.8 have none
            await body.close()

    async def tell(self, name: str, *more: Any) -> None:
        """One of the signals that are about a request as a whole."""
        if self.call.traces:
            url = self.url.update_query(self.params) if self.params else self.url
            await send_all(self.call.traces, name, self.method, url, self.headers, *more)

    # -------------------------------------------------------------------------------------------------- one hop

    async def next_request(self) -> ClientRequest:
        session = self.session
        found = None
        if has_credentials(self.url):
            self.url, found = helpers.strip_auth_from_url(self.url)
        if not self.url.raw_authority or not self.url.raw_host:
            raise (InvalidUrlRedirectClientError if self.history else InvalidUrlClientError)(self.url)
        auth = await self._choose_auth(found)
        proxy, proxy_auth = await self._choose_proxy()
        cookies = session._cookies_for(self.url, self.cookies)
        return self.request_to(self.url, auth=auth, cookies=cookies, proxy=proxy, proxy_auth=proxy_auth)

    def request_to(self, url: URL, **others: Any) -> ClientRequest:
        request = self.session._request_class(
            self.method,
            url,
            params=self.params,
            headers=self.headers,
            data=self.data,
            proxy_headers=self.proxy_headers,
            **self.constant,
            **others,
        )
        request._call = self.call
        return request

    async def _choose_auth(self, found: Any) -> Any:
        """That of the URL, of the request, of the session, of netrc: the first there is."""
        session = self.session
        if not self.history and self.auth and found:
            raise ValueError("Cannot combine AUTH argument with credentials encoded in URL")
        if self.auth is None or self.history and found is not None:
            self.auth = found
        if self.auth is None and session._default_auth and self._is_for_session_auth():
            self.auth = session._default_auth
        if self.auth is None and session._trust_env and self.url.host is not None:
            self.auth = await session._loop.run_in_executor(None, session._get_netrc_auth, self.url.host)
        if self.auth is not None and hdrs.AUTHORIZATION in self.headers:
            raise ValueError(
                "Cannot combine AUTHORIZATION header with AUTH argument or credentials encoded in URL"
            )
        return self.auth

    def _is_for_session_auth(self) -> bool:
        """With a base_url its server alone; else every server, but for those that a redirect leads to."""
        base = self.session._base_url_origin
        return not self.has_left_its_origin if base is None else base == self.url.origin()

    async def _choose_proxy(self) -> Tuple[Optional[URL], Any]:
        if self.proxy is not None or not self.session._trust_env:
            return self.proxy, self.proxy_auth
        try:
            found = await self.session._loop.run_in_executor(None, helpers.get_env_proxy_for_url, self.url)
        except LookupError:
            return None, self.proxy_auth
        return found

    # ---------------------------------------------------------------------------------------------- to the next one

    def _choose_method(self, response: ClientResponse) -> None:
        """As browsers do, and RFC 9110 allows: a POST becomes a GET, but for 307 and 308."""
        status, method = response.status, response.method
        if status == 303 and method != hdrs.METH_HEAD or status in (301, 302) and method == hdrs.METH_POST:
            self.method, self.data = hdrs.METH_GET, None
            self.headers.popall(hdrs.CONTENT_LENGTH, None)
            return
        assert self.request is not None
        body = self.request._body
        if body is not None and getattr(body, "consumed", False):
            response.close()
            raise ClientPayloadError(
                "Cannot follow redirect with a consumed request body. Use bytes, a seekable file-like object, or set "
                "allow_redirects=False."
            )
        if body is not None:
            self.data = body

    def _follow(self, location: str) -> None:
        try:
            location = _spelled(location)
            target = URL(location, encoded=location.isascii() and not self.session._requote_redirect_url)
        except ValueError as error:
            told = "Server attempted redirecting to a location that does not look like a URL"
            raise InvalidUrlRedirectClientError(location, told) from error
        if target.scheme not in _FOLLOWED_SCHEMES:
            raise NonHttpUrlRedirectClientError(location)
        if not target.scheme:
            target = self.url.join(target)
        try:
            origin = target.origin()
        except ValueError as error:
            raise InvalidUrlRedirectClientError(target, "Invalid redirect URL origin") from error
        if origin != self.url.origin():
            self.auth = self.cookies = None
            self.has_left_its_origin = True
            for name in _OF_AN_ORIGIN:
                self.headers.popall(name, None)
        self.url, self.params = target, None


def _spelled(location: str) -> str:
    """Bytes that are no UTF-8 as browsers spell them."""
    return "".join(f"%{ord(each) - 0xDC00:02X}" if "\udc80" <= each <= "\udcff" else each for each in location)


async def check_status(response: ClientResponse, check: Any) -> None:
    """`raise_for_status`: True, or a coroutine function that decides."""
    if callable(check):
        await check(response)
    elif check:
        response.raise_for_status()


async def traced(journey: Journey) -> ClientResponse:
    """The same with the signals of its begin and end."""
    try:
        await journey.tell("on_request_start")
        response = await journey.run()
        await check_status(response, journey.call.raise_for_status)
        await journey.tell("on_request_end", response)
        return response
    except BaseException as error:
        await journey.end()
        await journey.tell("on_request_exception", error)
        raise


async def timed(journey: Journey) -> ClientResponse:
    """The same within the `total` clock, which the core keeps for its own part: here are others who take their time."""
    session, total = journey.session, journey.call.timeout.total
    if not journey.call.traces and not journey.middlewares:
        return await traced(journey)
    clock = helpers.TimeoutHandle(session._loop, total, ceil_threshold=float("inf"))
    handle = clock.start()
    try:
        with clock.timer():
            return await traced(journey)
    finally:
        clock.close()
        if handle is not None:
            handle.cancel()


def cookies_of(jar: Any, url: URL, given: Any) -> Any:
    """Those of the jar, and over them those of the request."""
    is_ours = type(jar) is CookieJar
    found = None if is_ours and not jar._cookies else jar.filter_cookies(url)
    if given is None:
        return found
    own = CookieJar(unsafe=getattr(jar, "unsafe", False), quote_cookie=getattr(jar, "quote_cookie", True))
    own.update_cookies(given)
    added = own.filter_cookies(url)
    if found is None:
        return added
    found.load(added)
    return found
