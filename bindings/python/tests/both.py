"""Every test that asks for `aiohttp` runs twice: with ours, and with aiohttp itself where it is installed."""

import contextlib
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
    original = pytest.importorskip("aiohttp")
    yield original
    with untidy(original):
        pass


@contextlib.contextmanager
def untidy(aiohttp: Any) -> Iterator[None]:
    """aiohttp itself may leave something open to the garbage collector in here; of ours that stays a warning."""
    if aiohttp.__name__ == "hc.aiohttp":
        yield
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        gc.collect()


@pytest.fixture
def since(aiohttp: Any) -> Callable[..., None]:
    """since(3, 14, "why"): skips the test for an aiohttp that is older."""

    def check(major: int, minor: int, reason: str) -> None:
        if version_of(aiohttp) < (major, minor):
            pytest.skip(f"since aiohttp {major}.{minor}: {reason}")

    return check


@pytest.fixture
def except_in(aiohttp: Any) -> Callable[..., None]:
    """except_in(3, 11, "why"): skips the test for aiohttp of that version: older ones pass, and so do newer ones."""

    def check(major: int, minor: int, reason: str) -> None:
        if version_of(aiohttp) == (major, minor):
            pytest.skip(f"aiohttp {major}.{minor}: {reason}")

    return check


@pytest.fixture
def newer_original(aiohttp: Any) -> Callable[[int, int], bool]:
    """newer_original(3, 9): is it aiohttp itself, since that version? Where ours stays with what older ones did."""
    return lambda major, minor: aiohttp.__name__ == "aiohttp" and version_of(aiohttp) >= (major, minor)


@pytest.fixture
def part(aiohttp: Any) -> Callable[[str], Any]:
    """A module of the same aiohttp: part("helpers")."""
    return lambda name: importlib.import_module(f"{aiohttp.__name__}.{name}")
