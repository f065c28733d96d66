"""Logs of every shape that the tests put into a database, and the questions that they ask."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from recon_core.audit.entries import LedgerEntry
from recon_core.audit.log import AuditLog
from recon_core.audit.log_file import LogFile
from tests.core.audit_writers import run

from .audit_cases import asked, batch, diff, entry, opened, summary, write_log

QUESTIONS: Final = (
    ("summary",),
    ("summary", "--format", "json", "--limit", "2"),
    ("diffs", "--min-severity", "FAIL"),
    ("diffs", "--format", "json"),
    ("detailed",),
    ("trend", "--format", "json"),
    ("verify",),
    ("verify", "--format", "json"),
    ("export",),
    ("diffs", "--session-id", "session", "--until", "2030-01-01"),
    ("summary", "--exit-on-findings"),
    ("compare", "last~1", "last"),
)


def _rotated(path: Path) -> None:
    """Three files with two runs each."""
    for name in "abc":
        AuditLog(path, rotate_at=1).append_recon_summary(*run(name, 2))
        AuditLog(path).append_recon_summary(*run(f"{name}2", 1))


def _edited(path: Path, number: int, old: bytes, new: bytes) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    assert old in lines[number]
    lines[number] = lines[number].replace(old, new)
    path.write_bytes(b"".join(lines))


def _open_at_its_end(path: Path) -> None:
    _rotated(path)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    Path(f"{path}.checkpoint").unlink()


def _recovered(path: Path) -> None:
    _open_at_its_end(path)
    AuditLog(path).append_recon_summary(*run("later", 1))
    AuditLog(path).append(LedgerEntry("ORDER_EVENT", {"quantity": "0.5"}, client_order_id="o1"))


def _missing(path: Path) -> None:
    _rotated(path)
    Path(f"{path}.1").unlink()


def _closed(path: Path, number: int) -> None:
    """A damaged file that somebody signed off, and a new one behind it."""
    _rotated(path)
    _edited(path, number, b'"timestamp":"2', b'"timestamp":"3')
    LogFile(path, 1).close("A. Keeper", "a disk")
    AuditLog(path).append_recon_summary(*run("later", 1))


def _earlier_damage(path: Path, number: int) -> None:
    """An earlier file that is damaged, which somebody signed off."""
    _rotated(path)
    _edited(Path(f"{path}.1"), number, b'"timestamp":"2', b'"timestamp":"3')
    LogFile(path, 1).close("A. Keeper", "a disk")
    AuditLog(path).append_recon_summary(*run("later", 1))


def _foreign(path: Path) -> None:
    """Entries with whatever a line may hold."""
    odd = "a\0b \u202e ::error:: \N{PILE OF POO}"
    first = summary("r1", {"FAIL": 2, "ODD": 1}, session_id=odd, strategy_id=None)
    figures = {"delta": "1e5", "internal": 7, "external": None, "key": odd, "waivers": [{"id": 3}]}
    unread = {"explanation": {"causes": [1, {"kind": odd}]}, "waivers": "none", "delta": "0.10"}
    entries = [
        *batch(first, diff("r1", **figures), diff("r1", "ODD", **unread), diff("r1")),
        *batch(summary("r2", {"WARN": 1}, "0001-01-01T00:00:00Z"), diff("r2", "WARN", internal={})),
        entry("OTHER", {"deep": [[{"a": "1"}]], "large": 2**53 - 1}),
        entry("RECON_DIFF", {"run_id": "r3" * 2000, "severity": "INFO"}),
        opened("r4"),
    ]
    write_log(path, entries)


SHAPES: Final[dict[str, Callable[[Path], None]]] = {
    "several files": _rotated,
    "a run open at its end": _open_at_its_end,
    "recovered": _recovered,
    "an earlier file is missing": _missing,
    "closed with damage": lambda path: _closed(path, 3),
    "closed with damage in its first line": lambda path: _closed(path, 0),
    "damage of an earlier file signed off": lambda path: _earlier_damage(path, 3),
    "damage of an earlier first line signed off": lambda path: _earlier_damage(path, 0),
    "foreign entries": _foreign,
}


def differences(path: Path, url: str, *words: str) -> Iterator[str]:
    """The questions that file and database answer differently: text, errors or exit code."""
    for question in QUESTIONS:
        of_file = asked(*question, "--json", path)
        of_database = asked(*question, "--database", url, *words)
        if of_file != of_database:
            yield f"{question}: {of_file} != {of_database}"


def verified(path: Path, url: str, *words: str) -> str:
    """The last note of a log that is compared with a database, or the error."""
    answer = asked("verify", "--format", "json", "--json", path, "--database", url, *words)
    return str(json.loads(answer.out)["notes"]) if answer.code == 0 else answer.err
