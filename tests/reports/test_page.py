"""The page: what is first, how a chart is drawn, and the trend over commands."""

import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recon_core.reports.formats import FORMATS
from recon_core.reports.page import content
from recon_core.reports.page.charts import (
    HEIGHT,
    WIDTH,
    fill_lanes,
    step_chart,
    trend_chart,
    waterfall_chart,
)
from recon_core.reports.page.content import page
from recon_core.reports.run_report import (
    Course,
    FillMark,
    Point,
    RunReport,
    Steps,
    TrendRun,
)

from . import runs


def course(*deltas: str, first: int | None = None, tolerance: str = "1") -> Course:
    points = tuple(
        Point(f"2026-01-01T0{hour}:00:00Z", delta, "0") for hour, delta in enumerate(deltas)
    )
    return Course("postings", points, tolerance, first, 0)


def heights(path: str) -> list[int]:
    """The heights of a step line."""
    return [int(each) for each in re.findall(r"(?:M\d+ |V)(\d+)", path)]


def test_a_course_is_a_step_line_around_zero() -> None:
    """Above the middle where the ledger has more, as high as its largest delta."""
    chart = step_chart(course("0", "5", "5", "-10", first=1), "EUR")
    begin, up, down = heights(chart.path)
    assert begin == chart.zero == HEIGHT // 2
    assert (begin - up) * 2 == down - begin > 40
    assert chart.first == WIDTH // 3
    assert chart.band[0] < chart.zero < sum(chart.band)
    assert chart.label == "-10 EUR"


@pytest.mark.parametrize("delta", ["123456.789", "-123456.789", "0.00001"])
def test_the_delta_at_the_end_is_written_inside_the_chart(delta: str) -> None:
    """Beside its line, wherever that is."""
    chart = step_chart(course("0", delta, first=1, tolerance="0"), "EUR")
    assert 10 <= chart.label_at <= HEIGHT
    assert abs(chart.label_at - heights(chart.path)[-1]) >= 6


def test_the_steps_of_a_waterfall_have_equal_decimals_and_add_up() -> None:
    """No digit is rounded away."""
    ours = {"opening": "100", "trades": "-40.5", "fees": "-0.12345678"}
    theirs = {"opening": "100", "trades": "-40.5", "fees": "-0.1"}
    sides = [
        Steps("internal", "EUR", opened=True, steps=ours, closing="59.37654322", stated=None),
        Steps("external", "EUR", opened=True, steps=theirs, closing="59.4", stated=None),
    ]
    chart = waterfall_chart(sides, {"internal": "59.37654322", "external": "59.4"})
    for side in ("internal", "external"):
        amounts = [Decimal(getattr(row, side)) for row in chart.rows]
        assert sum(amounts[:-1]) == amounts[-1]
        assert {amount.as_tuple().exponent for amount in amounts} == {-8}
    assert "fees by -0.02346, closing by -0.02346 EUR" in chart.text
    assert chart.outline.count("M") == 2


def test_the_bars_of_a_waterfall_are_as_high_as_their_amounts() -> None:
    """From 56 to 104, a tenth of 40 around both ends; each bar begins where the last one ended."""
    steps = {"opening": "100", "trades": "-40"}
    sides = [Steps("internal", "EUR", opened=True, steps=steps, closing="60", stated=None)]
    chart = waterfall_chart(sides, {"internal": "60"})
    bars = [
        (int(top), int(height))
        for top, height in re.findall(r"M\d+ (\d+)h\d+v(\d+)", chart.internal)
    ]
    tops = [round(HEIGHT * (1 - share)) for share in (44 / 48, 44 / 48, 4 / 48)]
    assert [top for top, _ in bars] == tops
    ends = [top + height for top, height in bars]
    assert ends == [HEIGHT, tops[2], HEIGHT]


@pytest.mark.parametrize("amount", ["1e30", "1e-30", "0"])
def test_the_range_of_a_waterfall_has_no_exponent(amount: str) -> None:
    """Whatever the size of the balance is."""
    shown = format(Decimal(amount), "f")
    chart = waterfall_chart(
        [
            Steps(
                "internal", "EUR", opened=True, steps={"opening": shown}, closing=shown, stated=None
            )
        ],
        {"internal": shown},
    )
    assert re.search(r"drawn from -?[0-9.]+ to [0-9.]+$", chart.text), chart.text


def test_a_lane_has_a_mark_for_each_side() -> None:
    """A fill that one side lacks leaves a gap in its lane."""
    marks = [
        FillMark("2026-01-01T09:00:00Z", 3, 0, 0, 0),
        FillMark("2026-01-01T10:00:00Z", 0, 0, 0, 1),
    ]
    lanes = fill_lanes(marks)
    assert lanes is not None
    assert (lanes.matched.count("M"), lanes.only_external.count("M")) == (2, 1)
    assert lanes.only_internal == lanes.unequal == ""


