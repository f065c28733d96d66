"""pytest's own `--junitxml`.

A case of pytest is a tree of XML objects until the end of the run, with five properties some 4 kB.
For a comparison that matches its report is kept instead, which the terminal keeps anyway. Pytest
writes one placeholder for each stretch of such cases, and right after it has written the file, the
cases are put in their places:

    <testcase recon="TOKEN-0" />    ->    <testcase classname=... name="BTC/EUR" ...> ...

The text of a case is pytest's own for one sample of each group, with a key and a time to fill in.
"""

import re
from collections.abc import Iterable, Mapping
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4
from xml.etree.ElementTree import Element, tostring  # only written

import pytest

from pytest_recon.matches import Match, MatchGroup, MatchReport

if TYPE_CHECKING:
    from recon_core.reports.junit import CaseReport

_PLAIN: Final = re.compile(r"[!-~]+")
_QUOTED: Final = frozenset("&<>\"'")
"""Characters of a key that XML has another text for."""

_KEY: Final = "recon-4f0c8d1e-key"
_SECONDS: Final = 86399.987
"""Key and duration of a sample, which are found again in its text."""


def add_to_junitxml(
    config: pytest.Config, properties: Mapping[str, str], cases: "Iterable[CaseReport]"
) -> None:
    """Put properties of the run, and cases that are of no item, into pytest's own report."""
    report = junit_report(config)
    if report is None:
        return
    for name, value in properties.items():
        report.add_global_property(name, value)
    for case in cases:
        _add(report, case)


def end_case(config: pytest.Config, report: pytest.TestReport) -> None:
    """End the case of an item as pytest does with its teardown, which this item has none of."""
    own = junit_report(config)
    if own is not None:
        _end(own, report)


def _end(own: Any, report: pytest.TestReport) -> None:
    own.node_reporter(report).write_captured_output(report)
    own.finalize(report)


def junit_report(config: pytest.Config) -> Any:
    """The report that pytest will write, `None` where there is none."""
    try:
        from _pytest.junitxml import xml_key  # noqa: PLC0415  # pytest names it nowhere else
    except ImportError:
        return None
    return config.stash.get(xml_key, None)


def _add(report: Any, case: "CaseReport") -> None:
    # As pytest adds an internal error of its own.
    reporter = report.node_reporter(f"{case.class_name}::{case.name}")
    reporter.attrs.update(classname=case.class_name, name=case.name)
    outcome = Element(case.outcome, message=case.message)
    outcome.text = case.text
    reporter.append(outcome)


class MatchCases:
    """The cases of matches in the report that pytest writes."""

    def __init__(self, report: Any) -> None:
        self._report = report
        self._token = uuid4().hex
        self._stretches: list[_Stretch] = []
        self._texts: dict[MatchGroup, str] = {}

    @classmethod
    def of(cls, config: pytest.Config) -> "MatchCases | None":
        """Those of a run, called when pytest has written its report; `None` where it writes none.

        None, too, where it writes to what is no file and cannot be read again.
        """
        report = junit_report(config)
        path = None if report is None else Path(report.logfile)
        if path is None or (path.exists() and not path.is_file()):
            return None
        cases = cls(report)
        # A hook is called last registered first.
        config.pluginmanager.unregister(report)
        config.pluginmanager.register(cases, "recon-cases")
        config.pluginmanager.register(report)
        return cases

    def take(self, report: MatchReport) -> bool:
        """Take the case of a match; False where pytest has to make it."""
        key = report.key
        if report.has_own_properties or not _PLAIN.fullmatch(key) or not _QUOTED.isdisjoint(key):
            return False
        ordered = self._report.node_reporters_ordered
        if not self._stretches or ordered[-1] is not self._stretches[-1]:
            self._stretches.append(_Stretch(f"{self._token}-{len(self._stretches)}"))
            ordered.append(self._stretches[-1])
        self._stretches[-1].reports.append(report)
        self._report.add_stats("passed")
        return True

    def pytest_sessionfinish(self) -> None:
        """Put the cases in their places."""
        if not self._stretches:
            return
        placeholder = rf'<testcase recon="{self._token}-(\d+)" />'
        path = Path(self._report.logfile)
        # Texts of other tests keep the ends of their lines.
        with path.open(encoding="utf-8", newline="") as file:
            parts = re.split(placeholder, file.read())
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(parts[0])
            for place, text in zip(parts[1::2], parts[2::2], strict=True):
                file.writelines(map(self.text, self._stretches[int(place)].reports))
                file.write(text)

    def text(self, report: MatchReport) -> str:
        """The case of a match as pytest writes it."""
        group = report.group
        if group not in self._texts:
            self._texts[group] = self._sample(group)
        return self._texts[group] % {"key": report.key, "seconds": report.duration}

    def _sample(self, group: MatchGroup) -> str:
        """Return the text of any case of a group, with the places of its key and its time."""
        report = copy(self._report)
        report.stats, report.node_reporters = dict(report.stats), {}
        report.node_reporters_ordered = []
        sample = MatchReport(group, Match(_KEY, 0, _SECONDS))
        report.pytest_runtest_logreport(sample)
        _end(report, sample)
        text = tostring(report.node_reporters_ordered[0].to_xml(), encoding="unicode")
        text = text.replace("%", "%%").replace(_KEY, "%(key)s")
        return text.replace(f'time="{_SECONDS:.3f}"', 'time="%(seconds).3f"')


class _Stretch:
    """Matches that follow one another, with the one element that pytest writes for them."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.reports: list[MatchReport] = []

    def to_xml(self) -> Element:
        """The placeholder."""
        return Element("testcase", recon=self._name)


class MatchReporting:
    """Reports matches to all plugins, and to pytest's JUnit report in short."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._cases = MatchCases.of(config)

    def report(self, report: MatchReport, hook: Any) -> None:
        """Report a match, by the hooks of its directory."""
        nodeid, location = report.nodeid, report.location
        hook.pytest_runtest_logstart(nodeid=nodeid, location=location)
        if self._cases is None or not self._cases.take(report):
            hook.pytest_runtest_logreport(report=report)
            end_case(self._config, report)
        else:
            self._others(report=report)
        hook.pytest_runtest_logfinish(nodeid=nodeid, location=location)

    @cached_property
    def _others(self) -> Any:
        """Everybody but pytest's JUnit report; no directory has a hook of its own here."""
        manager = self._config.pluginmanager
        return manager.subset_hook_caller("pytest_runtest_logreport", [junit_report(self._config)])
