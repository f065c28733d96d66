"""When `--exit-on-findings` may answer 0, case by case; the same in every mode.

It never may because there was nothing to read, because a filter hid the runs, because a
log holds fewer diffs than were counted, or because a run is not known to be whole.
"""

from pathlib import Path

import pytest

from tests.matrices import matrix

from .audit_cases import Entry, asked, batch, diff, opened, summary, write_export, write_log

MODES = ("summary", "diffs", "detailed", "trend", "export")
WHOLE = {"comparisons": 7, "ran": 7}
CLEAN = summary("clean")
WARN = ["--min-severity", "WARN"]
OPEN = [opened("cut")]
CUT = batch(summary("cut", {"FAIL": 1}), diff("cut"))
NO_RUN = "no run passes the filters, so there is nothing to judge"
NO_SUMMARY = "run run_1 has no summary, so it cannot be called clear"
NOT_COMMITTED = "run cut was never committed, so it cannot be called clear"

# name: (entries, options, exit code, what is said beside the answer)
CASES: dict[str, tuple[list[Entry], list[str], int, str]] = {
    "a clean run": ([CLEAN], [], 0, ""),
    "a clean run that is whole": ([summary(**WHOLE)], [], 0, ""),
    "more ran than was promised": (
        [summary(comparisons=7, ran=8)],
        [],
        1,
        "run run_1 is incomplete: 8 of 7 comparisons ran",
    ),
    "ran, of nobody knows how many": (
        [summary(ran=3)],
        [],
        1,
        "run run_1 does not say how many comparisons it had",
    ),
    "a problem besides diffs": (
        [summary(**WHOLE, problems=["an item failed"])],
        [],
        1,
        "run run_1 was not clear for another reason than its diffs: an item failed",
    ),
    "a clean run, another severity": ([CLEAN], WARN, 0, ""),
    "a clean run of this session": ([CLEAN], ["--session-id", "session_A"], 0, ""),
    "nothing": ([], [], 1, "it has no run, so there is nothing to judge"),
    "another session": ([CLEAN], ["--session-id", "session_B"], 1, NO_RUN),
    "another strategy": ([CLEAN], ["--strategy-id", "grid"], 1, NO_RUN),
    "a later time": ([CLEAN], ["--since", "2026-01-02"], 1, NO_RUN),
    "an earlier time": ([CLEAN], ["--until", "2025-12-31"], 1, NO_RUN),
    "another session, another severity": (
        [summary(counts={"FAIL": 1})],
        ["--session-id", "session_B", *WARN],
        1,
        NO_RUN,
    ),
    "a severity that is not known": (
        [summary(counts={"FAIL": 1}), diff(), diff(severity="fatal")],
        ["--severity", "CRITICAL"],
        2,
        "1 finding in 1 run",
    ),
    "counted of a severity that is not known": (
        [summary(counts={"HIGH": 2}, max_severity="HIGH")],
        WARN,
        2,
        "2 findings in 1 run",
    ),
    "none of a severity that is not known": ([summary(counts={"HIGH": 0})], [], 0, ""),
    "a diff": ([summary(counts={"FAIL": 1}), diff()], [], 2, "1 finding in 1 run"),
    "an INFO diff": ([summary(counts={"INFO": 1}), diff(severity="INFO")], [], 2, "1 finding"),
    "an INFO diff, not asked for": (
        [summary(counts={"INFO": 1}), diff(severity="INFO")],
        WARN,
        0,
        "",
    ),
    "one clean run and one with a diff": (
        [CLEAN, summary(counts={"FAIL": 1}), diff()],
        [],
        2,
        "1 finding in 1 run",
    ),
    "a limit hides the diff": (
        [summary(counts={"FAIL": 1}), diff(), CLEAN],
        ["--limit", "1"],
        2,
        "1 finding in 1 run",
    ),
    "counted, none recorded": ([summary(counts={"WARN": 9})], [], 2, "9 findings in 1 run"),
    "counted, none of this severity recorded": (
        [summary(counts={"FAIL": 1, "WARN": 2}), diff(severity="FAIL")],
        ["--severity", "WARN"],
        2,
        "2 findings in 1 run",
    ),
    "recorded, not counted": ([summary(), diff()], [], 2, "1 finding in 1 run"),
    "recorded and counted is not twice": (
        [summary(counts={"FAIL": 2}), diff(), diff()],
        [],
        2,
        "2 findings in 1 run",
    ),
    "in total only": ([summary(total_diffs=3)], [], 2, "3 findings in 1 run"),
    "in total only, of which severity is unknown": (
        [summary(total_diffs=3)],
        ["--severity", "CRITICAL"],
        2,
        "3 findings in 1 run",
    ),
    "a flag only": ([summary(has_fail=True)], WARN, 2, "1 finding in 1 run"),
    "the other flag only": (
        [summary(has_critical=True)],
        ["--severity", "CRITICAL"],
        2,
        "1 finding in 1 run",
    ),
    "a maximum only": ([summary(max_severity="WARN")], WARN, 2, "1 finding in 1 run"),
    "a flag of another severity": ([summary(has_fail=True)], ["--severity", "WARN"], 0, ""),
    "a diff without a summary": ([diff()], [], 2, "1 finding in 1 run"),
    "a diff without a summary beside a clean run": ([CLEAN, diff()], [], 2, "1 finding in 1 run"),
    "a diff without a summary, not asked for": (
        [CLEAN, diff(severity="INFO")],
        WARN,
        1,
        NO_SUMMARY,
    ),
    "a diff before its summary": ([diff(), summary(counts={"FAIL": 1})], [], 2, "1 finding in 1"),
    "a diff before its summary in another session": (
        [diff(severity="FAIL"), summary(session_id="other"), CLEAN],
        ["--session-id", "session_A"],
        0,
        "",
    ),
    "a diff whose run is too early, itself in time": (
        [summary(timestamp="2025-12-31T23:00:00Z"), diff(), CLEAN],
        ["--since", "2026-01-01"],
        0,
        "",
    ),
    "diffs of runs that are too early, far behind them": (
        [
            summary("early_1", {"FAIL": 1}, "2025-12-31T23:00:00Z"),
            summary("early_2", {"FAIL": 1}, "2025-12-31T23:00:00Z"),
            CLEAN,
            diff("early_1"),
            diff("early_2"),
        ],
        ["--since", "2026-01-01"],
        0,
        "",
    ),
    "a diff before its run, not asked for": (
        [diff(severity="INFO"), *batch(summary(counts={"INFO": 1}))],
        WARN,
        0,
        "",
    ),
    "the same summary twice": (
        [summary(counts={"FAIL": 1}), summary(counts={"FAIL": 1}), diff()],
        [],
        2,
        "1 finding in 1 run",
    ),
    "not all comparisons ran": (
        [summary(comparisons=7, ran=3)],
        [],
        1,
        "run run_1 is incomplete: 3 of 7 comparisons ran, so it cannot be called clear",
    ),
    "how many ran is unknown": ([summary(comparisons=7)], [], 1, "0 of 7 comparisons ran"),
    "nothing was compared": ([summary(comparisons=0, ran=0)], [], 1, "run run_1 compared nothing"),
    "not all ran, and a diff": (
        [summary(counts={"FAIL": 1}, comparisons=7, ran=3)],
        [],
        2,
        "1 finding in 1 run",
    ),
    "not all ran, and a diff that is not asked for": (
        [summary(counts={"INFO": 1}, comparisons=7, ran=3)],
        WARN,
        1,
        "run run_1 is incomplete",
    ),
    "not all ran, in another session": (
        [summary(comparisons=7, ran=3), summary("other", session_id="session_B")],
        ["--session-id", "session_B"],
        0,
        "",
    ),
    "one of two summaries is incomplete": (
        [summary(comparisons=7, ran=3), summary(**WHOLE)],
        [],
        1,
        "run run_1 is incomplete",
    ),
    "opened only": ([CLEAN, *OPEN], [], 1, NOT_COMMITTED),
    "opened only, another severity": ([CLEAN, *OPEN], WARN, 1, NOT_COMMITTED),
    "opened only, of which strategy is unknown": (
        [CLEAN, *OPEN],
        ["--strategy-id", "ma_crossover"],
        1,
        NOT_COMMITTED,
    ),
    "opened only, in another session": (
        [summary("clean", session_id="session_B"), *OPEN],
        ["--session-id", "session_B"],
        0,
        "",
    ),
    "opened only, at another time": (
        [*OPEN, summary(timestamp="2026-01-02T00:00:00Z")],
        ["--since", "2026-01-02"],
        0,
        "",
    ),
    "opened only, after the clock went back": (
        [summary(timestamp="2026-01-02T00:00:00Z"), *OPEN],
        ["--since", "2026-01-02"],
        1,
        NOT_COMMITTED,
    ),
    "never committed, clean so far": ([*batch(summary("cut"))[:-1], CLEAN], [], 1, NOT_COMMITTED),
    "never committed, refused by its strategy": (
        [*batch(summary("cut"))[:-1], summary(strategy_id="grid")],
        ["--strategy-id", "grid"],
        0,
        "",
    ),
    "never committed, with a diff": (CUT[:-1], [], 2, "1 finding in 1 run"),
    "never committed, its diff not written yet": (CUT[:-2], [], 2, "1 finding in 1 run"),
    "opened again and committed": ([*OPEN, *batch(summary("cut"))], [], 0, ""),
    "committed": (CUT, [], 2, "1 finding in 1 run"),
}


