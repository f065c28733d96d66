"""Hypotheses: the faults that rows allow, each a patch of a few rows.

The kind of a patch depends on the problem. If the rows are wrong, the patch repairs them: a fill
that it removes was booked once too often. If the rows are right, the patch is the fault itself:
a fill that it removes was never booked.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from enum import IntEnum
from operator import attrgetter
from typing import Any, Final

from recon_core.explain.problem.patches import Patch, in_sequence
from recon_core.model import Fill, LedgerSide, Movement
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT

NEAR_COPY: Final = timedelta(seconds=5)
"""Distance in time of equal fills of one order that are copies of one execution.

A longer time would make duplicates of the equal fills of a grid.
"""

MISSING_ID: Final = "missing"
"""Id of a fill that no row states."""

PLACE: Final = attrgetter("account", "symbol", "leg", "side")
"""Of a fill the position that it moves, and its side."""

Row = Fill | Movement


class Strength(IntEnum):
    """The evidence for a hypothesis, the strongest first; a weaker one never hides a stronger."""

    SHOWN = 0
    """Rows show the fault: a duplicate id, a fee missing among fees."""
    EXACT = 1
    """A row accounts for the delta, and no number was fitted."""
    FITTED = 2
    """A number was fitted, and second evidence confirms it to the last digit."""
    WEAK = 3
    """A number was fitted, and other fills of the market make it less likely."""
    CHANCE = 4
    """It fits, possibly by chance: never an answer that is unique."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts of a hypothesis that other steps and its sentence decide by.

    `rounded`: the field of rows that is rounded. `is_slip`: the wrong figure is a slip of the pen.
    `in_parts`: the fill is stated whole and in parts. `count`: the faults that are joined to one.
    `may_be_several`: fills that no row states may have the sum of one. `is_average`: its price is
    no price of a single fill.
    """

    rounded: str = ""
    is_slip: bool = False
    in_parts: bool = False
    count: int = 1
    may_be_several: bool = False
    is_average: bool = False


NO_FACTS: Final = Facts()


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A possible cause: its kind, its patch, the rows that it concerns, its evidence.

    `detail` is for its sentence. `side` is the faulty side, if it is not the problem's.
    """

    cause_kind: CauseKind
    patch: Patch
    rows: tuple[Row, ...]
    strength: Strength = Strength.EXACT
    detail: str = ""
    side: LedgerSide | None = None
    facts: Facts = NO_FACTS

    @property
    def is_of_a_fill(self) -> bool:
        """True if the fault concerns a single fill."""
        return len(self.rows) == 1 and isinstance(self.rows[0], Fill)


def unstated_fill(patch: Patch) -> Fill | None:
    """Return the only fill that a patch adds, if no row states it; else `None`."""
    added = patch.added
    return added[0] if len(added) == 1 and added[0].fill_id == MISSING_ID else None


def together(hypotheses: Iterable[Hypothesis]) -> Patch:
    """Return the patches of hypotheses, in sequence, as one patch."""
    return in_sequence(hypothesis.patch for hypothesis in hypotheses)


def flipped(fill: Fill) -> Fill:
    """Return the fill with the other side."""
    other = fill.side.other
    return replace(fill, side=other)


def with_fee(fill: Fill, fee: Decimal, currency: str | None = None) -> Fill:
    """Return the fill with another fee, in its own currency if none is given."""
    return replace(fill, fee=fee, fee_currency=currency or fill.fee_currency)


def fee_change(
    fill: Fill,
    kind: CauseKind,
    fee: Decimal,
    currency: str | None = None,
    strength: Strength = Strength.EXACT,
) -> Hypothesis:
    """Build the change of a fill's fee, in its own currency if none is given."""
    return Hypothesis(kind, Patch((fill,), (with_fee(fill, fee, currency),)), (fill,), strength)


def of_all(
    kind: CauseKind, fills: Sequence[Fill], changed: Sequence[Fill], detail: str
) -> Hypothesis:
    """Build one hypothesis on many fills; fills that do not change are left out."""
    pairs = [(old, new) for old, new in zip(fills, changed, strict=True) if old != new]
    patch = Patch(tuple(old for old, _ in pairs), tuple(new for _, new in pairs))
    return Hypothesis(kind, patch, patch.removed, strength=Strength.EXACT, detail=detail)


def half(fee: Decimal) -> Decimal:
    """Return half a fee, exactly."""
    return EXACT.multiply(fee, Decimal("0.5"))


def fill_content(fill: Fill) -> tuple[Any, ...]:
    """Return the key that interchangeable fills share: all but id, order and time."""
    return (
        fill.account,
        fill.symbol,
        fill.leg,
        fill.side,
        fill.quantity,
        fill.price,
        fill.fee,
        fill.fee_currency if fill.fee else None,
    )
