"""What is kept while a log is read, and how a summary is read in the worst way."""

import json
import tracemalloc
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from recon_core.audit.fields import UNKNOWN, counted_diffs, is_naive, utc_text, utc_time
from recon_core.audit.filters import Filters, chosen_severities, first_moment, last_moment
from recon_core.audit.query import Answer, DetailedSink, DiffsSink, SummarySink
from recon_core.audit.runs import Trail
from recon_core.audit.spool import Spool, SpooledItems, one_line
from recon_core.audit.trend import TrendSink
from recon_core.cli.audit_steps import document, pieces
from recon_core.values.errors import AuditError, ReconError

RUNS = 500


def entry(event_type: str, number: int, details: dict[str, Any] | None = None) -> dict[str, Any]:
    """An entry of a run of ours."""
    run = {"run_id": f"run_{number}", "session_id": f"session_{number % 50}", "strategy_id": "grid"}
    time = f"2026-01-01T{number // 60 % 24:02d}:{number % 60:02d}:00Z"
    return {"event_type": event_type, "timestamp": time, "details": {**run, **(details or {})}}


def log(runs: int = RUNS, text: str = "") -> Iterator[dict[str, Any]]:
    """Many runs of two diffs each, one after the other."""
    for number in range(runs):
        counts = {"total_diffs": 2, "counts_by_severity": {"FAIL": 1, "INFO": 1}}
        yield entry("RECON_RUN_OPENED", number)
        yield entry("RECON_SUMMARY", number, {**counts, "recorded_diffs": 2})
        for severity in ("FAIL", "INFO"):
            time = entry("", number)["timestamp"]
            more = {"severity": severity, "key": severity, "run_timestamp": time, "text": text}
            yield entry("RECON_DIFF", number, more)
        yield entry("RECON_RUN_COMMITTED", number)


