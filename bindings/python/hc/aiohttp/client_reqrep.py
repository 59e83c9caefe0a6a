"""Requests, responses, and what describes them."""

from ._describe import ConnectionKey as ConnectionKey, Fingerprint as Fingerprint, RequestInfo as RequestInfo
from ._request import ClientRequest as ClientRequest
from ._response import ClientResponse as ClientResponse, ContentDisposition as ContentDisposition

__all__ = ("ClientRequest", "ClientResponse", "Fingerprint", "RequestInfo")
