"""One key looked at on both sides, and what was concluded about it.

`Comparison` is made while pairing and has a name but no verdict; `Judgement` is
the comparison with its verdict; a `ReconDiff` is the finding of a judgement that
is no match.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from recon_core.model import CashBalance, LedgerSide, Position
from recon_core.model.explanation import Explanation
from recon_core.model.figures import CashSteps, Place, Timeline
from recon_core.model.matched_rows import MatchedRows
from recon_core.model.policy_line import PolicyLine
from recon_core.model.waivers import WaiverUse
from recon_core.values.errors import ReconError
from recon_core.values.printable import printable, quoted
from recon_core.values.severity import JUDGED, Severity
from recon_core.values.times import format_time, parse_time

_LONGEST_REPR: Final = 160
"""Characters of a description in a `repr`: what a failed assertion shows of a list."""


class ItemKind(StrEnum):
    """Subject of a comparison; the second part of a node id."""

    POSITION = "position"
    CASH = "cash"
    HOLDING = "holding"
    ORDER = "order"
    FILL = "fill"
    MOVEMENT = "movement"
    LEDGER = "ledger"
    SESSION = "session"

    @property
    def diff_type(self) -> str:
        """The name in reports (design, "Diff types")."""
        return self.value.upper()


@dataclass(frozen=True, slots=True)
class SessionCheck:
    """The result of looking at the session as a whole: a finding, or a match.

    `severity` is `None` where there is nothing to find fault with; `message` then
    says what was looked at.
    """

    name: str
    severity: Severity | None
    message: str
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.severity is Severity.WAIVED:
            raise ReconError(
                f"{quoted(self.name)}: severity WAIVED; expected one that is judged "
                f"({', '.join(JUDGED)}): only a waiver waives"
            )


@dataclass(frozen=True, slots=True)
class Comparison:
    """A key and what both sides say about it; it has no verdict yet.

    `key` is the encoded business key (`BTC/EUR`, `EUR,account=sub1`, `coverage`).
    A side that reports the section but does not list the key is `None`: zero, by
    design, "Position drift". A LEDGER comparison looks at one `side`: `internal`
    is what that side states, `external` what its own rows give. Of a fill, an order or
    movements `matched` holds the rows, and `internal` and `external` are not used. `in_floats` says
    that a side computed in binary floats, so that the policy's `float_dust` holds; of
    fills and orders the rows say so.
    """

    item_kind: ItemKind
    key: str
    name: str
    as_of: datetime | None
    internal: Position | CashBalance | None = None
    external: Position | CashBalance | None = None
    unit: str = ""
    check: SessionCheck | None = None
    notes: tuple[str, ...] = ()
    side: LedgerSide | None = None
    matched: MatchedRows | None = None
    in_floats: bool = False

    @property
    def identity(self) -> str:
        """`position::BTC/EUR`: unique within its session."""
        return f"{self.item_kind}::{self.key}"

    @property
    def of_position(self) -> bool:
        """True if quantities of an instrument are compared, and not balances."""
        value = self.internal or self.external
        return self.item_kind is ItemKind.POSITION or isinstance(value, Position)


@dataclass(frozen=True, slots=True, repr=False)
class ReconDiff:
    """A comparison that is not equal.

    `internal`, `external` and `delta` (internal minus external) are in `unit`; for a
    LEDGER diff they are what a side states, what its rows give, and the difference;
    `drift` is a fraction rounded for display; `tolerance` is the rule that was
    applied, in words; `diff_details` repeats the figures as text under the names
    that the runbook's audit log uses. `explanation` says why, where somebody asked
    (docs/explain.md); no severity depends on it. `waivers` are those that name the diff, each
    with what became of it; where one covers it, `severity` is WAIVED. `waterfalls` are the steps
    of each side to a balance, `timeline` is the course of both sides; `places` are the rows in
    their files, where a report asked for them.
    """

    diff_id: str
    timestamp: datetime | None
    diff_type: str
    severity: Severity
    key: str
    description: str
    internal: Decimal | None = None
    external: Decimal | None = None
    delta: Decimal | None = None
    drift: Decimal | None = None
    unit: str = ""
    tolerance: str = ""
    diff_details: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    order_id: str | None = None
    resolved: bool = False
    softened_by: str | None = None
    explanation: Explanation | None = None
    waivers: tuple[WaiverUse, ...] = ()
    waterfalls: tuple[CashSteps, ...] = ()
    timeline: Timeline | None = None
    places: tuple[Place, ...] = ()

    @property
    def waiver(self) -> WaiverUse | None:
        """The waiver that covers the diff, by id, owner, reason and expiry."""
        return next((use for use in self.waivers if use.covers), None)

    def __repr__(self) -> str:
        """The description on one line; `to_dict` has every field."""
        return f"<ReconDiff {printable(self.description, _LONGEST_REPR)}>"

    @property
    def identity(self) -> str:
        """`position::BTC/EUR`, as in the node id."""
        return f"{self.diff_type.lower()}::{self.key}"

    def to_dict(self) -> dict[str, object]:
        """Plain data for JSON: amounts as text, times in UTC with `Z`."""
        return {
            "diff_id": self.diff_id,
            "timestamp": None if self.timestamp is None else format_time(self.timestamp),
            "diff_type": self.diff_type,
            "severity": str(self.severity),
            "key": self.key,
            "description": self.description,
            "internal": _text(self.internal),
            "external": _text(self.external),
            "delta": _text(self.delta),
            "drift": _text(self.drift),
            "unit": self.unit,
            "tolerance": self.tolerance,
            "diff_details": dict(self.diff_details),
            "notes": list(self.notes),
            "order_id": self.order_id,
            "resolved": self.resolved,
            "softened_by": self.softened_by,
            "explanation": None if self.explanation is None else self.explanation.to_dict(),
            "waivers": [use.to_dict() for use in self.waivers],
            "waterfalls": [each.to_dict() for each in self.waterfalls],
            "timeline": None if self.timeline is None else self.timeline.to_dict(),
            "places": [each.to_dict() for each in self.places],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> "ReconDiff":
        """The diff that `to_dict` wrote, for reports that crossed a process."""
        fields = dict(data)
        for name in ("internal", "external", "delta", "drift"):
            fields[name] = None if fields[name] is None else Decimal(str(fields[name]))
        time = fields["timestamp"]
        fields["timestamp"] = None if time is None else parse_time(str(time))
        fields["severity"] = Severity(str(fields["severity"]))
        notes = fields["notes"]
        fields["notes"] = tuple(notes) if isinstance(notes, list | tuple) else ()
        found = fields.get("explanation")
        fields["explanation"] = Explanation.from_dict(found) if isinstance(found, dict) else None
        uses = fields.get("waivers") or ()
        assert isinstance(uses, list | tuple)  # noqa: S101  # the dict is to_dict's own
        fields["waivers"] = tuple(map(WaiverUse.from_dict, uses))
        fields["waterfalls"] = tuple(map(CashSteps.from_dict, _tables(fields.get("waterfalls"))))
        course = fields.get("timeline")
        fields["timeline"] = Timeline.from_dict(course) if isinstance(course, dict) else None
        fields["places"] = tuple(map(Place.from_dict, _tables(fields.get("places"))))
        return cls(**fields)  # type: ignore[arg-type]  # the dict is to_dict's own


@dataclass(frozen=True, slots=True)
class Judgement:
    """A comparison with its verdict: a match where `diff` is `None`.

    `lines` are those of the policy that keep the verdict mild, each by itself.
    """

    comparison: Comparison
    diff: ReconDiff | None
    message: str
    lines: tuple[PolicyLine, ...] = ()

    @property
    def verdict(self) -> str:
        """`match`, or the severity of the diff."""
        return "match" if self.diff is None else str(self.diff.severity)


def diff_of(comparison: Comparison, severity: Severity, message: str, session_id: str) -> ReconDiff:
    """The diff of a comparison with its time, its key and its notes, and without figures."""
    return ReconDiff(
        diff_id=diff_id(session_id, comparison.identity),
        timestamp=comparison.as_of,
        diff_type=comparison.item_kind.diff_type,
        severity=severity,
        key=comparison.key,
        description=message,
        notes=comparison.notes,
    )


def diff_id(session_id: str, identity: str) -> str:
    """A stable id: the same session and key give the same id in every run."""
    content = f"{session_id}\0{identity}".encode("utf-8", "surrogatepass")
    return f"diff-{hashlib.sha256(content).hexdigest()[:16]}"


def _tables(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else format(amount, "f")
