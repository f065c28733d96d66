"""A comparison that matches takes one phase, unless somebody looks at the phases of pytest."""

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import _pytest.runner
import pytest
from _pytest.junitxml import LogXML

from pytest_recon.junitxml import MatchCases
from pytest_recon.matches import (
    Match,
    MatchGroup,
    MatchReport,
    WaitingMatches,
    carried_reports,
)

from .conftest import (
    CLEAR_COMPARISONS,
    CLEAR_LINE,
    PYTESTS_PROTOCOL,
    final_line,
    run_pytest,
    write_blocked,
    write_clear,
    write_session,
)

LIGHT, ALL = 1, CLEAR_COMPARISONS
"""Items by the protocol of pytest: the last one of a run always takes it."""

HOOK = "def {}: pass\n"
TOLERANCE = "import recon_core\n@recon_core.hookimpl\ndef recon_tolerance(): return None\n"
MARKED = "def pytest_itemcollected(item): item.add_marker('slow')\n"
ASKED = "def pytest_itemcollected(item): item.user_properties.append(('owner', 'desk'))\n"
REPLACED = "def pytest_itemcollected(item): item.runtest = item.runtest\n"

WAYS: list[tuple[tuple[str, ...], str, int]] = [
    ((), "", LIGHT),
    (("-q",), "", LIGHT),
    (("-vv", "-rA"), "", LIGHT),
    (("-x", "--junitxml=junit.xml"), "", LIGHT),
    (("--maxfail=2", "--lf"), "", LIGHT),
    (("-p", "no:terminal"), "", LIGHT),
    (("-p", "randomly"), "", LIGHT),
    (("-k", "desk"), "", LIGHT),
    (("-o", "faulthandler_timeout=60"), "", LIGHT),
    ((), HOOK.format("pytest_runtestloop(session)"), LIGHT),
    ((), ASKED, LIGHT),
    ((), HOOK.format("pytest_runtest_logstart()"), LIGHT),
    ((), HOOK.format("pytest_sessionfinish()"), LIGHT),
    ((PYTESTS_PROTOCOL,), "", ALL),
    (("--pdb",), "", ALL),
    (("--setup-show",), "", ALL),
    (("--durations=3",), "", ALL),
    ((), HOOK.format("pytest_runtest_setup(item)"), ALL),
    ((), HOOK.format("pytest_runtest_makereport(item)"), ALL),
    ((), HOOK.format("pytest_runtest_logreport(report)"), ALL),
    ((), TOLERANCE, ALL),
    ((), MARKED, ALL),
    ((), REPLACED, ALL),
]


