"""Fields that an entry of a reconciliation must have before an answer relies on it.

Entries are from this project's log, whose details have every field, or from foreign
exports, which have the first nine of a summary. A field that an answer requires and that is
missing or of another kind is refused: a gate must not take it for "nothing found".
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from recon_core.values.errors import AuditError, ReconError
from recon_core.values.printable import quoted
from recon_core.values.severity import Severity
from recon_core.values.times import format_time, parse_time

Entry = dict[str, Any]
"""One entry as it was read, under the keys of the runbook's export."""

RANKS: Final[Mapping[str, int]] = {str(severity): severity.rank for severity in Severity}
UNKNOWN: Final = ""
"""The severity of diffs that a summary counts in total and in no severity."""

_PRINTED: Final = re.compile(
    r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3])(:[0-5][0-9]){2}Z",
    re.ASCII,
)
# Where a time may have its offset: after the date, whose parts `-` separates.
_DATE_LENGTH: Final = 10
"""Characters of a date such as `2026-01-31`, whose hyphens are no offset."""


def text_field(details: Mapping[str, Any], name: str) -> str:
    """A text that must be there."""
    value = details.get(name)
    if not isinstance(value, str):
        raise AuditError(f"{name}: {_shown(details, name)}; expected text")
    return value


def optional_text(details: Mapping[str, Any], name: str) -> str | None:
    """A text, `None` where it is missing or null."""
    return None if details.get(name) is None else text_field(details, name)


def severity_field(details: Mapping[str, Any], name: str = "severity") -> str:
    """The name of a severity; a foreign log may have others than `RANKS`."""
    value = details.get(name)
    if not isinstance(value, str) or not value:
        raise AuditError(f"{name}: {_shown(details, name)}; expected {' or '.join(RANKS)}")
    return value


def rank_of(severity: str) -> int:
    """The rank of a severity; one that is not known is above CRITICAL: it may mean anything."""
    return RANKS.get(severity, len(RANKS))


def require_known_severities(details: Mapping[str, Any]) -> None:
    """Refuse a severity that this project does not know; a foreign log alone may have one."""
    names = [details[name] for name in ("severity", "max_severity") if details.get(name)]
    table = details.get("counts_by_severity")
    names += table if isinstance(table, dict) else []
    for name in names:
        if name not in RANKS:
            raise AuditError(f"severity: {quoted(name)}; expected {' or '.join(RANKS)}")


def count_field(details: Mapping[str, Any], name: str) -> int | None:
    """A whole number that is not negative, `None` where it is missing or null."""
    return None if details.get(name) is None else _count(details, name)


def _count(details: Mapping[str, Any], name: str) -> int:
    value = details.get(name)
    if type(value) is not int or value < 0:
        raise AuditError(f"{name}: {_shown(details, name)}; expected a whole number")
    return value


def counted_diffs(details: Mapping[str, Any]) -> dict[str, int]:
    """Return the number of diffs by severity of a summary, read in the worst way.

    Its total, its flags and its maximum count too where its figures by severity have less;
    diffs of no severity are counted under `UNKNOWN`.
    """
    total, table = _count(details, "total_diffs"), details.get("counts_by_severity")
    if not isinstance(table, dict):
        raise AuditError(
            f"counts_by_severity: {_shown(details, 'counts_by_severity')}; "
            "expected counts by severity"
        )
    for name in table:
        severity_field({"counts_by_severity": name}, "counts_by_severity")
    found = {name: _count(table, name) for name in table}
    for name in _named_severities(details):
        found[name] = max(1, found.get(name, 0))
    if total > sum(found.values()):
        found[UNKNOWN] = total - sum(found.values())
    return {name: count for name, count in found.items() if count}


def _named_severities(details: Mapping[str, Any]) -> list[str]:
    """The severities that the flags and the maximum say there are diffs of."""
    named = []
    for flag, severity in (("has_critical", Severity.CRITICAL), ("has_fail", Severity.FAIL)):
        if not isinstance(details.get(flag, False), bool):
            raise AuditError(f"{flag}: {_shown(details, flag)}; expected true or false")
        if details.get(flag):
            named.append(str(severity))
    if details.get("max_severity") is not None:
        maximum = severity_field(details, "max_severity")
        # INFO is also the maximum of a run without diffs.
        named += [] if maximum == Severity.INFO else [maximum]
    return named


def utc_time(text: str) -> datetime:
    """Read a time; one without an offset is UTC. Raises `AuditError` for anything else."""
    try:
        return parse_time(f"{text}Z" if is_naive(text) else text)
    except ReconError:
        raise AuditError(
            f"timestamp: {quoted(text)} is no time; expected one like 2026-01-01T12:00:00Z"
        ) from None


def utc_text(text: str) -> str:
    """A time as answers print it, in UTC with `Z`."""
    # Nearly all times of a log are written like that already.
    return text if _PRINTED.fullmatch(text) else format_time(utc_time(text))


def is_naive(text: str) -> bool:
    """True if a time has no offset."""
    time = text[_DATE_LENGTH:]
    return not (time.endswith(("Z", "z")) or "+" in time or "-" in time)


def _shown(details: Mapping[str, Any], name: str) -> str:
    return f"is {quoted(details[name])}" if name in details else "is missing"
