"""Every test that asks for `aiohttp` runs twice: with ours, and with aiohttp itself where it is installed."""

import gc
import importlib
import warnings
from typing import Any, Callable, Iterator, Tuple

import pytest


def version_of(module: Any) -> Tuple[int, ...]:
    """Ours has what 3.14 has."""
    if module.__name__ == "hc.aiohttp":
        return (3, 14)
    return tuple(int(part) for part in module.__version__.split(".")[:2])


@pytest.fixture(params=["hc.aiohttp", "aiohttp"], ids=["ours", "original"])
def aiohttp(request: Any) -> Iterator[Any]:
    if request.param == "hc.aiohttp":
        yield importlib.import_module(request.param)
        return
    yield pytest.importorskip("aiohttp")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # of sockets that it leaves to the garbage collector
        gc.collect()


@pytest.fixture
def since(aiohttp: Any) -> Callable[..., None]:
    """since(3, 14, "why"): skips the test for an aiohttp that is older."""

    def check(major: int, minor: int, reason: str) -> None:
        if version_of(aiohttp) < (major, minor):
            pytest.skip(f"since aiohttp {major}.{minor}: {reason}")

    return check


@pytest.fixture
def part(aiohttp: Any) -> Callable[[str], Any]:
    """A module of the same aiohttp: part("helpers")."""
    return lambda name: importlib.import_module(f"{aiohttp.__name__}.{name}")