@pytest.fixture
def phased(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the items that ran in the phases of pytest."""
    seen: list[str] = []
    runs: Callable[..., Any] = _pytest.runner.runtestprotocol

    def note(item: pytest.Item, *arguments: Any, **named: Any) -> Any:
        seen.append(item.nodeid)
        return runs(item, *arguments, **named)

    monkeypatch.setattr(_pytest.runner, "runtestprotocol", note)
    return seen


@pytest.mark.parametrize(
    ("words", "conftest", "count"), WAYS, ids=[f"{words} {text}" for words, text, _ in WAYS]
)
def test_one_phase_where_nobody_looks(
    pytester: pytest.Pytester,
    phased: list[str],
    words: tuple[str, ...],
    conftest: str,
    count: int,
) -> None:
    """Options, hooks and markers that need the phases have them, and the run is clear."""
    write_clear(pytester.path / "desk.recon.json")
    pytester.makeconftest(conftest)
    result = run_pytest(pytester, *words, "--recon-session=desk.recon.json", cache="--lf" in words)
    assert result.ret == 0
    assert len(phased) == count
    if "no:terminal" not in words:
        assert final_line(result) == CLEAR_LINE


def test_what_differs_takes_the_phases(pytester: pytest.Pytester, phased: list[str]) -> None:
    """Three of eight comparisons differ; the last one of the run matches."""
    write_blocked(pytester.path / "desk.recon.json")
    result = run_pytest(pytester, "--recon-session=desk.recon.json")
    assert result.ret == 1
    assert len(phased) == 4


HOSTILE = {"A&B/EUR": "1", "A<B>/EUR": "1", "A\"'/EUR": "1", "100%s/EUR": "1", "é/EUR": "1"}

JUNIT: list[tuple[tuple[str, ...], str, dict[str, Any]]] = [
    ((), "", {"external_cash": {"EUR": "4995.00"}}),
    (("--junitprefix=desk", "-o", "junit_family=xunit1"), "", {}),
    (("-o", "junit_logging=all", "-o", "junit_duration_report=call"), "", {}),
    ((), ASKED, {}),
    ((), "", {"positions": HOSTILE, "session_id": "100%s & <more>"}),
]


@pytest.mark.parametrize(("words", "conftest", "session"), JUNIT)
def test_a_case_of_junit_is_the_same(
    pytester: pytest.Pytester,
    words: tuple[str, ...],
    conftest: str,
    session: dict[str, Any],
) -> None:
    """Both protocols write the same cases with the same properties in the same order."""
    write_session(pytester.path / "desk.recon.json", **session)
    pytester.makeconftest(conftest)
    pytester.makepyfile("def test_between(): raise ValueError('one\\rtwo\\r\\nthree')")
    texts = []
    for more in ((), (PYTESTS_PROTOCOL,)):
        run_pytest(pytester, *words, *more, ".", "--recon-gate", "--junitxml=junit.xml")
        text = Path("junit.xml").read_bytes().decode()
        texts.append(re.sub(r' (time|timestamp|hostname)="[^"]*"', "", text))
    assert texts[0].count("<testcase") >= 8
    assert "\r" in texts[0]
    assert texts[0] == texts[1]


def test_the_time_of_a_case_is_that_of_its_report() -> None:
    """A case has three digits after the full stop, as pytest writes them."""
    report = LogXML("junit.xml", None)
    cases = MatchCases(report)
    match = MatchReport(GROUP, Match("BTC/EUR", 0, 1.23456))
    assert cases.take(match)
    assert ' time="1.235">' in cases.text(match)


GROUP = MatchGroup(
    "desk.recon.json::position",
    "desk.recon.json",
    "position",
    "0",
    ("position", "desk.recon.json", "desk"),
    (("recon.session_id", "desk"), ("recon.kind", "position")),
)
OTHER = MatchGroup("desk.recon.json::session", "desk.recon.json", "session", "", (), ())
MATCHES = [
    (GROUP, Match("BTC/EUR", 1.0, 0.5)),
    (OTHER, Match("as-of", 2.0, 0.25)),
    (GROUP, Match("ETH/EUR", 3.0, 0.5, ["ETH/EUR", "slow"], [("owner", "desk")])),
]


@pytest.mark.parametrize(("group", "match"), MATCHES)
def test_a_report_says_what_pytests_own_says(group: MatchGroup, match: Match) -> None:
    """Every attribute is that of a report of pytest's own class, and a new one is kept."""
    report = MatchReport(group, match)
    vars(report)["worker_id"] = "gw0"
    plain = report.as_plain()
    assert type(plain) is pytest.TestReport
    assert {name: getattr(report, name) for name in vars(plain)} == vars(plain)
    for name in ("nodeid", "passed", "failed", "skipped", "longreprtext", "capstdout", "head_line"):
        assert getattr(report, name) == getattr(plain, name)
    assert vars(plain)["worker_id"] == "gw0"


def test_what_is_added_to_a_report_stays() -> None:
    """Plugins append to the lists of a report, which is no other report's."""
    first, second = (MatchReport(GROUP, Match("BTC/EUR", 0, 0)) for _ in range(2))
    first.user_properties.append(("owner", "desk"))
    first.sections.append(("heading", "text"))
    assert ("owner", "desk") in first.user_properties
    assert first.sections == [("heading", "text")]
    assert not second.sections
    assert ("owner", "desk") not in second.user_properties


def test_matches_arrive_as_they_waited() -> None:
    """A worker's matches have their order, groups, times and properties in another process."""
    waiting = WaitingMatches()
    for group, match in MATCHES:
        waiting.add(group, match)
    text = waiting.taken()
    assert waiting.taken() == ""
    sent = [MatchReport(*each) for each in MATCHES]
    for ours, arrived in zip(sent, carried_reports(text), strict=True):
        assert vars(arrived.as_plain()) == vars(ours.as_plain())


class Items:
    """Keeps the items of a run, whole or not, as they are at its end."""

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Keep them."""
        self.items = session.items
        self.whole = [item for item in session.items if item.is_whole]  # type: ignore[attr-defined]


def test_no_item_is_whole_where_nobody_asks(pytester: pytest.Pytester) -> None:
    """Only the last item, which takes the phases, has what pytest gives every node."""
    write_clear(pytester.path / "desk.recon.json")
    seen = Items()
    pytester.inline_run("--recon-session=desk.recon.json", plugins=[seen])
    assert seen.whole == seen.items[-1:]
    item = seen.items[0]
    assert len({item, *seen.items}) == CLEAR_COMPARISONS
    for absent in ("callspec", "module", "__wrapped__"):
        assert not hasattr(item, absent)
    assert not item.is_whole  # type: ignore[attr-defined]
    assert copy.copy(item).nodeid == item.nodeid
    assert item.own_markers == []
    assert vars(item).keys() == vars(PlainItem.from_parent(item.parent, name="plain")).keys()


class PlainItem(pytest.Item):
    """An item as pytest makes it."""

    def runtest(self) -> None:
        """Do nothing."""


def test_judging_that_fails_is_reported_by_pytest(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, phased: list[str]
) -> None:
    """An error while a comparison is judged is a failure of its item, not of pytest."""
    from pytest_recon.nodes import ComparisonItem

    def fail(item: ComparisonItem) -> bool:
        raise RuntimeError(item.nodeid)

    monkeypatch.setattr(ComparisonItem, "judge_match", fail)
    write_clear(pytester.path / "desk.recon.json")
    result = run_pytest(pytester, "--recon-session=desk.recon.json")
    assert final_line(result) == CLEAR_LINE
    assert len(phased) == ALL