@pytest.mark.parametrize(("name", "mode"), matrix([*CASES], MODES))
def test_the_verdict(name: str, mode: str, tmp_path: Path) -> None:
    """Of an export, and of a log with the same entries."""
    entries, words, code, said = CASES[name]
    sources = [write_export(tmp_path / "audit.json", entries)]
    if entries:
        sources.append(write_log(tmp_path / "audit.jsonl", entries))
    for source in sources:
        judged = asked(mode, "--json", source, "--exit-on-findings", *words)
        assert judged.code == code, judged.err
        verdict = judged.err.splitlines()[-1] if judged.err else ""
        assert said in verdict
        assert bool(said) == bool(verdict)
        # The answer itself is the same, and without a verdict it is always 0.
        plain = asked(mode, "--json", source, *words)
        assert (plain.code, plain.out) == (0, judged.out)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", ["foreign", "ours"])
def test_diffs_far_from_their_run(mode: str, kind: str, tmp_path: Path) -> None:
    """Hundreds of runs, and the diffs of one at the very end of the log."""
    clean = [summary(f"run_{n}", session_id=f"session_{n % 3}") for n in range(300)]
    more = {"session_id": "session_1", "strategy_id": "ma", "run_timestamp": "2026-01-01T12:00:00Z"}
    late = diff("run_1", **(more if kind == "ours" else {}))
    path = write_export(tmp_path / "audit.json", [*clean, late])
    for session, code in (("session_0", 0), ("session_1", 2), ("session_2", 0)):
        words = ["--json", path, "--exit-on-findings", "--session-id", session]
        assert asked(mode, *words).code == code


