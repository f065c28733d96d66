"""Rows of the tables that are made of one line of a log.

Fields that an entry lacks, or has in another form than this project writes, are NULL: the
line keeps them, and the questions of `recon audit` read the line.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Table

from recon_core.audit.database.tables import DIFFS, ENTRIES, EXPLANATIONS, RUNS, WAIVERS
from recon_core.audit.entries import RECON_DIFF, RECON_SUMMARY
from recon_core.audit.fields import Entry, utc_time
from recon_core.audit.trend import delta_of, key_of
from recon_core.model.waivers import WaiverState
from recon_core.values.errors import ReconError
from recon_core.values.severity import Severity

Row = dict[str, Any]
Rows = dict[Table, list[Row]]

_LONGEST: Final = 500
"""Characters of an id in a table: an index of PostgreSQL takes no more than 2,704 bytes."""
_LARGEST: Final = 2**63 - 1
"""The largest whole number of a column."""


def rows_of(file_id: int, entry: Entry, line: bytes) -> Rows:
    """Return the rows of an entry by table, that of its line included."""
    place = {"file_id": file_id, "sequence": entry["sequence"]}
    rows: Rows = defaultdict(list)
    rows[ENTRIES] = [
        place
        | {
            "hash": entry["hash"],
            "event_type": _text(entry["event_type"]),
            "time": _time(entry["timestamp"]),
            "line": line.removesuffix(b"\n").decode(),
        }
    ]
    for table, row in _derived(entry):
        rows[table].append(place | row)
    return rows


def _derived(entry: Entry) -> list[tuple[Table, Row]]:
    details = entry["details"]
    if entry["event_type"] == RECON_SUMMARY:
        return [(RUNS, _run(details, entry))]
    if entry["event_type"] == RECON_DIFF:
        found = [(DIFFS, _diff(details))]
        found += [(EXPLANATIONS, row) for row in _explanations(details.get("explanation"))]
        return found + [(WAIVERS, row) for row in _waivers(details)]
    return []


def _run(details: Mapping[str, Any], entry: Entry) -> Row:
    counts = details.get("counts_by_severity")
    table = counts if isinstance(counts, dict) else {}
    problems = details.get("problems")
    return {
        **_ids(details, "run_id", "invocation_id"),
        **_texts(details, "session_id", "strategy_id", "verdict"),
        **_counts(details, "comparisons", "ran", "recorded_diffs", "total_diffs"),
        "time": _time(entry["timestamp"]),
        "problems": len(problems) if isinstance(problems, list) else 0,
        **{str(each).lower(): _count(table.get(str(each))) or 0 for each in Severity},
    }


def _diff(details: dict[str, Any]) -> Row:
    amounts = {name: _amount(details, name) for name in ("internal", "external", "drift")}
    covering = [row for row in _waivers(details) if row["covers"]]
    return {
        **_ids(details, "run_id"),
        **_texts(details, "session_id", "strategy_id", "diff_id", "diff_type", "key"),
        **_texts(details, "severity", "description", "unit", "tolerance", "order_id"),
        **amounts,
        "delta": delta_of(details),
        "identity": _text(key_of(details)),
        "run_time": _time(details.get("run_timestamp")),
        "owner": covering[0]["owner"] if covering else None,
    }


def _explanations(found: object) -> list[Row]:
    """Return a row for each cause, one without a cause where there is none."""
    if not isinstance(found, dict):
        return []
    whole = _texts(found, "verdict", "side", "text")
    causes = found.get("causes")
    named = [each for each in causes if isinstance(each, dict)] if isinstance(causes, list) else []
    return [
        whole
        | {
            "number": number,
            "cause": _text(each.get("kind")),
            "cause_side": _text(each.get("side")),
        }
        for number, each in enumerate(named or [{}])
    ]


def _waivers(details: Mapping[str, Any]) -> list[Row]:
    uses = details.get("waivers")
    named = [each for each in uses if isinstance(each, dict)] if isinstance(uses, list) else []
    return [
        {
            "number": number,
            "waiver_id": _text(each.get("id")),
            **_texts(each, "owner", "reason", "state"),
            "expires": _day(each.get("expires")),
            "covers": each.get("state") == WaiverState.USED,
        }
        for number, each in enumerate(named)
    ]


def _texts(details: Mapping[str, Any], *names: str) -> Row:
    return {name: _text(details.get(name)) for name in names}


def _ids(details: Mapping[str, Any], *names: str) -> Row:
    return {name: (_text(details.get(name)) or "")[:_LONGEST] or None for name in names}


def _counts(details: Mapping[str, Any], *names: str) -> Row:
    return {name: _count(details.get(name)) for name in names}


def _text(value: object) -> str | None:
    """Return a text; what no database takes in one, a NUL and half of a surrogate, is escaped."""
    if not isinstance(value, str):
        return None
    return value.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def _count(value: object) -> int | None:
    return value if type(value) is int and 0 <= value <= _LARGEST else None


def _amount(details: Mapping[str, Any], name: str) -> Decimal | None:
    return delta_of({"delta": details.get(name)})


def _time(value: object) -> datetime | None:
    try:
        return utc_time(value) if isinstance(value, str) else None
    except ReconError:
        return None


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
