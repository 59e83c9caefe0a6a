"""Versions of HTTP, where some import them from."""

from .http import HttpVersion as HttpVersion, HttpVersion10 as HttpVersion10, HttpVersion11 as HttpVersion11

__all__ = ("HttpVersion", "HttpVersion10", "HttpVersion11")
