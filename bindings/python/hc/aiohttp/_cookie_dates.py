"""Dates of cookies, read as RFC 6265, 5.1.1 says: tokens in any order, the first of each kind counts."""

import calendar
import re
from typing import Dict, Optional

_TOKEN = re.compile(r"[\x00-\x08\x0a-\x1f\d:a-zA-Z\x7f-\xff]+")
_TIME = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})")
_DAY = re.compile(r"\d{1,2}")
_YEAR = re.compile(r"\d{2,4}")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def parse_cookie_date(text: str) -> Optional[int]:
    """Seconds since 1970; None if it is no date."""
    found: Dict[str, int] = {}
    for token in _TOKEN.findall(text):
        _take(token, found)
    if not {"hour", "day", "month", "year"} <= found.keys():
        return None
    year = found["year"] + (1900 if 70 <= found["year"] <= 99 else 2000 if found["year"] <= 69 else 0)
    is_time = found["hour"] <= 23 and found["minute"] <= 59 and found["second"] <= 59
    if not is_time or not 1 <= found["day"] <= 31 or year < 1601:
        return None
    return calendar.timegm((year, found["month"], found["day"], found["hour"], found["minute"], found["second"]))


def _take(token: str, found: Dict[str, int]) -> None:
    if "hour" not in found and (match := _TIME.match(token)):
        found.update(zip(("hour", "minute", "second"), map(int, match.groups())))
    elif "day" not in found and (match := _DAY.match(token)):
        found["day"] = int(match.group())
    elif "month" not in found and token[:3].lower() in _MONTHS:
        found["month"] = _MONTHS.index(token[:3].lower()) + 1
    elif "year" not in found and (match := _YEAR.match(token)):
        found["year"] = int(match.group())
