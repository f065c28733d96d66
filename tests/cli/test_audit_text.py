"""What a person reads: whole answers, as they stand on the terminal."""

import re
from pathlib import Path

import pytest

from .audit_cases import EXPORTS, asked, batch, diff, summary, write_export, write_log

NEWEST = "note: this is the newest run; --run-id shows another one"


def evidence(limit: str) -> dict[str, object]:
    """The policy of a run."""
    policy = {"cash": {"absolute": {"EUR": limit}, "relative": "0.005"}}
    return {"policy": policy, "policy_sha256": limit * 64}


def test_summary_of_a_foreign_run() -> None:
    """The runbook's fields; what to do comes from its matrix."""
    assert asked("summary", "--json", EXPORTS / "d_engine_19_diffs_top10.json").out == (
        """Run ae658f33-fe3b-490b-93f4-48b3a5aa3c81
  time        2026-01-01T12:37:00Z
  session     session_18
  strategy    ma_crossover
  diffs       19: 7 FAIL, 12 WARN; 1 CASH, 18 POSITION
  maximum     FAIL
  flags       critical no, fail yes
  escalation  stop trading; immediate incident response

1 run, 1 with diffs
note: 11 times without an offset were read as UTC
"""
    )


def test_summary_of_runs_of_ours(tmp_path: Path) -> None:
    """Comparisons that ran, notes, a mirror, and a policy that was loosened."""
    more = {"comparisons": 7, "ran": 7, "escalation": ["none"], "notes": ["as it is"]}
    entries = [
        *batch(summary("run_1", evidence=evidence("1"), **more)),
        *batch(summary("other", evidence=evidence("9"), session_id="session_B", **more)),
        *batch(summary("run_2", evidence=evidence("5"), mirrored=True, **more)),
    ]
    path = write_log(tmp_path / "audit.jsonl", entries)
    # The run before it is one that the filter hides.
    answer = asked("summary", "--json", path, "--run-id", "run_2")
    assert answer.out == (
        """Run run_2
  time        2026-01-01T12:00:00Z
  session     session_A
  strategy    ma_crossover
  diffs       0
  maximum     match
  flags       critical no, fail no
  ran         7/7
  escalation  none
  mirrored    yes: the exchange was a copy of the ledger
  policy      changed since run run_1: cash.absolute.EUR 1 -> 5
  note        as it is

1 run, 0 with diffs
"""
    )


@pytest.mark.parametrize(
    ("before", "after", "text", "changes"),
    [
        ({"a": {"b": "1"}}, {"a": {"b": "2"}}, ": a.b 1 -> 2", {"a.b": ["1", "2"]}),
        ({"a": "1"}, {"b": ["x"]}, ": a 1 -> none, b none -> ['x']", None),
        ({}, {}, "", {}),
        (None, None, "", {}),
        ("text", {"a": "1"}, ": a none -> 1", {"a": [None, "1"]}),
        (
            {f"k{n:02d}": "1" for n in range(12)},
            {},
            ": " + ", ".join(f"k{n:02d} 1 -> none" for n in range(10)) + " and 2 more",
            None,
        ),
    ],
)
def test_how_a_policy_changed(
    before: object,
    after: object,
    text: str,
    changes: dict[str, list[object]] | None,
    tmp_path: Path,
) -> None:
    """By its hash; the values that differ are named where they are known."""
    runs = [("run_1", before), ("run_2", after), ("run_3", after)]
    entries = [
        summary(run, evidence={"policy": policy, "policy_sha256": str(policy is after)})
        for run, policy in runs
    ]
    entries[0]["details"]["evidence"]["policy_sha256"] = "first"
    path = write_export(tmp_path / "audit.json", entries)
    lines = [line for line in asked("summary", "--json", path).lines if "policy" in line]
    assert lines == [f"  policy      changed since run run_1{text}"]
    items = asked("summary", "--json", path, "--format", "json").json["items"]
    assert ["policy_changed" in item for item in items] == [False, True, False]
    if changes is not None:
        assert items[1]["policy_changed"] == {"since_run": "run_1", "changes": changes}
    detailed = asked("detailed", "--json", path, "--run-id", "run_2", "--format", "json").json
    assert detailed["summary"] == items[1]


def test_diffs_with_their_order_and_state() -> None:
    """The runbook's fields of a diff, and what the limit left out."""
    answer = asked("diffs", "--json", EXPORTS / "demo_library_own.json", "--limit", "2")
    assert answer.out == (
        """FAIL CASH  2026-01-01T11:00:00Z
  Cash balance divergence: local=1000.0 EUR, exchange=950.0 EUR
  diff diff_002a, order order_eth_002, unresolved
  run run_002

WARN POSITION  2026-01-01T10:00:00Z
  Position mismatch: local=0.1 BTC, exchange=0.0995 BTC (0.5% drift)
  diff diff_001, order order_btc_001, unresolved
  run run_001

2 diffs: 1 FAIL, 1 WARN
note: --limit left out 1 of 3
"""
    )


