"""Changed rows of a side: what each fault of rows does, for whatever rows are chosen.

Pure functions of a side's rows. A fill of 2 BTC that is missing is `with_fill(book, fill, None)`;
two fills of 2 and 3 BTC in cumulative quantities are fills of 2 and 5 BTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from recon_core.model import Fill, Leg, Movement, Opening, Order, Position, SideRecord
from recon_core.values.amounts import EXACT, ZERO, round_to_places

_Row = TypeVar("_Row", Fill, Movement, Order, Position)


def with_fill(book: SideRecord, old: Fill, new: Fill | None) -> SideRecord:
    """Return the book with one fill replaced, or without it; the fill is found by identity."""
    fills = list(book.fill_rows)
    at = next(number for number, fill in enumerate(fills) if fill is old)
    fills[at : at + 1] = [] if new is None else [new]
    return replace(book, fills=tuple(fills))


def with_fills(book: SideRecord, *new: Fill) -> SideRecord:
    """Return the book with more fills, by their time."""
    fills = sorted((*(book.fill_rows), *new), key=lambda fill: fill.time)
    return replace(book, fills=tuple(fills))


def with_each_fill(book: SideRecord, new: Mapping[int, Fill]) -> SideRecord:
    """Return the book with fills replaced that are named by `id()`."""
    return replace(book, fills=tuple(new.get(id(fill), fill) for fill in book.fill_rows))


def with_movement(book: SideRecord, old: Movement, new: Movement | None) -> SideRecord:
    """Return the book with one movement replaced, or without it."""
    rows = (new if row is old else row for row in book.movement_rows)
    return replace(book, movements=tuple(row for row in rows if row is not None))


def cumulated(book: SideRecord, rows: Iterable[Fill]) -> SideRecord:
    """Return the book in which each fill of an order has the quantity filled so far."""
    so_far, new = ZERO, {}
    for row in rows:
        so_far = EXACT.add(so_far, row.quantity)
        new[id(row)] = replace(row, quantity=so_far)
    return with_each_fill(book, new)


def with_fees(book: SideRecord, fees: Mapping[int, Decimal]) -> SideRecord:
    """Return the book with the fees of fills replaced, which are named by `id()`."""
    return with_each_fill(
        book,
        {
            id(fill): replace(fill, fee=fees[id(fill)])
            for fill in book.fill_rows
            if id(fill) in fees
        },
    )


def rounded(book: SideRecord, places: int) -> SideRecord:
    """Return the book with every quantity of a fill rounded to decimals."""
    fills = (
        replace(fill, quantity=round_to_places(fill.quantity, places)) for fill in book.fill_rows
    )
    return replace(book, fills=tuple(fills))


def scaled(book: SideRecord, symbol: str, factor: Decimal) -> SideRecord:
    """Return the book with all quantities of the fills of a symbol in another unit."""
    fills = (
        replace(fill, quantity=EXACT.multiply(fill.quantity, factor))
        if fill.symbol == symbol
        else fill
        for fill in book.fill_rows
    )
    return replace(book, fills=tuple(fills))


def renamed(book: SideRecord, symbol: str, name: str) -> SideRecord:
    """Return the book with all rows of a symbol under another name, orders included."""
    opening = book.opening or Opening(None)
    return replace(
        book,
        fills=_named(book.fill_rows, symbol, name),
        movements=None if book.movements is None else _named(book.movements, symbol, name),
        opening=replace(opening, positions=_named(opening.positions, symbol, name)),
        orders=None if book.orders is None else _named(book.orders, symbol, name),
    )


def _named(rows: Sequence[_Row], symbol: str, name: str) -> tuple[_Row, ...]:
    return tuple(replace(row, symbol=name) if row.symbol == symbol else row for row in rows)


def another_name(symbol: str) -> str:
    """Return the symbol as another system might write it: `BTC/USDT` is `btcusdt`."""
    return symbol.replace("/", "").replace("-", "_").lower()


def netted(book: SideRecord) -> SideRecord:
    """Return the book with the fills of hedge legs as those of one NET position."""
    fills = (fill if fill.leg is Leg.NET else replace(fill, leg=Leg.NET) for fill in book.fill_rows)
    return replace(book, fills=tuple(fills))


def until(book: SideRecord, cut: datetime) -> SideRecord:
    """Return the book without the fills and movements after a time."""
    movements = book.movements
    return replace(
        book,
        fills=tuple(fill for fill in book.fill_rows if fill.time <= cut),
        movements=movements and tuple(row for row in movements if row.time <= cut),
    )


def shifted_in_time(book: SideRecord, shift: timedelta) -> SideRecord:
    """Return the book with the times of all fills and movements moved."""
    movements = book.movements
    return replace(
        book,
        fills=tuple(replace(fill, time=fill.time + shift) for fill in book.fill_rows),
        movements=movements and tuple(replace(row, time=row.time + shift) for row in movements),
    )
