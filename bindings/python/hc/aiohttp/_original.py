"""aiohttp itself, where it is installed.

Our classes are then of its classes of the same name, too: code that catches or tests for those goes on working.
"""

import importlib
from types import ModuleType
from typing import Any, Callable, Optional, Type, TypeVar

Class = TypeVar("Class", bound=Type[Any])


def module(name: str) -> Optional[ModuleType]:
    """A module of aiohttp, such as "client_exceptions"; None: there is no aiohttp, or it has none of that name."""
    try:
        return importlib.import_module("aiohttp." + name)
    except ImportError:
        return None


def classes(name: str) -> Callable[[Class], Class]:
    """For the module of that name: a decorator that makes a class of ours one of aiohttp's class with its name."""
    original = module(name)

    def also(ours: Class) -> Class:
        theirs = getattr(original, ours.__name__, None)
        if not isinstance(theirs, type):
            return ours
        names = {"__module__": ours.__module__, "__qualname__": ours.__qualname__, "__doc__": ours.__doc__}
        made: Class = type(ours)(ours.__name__, (ours, theirs), names)
        return made

    return also


def accepted(name: str, *kinds: str) -> "tuple[Type[Any], ...]":
    """The classes of aiohttp with these names, for isinstance()."""
    found = (getattr(module(name), kind, None) for kind in kinds)
    return tuple(each for each in found if isinstance(each, type))


def rest_of(name: str) -> Callable[[str], Any]:
    """For the module of that name, as its __getattr__: what only aiohttp's has, most of it for servers."""

    def get(attribute: str) -> Any:
        theirs = None if attribute.startswith("_") else module(name)
        if theirs is not None and hasattr(theirs, attribute):
            return getattr(theirs, attribute)
        raise AttributeError(f"module 'hc.aiohttp.{name}' has no attribute {attribute!r}")

    return get
