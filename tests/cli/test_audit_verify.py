"""`recon audit verify`: what a chain proves, and what only its head does."""

import json
from pathlib import Path
from typing import Any

import pytest

from recon_core import AuditLog
from recon_core.audit.chain import GENESIS
from recon_core.model.summary import summarise

from .audit_cases import Entry, asked, batch, diff, entry, opened, summary, write_export, write_log

GATE = "--exit-on-findings"
CLEAN = batch(summary("run_1"))
FOUND = batch(summary("run_2", {"FAIL": 1}), diff("run_2"))
RECOVERED = entry("RECON_LOG_RECOVERED", {"abandoned_run": "run_3", "reason": "ended early"})
ABANDONED = [*CLEAN, opened("run_3"), RECOVERED]
ABANDONED_NOTES = [
    "run run_3 was never committed",
    "the log was repaired 1 time after a writer had ended too early",
]


def heads(path: Path) -> list[str]:
    """The hash of every line."""
    return [json.loads(line)["hash"] for line in path.read_bytes().splitlines()]


@pytest.mark.parametrize(
    ("entries", "line", "notes", "gate"),
    [
        (CLEAN, "3 entries, 1 run", [], 0),
        (CLEAN * 500, "1,500 entries, 500 runs", [], 0),
        ([*CLEAN, *FOUND], "7 entries, 2 runs", [], 2),
        ([entry("ORDER_FILLED", {})], "1 entry, 0 runs", [], 1),
        ([summary("run_1")], "1 entry, 0 runs", [], 0),
        (ABANDONED, "5 entries, 1 run", ABANDONED_NOTES, 1),
        ([*ABANDONED, *FOUND], "9 entries, 2 runs", ABANDONED_NOTES, 2),
    ],
)
def test_a_whole_log(
    entries: list[Entry], line: str, notes: list[str], gate: int, tmp_path: Path
) -> None:
    """Where it stands, what happened to it; findings count only where they are asked for."""
    path = write_log(tmp_path / "audit.jsonl", entries)
    head = heads(path)[-1]
    expected = [f"OK: {line}, head {head}", *(f"note: {note}" for note in notes)]
    answer = asked("verify", "--json", path)
    assert (answer.code, answer.lines, answer.err) == (0, expected, "")
    judged = asked("verify", "--json", path, GATE)
    assert (judged.code, judged.lines) == (gate, expected)


def test_as_json(tmp_path: Path) -> None:
    """One item, in the shape of every other answer."""
    path = write_log(tmp_path / "audit.jsonl", ABANDONED)
    item: dict[str, Any] = {
        "entries": 5,
        "runs": 1,
        "head": heads(path)[-1],
        "abandoned_runs": ["run_3"],
        "recoveries": 1,
        "times_back": 0,
        "files": [{"file": "audit.jsonl", "entries": 5, "head": heads(path)[-1]}],
    }
    assert asked("verify", "--json", path, "--format", "json").json == {
        "count": 1,
        "event_type": "AUDIT_LOG",
        "items": [item],
        "notes": "; ".join(ABANDONED_NOTES),
    }


def test_an_expected_head_shows_what_was_cut_off(tmp_path: Path) -> None:
    """Every head that was ever printed stays in the log, and tells how much came later."""
    path = write_log(tmp_path / "audit.jsonl", [*CLEAN, *FOUND])
    known = heads(path)
    for place, head in enumerate([GENESIS, *known]):
        later = len(known) - place
        answer = asked("verify", "--json", path, "--expect-head", head.upper())
        noun = "entry was" if later == 1 else "entries were"
        assert answer.code == 0
        assert answer.lines[1] == f"note: {later} {noun} appended since"
    lines = path.read_bytes().splitlines(keepends=True)
    # What is left ends with a whole run, so that only the head tells.
    path.write_bytes(b"".join(lines[:3]))
    assert asked("verify", "--json", path).code == 0
    problem = "recon: audit.jsonl: truncated or rewritten: the expected head is not in it\n"
    for head in known[3:]:
        asked("verify", "--json", path, "--expect-head", head).refused(1, problem)
        asked("verify", "--json", path, "--expect-head", head, GATE).refused(1, problem)


