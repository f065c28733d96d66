"""JUnit XML of reconciled sessions, written with the junit-xml package.

That package has no properties per case, so they are written to `system-out`, one line
`name=value` each.
"""

import xml.etree.ElementTree as ET  # parses only what was written here
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from junit_xml import TestCase, TestSuite

from recon_core.values.printable import printable

_LONGEST_NAME: Final = 1000
"""Characters of a name: a path and a key, each of which may have some hundred."""
_LONGEST_LINE: Final = 2000
"""Characters of a line of a text; ids of any length must not fill a report."""


@dataclass(frozen=True, slots=True)
class CaseReport:
    """One comparison: it failed, was skipped (a WARN that does not block), or passed.

    An `error` is of the run and not of a comparison: something did not run, or cannot be
    trusted. `file` is the session as a person opens it, `line` the row that differs.
    """

    class_name: str
    name: str
    seconds: float
    outcome: Literal["passed", "failed", "error", "skipped"]
    message: str
    text: str
    properties: Mapping[str, str]
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class SuiteReport:
    """One session with its properties and its cases."""

    name: str
    properties: Mapping[str, str]
    cases: Sequence[CaseReport]


def junit_text(suites: Sequence[SuiteReport]) -> str:
    """The document; raises `ValueError` where it does not read back as it was meant."""
    text = _document([_suite(suite) for suite in suites])
    _read_back(text, suites)
    return text


def _document(suites: Iterable[TestSuite]) -> str:
    """Return the document of the package, without its search for characters that XML forbids.

    Every text is printable already, and the search takes as long as everything else.
    """
    root = ET.Element("testsuites")
    root.extend(suite.build_xml_doc() for suite in suites)
    for name in _COUNTED:
        root.set(name, str(sum(int(suite.get(name, 0)) for suite in root)))
    root.set("time", str(sum(float(suite.get("time", 0)) for suite in root)))
    return ET.tostring(root).decode("ascii")


_COUNTED: Final = ("disabled", "errors", "failures", "tests")
"""Attributes of a document that are the sums of its suites."""


def _suite(suite: SuiteReport) -> TestSuite:
    properties = {name: printable(value) for name, value in suite.properties.items()}
    return TestSuite(
        printable(suite.name, _LONGEST_NAME),
        [_case(case) for case in suite.cases],
        properties=properties,
    )


def _case(case: CaseReport) -> TestCase:
    stdout = "\n".join(f"{name}={_value(value)}" for name, value in case.properties.items())
    # Milliseconds: the package prints smaller sums with an exponent, which no
    # reader of JUnit files expects.
    seconds = round(case.seconds, 3)
    made = TestCase(
        printable(case.name, _LONGEST_NAME),
        _class_name(case.class_name),
        elapsed_sec=seconds,
        stdout=stdout,
        file=None if case.file is None else _file(case.file),
        line=case.line,
    )
    # The package leaves out an outcome without any text.
    message = case.message or case.outcome
    if case.outcome == "passed":
        return made
    text = "\n".join(map(_line, case.text.splitlines()))
    if case.outcome == "failed":
        made.add_failure_info(message=message, output=text)
    elif case.outcome == "error":
        made.add_error_info(message=message, output=text)
    elif case.outcome == "skipped":
        made.add_skipped_info(message=message, output=text)
    return made


def _line(line: str) -> str:
    """Return a line of a text; two colons are a command of a runner at its begin alone."""
    begin, *parts = (printable(part, _LONGEST_LINE) for part in line.split("::"))
    if not begin.strip():
        return printable(line, _LONGEST_LINE)
    return "::".join([begin, *parts])


@lru_cache(maxsize=1000)
def _class_name(name: str) -> str:
    """Return the name of a class, which thousands of cases share, safe to show.

    The two colons between its parts are no command of a runner here.
    """
    return "::".join(printable(part, _LONGEST_NAME) for part in name.split("::"))


@lru_cache(maxsize=1000)
def _value(text: str) -> str:
    """Return the value of a property, which thousands of cases share, safe to show."""
    return printable(text)


@lru_cache(maxsize=1000)
def _file(name: str) -> str:
    """Return the name of a file, which thousands of cases share, safe to show."""
    return printable(name, _LONGEST_NAME)


def _read_back(text: str, suites: Sequence[SuiteReport]) -> None:
    try:
        root = ET.fromstring(text)  # noqa: S314  # written by this module
    except ET.ParseError as error:
        raise ValueError(f"is not well-formed: {error}") from None
    found = [len(suite.findall("testcase")) for suite in root.findall("testsuite")]
    if found != [len(suite.cases) for suite in suites]:
        raise ValueError("does not hold every case")
    outcomes = [outcome.tag for case in root.iter("testcase") for outcome in case.iter()]
    for tag, outcome in (("failure", "failed"), ("error", "error"), ("skipped", "skipped")):
        cases = [case for suite in suites for case in suite.cases if case.outcome == outcome]
        if outcomes.count(tag) != len(cases):
            raise ValueError(f"does not hold every case that is {outcome}")
