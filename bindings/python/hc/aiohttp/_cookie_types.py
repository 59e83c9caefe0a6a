# mypy: no-warn-unused-ignores
"""For mypy: SimpleCookie had a type parameter in older typesheds, which insist on it; newer ones know of none."""

from http.cookies import SimpleCookie

TextCookies = SimpleCookie[str]  # type: ignore[type-arg]
