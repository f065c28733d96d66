"""Faults of many rows at once: rounded, in another unit, foreign, renamed, netted."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TypeVar

from recon_core.model import (
    Fill,
    Leg,
    Movement,
    Order,
    OrderSide,
    Position,
    SideRecord,
)
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, round_to_places
from tests.trials.bases import Base
from tests.trials.fault import Dice, Fault, ids_of, mistyped, one_fill, with_fills

_Row = TypeVar("_Row", Fill, Movement, Order, Position)


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
    opening = book.opening
    if like is None or opening is None:
        return None
    name = like.symbol.replace("/", "").replace("-", "_").lower()
    renamed = replace(
        book,
        fills=_named(book.fills or (), like.symbol, name),
        movements=None if book.movements is None else _named(book.movements, like.symbol, name),
        opening=replace(opening, positions=_named(opening.positions, like.symbol, name)),
        orders=None if book.orders is None else _named(book.orders, like.symbol, name),
    )
    return Fault(
        CauseKind.ALIAS,
        f"rows, {name}",
        renamed,
        more_ids=ids_of(row for row in book.fills or () if row.symbol == like.symbol),
        is_of_rows=True,
        instruments=(replace(base.recorded.instruments[like.symbol], symbol=name),),
    )


def _named(rows: tuple[_Row, ...], symbol: str, name: str) -> tuple[_Row, ...]:
    return tuple(replace(row, symbol=name) if row.symbol == symbol else row for row in rows)


def netted_rows(_base: Base, book: SideRecord, _dice: Dice) -> Fault | None:
    """The fills of hedge legs booked as those of one NET position."""
    fills = tuple(replace(fill, leg=Leg.NET) for fill in book.fills or ())
    if fills == book.fills:
        return None
    return Fault(
        CauseKind.NETTED_LEGS,
        "rows",
        replace(book, fills=fills),
        more_ids=ids_of(fills),
        is_of_rows=True,
    )
