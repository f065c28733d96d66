"""Faults of movements and of the opening."""

from dataclasses import replace
from datetime import timedelta

from recon_core.model import (
    CashBalance,
    Movement,
    MovementKind,
    Position,
    SideRecord,
)
from recon_core.model.explanation import CauseKind
from recon_core.mutate.changes import with_movement
from tests.trials.bases import Base
from tests.trials.fault import Dice, Fault, mistyped

OTHER_SIGN = "other sign"


def missing_movement(_base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """Funding, interest, a dividend, a deposit, a transfer that was not booked."""
    return _without(book, dice, CauseKind.MISSING_MOVEMENT, is_split=False)


def split(_base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """A split that was not applied."""
    return _without(book, dice, CauseKind.SPLIT, is_split=True)


def _without(book: SideRecord, dice: Dice, kind: CauseKind, *, is_split: bool) -> Fault | None:
    rows = book.movements or ()
    chosen = [row for row in rows if (row.movement_kind is MovementKind.SPLIT) is is_split]
    if not chosen:
        return None
    row = dice.choice(chosen)
    also = {CauseKind.MISSING_MOVEMENT} if is_split else set[CauseKind]()
    return Fault(
        kind,
        str(row.movement_kind),
        with_movement(book, row, None),
        ids=_twins(rows, row),
        also=frozenset(also),
        unknowns=1,
    )


def duplicate_movement(_base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """A movement that was booked twice: under its own id, or under another one."""
    rows = book.movements or ()
    if not rows:
        return None
    row = dice.choice(rows)
    if row.movement_kind is MovementKind.SPLIT:
        return None
    is_same = dice.random() < 0.5
    later = row.time + timedelta(seconds=1)
    again = row if is_same else replace(row, movement_id=f"{row.movement_id}-again", time=later)
    return Fault(
        CauseKind.DUPLICATE_MOVEMENT,
        f"{row.movement_kind}, {'same' if is_same else 'other'} id",
        replace(book, movements=(*rows, again)),
        ids=_twins(rows, row) | {again.movement_id},
    )


def wrong_movement(_base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """A movement that was booked with the other sign, or mistyped."""
    rows = [row for row in book.movements or () if row.amount]
    if not rows:
        return None
    row = dice.choice(rows)
    assert row.amount is not None
    amount, how = row.amount.copy_negate(), OTHER_SIGN
    if dice.random() < 0.5:
        amount, how = mistyped(row.amount, dice)
    return Fault(
        CauseKind.WRONG_MOVEMENT,
        how,
        with_movement(book, row, replace(row, amount=amount)),
        ids=frozenset({row.movement_id}),
        unknowns=1,
    )


def _twins(rows: tuple[Movement, ...], row: Movement) -> frozenset[str]:
    return frozenset(other.movement_id for other in rows if _what(other) == _what(row))


def _what(row: Movement) -> tuple[object, ...]:
    return row.movement_kind, row.account, row.currency, row.amount, row.symbol, row.quantity


def opening_balance(_base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """A balance or a position that the opening lacks, or has wrong."""
    opening = book.opening
    if opening is None:
        return None
    rows: list[CashBalance | Position] = [row for row in opening.cash if row.total]
    rows += [row for row in opening.positions if row.quantity]
    if not rows:
        return None
    row = dice.choice(rows)
    new, how = (None, "missing") if dice.random() < 0.5 else _wrong(row, dice)
    cash = [new if one is row else one for one in opening.cash]
    positions = [new if one is row else one for one in opening.positions]
    changed = replace(
        opening,
        cash=tuple(one for one in cash if isinstance(one, CashBalance)),
        positions=tuple(one for one in positions if isinstance(one, Position)),
    )
    return Fault(
        CauseKind.OPENING_BALANCE,
        how,
        replace(book, opening=changed),
        unknowns=1,
    )


def _wrong(row: CashBalance | Position, dice: Dice) -> tuple[CashBalance | Position, str]:
    if isinstance(row, Position):
        quantity, how = mistyped(row.quantity, dice)
        return replace(row, quantity=quantity), how
    total, how = mistyped(row.total, dice)
    return replace(row, total=total, free=None, locked=None), how
