"""Faults of many rows at once: rounded, in another unit, foreign, renamed, netted."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from recon_core.model import (
    Fill,
    OrderSide,
    SideRecord,
)
from recon_core.model.explanation import CauseKind
from recon_core.mutate.changes import (
    another_name,
    netted,
    renamed,
    rounded,
    scaled,
    with_fills,
)
from tests.trials.bases import Base
from tests.trials.fault import Dice, Fault, ids_of, mistyped, one_fill


def rounded_rows(_base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """Every quantity rounded to so many decimals."""
    places = dice.randint(0, 5)
    changed = rounded(book, places)
    touched = [
        one
        for one, other in zip(book.fills or (), changed.fills or (), strict=True)
        if one.quantity != other.quantity
    ]
    if len(touched) < 2:
        return None
    return Fault(
        CauseKind.ROUNDING,
        f"rows to {places} decimals",
        changed,
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
    touched = [fill for fill in book.fills or () if fill.symbol == like.symbol]
    return Fault(
        CauseKind.UNIT,
        f"rows of {like.symbol} x {factor:f}",
        scaled(book, like.symbol, factor),
        more_ids=ids_of(touched),
        also=frozenset({CauseKind.WRONG_QUANTITY} if len(touched) == 1 else ()),
    )


def foreign_activity(base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """Fills of another account, or of another strategy, among the rows."""
    like = one_fill(book, dice)
    if like is None or like.symbol not in base.rates:
        return None
    is_account = dice.random() < 0.5 and not _is_unnamed(book)
    named = {"account": "OTHER-9"} if is_account else {"position_id": "other-strategy"}
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
    return not (book.accounts - {None})


def _some(book: SideRecord, dice: Dice) -> list[Fill]:
    fills = [fill for fill in book.fills or () if fill.quantity]
    return [dice.choice(fills) for _ in range(dice.randint(1, 5))]


def _foreign(like: Fill, number: int, named: dict[str, str], dice: Dice) -> Fill:
    quantity, _ = mistyped(like.quantity, dice, partial=True)
    side = dice.choice(list(OrderSide))
    fields = {"fill_id": f"F-{number}", "quantity": quantity, "side": side}
    orders = {"client_order_id": None, "exchange_order_id": None}
    time = like.time + timedelta(seconds=1)
    return replace(like, **{**fields, **orders, **named, "time": time})


def renamed_rows(base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """All rows of one symbol under another name."""
    like = one_fill(book, dice)
    if like is None or book.opening is None:
        return None
    name = another_name(like.symbol)
    return Fault(
        CauseKind.ALIAS,
        f"rows, {name}",
        renamed(book, like.symbol, name),
        more_ids=ids_of(row for row in book.fills or () if row.symbol == like.symbol),
        is_of_rows=True,
        instruments=(replace(base.recorded.instruments[like.symbol], symbol=name),),
    )


def netted_rows(_base: Base, book: SideRecord, _dice: Dice) -> Fault | None:
    """The fills of hedge legs booked as those of one NET position."""
    changed = netted(book)
    if changed.fills == book.fills:
        return None
    return Fault(
        CauseKind.NETTED_LEGS,
        "rows",
        changed,
        more_ids=ids_of(changed.fills or ()),
        is_of_rows=True,
    )
