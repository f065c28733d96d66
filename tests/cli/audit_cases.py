"""What the tests of `recon audit` share: entries, logs made of them, and a call."""

import contextlib
import io
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from recon_core.audit.chain import GENESIS, Head, chained_line
from recon_core.audit.entries import LedgerEntry
from recon_core.cli import show_recon_audit
from recon_core.values.times import parse_time

from .conftest import Answer

EXPORTS = Path(__file__).parents[1] / "data" / "audit-exports"
NOON = "2026-01-01T12:00:00Z"

Entry = dict[str, Any]


def asked(*words: object, stdin: bytes = b"") -> Answer:
    """Call `show_recon_audit`; unlike the fixture it may be called by a property."""
    out, err, code = io.StringIO(), io.StringIO(), None
    source = io.TextIOWrapper(io.BytesIO(stdin))
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        _standard_input(source),
        contextlib.suppress(SystemExit),
    ):
        try:
            show_recon_audit([str(word) for word in words])
        except SystemExit as ending:
            code = ending.code
            raise
    assert isinstance(code, int)
    assert "Traceback" not in err.getvalue()
    assert "internal error" not in err.getvalue()
    return Answer(code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _standard_input(source: io.TextIOWrapper) -> Iterator[None]:
    before, sys.stdin = sys.stdin, source
    try:
        yield
    finally:
        sys.stdin = before


def entry(event_type: str, details: Mapping[str, Any], timestamp: str = NOON) -> Entry:
    """An entry of an export, without its place."""
    return {
        "entry_id": "",
        "timestamp": timestamp,
        "sequence": 0,
        "event_type": event_type,
        "client_order_id": "",
        "old_state": None,
        "new_state": None,
        "details": dict(details),
    }


def summary(
    run_id: str = "run_1",
    counts: Mapping[str, int] | None = None,
    timestamp: str = NOON,
    **more: Any,
) -> Entry:
    """The summary of a run with so many diffs, as foreign exports have it."""
    counts = {} if counts is None else counts
    order = [name for name in ("CRITICAL", "FAIL", "WARN", "INFO") if counts.get(name)]
    details = {
        "run_id": run_id,
        "session_id": "session_A",
        "strategy_id": "ma_crossover",
        "total_diffs": sum(counts.values()),
        "counts_by_severity": dict(counts),
        "counts_by_type": {"POSITION": sum(counts.values())} if counts else {},
        "has_critical": "CRITICAL" in order,
        "has_fail": "FAIL" in order,
        "max_severity": order[0] if order else "INFO",
    }
    return entry("RECON_SUMMARY", {**details, **more}, timestamp)


def diff(
    run_id: str = "run_1", severity: str = "FAIL", timestamp: str = NOON, **more: Any
) -> Entry:
    """A diff as foreign exports have it."""
    details = {
        "run_id": run_id,
        "diff_id": f"diff_{run_id}",
        "diff_type": "POSITION",
        "severity": severity,
        "description": "Position mismatch for BTC/EUR",
        "diff_details": {"symbol": "BTC/EUR", "delta": "0.5"},
        "resolved": False,
    }
    return entry("RECON_DIFF", {**details, **more}, timestamp)


def opened(run_id: str, session_id: str = "session_A", timestamp: str = NOON) -> Entry:
    """The entry before a run of ours."""
    details = {"run_id": run_id, "session_id": session_id, "invocation_id": None}
    return entry("RECON_RUN_OPENED", details, timestamp)


def committed(run_id: str, entries: int, diffs: int, timestamp: str = NOON) -> Entry:
    """The entry after a run of ours."""
    details = {"run_id": run_id, "invocation_id": None, "entries": entries, "diffs": diffs}
    return entry("RECON_RUN_COMMITTED", details, timestamp)


def batch(first: Entry, *diffs: Entry) -> list[Entry]:
    """A run of ours between its brackets; its diffs know whose they are."""
    run = {name: first["details"][name] for name in ("run_id", "session_id", "strategy_id")}
    first = {**first, "details": {**first["details"], "recorded_diffs": len(diffs)}}
    own = [
        {**each, "details": {**each["details"], **run, "run_timestamp": first["timestamp"]}}
        for each in diffs
    ]
    start = opened(run["run_id"], run["session_id"], first["timestamp"])
    return [start, first, *own, committed(run["run_id"], 1 + len(own), len(own))]


def numbered(entries: Iterable[Entry]) -> list[Entry]:
    """Entries with the place and the id that a log gives them."""
    return [
        {**each, "sequence": place, "entry_id": each["entry_id"] or f"entry_{place}"}
        for place, each in enumerate(entries, 1)
    ]


def write_export(path: Path, entries: Sequence[Entry]) -> Path:
    """Write a JSON list."""
    path.write_text(json.dumps(numbered(entries)), encoding="utf-8")
    return path


def write_log(path: Path, entries: Sequence[Entry]) -> Path:
    """Write the chained lines of a log, whatever the entries are."""
    head, lines = Head(0, GENESIS), []
    for each in numbered(entries):
        fields = {**each, "timestamp": parse_time(each["timestamp"])}
        line, head = chained_line(LedgerEntry(**fields), head)
        lines.append(line)
    path.write_bytes(b"".join(lines))
    return path
