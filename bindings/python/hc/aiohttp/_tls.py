"""From what aiohttp takes as `ssl` to the core's TLS identities."""

import ssl
import warnings
from typing import Any, Dict, Hashable, Optional, Tuple

from ..tls import TLS
from ._describe import Fingerprint
from . import _original

_theirs = _original.accepted("client_reqrep", "Fingerprint")
_FINGERPRINTS: Tuple[Any, ...] = (Fingerprint, *_theirs)
_ALLOWED: Tuple[Any, ...] = (ssl.SSLContext, bool, TLS, *_FINGERPRINTS)


def merged(given: Any, verify_ssl: Optional[bool], ssl_context: Any, fingerprint: Optional[bytes]) -> Any:
    """`ssl`, or what its predecessors said."""
    given = True if given is None else given
    older = (
        (verify_ssl is not None and not verify_ssl, False, "verify_ssl is deprecated, use ssl=False instead"),
        (ssl_context is not None, ssl_context, "ssl_context is deprecated, use ssl=context instead"),
        (fingerprint is not None, fingerprint, "fingerprint is deprecated, use ssl=Fingerprint(fingerprint) instead"),
    )
    for is_given, value, message in older:
        if not is_given:
            continue
        warnings.warn(message, DeprecationWarning, stacklevel=4)
        if given is not True:
            raise ValueError("verify_ssl, ssl_context, fingerprint and ssl parameters are mutually exclusive")
        given = Fingerprint(value) if isinstance(value, bytes) else value
    if not isinstance(given, _ALLOWED):
        raise TypeError(f"ssl should be SSLContext, bool, Fingerprint, hc.TLS or None, got {given!r} instead.")
    return given


class Identities:
    """The identities of a connector: the same for the same `ssl`, because connections are never shared between two."""

    def __init__(self) -> None:
        self._made: Dict[Hashable, TLS] = {}

    def of(self, given: Any, server_hostname: Optional[str]) -> Optional[TLS]:
        """None is the default: verified, with the system's authorities."""
        if isinstance(given, TLS):
            return given
        if given is True and server_hostname is None:
            return None
        key = (_key(given), server_hostname)
        if key not in self._made:
            options = _options(given)
            if server_hostname is not None:
                options["server_name"] = server_hostname
            self._made[key] = TLS(**options)
        return self._made[key]


def _key(given: Any) -> Hashable:
    if isinstance(given, ssl.SSLContext):
        stats = tuple(sorted(given.cert_store_stats().items()))
        return given, given.verify_mode, given.check_hostname, given.minimum_version, stats
    return given.fingerprint if isinstance(given, _FINGERPRINTS) else given


def _options(given: Any) -> Dict[str, Any]:
    if given is True:
        return {}
    if given is False:
        return {"verify": False}
    if isinstance(given, _FINGERPRINTS):
        return {"verify": False, "pins": [given.fingerprint.hex()]}
    return _options_of_context(given)


def _options_of_context(context: ssl.SSLContext) -> Dict[str, Any]:
    """What can be read from a context: whether it verifies, its authorities, its lowest version."""
    options: Dict[str, Any] = {}
    if context.verify_mode == ssl.CERT_NONE:
        options["verify"] = False
    else:
        authorities = context.get_ca_certs(binary_form=True)
        if authorities:
            options["ca_pem"] = "".join(map(ssl.DER_cert_to_PEM_cert, authorities))
    if context.minimum_version == ssl.TLSVersion.TLSv1_3:
        options["min_version"] = "1.3"
    return options
