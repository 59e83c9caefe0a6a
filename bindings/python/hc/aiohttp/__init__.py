"""aiohttp's client over libhc: `import hc.aiohttp as aiohttp`.

    async with aiohttp.ClientSession() as session:
        async with session.get("http://localhost:8080/") as response:
            print(response.status, await response.text())

What differs from aiohttp stands in bindings/python/DIFFERENCES.md. With aiohttp installed, exceptions are also of its
classes, and `web` and `test_utils` are its own.
"""

import importlib
import importlib.util
from typing import Any, List

_MODULES = (
    "client_exceptions",
    "http",
    "tracing",
    "streams",
    "compression_utils",
    "helpers",
    "cookiejar",
    "formdata",
    "multipart",
    "payload",
    "payload_streamer",
    "resolver",
    "connector",
    "client_reqrep",
    "client_middlewares",
    "client_middleware_digest_auth",
    "client_ws",
    "client",
)
__all__ = ["hdrs"]

for _name in _MODULES:
    if importlib.util.find_spec(f"{__name__}.{_name}") is not None:
        _module = importlib.import_module(f"{__name__}.{_name}")
        _public = getattr(_module, "__all__", ())
        globals().update({name: getattr(_module, name) for name in _public})
        __all__ += [name for name in _public if name not in __all__]

_OF_THE_ORIGINAL = ("web", "test_utils", "worker", "GunicornWebWorker", "GunicornUVLoopWebWorker")


def __getattr__(name: str) -> Any:
    """What is aiohttp's own, when it is installed."""
    if name in _OF_THE_ORIGINAL:
        try:
            original = importlib.import_module("aiohttp")
            return getattr(original, name, None) or importlib.import_module("aiohttp." + name)
        except ImportError:
            pass
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> List[str]:
    return [*__all__, "__doc__"]