def test_detailed_shows_what_a_foreign_diff_says() -> None:
    """Whatever its figures are called; the run's session stands above."""
    words = ["--run-id", "119a72d1-74c9-4f6a-8c01-1cdd9474031b", "--severity", "FAIL"]
    answer = asked("detailed", "--json", EXPORTS / "z_suffix.json", *words, "--limit", "1")
    assert answer.out == (
        """Run 119a72d1-74c9-4f6a-8c01-1cdd9474031b
  time        2026-01-01T12:33:00Z
  session     session_B
  strategy    breakout
  diffs       2: 2 FAIL; 1 CASH, 1 POSITION
  maximum     FAIL
  flags       critical no, fail yes
  escalation  stop trading; immediate incident response

FAIL cash
  what           Cash mismatch: internal=5000, external=10, delta=4990
  internal cash  5000
  external cash  10
  delta          4990
  tolerance      1.0
  time           2026-01-01T15:00:00Z
  diff           cash_diff_2026-01-01T15:00:00, unresolved

1 diff
note: --limit left out 1 of 2
"""
    )


def test_detailed_shows_all_figures_of_a_diff_of_ours(tmp_path: Path) -> None:
    """Both values, delta, drift and tolerance with their unit; notes and softening."""
    more = {
        "key": "BTC/EUR",
        "internal": "0.1",
        "external": "0.0995",
        "delta": "0.0005",
        "drift": "0.005",
        "unit": "BTC",
        "tolerance": "INFO below 0.1 %, FAIL above 1 %",
        "notes": ["leg SHORT is closed"],
        "softened_by": "a hook",
        "order_id": "order_7",
        "resolved": True,
    }
    entries = batch(summary("run_1", {"WARN": 3}), diff("run_1", "WARN", **more))
    path = write_log(tmp_path / "audit.jsonl", entries)
    assert asked("detailed", "--json", path).out.partition("\n\n")[2] == (
        """WARN position BTC/EUR
  what        Position mismatch for BTC/EUR
  ledger      0.1 BTC
  exchange    0.0995 BTC
  delta       0.0005 BTC
  drift       0.005
  tolerance   INFO below 0.1 %, FAIL above 1 %
  note        leg SHORT is closed
  softened    by a hook
  time        2026-01-01T12:00:00Z
  diff        diff_run_1, order order_7, resolved

1 diff
note: 1 of 3 recorded
"""
    )


def test_detailed_of_runs_without_diffs_or_summary(tmp_path: Path) -> None:
    """What is missing is said in the runbook's words."""
    clean = write_export(tmp_path / "clean.json", [summary("run_1"), summary("run_2")])
    lines = asked("detailed", "--json", clean).lines
    assert lines[0] == "Run run_2"
    assert lines[-2:] == ["No RECON_DIFF events found.", NEWEST]
    orphan = write_export(tmp_path / "orphan.json", [diff("run_1")])
    lines = asked("detailed", "--json", orphan).lines
    assert lines[:2] == ["Run run_1", "  it has no summary"]
    assert lines[-2:] == ["1 diff", "note: run run_1 has no summary"]


def test_what_cannot_be_called_clear_is_said(tmp_path: Path) -> None:
    """The first three by name, also without a verdict; beside the answer where that is empty."""
    runs = [summary(f"run_{n}", comparisons=7, ran=n) for n in range(5)]
    path = write_export(tmp_path / "audit.json", [*runs, summary("run_5"), summary("run_5")])
    notes = [
        "run run_0 is incomplete: 0 of 7 comparisons ran",
        "run run_1 is incomplete: 1 of 7 comparisons ran",
        "run run_2 is incomplete: 2 of 7 comparisons ran",
        "and 2 more runs cannot be called clear",
        "1 run with more than one summary",
    ]
    assert asked("summary", "--json", path).lines[-5:] == [f"note: {note}" for note in notes]
    answer = asked("diffs", "--json", path)
    assert answer.out == "No RECON_DIFF events found.\n"
    assert answer.err.splitlines() == [f"recon: {note}" for note in notes]
    judged = asked("diffs", "--json", path, "--exit-on-findings")
    reason = "run run_0 is incomplete: 0 of 7 comparisons ran, so it cannot be called clear"
    assert (judged.code, judged.err) == (1, f"recon: audit.json: {reason}\n")


def test_filters_that_leave_nothing_are_told_apart_from_an_empty_log() -> None:
    """Beside the literal answer."""
    answer = asked("summary", "--json", EXPORTS / "z_suffix.json", "--session-id", "session_X")
    assert answer.out == "No RECON_SUMMARY events found.\n"
    assert answer.err == "recon: no run passes the filters, of 4 runs in the log\n"


