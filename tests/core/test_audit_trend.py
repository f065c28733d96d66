"""Trends: exact slopes, the runbook's rules at their borders, keys of every origin."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core.audit.filters import Filters
from recon_core.audit.runs import Trail
from recon_core.audit.trend import (
    DRAWN_RUNS,
    KeyTrend,
    Line,
    TrendSink,
    delta_of,
    key_of,
    shown_slope,
)
from recon_core.values.times import format_time

from .builders import AS_OF, amounts

Points = list[tuple[int, Decimal]]


def slope_of(points: Points) -> Fraction | None:
    """The slope by its other definition: covariance over variance, from the means."""
    if len({x for x, _ in points}) < 2:
        return None
    xs, ys = [Fraction(x) for x, _ in points], [Fraction(y) for _, y in points]
    mean_x, mean_y = (sum(these, start=Fraction()) / len(these) for these in (xs, ys))
    above = sum(
        ((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)), start=Fraction()
    )
    return above / sum(((x - mean_x) ** 2 for x in xs), start=Fraction())


def line(points: Points) -> Line:
    """The line through points."""
    found = Line()
    for x, y in points:
        found.add(x, y)
    return found


@given(st.lists(st.tuples(st.integers(0, 10**6), amounts()), max_size=12))
def test_slopes_are_exact(points: Points) -> None:
    """For amounts of every legal size, against another definition."""
    assert line(points).slope == slope_of(points)


@given(amounts(), amounts(), st.lists(st.integers(0, 100), min_size=2, max_size=8, unique=True))
def test_a_straight_line_has_its_own_slope(start: Decimal, step: Decimal, xs: list[int]) -> None:
    """Wherever it is looked at, and in any order."""
    with_exact = [(x, Fraction(start) + Fraction(step) * x) for x in xs]
    points = [(x, Decimal(int(y * 10**30)).scaleb(-30)) for x, y in with_exact]
    if all(Fraction(shown) == y for (_, shown), (_, y) in zip(points, with_exact, strict=True)):
        assert line(points).slope == Fraction(step)


@pytest.mark.parametrize(
    ("slope", "shown"),
    [
        (None, None),
        (Fraction(0), "0"),
        (Fraction(10), "10"),
        (Fraction(1, 3), "0.3333"),
        (Fraction(-2, 3), "-0.6667"),
        (Fraction(1, 10**20), "0.00000000000000000001"),
        (Fraction(123456), "123500"),
        (Fraction(100045, 100000), "1"),
        (Fraction(10**30), "1" + "0" * 30),
    ],
)
def test_slopes_are_printed_to_four_digits(slope: Fraction | None, shown: str | None) -> None:
    """Without an exponent; rounded once, from the exact fraction."""
    assert shown_slope(slope) == shown


def entry(event_type: str, details: dict[str, Any]) -> dict[str, Any]:
    """An entry of a log."""
    return {
        "event_type": event_type,
        "timestamp": "2026-01-01T12:00:00Z",
        "details": {"run_id": "run", "session_id": "s", "strategy_id": "grid", **details},
    }


def trend(counts: list[dict[str, int]], diffs: list[list[dict[str, Any]]]) -> dict[str, Any]:
    """The trend of one strategy over runs with these counts and these diffs."""
    sink = TrendSink(Filters(), None)
    trail = Trail(Filters(), sink)
    for number, (count, found) in enumerate(zip(counts, diffs, strict=True)):
        run = {"run_id": f"run_{number}"}
        total = {"total_diffs": sum(count.values()), "counts_by_severity": count}
        trail.take(entry("RECON_SUMMARY", {**run, **total}))
        for details in found:
            trail.take(entry("RECON_DIFF", {**run, **details}))
    trail.close()
    (item,) = sink.answer().items
    return item


@pytest.mark.parametrize(
    ("info", "rising", "slope"),
    [
        ([5], False, None),
        ([1, 9], False, "8"),
        ([1, 2, 3], True, "1"),
        ([3, 2, 1], False, "-1"),
        ([2, 2, 2], False, "0"),
        # The line rises, the last is no more than the first.
        ([5, 0, 9, 9, 5], False, "0.9"),
        # The last is more than the first, the line falls.
        ([1, 9, 9, 0, 0, 2], False, "-0.8857"),
        ([0, 9, 1], True, "0.5"),
    ],
)
def test_when_a_rate_rises(info: list[int], rising: bool, slope: str | None) -> None:  # noqa: FBT001
    """From three runs on: the line rises, and the last is above the first."""
    found = trend([{"INFO": count} for count in info], [[] for _ in info])
    assert found["info_per_run"] == info
    assert (found["info_rising"], found["info_slope"]) == (rising, slope)


@pytest.mark.parametrize(
    ("info", "above", "holds"),
    [
        ([50], [], False),
        ([51], ["run_0"], True),
        ([51, 50], ["run_0"], False),
        ([50, 51], ["run_1"], True),
        ([99, 51, 3], ["run_0", "run_1"], False),
    ],
)
def test_the_rule_of_fifty(info: list[int], above: list[str], holds: bool) -> None:  # noqa: FBT001
    """More than 50, and the latest run decides whether it holds now."""
    found = trend([{"INFO": count} for count in info], [[] for _ in info])
    assert (found["runs_above_50_info"], found["above_50_info"]) == (above, holds)


def key_trend(severities: str, deltas: list[str] | None = None) -> dict[str, Any]:
    """The trend of a key that in each run is as one letter says; `-` is no diff."""
    names = {"I": "INFO", "W": "WARN", "F": "FAIL", "C": "CRITICAL"}
    given_deltas = deltas or ["1"] * len(severities)
    diffs = [
        [] if letter == "-" else [{"severity": names[letter], "key": "K", "delta": delta}]
        for letter, delta in zip(severities, given_deltas, strict=True)
    ]
    counts = [{each["severity"]: 1 for each in found} for found in diffs]
    keys = trend(counts, diffs)["keys"]
    return keys[0] if keys else {}


def test_keys_are_sorted() -> None:
    """However the runs list their diffs: a document of equal logs has equal lines."""
    runs = [["b", "c"], ["c", "a"]]
    diffs = [[{"diff_type": "CASH", "severity": "FAIL", "key": key} for key in keys]
             for keys in runs]  # fmt: skip
    keys = trend([{"FAIL": 2}] * 2, diffs)["keys"]
    assert [each["key"] for each in keys] == ["cash::a", "cash::b", "cash::c"]


@pytest.mark.parametrize(
    ("severities", "recent", "recurs"),
    [
        ("W", 1, False),
        ("WW", 2, False),
        ("WWW", 3, True),
        ("W-W-W", 3, True),
        ("WW--W-", 2, False),
        ("WWW--", 3, True),
        ("WWW---", 2, False),
        ("WWFFF", 2, False),
        ("IIIIWWWWW", 5, True),
        ("WWWWWIIIII", 0, False),
    ],
)
def test_when_a_warn_recurs(severities: str, recent: int, recurs: bool) -> None:  # noqa: FBT001
    """The same key in three of the last five runs (design, "Escalation")."""
    found = key_trend(severities)
    assert (found["warn_in_recent_runs"], found["warn_recurs"]) == (recent, recurs)
    assert found["runs"] == len(severities.replace("-", ""))


@pytest.mark.parametrize(
    ("severities", "deltas", "sign"),
    [
        ("II", ["1", "1"], None),
        ("III", ["1", "2", "0.1"], "positive"),
        ("III", ["-1", "-2", "-0.1"], "negative"),
        ("III", ["1", "2", "-0.1"], None),
        ("III", ["1", "2", "0"], None),
        ("III", ["0", "0", "0"], None),
        ("III", ["1", "2", "unknown"], None),
        # Another severity says nothing about rounding.
        ("IIIW", ["1", "1", "1", "-1"], "positive"),
        ("IIWW", ["1", "1", "1", "1"], None),
    ],
)
def test_one_signed_info(severities: str, deltas: list[str], sign: str | None) -> None:
    """At least three, all of one sign: a rounding that goes one way."""
    assert key_trend(severities, deltas)["one_signed_info"] == sign


@given(st.permutations(range(8)))
def test_the_order_of_the_diffs_within_a_log_means_nothing(order: list[int]) -> None:
    """Runs are numbered by their summaries; foreign logs mix the diffs of several."""
    diffs = [(n, "WARN" if n % 2 else "INFO", Decimal(n) / 4) for n in range(8)]
    found = KeyTrend()
    for place in order:
        found.add(*diffs[place])
    expected = KeyTrend()
    for each in diffs:
        expected.add(*each)
    times = [datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 9)]
    assert found.to_dict("K", times) == expected.to_dict("K", times)


@pytest.mark.parametrize(
    ("details", "key"),
    [
        ({"diff_type": "POSITION", "key": "BTC/EUR,leg=LONG"}, "position::BTC/EUR,leg=LONG"),
        ({"diff_type": "CASH", "diff_details": {"currency": "EUR"}}, "cash::EUR"),
        ({"diff_type": "POSITION", "diff_details": {"symbol": "S00/EUR"}}, "position::S00/EUR"),
        (
            {"diff_type": "POSITION", "key": "A", "diff_details": {"symbol": "B", "key": "C"}},
            "position::A",
        ),
        ({"diff_type": "CASH", "diff_details": {"delta": "1"}}, "cash"),
        ({"diff_type": "CASH", "key": "", "diff_details": []}, "cash"),
        ({"diff_type": "CASH", "key": 7}, "cash"),
        ({}, "unknown"),
    ],
)
def test_what_a_diff_is_about(details: dict[str, Any], key: str) -> None:
    """Ours say it; foreign ones say it in their own figures, or not at all."""
    assert key_of(details) == key


@pytest.mark.parametrize(
    ("details", "delta"),
    [
        ({"delta": "0.0005"}, Decimal("0.0005")),
        ({"delta": "-5.00"}, Decimal("-5.00")),
        ({"diff_details": {"delta": "0.06"}}, Decimal("0.06")),
        ({"diff_details": {"delta": -50.0}}, Decimal(-50)),
        ({"diff_details": {"delta": 3}}, Decimal(3)),
        ({"delta": None, "diff_details": {"delta": "1"}}, Decimal(1)),
        ({"delta": "9" * 100 + "." + "9" * 100}, Decimal("9" * 100 + "." + "9" * 100)),
        ({"delta": "9" * 101}, None),
        ({"delta": "1e5"}, None),
        ({"delta": "NaN"}, None),
        ({"delta": "\u0661"}, None),
        ({"delta": True}, None),
        ({"delta": ["1"]}, None),
        ({"diff_details": "delta"}, None),
        ({}, None),
    ],
)
def test_deltas_are_exact_or_unknown(details: dict[str, Any], delta: Decimal | None) -> None:
    """Never guessed: what is no plain decimal has no part in a slope."""
    assert delta_of(details) == delta


def test_each_strategy_has_its_own_trend() -> None:
    """Sorted by name; a run without one stands for itself."""
    sink = TrendSink(Filters(), 2)
    trail = Trail(Filters(), sink)
    for number, strategy in enumerate(["grid", "", "grid", "ma"]):
        details = {
            "run_id": f"run_{number}",
            "strategy_id": strategy,
            "total_diffs": 0,
            "counts_by_severity": {},
        }
        trail.take(entry("RECON_SUMMARY", details))
    trail.close()
    answer = sink.answer()
    assert [(item["strategy_id"], item["runs"]) for item in answer.items] == [("", 1), ("grid", 2)]
    assert answer.notes == ["--limit left out 1 of 3"]


@pytest.mark.parametrize(
    ("differed", "runs", "days"),
    [
        ("1", 1, 0),
        ("0", 0, 0),
        ("0001", 1, 0),
        ("1110", 0, 0),
        ("0111", 3, 20),
        ("1111", 4, 30),
        ("1101", 1, 0),
        ("1011", 2, 10),
    ],
)
def test_the_age_of_a_difference(differed: str, runs: int, days: int) -> None:
    """Runs without a gap up to the latest one, and the days from the first of them to it."""
    times = [AS_OF + timedelta(days=10 * number) for number in range(len(differed))]
    key = KeyTrend()
    for number, digit in enumerate(differed):
        if digit == "1":
            key.add(number, "FAIL", Decimal(1))
    found = key.to_dict("K", times)
    assert (found["age_runs"], found["age_days"]) == (runs, days)
    assert found["since"] == (format_time(times[-runs]) if runs else None)


def test_few_sizes_are_kept() -> None:
    """A key of many runs holds the sizes that a chart shows, and no more than twice of them."""
    key = KeyTrend()
    for number in range(1000):
        key.add(number, "FAIL", Decimal(-number))
    assert len(key.recent) <= 2 * DRAWN_RUNS
    sizes = key.to_dict("K", [AS_OF] * 1000)["sizes"]
    assert sizes == [str(number) for number in range(1000 - DRAWN_RUNS, 1000)]
