"""aiohttp's own, where it is installed."""

import sys

import aiohttp.web

sys.modules[__name__] = aiohttp.web
