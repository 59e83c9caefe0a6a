"""Names for types of arguments, as the original has them."""

import json
import os
from http.cookies import BaseCookie, Morsel
from typing import Any, Callable, Iterable, Mapping, Sequence, Tuple, Union

from multidict import CIMultiDict, CIMultiDictProxy, MultiDict, MultiDictProxy, istr
from yarl import URL

DEFAULT_JSON_ENCODER = json.dumps
DEFAULT_JSON_DECODER = json.loads

_CIMultiDict = CIMultiDict[str]
_CIMultiDictProxy = CIMultiDictProxy[str]
_MultiDict = MultiDict[str]
_MultiDictProxy = MultiDictProxy[str]

Byteish = Union[bytes, bytearray, memoryview]
JSONEncoder = Callable[[Any], str]
JSONBytesEncoder = Callable[[Any], bytes]
JSONDecoder = Callable[[str], Any]
LooseHeaders = Union[
    Mapping[str, str], Mapping[istr, str], _CIMultiDict, _CIMultiDictProxy, Iterable[Tuple[Union[str, istr], str]]
]
RawHeaders = Tuple[Tuple[bytes, bytes], ...]
StrOrURL = Union[str, URL]
PathLike = Union[str, "os.PathLike[str]"]

QueryValue = Union[str, int, float]
_QueryValues = Union[QueryValue, Sequence[QueryValue]]
Query = Union[None, str, Mapping[str, _QueryValues], Sequence[Tuple[str, _QueryValues]]]

LooseCookieValue = Union[str, "BaseCookie[str]", "Morsel[Any]"]
LooseCookiesMappings = Mapping[str, LooseCookieValue]
LooseCookiesIterables = Iterable[Tuple[str, LooseCookieValue]]
LooseCookies = Union[LooseCookiesMappings, LooseCookiesIterables, "BaseCookie[str]"]