def test_diffs_that_were_counted_and_not_recorded_are_noted(tmp_path: Path) -> None:
    """Of the first three runs by name."""
    runs = [summary(f"run_{n}", {"INFO": 2}) for n in range(5)]
    path = write_export(tmp_path / "audit.json", [*runs, diff("run_0", "INFO")])
    assert asked("diffs", "--json", path).lines[-5:] == [
        "1 diff: 1 INFO",
        "note: run run_0: 1 of 2 recorded",
        "note: run run_1: 0 of 2 recorded",
        "note: run run_2: 0 of 2 recorded",
        "note: and 2 more runs of which not all diffs are",
    ]


def test_trend_charts_info_and_names_what_stands_out(tmp_path: Path) -> None:
    """Seven runs that get worse: the rule, the slope, a key that recurs."""
    entries = []
    for number in range(7):
        infos = [
            diff(f"run_{number}", "INFO", key=f"S{k}/EUR", delta=f"{number}.5")
            for k in range(9 * number)
        ]
        warn = diff(f"run_{number}", "WARN", key="BTC/EUR", delta=f"-0.{number + 1}")
        found = [*infos, *([warn] if number % 2 == 0 else [])]
        counts = {"WARN": 1 - number % 2, "INFO": 9 * number}
        entries += batch(summary(f"run_{number}", counts), *found)
    path = write_log(tmp_path / "audit.jsonl", entries)
    lines = asked("trend", "--json", path).lines
    assert re.fullmatch("  INFO per run  ▁[▁-█]{5}█", lines[1])
    assert lines[:6] == [
        "Strategy ma_crossover: 7 runs",
        lines[1],
        "                first 0, last 54, most 54, +9 per run: rising",
        "  > 50 INFO     holds for the latest run: trend analysis; tolerance review",
        "                1 of 7 runs: run_6",
        "",
    ]
    table = [[cell.strip() for cell in re.split("  +", line.strip())] for line in lines[6:10]]
    btc = ["position BTC/EUR", "4/7", "1 run, 0 days"]
    s0 = ["position S0/EUR", "6/7", "6 runs, 0 days"]
    assert table == [
        ["key", "runs", "age", "diffs", "delta per run", "size", "what stands out"],
        table[1],
        [*btc, "4 WARN", "-0.1", "▂ ▄ ▆ █", "WARN in 3 of the last 5 runs: incident"],
        [*s0, "6 INFO", "+1", "▃▄▅▆▇█", "INFO always positive"],
    ]


def test_trend_of_many_runs_and_of_none_with_diffs(tmp_path: Path) -> None:
    """The chart is cut where a terminal ends; without diffs there is none."""
    many = [summary(f"run_{n:03d}", {"INFO": 60 if n < 90 else 1}) for n in range(100)]
    path = write_export(tmp_path / "many.json", many)
    assert asked("trend", "--json", path).lines == [
        "Strategy ma_crossover: 100 runs",
        f"  INFO per run  {'█' * 50}{'▁' * 10} (the last 60 runs)",
        "                first 60, last 1, most 60, -0.3186 per run",
        "  > 50 INFO     does not hold for the latest run",
        "                90 of 100 runs: run_087, run_088, run_089 and 87 earlier",
        "",
        "note: not all diffs of 100 runs are recorded, so keys may lack some",
    ]
    clean = write_export(tmp_path / "clean.json", [summary(strategy_id="")])
    assert asked("trend", "--json", clean).out == "Strategy none: 1 run\n  no diffs\n"
    assert "  strategy    none" in asked("summary", "--json", clean).lines


def test_trend_says_what_its_filters_hide(tmp_path: Path) -> None:
    """No INFO diff is no trend where none was asked for."""
    path = write_export(
        tmp_path / "audit.json", [summary("run_1", {"INFO": 1}), diff(severity="INFO")]
    )
    answer = asked("trend", "--json", path, "--min-severity", "WARN")
    assert answer.lines[-1] == "note: INFO diffs are left out by the severity filter"


@pytest.mark.parametrize(
    ("causes", "shown"),
    [
        ([], "proven: it fits"),
        ([{"text": "a doubled fee"}], "proven: a doubled fee"),
        ([{"text": "a doubled fee"}, {"text": "a lost fill"}], "a doubled fee; and 1 more cause"),
        ([{"text": "x"}] * 3, "proven: x; and 2 more causes"),
    ],
)
def test_the_first_cause_is_shown_and_the_others_are_counted(
    tmp_path: Path, causes: list[dict[str, str]], shown: str
) -> None:
    """A diff that was explained says why, in a line."""
    found = {"verdict": "proven", "text": "it fits", "causes": causes}
    path = write_export(tmp_path / "e.json", [diff(explanation=found)])
    lines = asked("diffs", "--json", path).out.splitlines()
    (why,) = (line for line in lines if line.startswith("  why: "))
    assert why.endswith(shown)
