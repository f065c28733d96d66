"""The recorded exports in every mode, format and with the verdict: exact codes and content."""

import json
from itertools import product
from typing import Any

import pytest

from tests.matrices import matrix

from .audit_cases import EXPORTS, asked
from .conftest import Answer

MODES = ("summary", "diffs", "detailed", "trend", "verify", "export")
FORMATS = ("text", "json")
GATES: tuple[tuple[str, ...], ...] = ((), ("--exit-on-findings",))

# (file, runs, recorded diffs, of the newest run, diffs counted, naive times)
GOOD = [
    ("a_empty.json", 0, 0, 0, 0, 0),
    ("b_zero_diffs_one_run.json", 1, 0, 0, 0, 1),
    ("c_engine_warn_fail_mix.json", 4, 6, 2, 6, 10),
    ("d_contract_15_info_top10.json", 1, 10, 10, 15, 11),
    ("d_engine_19_diffs_top10.json", 1, 10, 10, 19, 11),
    ("demo_library_own.json", 3, 3, 0, 3, 0),
    ("mixed_tz.json", 4, 6, 2, 6, 5),
    ("z_suffix.json", 4, 6, 2, 6, 0),
]
EXPECTED = "expected a list of entries (an export), or the JSON Lines of an audit log"
BAD = [
    ("bad_object.json", f"is a JSON object without a hash; {EXPECTED}"),
    ("bad_truncated.json", "ends in line 28 in the middle of entry 2; expected a whole export"),
]
NOTHING_TO_JUDGE = "recon: a_empty.json: it has no run, so there is nothing to judge\n"


def entries(name: str) -> list[dict[str, Any]]:
    """The entries of a file, read by nothing of this project."""
    loaded: list[dict[str, Any]] = json.loads((EXPORTS / name).read_text(encoding="utf-8"))
    return loaded


def in_utc(time: str) -> str:
    """A whole second in UTC, as answers print it."""
    return time[:19] + "Z"


def shown(found: dict[str, Any]) -> dict[str, Any]:
    """An entry as an answer shows it."""
    return {**found["details"], "timestamp": in_utc(found["timestamp"])}


def of_type(name: str, event_type: str) -> list[dict[str, Any]]:
    """The entries of one type, as an answer shows them."""
    return [shown(found) for found in entries(name) if found["event_type"] == event_type]


def identities(items: list[dict[str, Any]]) -> list[str]:
    """What tells the diffs of an answer apart, sorted."""
    return sorted(json.dumps(item, sort_keys=True) for item in items)


def code_of(mode: str, diffs: int, runs: int, *, gate: bool) -> int:
    """The exit code that the table asks for (design, "The `recon` command")."""
    if mode == "verify":
        return 1
    if not gate:
        return 0
    return 2 if diffs else 0 if runs else 1


@pytest.mark.parametrize(("case", "mode", "form", "gate"), matrix(GOOD, MODES, FORMATS, GATES))
def test_exit_codes(
    case: tuple[str, int, int, int, int, int], mode: str, form: str, gate: tuple[str, ...]
) -> None:
    """Every good export in every mode and format, with the verdict and without."""
    name, runs, _, _, counted, _ = case
    answer = asked(mode, "--json", EXPORTS / name, "--format", form, *gate)
    assert answer.code == code_of(mode, counted, runs, gate=bool(gate))
    if mode == "verify":
        answer.refused(1, name, "an export has no hashes and cannot be verified")
    elif gate and not runs:
        assert answer.err == NOTHING_TO_JUDGE
    elif gate and counted:
        assert answer.err.startswith(f"recon: {counted} finding")
    else:
        assert answer.err == ""
    if form == "json" and mode != "verify":
        json.loads(answer.out)


@pytest.mark.parametrize(
    ("name", "line", "mode", "form", "gate"),
    [(*case, *more) for case, *more in matrix(BAD, MODES, FORMATS, GATES)],
)
def test_what_is_no_export_is_one_clear_line(
    name: str, line: str, mode: str, form: str, gate: tuple[str, ...]
) -> None:
    """Nothing on standard output, also where entries stand before the damage."""
    answer = asked(mode, "--json", EXPORTS / name, "--format", form, *gate)
    assert answer == Answer(1, "", f"recon: {name}: {line}\n")


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case[0])
def test_summaries_are_complete_and_in_order(case: tuple[str, int, int, int, int, int]) -> None:
    """The details of each summary and its time in UTC, the oldest first."""
    name, runs, _, _, _, naive = case
    found = asked("summary", "--json", EXPORTS / name, "--format", "json").json
    assert found["count"] == len(found["items"]) == runs
    assert found["event_type"] == "RECON_SUMMARY"
    assert found["items"] == of_type(name, "RECON_SUMMARY")
    assert ("notes" in found) == (naive > 0 or not runs)


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case[0])
def test_diffs_are_complete_and_the_worst_come_first(
    case: tuple[str, int, int, int, int, int],
) -> None:
    """Each diff once; severities never rise down the list."""
    name, _, recorded, _, _, _ = case
    found = asked("diffs", "--json", EXPORTS / name, "--format", "json").json
    ranks = [["INFO", "WARN", "FAIL"].index(item["severity"]) for item in found["items"]]
    assert found["count"] == len(found["items"]) == recorded
    assert found["event_type"] == "RECON_DIFF"
    assert identities(found["items"]) == identities(of_type(name, "RECON_DIFF"))
    assert ranks == sorted(ranks, reverse=True)


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case[0])
def test_detailed_shows_the_newest_run(case: tuple[str, int, int, int, int, int]) -> None:
    """Its summary, and all its diffs that the log holds."""
    name, runs, _, newest, _, _ = case
    found = asked("detailed", "--json", EXPORTS / name, "--format", "json").json
    last = of_type(name, "RECON_SUMMARY")[-1] if runs else None
    own = [
        item for item in of_type(name, "RECON_DIFF") if last and item["run_id"] == last["run_id"]
    ]
    assert found["count"] == newest
    assert found["event_type"] == "RECON_DIFF"
    assert found["summary"] == last
    assert identities(found["items"]) == identities(own)


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case[0])
def test_an_export_of_an_export_answers_the_same(
    case: tuple[str, int, int, int, int, int],
) -> None:
    """Every mode, both formats; the entries themselves stay what they were."""
    name = case[0]
    again = asked("export", "--json", EXPORTS / name).out.encode()
    assert json.loads(again) == entries(name)
    for mode, form in product(("summary", "diffs", "detailed", "trend"), FORMATS):
        first = asked(mode, "--json", EXPORTS / name, "--format", form)
        assert asked(mode, "--json", "-", "--format", form, stdin=again) == first


