#!/usr/bin/python3
"""Counts the tests in a JUnit file of CTest or pytest, or in what `cargo test` printed: prints "PASSED FAILED SKIPPED",
then the names of the failed.

A test that CTest could not start ("notrun") has failed; only a test that chose to skip is skipped. A file that
is missing, broken or empty is one failed test, so that nothing can pass by not running.
"""

import re
import sys
import xml.etree.ElementTree as xml


CARGO_LINE = re.compile(r"^test (.+) \.\.\. (ok|FAILED|ignored)\b", re.MULTILINE)
CARGO_OUTCOMES = {"ok": "passed", "FAILED": "failed", "ignored": "skipped"}


def outcome(case):
    """Of one test: CTest has an attribute for it, pytest only elements."""
    if case.get("status") is None:
        broken = case.find("failure") is not None or case.find("error") is not None
        return "failed" if broken else "passed" if case.find("skipped") is None else "skipped"
    status = case.get("status")
    if status == "run":
        return "passed"
    skip = case.find("skipped")
    if status == "disabled" or (skip is not None and skip.get("message", "").startswith("SKIP_")):
        return "skipped"
    return "failed"


def name_of(case):
    return ".".join(filter(None, (case.get("classname") if case.get("status") is None else None, case.get("name"))))


def outcomes_in(text):
    """(name, outcome) of each test."""
    if not text.lstrip().startswith("<"):
        return [(name, CARGO_OUTCOMES[word]) for name, word in CARGO_LINE.findall(text)]
    try:
        return [(name_of(case), outcome(case)) for case in xml.fromstring(text).findall(".//testcase")]
    except xml.ParseError:
        return []


def main():
    try:
        with open(sys.argv[1], encoding="utf-8", errors="replace") as file:
            tests = outcomes_in(file.read())
    except OSError:
        tests = []
    if not tests:
        print("0 1 0\nno test ran")
        return
    names = {"passed": [], "failed": [], "skipped": []}
    for name, kind in tests:
        names[kind].append(name)
    print(*(len(names[kind]) for kind in ("passed", "failed", "skipped")))
    for name in names["failed"]:
        print(name)


if __name__ == "__main__":
    main()
