"""aiohttp's own, where it is installed."""

import sys

import aiohttp.worker

sys.modules[__name__] = aiohttp.worker
