"""Edits: the faults that rows allow without a free number, each a change of a few rows.

Which fault a change stands for depends on the ground. Where the rows are at fault the
change repairs them: a fill that goes was booked once too often. Where the rows are right
the change is the fault itself: a fill that goes was never booked.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from recon_core.amounts import EXACT, ZERO
from recon_core.explain.effects.changes import Change, in_sequence
from recon_core.explanation import CauseKind
from recon_core.model import (
    CashBalance,
    Fill,
    LedgerSide,
    Movement,
    MovementKind,
    Opening,
    OrderSide,
)

NEAR_TWIN: Final = timedelta(seconds=5)
"""Two fills of one order, price and quantity this close are one execution told twice."""

SOLVED: Final = 2
"""The rank of a cause with a number that was solved for, and that fits to the last digit."""

UNPROVEN: Final = 4
"""The rank from which on a cause fits, and is not proven: it may fit by chance."""

MISSING_ID: Final = "missing"
"""The id of a fill that no row tells."""

_POWERS: Final = (None, -3, -2, -1, 1, 2, 3)

Row = Fill | Movement


@dataclass(frozen=True, slots=True)
class Edit:
    """A possible cause: the change it is, the rows it concerns, what speaks for it.

    `rank` is 0 where the rows themselves show the fault (an id that stands twice, a fee
    that is missing among fees), 1 where a row accounts for the delta without any free
    number, 2 where a number was solved for. `side` is given where it is not the ground's.
    """

    cause_kind: CauseKind
    change: Change
    rows: tuple[Row, ...]
    rank: int = 1
    detail: str = ""
    side: LedgerSide | None = None

    @property
    def is_of_a_fill(self) -> bool:
        """Whether the fault is of one fill."""
        return len(self.rows) == 1 and isinstance(self.rows[0], Fill)


def together(edits: Iterable[Edit]) -> Change:
    """One edit after the other, as one change."""
    return in_sequence(edit.change for edit in edits)


def flipped(fill: Fill) -> Fill:
    """The same fill on the other side."""
    other = OrderSide.SELL if fill.side is OrderSide.BUY else OrderSide.BUY
    return replace(fill, side=other)


def with_fee(fill: Fill, fee: Decimal, currency: str | None = None) -> Fill:
    """The same fill with another fee."""
    return replace(fill, fee=fee, fee_currency=currency or fill.fee_currency)


def removal(fill: Fill, *, rows_right: bool, twice: bool, close: bool) -> Edit:
    """The fill goes: booked once too often, or never booked."""
    if rows_right:
        return Edit(CauseKind.MISSING_FILL, Change(removed=(fill,)), (fill,))
    kind = CauseKind.DUPLICATE_FILL if twice or close else CauseKind.ORPHAN_FILL
    return Edit(kind, Change(removed=(fill,)), (fill,), rank=0 if twice or close else 1)


def repetition(fill: Fill) -> Edit:
    """The fill comes once more: it was booked twice."""
    return Edit(CauseKind.DUPLICATE_FILL, Change(added=(replace(fill),)), (fill,))


def flip(fill: Fill) -> Edit:
    """The fill changes its side."""
    return Edit(CauseKind.SIDE_FLIPPED, Change((fill,), (flipped(fill),)), (fill,))


def fee_change(
    fill: Fill, kind: CauseKind, fee: Decimal, currency: str | None = None, rank: int = 1
) -> Edit:
    """The fill has another fee, in the same currency where none is given."""
    return Edit(kind, Change((fill,), (with_fee(fill, fee, currency),)), (fill,), rank)


def of_all(kind: CauseKind, fills: Sequence[Fill], changed: Sequence[Fill], detail: str) -> Edit:
    """The edit of many fills with one fault; those that stay as they are have none."""
    pairs = [(old, new) for old, new in zip(fills, changed, strict=True) if old != new]
    change = Change(tuple(old for old, _ in pairs), tuple(new for _, new in pairs))
    return Edit(kind, change, change.removed, rank=1, detail=detail)


def half(fee: Decimal) -> Decimal:
    """Half a fee, exactly."""
    return EXACT.multiply(fee, Decimal("0.5"))


def movement_edits(movement: Movement, *, rows_right: bool, twin: bool) -> Iterator[Edit]:
    """A movement goes, comes again, or changes its sign."""
    gone = Change(removed_movements=(movement,))
    if rows_right:
        split = movement.movement_kind is MovementKind.SPLIT
        missing = CauseKind.SPLIT if split else CauseKind.MISSING_MOVEMENT
        yield Edit(missing, gone, (movement,))
        again = Change(added_movements=(replace(movement),))
        yield Edit(CauseKind.DUPLICATE_MOVEMENT, again, (movement,))
    elif twin:
        yield Edit(CauseKind.DUPLICATE_MOVEMENT, gone, (movement,), rank=0)
    else:
        yield Edit(CauseKind.FOREIGN_ACTIVITY, gone, (movement,), rank=2)
    turned = replace(movement, amount=_turned(movement.amount), quantity=_turned(movement.quantity))
    yield Edit(CauseKind.SIGN_CONVENTION, Change((), (), (movement,), (turned,)), (movement,))


def _turned(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else EXACT.subtract(ZERO, amount)


def opening_edits(opening: Opening | None) -> Iterator[Edit]:
    """One entry of the opening goes, or is a power of ten of what it was."""
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


def _opening(old: Opening, new: Opening, name: str) -> Edit:
    change = Change(opening=new, old_opening=old)
    return Edit(CauseKind.OPENING_BALANCE, change, (), detail=name)
