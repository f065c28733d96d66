"""Figures behind a diff: its cash waterfalls, its course in time, its places in files.

Values only, so that a report can draw what the notes of a diff say in words. Amounts are
exact, in units of the instrument or of the currency.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from recon_core.model.records import LedgerSide
from recon_core.values.amounts import format_amount
from recon_core.values.times import format_time, parse_time


@dataclass(frozen=True, slots=True)
class CashSteps:
    """The steps by which a side reaches one balance, by category, in the order of a waterfall.

    `opened` is false where the side states no opening; `closing` is the sum of the steps, and
    `stated` the total that the side itself gives, `None` where it gives none of its own.
    """

    side: LedgerSide
    currency: str
    opened: bool
    steps: Mapping[str, Decimal]
    closing: Decimal
    stated: Decimal | None = None

    def to_dict(self) -> dict[str, object]:
        """Plain data for JSON: amounts as text."""
        return {
            "side": str(self.side),
            "currency": self.currency,
            "opened": self.opened,
            "steps": {name: format_amount(amount) for name, amount in self.steps.items()},
            "closing": format_amount(self.closing),
            "stated": None if self.stated is None else format_amount(self.stated),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "CashSteps":
        """The steps that `to_dict` wrote."""
        return cls(
            LedgerSide(data["side"]),
            data["currency"],
            data["opened"],
            {name: Decimal(amount) for name, amount in data["steps"].items()},
            Decimal(data["closing"]),
            None if data["stated"] is None else Decimal(data["stated"]),
        )


class TimelineSource(StrEnum):
    """Source of the points of a timeline."""

    SNAPSHOTS = "snapshots"
    POSTINGS = "postings"


@dataclass(frozen=True, slots=True)
class TimelinePoint:
    """Both sides at one time."""

    time: datetime
    internal: Decimal
    external: Decimal


@dataclass(frozen=True, slots=True)
class Timeline:
    """Both sides of one position or balance in time.

    The points are the common snapshots, or the times after postings where both sides list
    their fills; `left_out` counts times between them that are not listed. `tolerance` is the
    largest delta at the end that does not fail, `first` the place in `points` of the first
    divergence, `None` where no point diverges.
    """

    source: TimelineSource
    points: tuple[TimelinePoint, ...]
    tolerance: Decimal
    first: int | None = None
    left_out: int = 0

    def to_dict(self) -> dict[str, object]:
        """Plain data for JSON: amounts as text, times in UTC with `Z`."""
        return {
            "source": str(self.source),
            "points": [
                {
                    "time": format_time(point.time),
                    "internal": format_amount(point.internal),
                    "external": format_amount(point.external),
                }
                for point in self.points
            ],
            "tolerance": format_amount(self.tolerance),
            "first": self.first,
            "left_out": self.left_out,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Timeline":
        """The timeline that `to_dict` wrote."""
        points = tuple(
            TimelinePoint(
                parse_time(each["time"]), Decimal(each["internal"]), Decimal(each["external"])
            )
            for each in data["points"]
        )
        source, tolerance = TimelineSource(data["source"]), Decimal(data["tolerance"])
        return cls(source, points, tolerance, data["first"], data["left_out"])


@dataclass(frozen=True, slots=True)
class Place:
    """Place of a row: a file, as seen from the directory of the session, and its line from 1."""

    side: LedgerSide
    file: str
    line: int

    def to_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        return {"side": str(self.side), "file": self.file, "line": self.line}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Place":
        """The place that `to_dict` wrote."""
        return cls(LedgerSide(data["side"]), data["file"], data["line"])