def test_a_trend_stacks_severities() -> None:
    """One bar for each run, its number above it; a run without differences has the number."""
    days = [{"FAIL": 2, "WARN": 1}, {}, {"FAIL": 6}]
    chart = trend_chart([TrendRun(f"2026-01-0{n}", each) for n, each in enumerate(days, 1)])
    assert chart is not None
    paths = dict(chart.paths)
    assert (paths["FAIL"].count("M"), paths["WARN"].count("M")) == (2, 1)
    fails = [int(each) for each in re.findall(r"v(\d+)", paths["FAIL"])]
    assert abs(fails[1] - 3 * fails[0]) <= 1  # whole pixels
    assert [total for _, _, total in chart.labels] == [3, 0, 6]
    assert all(10 <= y < HEIGHT and 0 < x < WIDTH for x, y, _ in chart.labels)


def test_one_run_has_no_trend() -> None:
    """There is nothing to compare it with."""
    assert trend_chart([TrendRun("2026-01-01", {"FAIL": 1})]) is None


def session(name: str, **sides: Any) -> dict[str, Any]:
    return {**runs.session(**sides), "session_id": name}


def test_the_trend_is_of_commands_and_not_of_their_sessions(tmp_path: Path) -> None:
    """Three commands over two sessions each are three bars."""
    texts = []
    for amount in ("4990", "4980", "5000"):
        desk = session(
            "desk", internal={"cash": {"EUR": "5000"}}, external={"cash": {"EUR": amount}}
        )
        anchors = [runs.write(tmp_path, "desk", desk), runs.write(tmp_path, "other", runs.BLOCKED)]
        texts.append(
            FORMATS["html"].render(runs.judged(tmp_path, *anchors, log=tmp_path / "audit.jsonl"))
        )
    assert "<h2>Trend</h2>" not in texts[0]
    assert "differences of the last 3 runs, the latest last: 3, 3, 2" in texts[2]


def first_box(run: RunReport) -> str:
    text = FORMATS["html"].render(run)
    return text.partition("First thing to chase</h2>")[2].partition("</section>")[0]


def test_a_proven_cause_is_first(tmp_path: Path) -> None:
    """Before a larger difference without one."""
    anchors = [
        runs.write(tmp_path, "a", runs.BLOCKED),
        runs.write(tmp_path, "b", runs.trading()),
    ]
    box = first_box(runs.judged(tmp_path, *anchors))
    assert "missing a fill" in box
    assert "b.recon.json" in box
    assert "recon repair b.recon.json" in box


def test_a_file_that_cannot_be_read_is_before_any_cause(tmp_path: Path) -> None:
    """Nothing of it was compared."""
    runs.write(tmp_path, "b", runs.trading())
    (tmp_path / "a.recon.json").write_text("{", encoding="utf-8")
    box = first_box(runs.judged(tmp_path, *sorted(tmp_path.glob("*.json"))))
    assert "CRITICAL" in box
    assert "a.recon.json" in box


def test_without_a_cause_the_worst_finding_is_first() -> None:
    """The reader has something to begin with."""
    run = runs.examples()
    (found,) = (one for one in run.sessions if one.file.endswith("blocked/missing_fee.recon.json"))
    box = first_box(replace(run, sessions=(replace(found, explanations=()),)))
    assert "FAIL" in box
    assert "cash EUR" in box


def test_an_explanation_has_the_side_at_fault() -> None:
    """The ledger, the exchange, or none where no cause was found."""
    explained = [one for session in runs.examples().sessions for one in session.explanations]
    assert {one.side for one in explained} == {"internal", "external", None}


def test_what_is_within_tolerance_is_nothing_to_chase(tmp_path: Path) -> None:
    """Neither is a clear run."""
    drift = session(
        "desk", internal={"cash": {"EUR": "5000"}}, external={"cash": {"EUR": "4999.9"}}
    )
    assert first_box(runs.judged(tmp_path, runs.write(tmp_path, "desk", drift))) == ""


@pytest.mark.parametrize(("most", "more"), [(1, 1), (2, 0), (500, 0)])
def test_findings_that_are_left_out_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, more: int
) -> None:
    """None where all are shown."""
    monkeypatch.setattr(content, "MOST_FINDINGS", most)
    shown = page(runs.judged(tmp_path, runs.write(tmp_path, "desk", runs.BLOCKED)))
    assert (len(shown.findings), shown.more_findings) == (min(most, 2), more)


def test_a_position_has_a_course_and_a_balance_a_waterfall_too(tmp_path: Path) -> None:
    """A position has postings in time, and no steps that add up to it."""
    (block,) = page(runs.judged(tmp_path, runs.write(tmp_path, "desk", runs.trading()))).sessions
    drawn = {
        chart.row.kind: (chart.course is not None, chart.waterfall is not None)
        for chart in block.charts
    }
    assert drawn == {"position": (True, False), "cash": (True, True)}


def test_the_heat_map_begins_with_the_worst_session(tmp_path: Path) -> None:
    """Sessions that match follow, in their order."""
    anchors = [runs.write(tmp_path, f"clear{n}", runs.CLEAR) for n in range(3)]
    anchors.append(runs.write(tmp_path, "zz", runs.BLOCKED))
    shown = [row.session.file for row in page(runs.judged(tmp_path, *anchors)).map_rows]
    names = ["zz", "clear0", "clear1", "clear2"]
    assert shown == [f"{name}.recon.json" for name in names]