@pytest.mark.parametrize(
    ("sink", "limit", "filters", "most"),
    [
        (SummarySink, 3, Filters(), 3 * 2 + 65),
        (SummarySink, None, Filters(session_id="session_7"), RUNS // 50),
        (SummarySink, None, Filters(severities=frozenset({"WARN"})), 1),
        (DiffsSink, 3, Filters(), 3 * 2 + 65),
        (DiffsSink, None, Filters(run_id="run_7"), 2),
        (DetailedSink, None, Filters(), 2),
        (DetailedSink, None, Filters(run_id="run_7"), 2),
    ],
)
def test_no_more_is_kept_than_is_shown(
    sink: type[SummarySink | DiffsSink | DetailedSink],
    limit: int | None,
    filters: Filters,
    most: int,
) -> None:
    """At no moment; of runs that are finished or not asked for nothing is left."""
    kept = sink(filters, limit)
    trail = Trail(filters, kept)
    for each in log():
        trail.take(each)
        worst = getattr(kept, "_worst", None)
        found = getattr(kept, "_found", ()) if worst is None else worst._found
        unfinished = len(getattr(kept, "_unfinished", ()))
        assert len(found) + unfinished <= most
        assert len(trail._runs) <= 1
        assert len(trail._opened) <= 1
        assert not trail._waiting
        assert not trail._refused
    assert trail.close().seen == RUNS


@pytest.mark.large
def test_an_answer_of_any_length_is_not_kept_in_memory() -> None:
    """Of 32 MiB of diffs the figures they are sorted by, and the end of a file."""
    kept = DiffsSink(Filters(), None)
    trail = Trail(Filters(), kept)
    tracemalloc.start()
    try:
        for each in log(500, "x" * (32 << 10)):
            trail.take(each)
        trail.close()
        count = sum(1 for _ in pieces(kept.answer()))
        assert tracemalloc.get_traced_memory()[1] < 14 << 20
    finally:
        tracemalloc.stop()
    assert count > 1000


def test_a_spooled_answer_is_the_same_text() -> None:
    """Items in a file and items in memory, with notes and without, none and many."""
    values = [{"text": "\u00e4\n", "number": number, "none": None} for number in range(3000)]
    for chosen in ([], [0], list(range(3000))[::-1]):
        spool = Spool()
        for value in values:
            spool.add(value)
        listed = [values[number] for number in chosen]
        for notes in ([], ["a", "b"]):
            one = Answer("E", SpooledItems(spool, chosen), notes=notes)
            other = Answer("E", listed, notes=notes)
            text = "".join(pieces(one))
            assert text == "".join(pieces(other)) == document(other)
            told = {"notes": "; ".join(notes)} if notes else {}
            assert json.loads(text) == {
                "count": len(chosen),
                "event_type": "E",
                "items": listed,
                **told,
            }


def test_a_trend_keeps_figures_and_no_entries() -> None:
    """Two keys, and a number per run."""
    kept = TrendSink(Filters(), None)
    trail = Trail(Filters(), kept)
    for each in log():
        trail.take(each)
        assert len(kept._places) <= 1
    trail.close()
    (item,) = kept.answer().items
    assert (item["runs"], len(item["keys"])) == (RUNS, 2)


@pytest.mark.parametrize(
    ("details", "counted"),
    [
        ({"counts_by_severity": {}}, {}),
        ({"counts_by_severity": {"INFO": 0}}, {}),
        ({"counts_by_severity": {"INFO": 2}, "total_diffs": 2}, {"INFO": 2}),
        ({"counts_by_severity": {"INFO": 2}, "total_diffs": 5}, {"INFO": 2, UNKNOWN: 3}),
        ({"counts_by_severity": {"INFO": 2}}, {"INFO": 2}),
        ({"counts_by_severity": {}, "total_diffs": 1, "has_fail": True}, {"FAIL": 1}),
        ({"counts_by_severity": {"FAIL": 4}, "has_fail": True}, {"FAIL": 4}),
        ({"counts_by_severity": {}, "has_critical": True}, {"CRITICAL": 1}),
        ({"counts_by_severity": {}, "max_severity": "WARN"}, {"WARN": 1}),
        ({"counts_by_severity": {}, "max_severity": "INFO"}, {}),
        ({"counts_by_severity": {}, "max_severity": None, "has_fail": False}, {}),
    ],
)
def test_a_summary_that_contradicts_itself(
    details: dict[str, Any], counted: dict[str, int]
) -> None:
    """What any of its figures says there is, there is."""
    assert counted_diffs({"total_diffs": 0, **details}) == counted


@pytest.mark.parametrize(
    ("text", "naive", "utc"),
    [
        ("2026-01-01T12:00:00", True, "2026-01-01T12:00:00+00:00"),
        ("2026-01-01T12:00:00Z", False, "2026-01-01T12:00:00+00:00"),
        ("2026-01-01t12:00:00z", False, "2026-01-01T12:00:00+00:00"),
        ("2026-01-01 12:00:00.25", True, "2026-01-01T12:00:00.250000+00:00"),
        ("2026-01-01T12:00:00+01:00", False, "2026-01-01T11:00:00+00:00"),
        ("2026-01-31T23:59:59Z", False, "2026-01-31T23:59:59+00:00"),
        ("2024-02-29T00:00:00.000001Z", False, "2024-02-29T00:00:00.000001+00:00"),
        ("2026-01-01T12:00:00-00:30", False, "2026-01-01T12:30:00+00:00"),
    ],
)
def test_times_of_entries(text: str, naive: bool, utc: str) -> None:  # noqa: FBT001
    """Without an offset they are UTC."""
    assert is_naive(text) is naive
    assert utc_time(text).isoformat() == utc
    assert utc_text(text) == utc.replace("+00:00", "Z")


@pytest.mark.parametrize(
    "text",
    [
        *("", "now", "2026-01-01", "2026-01-01T12:00", "0001-01-01T00:00:00+23:00", "\u0662026"),
        *("2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-01-01T24:00:00Z"),
    ],
)
def test_what_is_no_time_of_an_entry(text: str) -> None:
    """Refused with its text; the calendar has an end."""
    with pytest.raises(AuditError, match=r"^timestamp: .* is no time; expected one like"):
        utc_time(text)
    with pytest.raises(AuditError):
        utc_text(text)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-01-01", "2026-01-01T00:00:00+00:00", "2026-01-01T23:59:59.999999+00:00"),
        ("9999-12-31", "9999-12-31T00:00:00+00:00", "9999-12-31T23:59:59.999999+00:00"),
        ("2026-01-01T12:00", "2026-01-01T12:00:00+00:00", "2026-01-01T12:00:00+00:00"),
        ("2026-01-01T12:00:00Z", "2026-01-01T12:00:00+00:00", "2026-01-01T12:00:00+00:00"),
        ("2026-01-01T12:00:00+02:00", "2026-01-01T10:00:00+00:00", "2026-01-01T10:00:00+00:00"),
    ],
)
def test_ends_of_a_span(text: str, first: str, last: str) -> None:
    """A date is a whole day, a time is a moment."""
    assert first_moment(text).isoformat() == first
    assert last_moment(text).isoformat() == last


@pytest.mark.parametrize("text", ["", "today", "2026-13-01", "0001-01-01T00:00:00+23:00"])
def test_what_is_no_end_of_a_span(text: str) -> None:
    """Refused with its text."""
    for moment in (first_moment, last_moment):
        with pytest.raises(ReconError, match="is no time; expected a date or a time like"):
            moment(text)


SEVERITIES = ("INFO", "WAIVED", "WARN", "FAIL", "CRITICAL")


@pytest.mark.parametrize(
    ("exact", "lowest"),
    list(product([(), ("INFO",), ("WARN", "CRITICAL")], [None, *SEVERITIES])),
)
def test_severities_that_are_asked_for(exact: tuple[str, ...], lowest: str | None) -> None:
    """Both conditions hold; one that nothing can meet is refused."""
    high = SEVERITIES[SEVERITIES.index(lowest or "INFO") :]
    expected = {name for name in high if not exact or name in exact}
    if expected:
        assert chosen_severities(exact, lowest) == expected
    else:
        with pytest.raises(ReconError, match="no severity named is as high"):
            chosen_severities(exact, lowest)


@pytest.mark.large
def test_what_cannot_be_one_line_is_refused() -> None:
    """An entry that is nested without end or holds a NaN is an error of the audit trail."""
    nested: object = "x"
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(AuditError, match="an entry is nested too deep"):
        one_line(nested)
    with pytest.raises(AuditError, match="a number that JSON has no word for"):
        one_line(float("nan"))
