"""What a session and a request may be told: the tables of their options, and the parts of a request that are no field
of hc.h.
"""

import json as json_module
from typing import Any, Dict, Tuple
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from . import _ffi
from ._fields import as_bytes, header_pairs, table_of
from .errors import InvalidError
from .tls import set_tls

SESSION_OPTIONS = table_of(_ffi.hc_session_options, {"tls": set_tls, "proxy_tls": set_tls})
REQUEST_OPTIONS = table_of(
    _ffi.hc_request, {"tls": set_tls}, ("method", "url", "body", "body_kind", "body_path", "body_fd", "stream")
)


def url_bytes(url: Any, params: Any = None) -> bytes:
    """A URL as it is sent: international host names as IDNA, everything else beyond ASCII percent-encoded."""
    try:
        text = url.decode("ascii") if isinstance(url, bytes) else str(url)
    except UnicodeDecodeError:
        raise InvalidError("url: has bytes beyond ASCII") from None
    if params:
        text = _with_query(text, params)
    return text.encode("ascii") if text.isascii() else _encoded(text).encode("ascii")


def _with_query(url: str, params: Any) -> str:
    start, mark, fragment = url.partition("#")
    try:
        query = params if isinstance(params, str) else urlencode(params, doseq=True)
    except (TypeError, ValueError) as failure:
        raise InvalidError(f"params: {failure}") from None
    return f"{start}{'&' if '?' in start else '?'}{query}{mark}{fragment}"


def _encoded(url: str) -> str:
    try:
        url.encode()
        parts = urlsplit(url)
    except ValueError as failure:
        raise InvalidError(f"url: {failure}") from None
    user, at, host = parts.netloc.rpartition("@")
    host, colon, port = host.partition(":") if not host.startswith("[") else (host, "", "")
    try:
        host = host.encode("idna").decode("ascii")
    except UnicodeError as failure:
        raise InvalidError(f"url: not a host name: {host!r} ({failure})") from None
    authority = quote(user, safe="%:!$&'()*+,;=~-._") + at + host + colon + port
    kept = "%/:=&?~#+!$,;'@()*[]"
    return urlunsplit((parts.scheme, authority, *(quote(part, safe=kept) for part in parts[2:])))


def split_request(options: Dict[str, Any]) -> Tuple[Any, Any]:
    """Takes what is no field of hc_request out of a request's options: (body, params)."""
    body, params = options.pop("body", None), options.pop("params", None)
    value = options.pop("json", None)
    if value is not None:
        if body is not None:
            raise InvalidError("json: not together with body")
        body = json_module.dumps(value).encode()
        pairs = header_pairs(options.get("headers") or ())
        if not any(as_bytes("headers", name).lower() == b"content-type" for name, _ in pairs):
            pairs.append(("Content-Type", "application/json"))
        options["headers"] = pairs
    return body, params
