"""`recon audit head`: a small file to be signed, and a log held against it."""

import json
from pathlib import Path

import pytest

from recon_core.audit.entries import LedgerEntry
from recon_core.audit.log import AuditLog
from tests.core.audit_writers import run

from .audit_cases import asked
from .stored_logs import SHAPES


@pytest.fixture
def log(directory: Path) -> Path:
    """A log of three files."""
    path = directory / "audit.jsonl"
    SHAPES["several files"](path)
    return path


def test_a_head_has_count_hash_run_and_time(log: Path) -> None:
    """Of all files; the same log gives the same bytes, printed, written and from a database."""
    last = json.loads(log.read_bytes().splitlines()[-1])
    expected = {
        "schema": "recon.audit-head/1",
        "log": "audit.jsonl",
        "files": 3,
        "entries": 29,
        "hash": last["hash"],
        "run_id": "c2",
        "invocation_id": None,
        "time": last["timestamp"],
    }
    printed = asked("head", "--json", log)
    assert json.loads(printed.out) == expected
    assert asked("head", "--json", log, "--output", "head.json").code == 0
    assert Path("head.json").read_text() == printed.out
    assert asked("load", "sqlite:///audit.db", "--json", log).code == 0
    assert asked("head", "--database", "sqlite:///audit.db") == printed


def test_a_log_is_held_against_a_head(log: Path) -> None:
    """It may grow, and what was cut off shows although the checkpoint is gone."""
    assert asked("head", "--json", log, "-o", "head.json").code == 0
    AuditLog(log).append_recon_summary(*run("more", 1))
    grown = asked("verify", "--json", log, "--expect-head", "head.json")
    assert "4 entries were appended since" in grown.out
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:6]))
    Path(f"{log}.checkpoint").unlink()
    asked("verify", "--json", log, "--expect-head", "head.json").refused(1, "truncated")


@pytest.mark.parametrize(
    "text", ["", "{}", '{"schema":"recon.audit-head/1","hash":"0"}', "[]", "{"]
)
def test_what_is_no_head_is_wrong_usage(log: Path, text: str) -> None:
    """A file that `head` did not write, and one that is not there."""
    Path("other.json").write_text(text)
    for name in ("other.json", "none.json"):
        found = asked("verify", "--json", log, "--expect-head", name)
        found.refused(64, name, "64 hexadecimal digits", "recon audit head")


def test_a_log_that_is_not_whole_has_no_head(log: Path) -> None:
    """Nothing is printed, and an earlier head stays as it is."""
    assert asked("head", "--json", log, "-o", "head.json").code == 0
    before = Path("head.json").read_text()
    log.write_bytes(log.read_bytes().replace(b'"FAIL"', b'"WARN"', 1))
    asked("head", "--json", log, "-o", "head.json").refused(1, "its hash does not fit")
    asked("head").refused(1, "no audit log is named")
    assert Path("head.json").read_text() == before


def test_no_other_file_is_overwritten(log: Path) -> None:
    """Only an earlier head."""
    Path("notes.txt").write_text("notes")
    for name in ("notes.txt", "audit.jsonl"):
        asked("head", "--json", log, "-o", name).refused(64, name, "holds something else")


def test_entries_without_a_run_have_a_head() -> None:
    """Its run and its time are null."""
    AuditLog("audit.jsonl").append(LedgerEntry("ORDER_EVENT"))
    found = json.loads(asked("head", "--json", "audit.jsonl").out)
    assert (found["entries"], found["run_id"], found["time"]) == (1, None, None)
