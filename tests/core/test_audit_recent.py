"""The latest runs of a log in figures."""

import json
from pathlib import Path
from typing import Any

import pytest

from recon_core.audit import recent
from recon_core.audit.recent import MOST_RUNS, recent_runs


def entry(command: int, **counts: int) -> str:
    details: dict[str, Any] = {"invocation_id": f"c{command}", "counts_by_severity": counts}
    return json.dumps({
        "event_type": "RECON_SUMMARY",
        "timestamp": f"2026-01-01T00:{command:02d}:00Z",
        "details": details,
    })  # fmt: skip


def test_sessions_of_one_command_are_added_up(tmp_path: Path) -> None:
    """In the order of the log, the latest last."""
    log = tmp_path / "audit.jsonl"
    lines = [entry(1, FAIL=2), entry(1, FAIL=1, WARN=1), entry(2), entry(3, INFO=4)]
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    counts = [dict(run.counts) for run in recent_runs(log)]
    assert counts == [{"FAIL": 3, "WARN": 1}, {}, {"INFO": 4}]


def test_the_latest_runs_are_kept(tmp_path: Path) -> None:
    """Older ones are left out; lines that are no summary do not count."""
    log = tmp_path / "audit.jsonl"
    lines = [entry(command, FAIL=command) for command in range(40)]
    odd = ['{"event_type": "RECON_SUMMARY"', '"RECON_SUMMARY"', "{}", '["RECON_SUMMARY"]']
    log.write_text("\n".join([*lines, *odd]), encoding="utf-8")
    runs = recent_runs(log)
    assert len(runs) == MOST_RUNS
    assert runs[-1].counts == {"FAIL": 39}


def test_a_command_that_is_cut_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the end of a long log is read: the first command in it may have begun before."""
    log = tmp_path / "audit.jsonl"
    lines = [entry(command, FAIL=1) for command in (1, 1, 1, 2, 2, 3)]
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    monkeypatch.setattr(recent, "_TAIL", 5 * len(lines[0]))
    assert [dict(run.counts) for run in recent_runs(log)] == [{"FAIL": 2}, {"FAIL": 1}]


def test_a_log_that_is_not_there_has_no_runs(tmp_path: Path) -> None:
    """The run says elsewhere that it was not written."""
    assert recent_runs(tmp_path / "audit.jsonl") == ()
