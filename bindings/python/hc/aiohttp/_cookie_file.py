"""Cookie jars on disk: JSON as aiohttp writes it since 3.14, and the pickles of before."""

import json
import os
import pickle
from collections import defaultdict
from http.cookies import Morsel, SimpleCookie
from typing import Any, DefaultDict, Dict, List, Mapping, NamedTuple, Optional, Set, Tuple, Union

from ._cookie_helpers import new_morsel
from ._cookie_types import TextCookies
from .typedefs import PathLike

Cookies = Mapping[Tuple[str, str], TextCookies]

_RELATIVE = ("max-age", "expires")  # the time that they lead to is saved instead


class Saved(NamedTuple):
    domain: str
    path: str
    name: str
    morsel: "Morsel[str]"
    expires: Optional[float]


def save(path: PathLike, cookies: Cookies, expirations: Mapping[Any, float], host_only: Set[Tuple[str, str]]) -> None:
    rows: Dict[str, Dict[str, Any]] = {}
    for (domain, folder), morsels in cookies.items():
        places = rows[f"{domain}|{folder}"] = {}
        for name, morsel in morsels.items():
            row: Dict[str, Any] = {"key": morsel.key, "value": morsel.value, "coded_value": morsel.coded_value}
            row.update((key, value) for key, value in morsel.items() if value and key not in _RELATIVE)
            if (domain, name) in host_only:
                row["host_only"] = True
            if (domain, folder, name) in expirations:
                row["expires_timestamp"] = expirations[(domain, folder, name)]
            places[name] = row
    with open(path, "w", encoding="utf-8", opener=_open_private) as file:
        json.dump(rows, file, indent=2)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def load(path: PathLike) -> Union[List[Saved], DefaultDict[Tuple[str, str], TextCookies]]:
    """Rows for a jar to take in; of a pickle, which has neither times nor hosts, the cookies themselves."""
    with open(path, "rb") as file:
        content = file.read()
        try:
            rows = json.loads(content)
        except ValueError:
            file.seek(0)
            cookies: DefaultDict[Tuple[str, str], TextCookies] = _CookieUnpickler(file).load()
            return cookies
    return [_read(key, name, row) for key, places in rows.items() for name, row in places.items()]


def _read(place: str, name: str, row: Dict[str, Any]) -> Saved:
    domain, _, folder = place.partition("|")
    morsel = new_morsel(row["key"], row["value"], row["coded_value"])
    if morsel is None:
        raise ValueError(f"not a cookie: {row['key']!r}")
    morsel.update((key, row[key]) for key in morsel if key in row)
    if row.get("host_only"):
        morsel["domain"] = ""  # the jar makes it one of that host again
    expires = row.get("expires_timestamp")
    return Saved(domain, folder, name, morsel, None if expires is None else float(expires))


class _CookieUnpickler(pickle._Unpickler):  # type: ignore[misc,name-defined]
    """Makes cookies and what holds them, and nothing else: a pickle can name any class of any module."""

    _CLASSES = {
        ("http.cookies", "SimpleCookie"): SimpleCookie,
        ("http.cookies", "Morsel"): Morsel,
        ("collections", "defaultdict"): defaultdict,
        ("builtins", "tuple"): tuple,
        ("builtins", "set"): set,
        ("builtins", "frozenset"): frozenset,
        ("builtins", "dict"): dict,
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._CLASSES:
            text = f"Forbidden class: {module}.{name}. CookieJar.load() only allows cookie-related types for security. "
            raise pickle.UnpicklingError(text + "See https://docs.python.org/3/library/pickle.html#restricting-globals")
        return self._CLASSES[(module, name)]
