"""The entries of an audit trail (design, "Audit").

One `RECON_SUMMARY` per recorded session and run, and one `RECON_DIFF` per diff. On a file a
run is enclosed by an opening entry and a committing one, so that a reader sees whether all
of it was written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final
from uuid import uuid4

from recon_core.model.comparison import ReconDiff
from recon_core.model.explanation import Explanation
from recon_core.model.summary import ReconSummary
from recon_core.values.errors import AuditError
from recon_core.values.printable import quoted
from recon_core.values.times import format_time, parse_time, require_time

RECON_SUMMARY: Final = "RECON_SUMMARY"
RECON_DIFF: Final = "RECON_DIFF"
RUN_OPENED: Final = "RECON_RUN_OPENED"
RUN_COMMITTED: Final = "RECON_RUN_COMMITTED"
LOG_RECOVERED: Final = "RECON_LOG_RECOVERED"
LOG_CONTINUED: Final = "RECON_LOG_CONTINUED"
LOG_CLOSED: Final = "RECON_LOG_CLOSED"

BRACKETS: Final = frozenset({RUN_OPENED, RUN_COMMITTED, LOG_RECOVERED})
"""The place where a run begins and ends."""

SUCCESSIONS: Final = frozenset({LOG_CONTINUED, LOG_CLOSED})
"""The first entries of files that continue another one."""

KEYS: Final = (
    "entry_id",
    "timestamp",
    "sequence",
    "event_type",
    "client_order_id",
    "old_state",
    "new_state",
    "details",
)
"""The keys of an entry as plain data, in the order of the runbook's export."""

# What every reader of JSON keeps exact (RFC 8785 allows no more).
_LARGEST_INTEGER: Final = 2**53 - 1
"""The largest integer that every reader of JSON keeps exact; a larger one is refused."""
_DEEPEST: Final = 64
"""Levels of nested details; deeper ones would exhaust the stack of a reader."""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One event of the trail.

    `details` holds text, whole numbers, booleans, `None`, and lists and mappings of
    them; amounts are text. The log gives `sequence`, and fills in `entry_id` and
    `timestamp` (now, in UTC) where they are not given.
    """

    event_type: str
    details: Mapping[str, object] = field(default_factory=dict)
    client_order_id: str = ""
    old_state: str | None = None
    new_state: str | None = None
    timestamp: datetime | None = None
    entry_id: str = ""
    sequence: int = 0

    def stored(self, sequence: int) -> "LedgerEntry":
        """The entry as a log keeps it; raises `AuditError` for values it cannot keep."""
        time = datetime.now(UTC) if self.timestamp is None else self.timestamp
        details = plain(self.details, "details")
        if not isinstance(details, dict):
            raise AuditError("details: expected a mapping")
        if not self.event_type:
            raise AuditError("event_type: is empty; expected a name such as ORDER_EVENT")
        for name in ("event_type", "client_order_id", "entry_id", "old_state", "new_state"):
            value = getattr(self, name)
            if not isinstance(_plain_scalar(value, name), str | None):
                raise AuditError(f"{name}: {quoted(value)}; expected text")
        return replace(
            self,
            details=details,
            timestamp=require_time(time, "timestamp"),
            entry_id=self.entry_id or str(uuid4()),
            sequence=sequence,
        )

    def to_dict(self) -> dict[str, object]:
        """Plain data under the keys of the runbook's export."""
        return {
            **{name: getattr(self, name) for name in KEYS},
            "timestamp": None if self.timestamp is None else format_time(self.timestamp),
            "details": dict(self.details),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> "LedgerEntry":
        """The entry that `to_dict` wrote."""
        fields = {name: data[name] for name in KEYS}
        return cls(**{**fields, "timestamp": parse_time(str(data["timestamp"]))})  # type: ignore[arg-type]  # to_dict's own


def plain(value: object, name: str, depth: int = 0) -> object:
    """`value` as JSON without binary floats: exact decimals and times become text.

    Raises `AuditError` that names the place of a value that cannot be kept exactly.
    """
    if depth > _DEEPEST:
        raise AuditError(f"{quoted(name, 200)}: is nested deeper than {_DEEPEST}")
    if isinstance(value, Mapping):
        return {
            _key(key, name): plain(each, f"{name}.{key}", depth + 1) for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [plain(each, f"{name}[{at}]", depth + 1) for at, each in enumerate(value)]
    return _plain_scalar(value, name)


def _key(key: object, name: str) -> str:
    if not isinstance(key, str):
        raise AuditError(f"{quoted(name, 200)}: key {quoted(key)}; expected text")
    return _whole_text(str(key), name)


def _plain_scalar(value: object, name: str) -> str | int | None:
    if isinstance(value, str):
        return _whole_text(str(value), name)
    if value is None or (isinstance(value, int) and abs(value) <= _LARGEST_INTEGER):
        return value
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    if isinstance(value, datetime):
        return format_time(require_time(value, name))
    shown = quoted(value)
    raise AuditError(
        f"{quoted(name, 200)}: {shown} is a {type(value).__name__}; expected text, a Decimal, "
        "a whole number below 2**53, a boolean, or lists and mappings of them"
    )


def _whole_text(text: str, name: str) -> str:
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise AuditError(f"{quoted(name, 200)}: {quoted(text)} holds a lone surrogate")
    return text


def run_entries(
    summary: ReconSummary, diffs: Sequence[ReconDiff] | None = None
) -> list[LedgerEntry]:
    """The entries of one run: its summary, then its diffs, the worst first.

    Without `diffs` those of the summary are taken, which are its top N.
    """
    chosen = summary.top_diffs if diffs is None else diffs
    details = {
        name: value for name, value in summary.to_dict().items() if name not in _NOT_IN_DETAILS
    }
    details["recorded_diffs"] = len(chosen)
    entry = LedgerEntry(
        RECON_SUMMARY,
        details,
        timestamp=parse_time(summary.timestamp),
        entry_id=f"recon_summary_{summary.run_id}",
    )
    return [entry, *(_diff_entry(summary, diff, index) for index, diff in enumerate(chosen))]


# The one is the timestamp of the entry, the other entries of its own.
_NOT_IN_DETAILS: Final = ("timestamp", "top_diffs")

NOT_IN_DIFFS: Final = ("timestamp", "waterfalls", "timeline", "places")
"""Fields of a diff that no entry has: its timestamp, and what reports draw from the session."""


def _diff_entry(summary: ReconSummary, diff: ReconDiff, index: int) -> LedgerEntry:
    # Each diff says which run it is of, so that a reader need not keep all runs in mind.
    run = {
        "run_id": summary.run_id,
        "session_id": summary.session_id,
        "strategy_id": summary.strategy_id,
        "run_timestamp": summary.timestamp,
    }
    figures = {name: value for name, value in diff.to_dict().items() if name not in NOT_IN_DIFFS}
    found = diff.explanation
    figures["explanation"] = None if found is None else _conclusion(found)
    time = parse_time(summary.timestamp) if diff.timestamp is None else diff.timestamp
    return LedgerEntry(
        RECON_DIFF,
        {**run, **figures},
        client_order_id=diff.order_id or "",
        timestamp=time,
        entry_id=f"recon_diff_{summary.run_id}_{index}",
    )


def _conclusion(explanation: Explanation) -> dict[str, object]:
    """Return the findings of an explanation without proof and repair: the sessions have both."""
    whole = explanation.to_dict()
    return {name: whole[name] for name in ("verdict", "side", "causes", "text")}
