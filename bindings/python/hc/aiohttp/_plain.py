"""Requests without options, which is most of them: what they have in common is made once, and the rest is the URL."""

import copy
import ctypes
from typing import TYPE_CHECKING, Any, Callable, Dict, NamedTuple, Optional, Tuple

import multidict
from multidict import CIMultiDict
from yarl import URL

from .. import errors
from . import hdrs
from ._engine import Engine, Transfer
from ._exchange import explained, filled
from ._request import ClientRequest, host_field
from ._response import ClientResponse
from ._settings import BOUNDS
from .cookiejar import CookieJar, DummyCookieJar

if TYPE_CHECKING:
    from .client import ClientSession

getversion: Callable[[Any], int] = multidict.getversion  # which is declared for values of type object alone

_MOST_TARGETS = 1024
_SCHEMES = ("http", "https")


class Target(NamedTuple):
    """A URL, parsed and as it is sent."""

    url: URL
    data: bytes


class Template:
    """A hc_request that has everything but the URL."""

    def __init__(self, session: "ClientSession", engine: Engine, model: ClientRequest) -> None:
        self.engine = engine
        self.headers_version = getversion(session._default_headers)
        self._model = model
        self._struct = filled(engine, model)
        self._pointer = ctypes.byref(self._struct)
        self._url = self._struct.url  # a view into the struct

    def submit(self, target: Target) -> Transfer:
        view, data = self._url, target.data
        view.data = data
        view.len = len(data)
        return self.engine.submit(self._struct, self._pointer)

    def request(self, target: Target) -> ClientRequest:
        """What was sent, for those who want to know."""
        request = copy.copy(self._model)
        request.original_url = target.url
        request.url = target.url.with_fragment(None)
        request.headers = CIMultiDict(self._model.headers)
        request.headers[hdrs.HOST] = host_field(target.url)
        return request


class Plain:
    """The templates of a session, and the URLs it has seen."""

    def __init__(self, session: "ClientSession") -> None:
        self._templates: Dict[Tuple[str, bool], Template] = {}
        self._targets: Dict[Any, Optional[Target]] = {}
        self._is_possible = _is_possible(session)

    async def send(self, session: "ClientSession", method: str, given: Any) -> Optional[ClientResponse]:
        """None: this request is not plain."""
        target = self._target(session, given) if self._is_possible else None
        if target is None or not _has_no_cookies(session._cookie_jar, target.url):
            return None
        template = self._template(session, method, target)
        try:
            transfer = template.submit(target)
            await transfer.head()
        except errors.Error as failure:
            raise explained(failure, None, template.request(target)) from failure
        response = ClientResponse(method, target.url, loop=session._loop, session=session)
        response._asked = template, target
        response._read_bufsize = session._read_bufsize
        response._start(transfer)
        return response

    def url(self, session: "ClientSession", given: Any) -> URL:
        """What was given, as a URL: maybe one that is known."""
        target = self._target(session, given) if isinstance(given, str) else None
        return session._build_url(given) if target is None else target.url

    def _target(self, session: "ClientSession", given: Any) -> Optional[Target]:
        try:
            return self._targets[given]
        except (KeyError, TypeError):
            pass
        url = session._build_url(given)
        is_plain = url.scheme in _SCHEMES and url.raw_host and url.raw_user is None and url.raw_password is None
        target = Target(url, str(url).encode("ascii")) if is_plain else None
        if len(self._targets) >= _MOST_TARGETS:
            self._targets.clear()
        self._targets[given] = target
        return target

    def _template(self, session: "ClientSession", method: str, target: Target) -> Template:
        connector: Any = session._connector
        engine = connector._engine or connector._started()
        key = method, target.data.startswith(b"https")
        template = self._templates.get(key)
        if (
            template is None
            or template.engine is not engine
            or template.headers_version != getversion(session._default_headers)
        ):
            model = session._model_request(method, target.url)
            template = self._templates[key] = Template(session, engine, model)
        return template


def _is_possible(session: "ClientSession") -> bool:
    """Whether nothing of a session makes its requests special."""
    special = (
        session._trace_configs,
        session._middlewares,
        session._default_auth,
        session._default_proxy,
        session._trust_env,
        session._request_class is not ClientRequest,
        session._response_class is not ClientResponse,
        session._bounds != BOUNDS,
        session._connector is None or session._connector._names is not None,
    )
    return not any(special)


def _has_no_cookies(jar: Any, url: URL) -> bool:
    if type(jar) is CookieJar:
        return not jar._cookies or not jar.filter_cookies(url)
    return type(jar) is DummyCookieJar
