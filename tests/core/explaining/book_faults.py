"""Faults of a book besides fills and fees: movements, opening, time, units, other accounts."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from recon_core.amounts import EXACT, round_to_places
from recon_core.explanation import CauseKind
from recon_core.model import (
    CashBalance,
    Fill,
    Movement,
    MovementKind,
    OrderSide,
    Position,
    SideRecord,
)
from tests.core.explaining.bases import Base
from tests.core.explaining.fault import Dice, Fault, ids_of, mistyped, one_fill, with_fills


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
    left = tuple(other for other in rows if other is not row)
    also = {CauseKind.MISSING_MOVEMENT} if is_split else set[CauseKind]()
    return Fault(
        kind,
        str(row.movement_kind),
        replace(book, movements=left),
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


def stale_side(_base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """The last fills and movements were not yet seen, and the side says of when it is."""
    times = sorted({fill.time for fill in book.fills or ()})
    if len(times) < 3:
        return None
    cut = times[-min(dice.randint(1, 12), len(times) - 1) - 1]
    return _until(book, cut, CauseKind.STALE_SIDE, f"of {cut:%H:%M:%S}")


def _until(book: SideRecord, cut: object, kind: CauseKind, how: str) -> Fault | None:
    fills = [fill for fill in book.fills or () if fill.time > cut]  # type: ignore[operator]
    moved = [row for row in book.movements or () if row.time > cut]  # type: ignore[operator]
    if not fills:
        return None
    early = replace(
        book,
        fills=tuple(fill for fill in book.fills or () if fill not in fills),
        movements=None
        if book.movements is None
        else tuple(row for row in book.movements if row not in moved),
    )
    also = {CauseKind.STALE_SIDE, CauseKind.AS_OF_SHIFT} - {kind}
    also |= {CauseKind.MISSING_FILL} if len(fills) + len(moved) == 1 else set()
    is_stale = kind is CauseKind.STALE_SIDE
    return Fault(
        kind,
        how,
        early,
        more_ids=ids_of(fills) | {row.movement_id for row in moved},
        also=frozenset(also if not is_stale else also - {CauseKind.AS_OF_SHIFT}),
        as_of=cut if is_stale else None,  # type: ignore[arg-type]
        fills=tuple(fills),
    )


def as_of_shift(_base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """A state of exactly one hour or one day earlier, under the same `as_of`."""
    hours = dice.choice((1, 24))
    cut = book.as_of - timedelta(hours=hours)
    if not any(fill.time <= cut for fill in book.fills or ()):
        return None
    return _until(book, cut, CauseKind.AS_OF_SHIFT, f"{hours} h")


def shifted_rows(_base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """All times of all rows are off by exactly one hour or one day."""
    if not book.fills:
        return None
    shift = timedelta(hours=dice.choice((1, -1, 24, -24)))
    rows = tuple(replace(fill, time=fill.time + shift) for fill in book.fills)
    moved = tuple(replace(row, time=row.time + shift) for row in book.movements or ())
    movements = None if book.movements is None else moved
    return Fault(
        CauseKind.AS_OF_SHIFT,
        f"rows {shift}",
        replace(book, fills=rows, movements=movements),
        more_ids=ids_of(rows) | {row.movement_id for row in moved},
        moves_nothing=True,
    )


def rounded_rows(_base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """Every quantity rounded to so many decimals."""
    places = dice.randint(0, 5)
    fills = [
        replace(fill, quantity=round_to_places(fill.quantity, places)) for fill in book.fills or ()
    ]
    touched = [
        one
        for one, other in zip(book.fills or (), fills, strict=True)
        if one.quantity != other.quantity
    ]
    if len(touched) < 2:
        return None
    return Fault(
        CauseKind.ROUNDING,
        f"rows to {places} decimals",
        replace(book, fills=tuple(fills)),
        more_ids=ids_of(touched),
        unknowns=1,
    )


def scaled_rows(base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """All quantities of one symbol in another unit, or without the contract's multiplier."""
    like = one_fill(book, dice)
    if like is None:
        return None
    multiplier = base.recorded.instruments[like.symbol].multiplier
    power = dice.choice((-8, -3, -2, -1, 1, 2, 3, 8))
    factor = Decimal(1).scaleb(power) if multiplier == 1 or dice.random() < 0.5 else multiplier
    fills = [
        replace(fill, quantity=EXACT.multiply(fill.quantity, factor))
        if fill.symbol == like.symbol
        else fill
        for fill in book.fills or ()
    ]
    touched = [fill for fill in fills if fill.symbol == like.symbol]
    return Fault(
        CauseKind.UNIT,
        f"rows of {like.symbol} x {factor:f}",
        replace(book, fills=tuple(fills)),
        more_ids=ids_of(touched),
        also=frozenset({CauseKind.WRONG_QUANTITY} if len(touched) == 1 else ()),
    )


def foreign_activity(base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """Fills of another account, or of another strategy, among the rows."""
    like = one_fill(book, dice)
    if like is None or like.symbol not in base.rates:
        return None
    named = {"account": "OTHER-9"} if dice.random() < 0.5 else {"position_id": "other-strategy"}
    if base.recorded.instruments[like.symbol].symbol and "account" in named and _is_unnamed(book):
        named = {"position_id": "other-strategy"}
    foreign = [_foreign(one, number, named, dice) for number, one in enumerate(_some(book, dice))]
    return Fault(
        CauseKind.FOREIGN_ACTIVITY,
        f"{len(foreign)} fills, {next(iter(named))}",
        with_fills(book, *foreign),
        ids=ids_of(foreign),
        also=frozenset({CauseKind.ORPHAN_FILL} if len(foreign) == 1 else ()),
        fills=tuple(foreign),
    )


def _is_unnamed(book: SideRecord) -> bool:
    """Whether the rows name no account: one that is named would then be that of all."""
    return not (book.accounts() - {None})


def _some(book: SideRecord, dice: Dice) -> list[Fill]:
    fills = [fill for fill in book.fills or () if fill.quantity]
    return [dice.choice(fills) for _ in range(dice.randint(1, 5))]


def _foreign(like: Fill, number: int, named: dict[str, str], dice: Dice) -> Fill:
    quantity, _ = mistyped(like.quantity, dice, partial=True)
    side = dice.choice(list(OrderSide))
    fields = {"fill_id": f"F-{number}", "quantity": quantity, "side": side}
    orders = {"client_order_id": None, "exchange_order_id": None}
    time = like.time + timedelta(seconds=1)
    return replace(like, **{**fields, **orders, **named, "time": time})  # type: ignore[arg-type]
