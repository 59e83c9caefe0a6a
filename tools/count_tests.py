#!/usr/bin/python3
"""Counts the tests in a JUnit file of CTest or pytest: prints "PASSED FAILED SKIPPED", then the names of the failed.

A test that CTest could not start ("notrun") has failed; only a test that chose to skip is skipped. A file that
is missing, broken or empty is one failed test, so that nothing can pass by not running.
"""

import sys
import xml.etree.ElementTree as xml


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


def main():
    try:
        cases = xml.parse(sys.argv[1]).getroot().findall(".//testcase")
    except (OSError, xml.ParseError):
        cases = []
    if not cases:
        print("0 1 0\nno test ran")
        return
    names = {"passed": [], "failed": [], "skipped": []}
    for case in cases:
        names[outcome(case)].append(name_of(case))
    print(*(len(names[kind]) for kind in ("passed", "failed", "skipped")))
    for name in names["failed"]:
        print(name)


if __name__ == "__main__":
    main()