@pytest.mark.parametrize(
    ("name", "mode", "notes"),
    [
        ("a_empty.json", "summary", "No RECON_SUMMARY events found"),
        ("a_empty.json", "diffs", "No RECON_DIFF events found"),
        ("a_empty.json", "detailed", "No RECON_SUMMARY events found"),
        ("a_empty.json", "trend", "No RECON_SUMMARY events found"),
        ("b_zero_diffs_one_run.json", "diffs", "No RECON_DIFF events found"),
        (
            "d_engine_19_diffs_top10.json",
            "detailed",
            "10 of 19 recorded; 11 times without an offset were read as UTC",
        ),
        (
            "d_contract_15_info_top10.json",
            "detailed",
            "10 of 15 recorded; 11 times without an offset were read as UTC",
        ),
        ("mixed_tz.json", "summary", "5 times without an offset were read as UTC"),
        ("b_zero_diffs_one_run.json", "summary", "1 time without an offset was read as UTC"),
        ("demo_library_own.json", "detailed", "this is the newest run; --run-id shows another one"),
    ],
)
def test_notes(name: str, mode: str, notes: str) -> None:
    """One text, in the runbook's words where there is nothing to show."""
    assert asked(mode, "--json", EXPORTS / name, "--format", "json").json["notes"] == notes


@pytest.mark.parametrize(
    ("name", "mode", "text"),
    [
        ("a_empty.json", "summary", "No RECON_SUMMARY events found.\n"),
        ("a_empty.json", "diffs", "No RECON_DIFF events found.\n"),
        ("a_empty.json", "detailed", "No RECON_SUMMARY events found.\n"),
        ("a_empty.json", "trend", "No RECON_SUMMARY events found.\n"),
        ("a_empty.json", "export", "[]\n"),
        ("b_zero_diffs_one_run.json", "diffs", "No RECON_DIFF events found.\n"),
    ],
)
def test_nothing_found_is_literal(name: str, mode: str, text: str) -> None:
    """The runbook's words and nothing else."""
    assert asked(mode, "--json", EXPORTS / name) == Answer(0, text, "")


def test_the_runbooks_empty_answer_is_literal() -> None:
    """As printed in the quick start, byte for byte."""
    printed = """{
  "count": 0,
  "event_type": "RECON_SUMMARY",
  "items": [],
  "notes": "No RECON_SUMMARY events found"
}
"""
    answer = asked("summary", "--format", "json", "--json", EXPORTS / "a_empty.json")
    assert answer == Answer(0, printed, "")


def test_times_with_and_without_offset_answer_the_same() -> None:
    """The three files differ in how they write their times, and in nothing else."""
    names = ("c_engine_warn_fail_mix.json", "mixed_tz.json", "z_suffix.json")
    for mode in ("summary", "diffs", "detailed", "trend"):
        found = [asked(mode, "--json", EXPORTS / name, "--format", "json").json for name in names]
        assert found[0]["items"] == found[1]["items"] == found[2]["items"]


@pytest.mark.parametrize(
    ("words", "code", "count"),
    [
        (["--severity", "WARN"], 2, 2),
        (["--severity", "FAIL"], 2, 4),
        (["--severity", "info"], 0, 0),
        (["--severity", "CRITICAL"], 0, 0),
        (["--severity", "WARN", "--severity", "fail"], 2, 6),
        (["--min-severity", "FAIL"], 2, 4),
        (["--session-id", "session_B"], 2, 2),
        (["--session-id", "session_A", "--severity", "FAIL"], 2, 2),
        (["--session-id", "session_C"], 1, 0),
        (["--strategy-id", "breakout"], 2, 2),
        (["--run-id", "7f26144b-9828-4fcd-99a5-4a7bb1fee08f"], 0, 0),
        (["--since", "2026-01-01T12:32:00Z"], 2, 2),
        (["--since", "2026-01-01T12:32:00Z", "--until", "2026-01-01T12:32:30Z"], 0, 0),
        (["--since", "2026-01-01", "--until", "2026-01-01"], 2, 6),
        (["--until", "2025-12-31"], 1, 0),
        (["--since", "2026-01-02"], 1, 0),
        # The times of these diffs are later, the time of their run is not.
        (["--until", "2026-01-01T12:30:00"], 2, 1),
        (["--limit", "1"], 2, 1),
    ],
)
def test_filters_of_diffs_and_their_verdict(words: list[str], code: int, count: int) -> None:
    """On four runs; a filter that leaves no run leaves nothing to judge."""
    source = EXPORTS / "c_engine_warn_fail_mix.json"
    answer = asked("diffs", "--json", source, "--format", "json", "--exit-on-findings", *words)
    assert (answer.code, answer.json["count"]) == (code, count)
