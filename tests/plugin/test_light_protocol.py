"""A comparison that matches takes one phase, unless somebody looks at the phases of pytest."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import _pytest.runner
import pytest

from .conftest import (
    CLEAR_COMPARISONS,
    CLEAR_LINE,
    PYTESTS_PROTOCOL,
    final_line,
    run_pytest,
    write_blocked,
    write_clear,
)

LIGHT, ALL = 1, CLEAR_COMPARISONS
"""Items by the protocol of pytest: the last one of a run always takes it."""

HOOK = "def {}: pass\n"
TOLERANCE = "import recon_core\n@recon_core.hookimpl\ndef recon_tolerance(): return None\n"
MARKED = "def pytest_itemcollected(item): item.add_marker('slow')\n"
REPLACED = "def pytest_itemcollected(item): item.runtest = item.runtest\n"

WAYS: list[tuple[tuple[str, ...], str, int]] = [
    ((), "", LIGHT),
    (("-q",), "", LIGHT),
    (("-vv", "-rA"), "", LIGHT),
    (("-x", "--junitxml=junit.xml"), "", LIGHT),
    (("--maxfail=2", "--lf"), "", LIGHT),
    (("-p", "no:terminal"), "", LIGHT),
    (("-p", "randomly"), "", LIGHT),
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


def test_a_case_of_junit_is_the_same(pytester: pytest.Pytester) -> None:
    """Both protocols write the same cases with the same properties."""
    write_blocked(pytester.path / "desk.recon.json")
    texts = []
    for words in ((), (PYTESTS_PROTOCOL,)):
        run_pytest(pytester, *words, "--recon-session=desk.recon.json", "--junitxml=junit.xml")
        text = Path("junit.xml").read_text(encoding="utf-8")
        texts.append(re.sub(r' (time|timestamp|hostname)="[^"]*"', "", text))
    assert texts[0].count("<testcase") == 8
    assert texts[0] == texts[1]


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