def test_a_rewritten_log_has_another_head(tmp_path: Path) -> None:
    """A whole chain with one word changed fits in itself, and not the head."""
    first = write_log(tmp_path / "first.jsonl", CLEAN)
    second = write_log(tmp_path / "second.jsonl", batch(summary("run_1", strategy_id="other")))
    assert asked("verify", "--json", second).code == 0
    head = heads(first)[-1]
    asked("verify", "--json", second, "--expect-head", head).refused(1, "truncated or rewritten")


@pytest.mark.parametrize("words", [[], [GATE], ["--format", "json"]])
def test_a_run_that_was_not_committed_at_the_end(words: list[str], tmp_path: Path) -> None:
    """It may be cut off; which one is said."""
    path = write_log(tmp_path / "audit.jsonl", [*CLEAN, *FOUND[:-1]])
    problem = "recon: audit.jsonl: run run_2 at its end was never committed\n"
    asked("verify", "--json", path, *words).refused(1, problem)


@pytest.mark.parametrize("place", [0, 3, 6])
def test_damage_names_its_line(place: int, tmp_path: Path) -> None:
    """A changed, a missing and a doubled line, in every mode."""
    path = write_log(tmp_path / "audit.jsonl", [*CLEAN, *FOUND])
    lines = path.read_bytes().splitlines(keepends=True)
    changed = lines[place].replace(b"RECON", b"RECOM", 1)
    damaged = {
        "its hash does not fit": [*lines[:place], changed, *lines[place + 1 :]],
        "does not follow": [*lines[:place], lines[place], *lines[place:]],
    }
    for problem, left in damaged.items():
        path.write_bytes(b"".join(left))
        number = place + 1 + (problem == "does not follow")
        for mode in ("verify", "summary", "diffs", "detailed", "trend", "export"):
            answer = asked(mode, "--json", path)
            answer.refused(1, f"audit.jsonl: line {number}: {problem}")
    path.write_bytes(b"".join(lines[:place] + lines[place + 1 :]))
    assert asked("verify", "--json", path).code == 1


@pytest.mark.parametrize("words", [[], [GATE]])
def test_no_log_and_no_hashes_cannot_be_verified(words: list[str], tmp_path: Path) -> None:
    """Neither is taken for a log that is in order."""
    asked("verify", *words).refused(
        1, "recon: no audit log is named; expected --json or the setting recon_audit_log\n"
    )
    path = write_export(tmp_path / "audit.json", CLEAN)
    problem = (
        "recon: audit.json: an export has no hashes and cannot be verified; expected the log\n"
    )
    asked("verify", "--json", path, *words).refused(1, problem)


@pytest.mark.parametrize("head", ["", "0", "g" * 64, "0" * 63, "0" * 65, "0" * 63 + "\u0660"])
def test_what_is_no_hash_is_wrong_usage(head: str, tmp_path: Path) -> None:
    """A typo must not look like a truncated log."""
    path = write_log(tmp_path / "audit.jsonl", CLEAN)
    answer = asked("verify", "--json", path, "--expect-head", head)
    answer.refused(64, "--expect-head", "expected a hash of 64 hexadecimal digits")


def test_a_log_that_the_api_wrote(tmp_path: Path) -> None:
    """The head that the writer knows is the one that is verified."""
    log = AuditLog(tmp_path / "audit.jsonl")
    for number in range(3):
        log.append_recon_summary(summarise([], "session", run_id=f"run_{number}"))
    answer = asked("verify", "--json", tmp_path / "audit.jsonl", "--expect-head", log.head.hash)
    assert answer.lines == [
        f"OK: 9 entries, 3 runs, head {log.head.hash}",
        "note: 0 entries were appended since",
    ]
