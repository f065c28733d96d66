"""The order of a log is its own: clocks that go back and forth take no run out of a question."""

from itertools import permutations
from pathlib import Path

import pytest

from .audit_cases import Entry, asked, batch, diff, summary, write_export, write_log

GATE = "--exit-on-findings"
HOURS = {"a": 9, "b": 10, "c": 11, "d": 12}


def at(hour: int) -> str:
    """A time on the hour."""
    return f"2026-01-01T{hour:02d}:00:00Z"


def runs(order: str, blocked: str = "") -> list[Entry]:
    """Runs of these names in this order, each at its hour; some are blocked."""
    entries: list[Entry] = []
    for name in order:
        counts = {"FAIL": 1} if name in blocked else {}
        found = [diff(name, "FAIL")] if name in blocked else []
        entries += batch(summary(name, counts, at(HOURS[name])), *found)
    return entries


def shown(path: Path, *words: str) -> str:
    """The runs that a question selects."""
    items = asked("summary", "--json", path, "--format", "json", *words).json["items"]
    return "".join(item["run_id"] for item in items)


@pytest.mark.large
@pytest.mark.parametrize("write", [write_log, write_export])
def test_every_order_of_four_runs(tmp_path: Path, write: object) -> None:
    """From the first run at or after a time on, up to the last one at or before it."""
    for number, names in enumerate(permutations("abcd")):
        order = "".join(names)
        path = write(tmp_path / f"{number}", runs(order))  # type: ignore[operator]
        for hour in (9, 10, 12):
            first = min(order.index(name) for name in order if HOURS[name] >= hour)
            last = max(order.index(name) for name in order if HOURS[name] <= hour)
            assert shown(path, "--since", at(hour)) == order[first:]
            assert shown(path, "--until", at(hour)) == order[: last + 1]
            both = shown(path, "--since", at(hour), "--until", at(hour))
            assert both == order[min(first, last) :][: abs(last - first) + 1] or first > last


def test_a_blocked_run_after_the_clock_went_back(tmp_path: Path) -> None:
    """The gate of the pipeline that wrote it sees it."""
    path = write_log(tmp_path / "audit.jsonl", runs("ba", blocked="a"))
    for mode in ("summary", "diffs", "detailed", "trend", "export", "verify"):
        assert asked(mode, "--json", path, GATE, "--since", "2026-01-01T09:30:00Z").code == 2
    assert asked("detailed", "--json", path).lines[0] == "Run a"
    first = asked("diffs", "--json", write_log(path, runs("ba", "ab")), "--limit", "1")
    assert "run a" in first.out


@pytest.mark.parametrize(
    ("order", "words", "code"),
    [
        ("ba", ["--since", at(10)], 1),
        ("ba", ["--until", at(9)], 1),
        ("ba", ["--since", at(9)], 0),
        ("ba", ["--until", at(10)], 0),
        ("ba", [], 0),
        ("bac", ["--since", at(11)], 0),
        ("acb", ["--until", at(10)], 1),
        ("ab", ["--since", at(10)], 0),
        ("ab", ["--until", at(9)], 0),
    ],
)
def test_a_gate_that_depends_on_a_clock_that_went_back(
    tmp_path: Path, order: str, words: list[str], code: int
) -> None:
    """Where the order of the log and the clock select the same runs, there is no doubt."""
    path = write_log(tmp_path / "audit.jsonl", runs(order))
    for mode in ("summary", "diffs", "trend", "export", "verify"):
        answer = asked(mode, "--json", path, GATE, *words)
        assert answer.code == code
        if code:
            assert "by its place in the log and not by its time" in answer.err


def test_runs_that_were_judged_at_the_same_time(tmp_path: Path) -> None:
    """Two commands may write in another order than they judge in: no clock went back."""
    early, late = batch(summary("early", timestamp=at(9))), batch(summary("late", timestamp=at(10)))
    early[0]["timestamp"] = at(11)
    path = write_log(tmp_path / "audit.jsonl", [*late, *early])
    assert asked("diffs", "--json", path, GATE, "--since", at(10)).code == 0


def test_verify_notes_times_that_go_back(tmp_path: Path) -> None:
    """How often, and where first; a log in order has no such note."""
    path = write_log(tmp_path / "audit.jsonl", runs("badc"))
    answer = asked("verify", "--json", path)
    note = f"note: times of runs go back, 4 times: first {at(9)} after {at(10)}"
    assert (answer.code, answer.lines[1:]) == (0, [note])
    assert asked("verify", "--json", write_log(path, runs("abcd"))).lines[1:] == []


def test_standard_input_is_kept_where_it_is_read_twice(tmp_path: Path) -> None:
    """The end of a span is known at the end of the log only."""
    content = write_log(tmp_path / "audit.jsonl", runs("adbc")).read_bytes()
    answer = asked("summary", "--json", "-", "--until", at(10), "--format", "json", stdin=content)
    assert [item["run_id"] for item in answer.json["items"]] == ["a", "d", "b"]
