"""aiohttp's own, where it is installed."""

import sys

import aiohttp.test_utils

sys.modules[__name__] = aiohttp.test_utils
