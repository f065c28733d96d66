"""Reports of runs that are too large for their readers: whole, short, and they say "N more"."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from recon_core.model.explanation import Effort
from recon_core.reports.formats import FORMATS
from recon_core.reports.run_report import RunReport, TrendRun

from . import consumers, runs

pytestmark = pytest.mark.large


def many_positions(count: int, *, drift: str = "0.9") -> dict[str, object]:
    """A session of `count` positions, each of them a difference."""
    names = [f"SYM{number:05d}/EUR" for number in range(count)]
    return runs.session(
        internal={"positions": dict.fromkeys(names, "1"), "cash": {}},
        external={"positions": dict.fromkeys(names, drift), "cash": {}},
    )


@cache
def large(directory: Path) -> RunReport:
    """6,000 failures in one session."""
    anchor = runs.write(directory, "large", many_positions(6000))
    return runs.judged(directory, anchor, effort=Effort.OFF)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunReport:
    """6,000 failures in one session."""
    return large(tmp_path_factory.mktemp("large"))


def test_annotations_are_ten_of_a_kind(run: RunReport) -> None:
    """GitHub takes no more; the last says how many there are."""
    found = consumers.github_commands(FORMATS["github"].render(run))
    assert len(found) == 10
    assert found[-1].message == "and 5991 more: the other reports list them"


def test_a_summary_fits_into_a_check_run(run: RunReport) -> None:
    """Whole rows are left out, and counted."""
    text = FORMATS["markdown"].render(run)
    assert 50_000 < len(text.encode()) <= 60_000
    rows = [line for line in text.splitlines() if line.startswith("| ❌")]
    left_out = 6000 - len(rows)
    assert f"and {left_out} more: the JSON and HTML reports list them" in text


def test_code_quality_lists_two_thousand(run: RunReport) -> None:
    """The last issue says how many there are more."""
    found = consumers.gitlab_degradations(FORMATS["gitlab"].render(run))
    assert len(found) == 2000
    assert "and 4001 more" in found[-1].description


def test_sarif_has_what_github_shows(run: RunReport) -> None:
    """5,000 results; a notification says how many there are more."""
    (made,) = json.loads(FORMATS["sarif"].render(run))["runs"]
    assert len(made["results"]) == 5000
    notes = [
        note["message"]["text"] for note in made["invocations"][0]["toolExecutionNotifications"]
    ]
    assert "and 1000 more findings: the JSON report lists them" in notes


def test_a_page_has_a_bound(run: RunReport) -> None:
    """500 findings, and their number."""
    text = FORMATS["html"].render(run)
    assert "and 5500 more findings: the JSON report lists them" in text
    assert len(text.encode()) < 500_000


def test_json_and_junit_have_everything(run: RunReport) -> None:
    """Programs read them, so nothing is left out."""
    comparisons = json.loads(FORMATS["json"].render(run))["sessions"][0]["comparisons"]
    assert len(comparisons) == 6004
    assert len(consumers.jenkins_cases(FORMATS["junit"].render(run))) == 6004


def test_a_page_of_100_sessions_and_50_findings_is_below_100_kb(tmp_path: Path) -> None:
    """With courses and waterfalls of fills on both sides, and a trend of 20 runs."""
    found = [runs.write(tmp_path, f"bad{number}", runs.trading(number)) for number in range(8)]
    assert len(found) == 8
    more = [runs.write(tmp_path, f"drift{number}", many_positions(2)) for number in range(9)]
    clear = [runs.write(tmp_path, f"clear{number}", runs.CLEAR) for number in range(83)]
    run = runs.judged(tmp_path, *found, *more, *clear)
    assert len(run.sessions) == 100
    assert sum(sum(session.counts.values()) for session in run.sessions) == 50
    trend = tuple(TrendRun(f"2026-01-{n:02d}T00:00:00Z", {"FAIL": n}) for n in range(1, 21))
    assert len(FORMATS["html"].render(replace(run, trend=trend)).encode()) < 100_000


def test_many_sessions_and_problems_are_counted() -> None:
    """Each list of the page and of the summary ends with what it leaves out."""
    one = runs.examples().sessions[1]
    run = replace(
        runs.examples(),
        sessions=tuple(replace(one, path=f"s{number}") for number in range(300)),
        problems=tuple(f"problem {number}" for number in range(30)),
    )
    page = FORMATS["html"].render(run)
    assert "and 100 more sessions" in page
    assert "and 260 more sessions with findings" in page
    assert "and 10 more in the JSON report" in page
    assert "and 20 more problems" in FORMATS["markdown"].render(run)
    ten = replace(run, problems=run.problems[:10])
    assert "more problem" not in FORMATS["markdown"].render(ten)