@pytest.mark.large
@pytest.mark.parametrize("limit", [1, 2, 10, 64, 65, 299, 300, 301])
def test_a_limit_of_a_long_log(limit: int, tmp_path: Path) -> None:
    """The newest summaries and the worst diffs of hundreds, as without a limit."""
    severities = ("INFO", "WARN", "FAIL", "CRITICAL")
    entries = []
    for number in range(300):
        severity = severities[number * 7 % 4]
        time = f"2026-01-01T12:{number * 13 % 60:02d}:00Z"
        first = summary(f"run_{number}", {severity: 1}, time)
        entries += batch(first, diff(f"run_{number}", severity))
    path = write_log(tmp_path / "audit.jsonl", entries)
    words = ["--json", path, "--format", "json"]
    summaries, diffs = (asked(mode, *words).json["items"] for mode in ("summary", "diffs"))
    newest = asked("summary", *words, "--limit", limit).json
    worst = asked("diffs", *words, "--limit", limit).json
    left = [f"--limit left out {300 - limit} of 300"] if limit < 300 else []
    assert (newest["items"], newest.get("notes")) == (summaries[-limit:], left[0] if left else None)
    assert (worst["items"], worst.get("notes")) == (diffs[:limit], left[0] if left else None)
    ranks = [severities.index(item["severity"]) for item in diffs]
    assert ranks == sorted(ranks, reverse=True)
    for rank in set(ranks):
        same = [item for item, found in zip(diffs, ranks, strict=True) if found == rank]
        last_first = [int(item["run_id"][4:]) for item in same]
        assert last_first == sorted(last_first, reverse=True)
