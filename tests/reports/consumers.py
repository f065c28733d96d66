"""Readers of reports, by the rules of the programs that read them.

GitLab: `lib/gitlab/ci/parsers/test/junit.rb` and `.../codequality/code_climate.rb`; Jenkins:
`CaseResult.java` of its JUnit plugin; GitHub: the actions dorny/test-reporter
(`python-xunit`) and mikepenz/action-junit-report, and the workflow commands of its runner.
"""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

_OUTCOMES = ("failure", "error", "skipped")


@dataclass(frozen=True, slots=True)
class Case:
    """A case as a consumer shows it: its outcome, its file and line, and its text."""

    name: str
    outcome: str
    text: str
    file: str
    line: str = ""


def _cases(text: str) -> Iterator[tuple[ET.Element, str, ET.Element | None]]:
    root = ET.fromstring(text)  # noqa: S314  # written by this project
    for case in root.iter("testcase"):
        found = [(tag, case.find(tag)) for tag in _OUTCOMES if case.find(tag) is not None]
        assert len(found) <= 1
        yield case, *(found[0] if found else ("passed", None))


def gitlab_cases(text: str) -> list[Case]:
    """GitLab's dialog: the content of an outcome, never its message; the first of equal names."""
    shown: dict[tuple[str, str], Case] = {}
    for case, tag, outcome in _cases(text):
        content = "" if outcome is None else outcome.text or ""
        key = case.attrib["classname"], case.attrib["name"]
        shown.setdefault(key, Case("::".join(key), tag, content, case.get("file", "")))
    return list(shown.values())


def jenkins_cases(text: str) -> list[Case]:
    """Jenkins: the message of a skipped case, else its content; failures have both."""
    shown = []
    for case, tag, outcome in _cases(text):
        said = "" if outcome is None else outcome.get("message") or outcome.text or ""
        shown.append(Case(f"{case.attrib['classname']}.{case.attrib['name']}", tag, said, ""))
    return shown


def dorny_cases(text: str) -> list[Case]:
    """dorny/test-reporter: file and line of a case, the text of its failure or its message."""
    shown = []
    for case, tag, outcome in _cases(text):
        failed = tag in ("failure", "error")
        said = (
            (outcome.text or outcome.get("message", "")) if failed and outcome is not None else ""
        )
        place = case.get("file", ""), case.get("line", "")
        shown.append(Case(case.attrib["name"], tag, said, *place))
    return shown


def mikepenz_cases(text: str) -> list[Case]:
    """mikepenz/action-junit-report: `file`, else the end of the class name; message first."""
    shown = []
    for case, tag, outcome in _cases(text):
        file = case.get("file") or case.attrib["classname"].split(".")[-1]
        said = "" if outcome is None else outcome.get("message") or outcome.text or ""
        shown.append(Case(case.attrib["name"], tag, said, file, case.get("line", "1")))
    return shown


@dataclass(frozen=True, slots=True)
class Degradation:
    """An issue as GitLab's merge request widget shows it."""

    description: str
    severity: str
    path: str
    line: int


def gitlab_degradations(text: str) -> list[Degradation]:
    """GitLab's Code Quality: it stops at the first issue that is not valid, equal ones once."""
    assert not text.startswith("\ufeff")
    shown: dict[str, Degradation] = {}
    for issue in json.loads(text):
        location = issue.get("location", {})
        line = location.get("lines", {}).get("begin")
        whole = all(isinstance(issue.get(name), str) and issue[name] for name in _REQUIRED)
        path = location.get("path")
        if not (whole and isinstance(path, str) and path and isinstance(line, int)):
            break
        if issue["severity"] not in ("info", "minor", "major", "critical", "blocker"):
            break
        found = Degradation(issue["description"], issue["severity"], path, line)
        shown.setdefault(issue["fingerprint"], found)
    return list(shown.values())


_REQUIRED = ("description", "check_name", "fingerprint", "severity")
_COMMAND = re.compile(r"^::(?P<name>[a-z-]+)(?: (?P<properties>.*?))?::(?P<message>.*)$")


@dataclass(frozen=True, slots=True)
class Command:
    """A workflow command as GitHub's runner reads it."""

    name: str
    properties: dict[str, str]
    message: str


def github_commands(text: str) -> list[Command]:
    """Every line that the runner takes for a command; older forms (`##[`) are none of ours."""
    assert "##[" not in text
    found = []
    for line in re.split(r"\r\n|\r|\n", text):
        match = _COMMAND.match(line)
        if match is None:
            assert "::" not in line[:2]
            continue
        pairs = (each.partition("=") for each in (match["properties"] or "").split(","))
        properties = {name: unquote(value) for name, _, value in pairs if name}
        found.append(Command(match["name"], properties, unquote(match["message"])))
    return found
