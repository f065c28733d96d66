"""Hypotheses: the faults that rows allow, each a patch of a few rows.

The kind of a patch depends on the problem. If the rows are wrong, the patch repairs them: a fill
that it removes was booked once too often. If the rows are right, the patch is the fault itself:
a fill that it removes was never booked.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from enum import IntEnum
from typing import Final

from recon_core.explain.effects.patches import Patch, in_sequence
from recon_core.model import (
    CashBalance,
    Fill,
    LedgerSide,
    Movement,
    MovementKind,
    Opening,
    OrderSide,
)
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO

NEAR_TWIN: Final = timedelta(seconds=5)
"""Distance in time of equal fills of one order that are one execution delivered twice.

A longer time would make duplicates of the equal fills of a grid.
"""

MISSING_ID: Final = "missing"
"""Id of a fill that no row states."""

_POWERS: Final = (None, -3, -2, -1, 1, 2, 3)
"""Powers of ten by which an opening entry may be off; `None` removes it. Each is a hypothesis."""

Row = Fill | Movement


class Strength(IntEnum):
    """The evidence for a hypothesis, the strongest first; a weaker one never hides a stronger."""

    SHOWN = 0
    """Rows show the fault: a duplicate id, a fee missing among fees."""
    EXACT = 1
    """A row accounts for the delta, and no number was fitted."""
    FITTED = 2
    """A number was fitted, and a second witness bears it out to the last digit."""
    WEAK = 3
    """A number was fitted, and other fills of the market make it less likely."""
    CHANCE = 4
    """It fits, possibly by chance: never an answer that is unique."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A possible cause: its kind, its patch, the rows that it concerns, its evidence.

    `side` is the faulty side, if it is not the problem's.
    """

    cause_kind: CauseKind
    patch: Patch
    rows: tuple[Row, ...]
    strength: Strength = Strength.EXACT
    detail: str = ""
    side: LedgerSide | None = None

    @property
    def is_of_a_fill(self) -> bool:
        """True if the fault concerns a single fill."""
        return len(self.rows) == 1 and isinstance(self.rows[0], Fill)


def together(hypotheses: Iterable[Hypothesis]) -> Patch:
    """Return the patches of hypotheses, in sequence, as one patch."""
    return in_sequence(hypothesis.patch for hypothesis in hypotheses)


def flipped(fill: Fill) -> Fill:
    """Return the fill with the other side."""
    other = OrderSide.SELL if fill.side is OrderSide.BUY else OrderSide.BUY
    return replace(fill, side=other)


def with_fee(fill: Fill, fee: Decimal, currency: str | None = None) -> Fill:
    """Return the fill with another fee, in its own currency if none is given."""
    return replace(fill, fee=fee, fee_currency=currency or fill.fee_currency)


def removal(fill: Fill, *, rows_right: bool, twice: bool, close: bool) -> Hypothesis:
    """Build the removal of a fill: booked once too often or, if rows are right, never booked."""
    if rows_right:
        return Hypothesis(CauseKind.MISSING_FILL, Patch(removed=(fill,)), (fill,))
    kind = CauseKind.DUPLICATE_FILL if twice or close else CauseKind.ORPHAN_FILL
    return Hypothesis(
        kind,
        Patch(removed=(fill,)),
        (fill,),
        strength=Strength.SHOWN if twice or close else Strength.EXACT,
    )


def repetition(fill: Fill) -> Hypothesis:
    """Build the repetition of a fill: it was booked twice."""
    return Hypothesis(CauseKind.DUPLICATE_FILL, Patch(added=(replace(fill),)), (fill,))


def flip(fill: Fill) -> Hypothesis:
    """Build the exchange of a fill's side."""
    return Hypothesis(CauseKind.SIDE_FLIPPED, Patch((fill,), (flipped(fill),)), (fill,))


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


def movement_hypotheses(
    movement: Movement, *, rows_right: bool, twin: bool
) -> Iterator[Hypothesis]:
    """Yield a movement removed, repeated if rows are right, and with the other sign."""
    gone = Patch(removed_movements=(movement,))
    if rows_right:
        split = movement.movement_kind is MovementKind.SPLIT
        missing = CauseKind.SPLIT if split else CauseKind.MISSING_MOVEMENT
        yield Hypothesis(missing, gone, (movement,))
        again = Patch(added_movements=(replace(movement),))
        yield Hypothesis(CauseKind.DUPLICATE_MOVEMENT, again, (movement,))
    elif twin:
        yield Hypothesis(CauseKind.DUPLICATE_MOVEMENT, gone, (movement,), strength=Strength.SHOWN)
    else:
        yield Hypothesis(CauseKind.FOREIGN_ACTIVITY, gone, (movement,), strength=Strength.FITTED)
    turned = replace(movement, amount=_turned(movement.amount), quantity=_turned(movement.quantity))
    yield Hypothesis(CauseKind.SIGN_CONVENTION, Patch((), (), (movement,), (turned,)), (movement,))


def _turned(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else EXACT.subtract(ZERO, amount)


def opening_hypotheses(opening: Opening | None) -> Iterator[Hypothesis]:
    """Yield the opening with each entry removed, and multiplied by powers of ten."""
    if opening is None:
        return
    for at, row in enumerate(opening.cash):
        for power in _POWERS:
            total = None if power is None else row.total.scaleb(power, EXACT)
            some = () if total is None else (CashBalance(row.currency, total, account=row.account),)
            cash = (*opening.cash[:at], *some, *opening.cash[at + 1 :])
            if row.total:
                yield _opening(opening, replace(opening, cash=cash), row.currency)
    for at, held in enumerate(opening.positions):
        for power in _POWERS:
            quantity = None if power is None else held.quantity.scaleb(power, EXACT)
            rows = () if quantity is None else (replace(held, quantity=quantity),)
            positions = (*opening.positions[:at], *rows, *opening.positions[at + 1 :])
            if held.quantity:
                yield _opening(opening, replace(opening, positions=positions), held.symbol)


def _opening(old: Opening, new: Opening, name: str) -> Hypothesis:
    patch = Patch(opening=new, old_opening=old)
    return Hypothesis(CauseKind.OPENING_BALANCE, patch, (), detail=name)
