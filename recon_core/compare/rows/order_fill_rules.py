"""An order against the fills that name it (design, "Orders and fills").

Each side's order is held against the fills of both sides. Pure functions of the rows:
they find cases and say them in words, and know no severity. A sum alone proves little: a
sale can fill the quantity of an order to buy. The ids of a fill are not looked at here,
because a venue may give an order that is changed a new one.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from recon_core.compare.rows.sum_hints import sum_hint
from recon_core.model import Fill, LedgerSide, Order
from recon_core.model.matched_rows import Gap, MatchedOrder, RowCase, RowFinding
from recon_core.values.amounts import ZERO, exact_sum, format_amount
from recon_core.values.printable import printable

_MOST_SHOWN = 3


class StatedSide(NamedTuple):
    """Statement of one side about an order; its fills are `None` where they are unknown."""

    name: LedgerSide
    rows: tuple[Order, ...]
    fills: tuple[Fill, ...] | None
    in_floats: bool


Sides = tuple[StatedSide, StatedSide]


def stated_sides(matched: MatchedOrder) -> Sides:
    """Both sides of an order; one that reports no orders has no rows."""
    ours, theirs = LedgerSide.INTERNAL, LedgerSide.EXTERNAL
    floats = matched.float_sides
    return (
        StatedSide(ours, matched.internal or (), matched.internal_fills, ours in floats),
        StatedSide(theirs, matched.external or (), matched.external_fills, theirs in floats),
    )


def overfilled(sides: Sides) -> Iterator[RowFinding]:
    """More filled than ordered, by its own word or by the sum of its fills."""
    ordered = max([row.quantity for side in sides for row in side.rows], default=None)
    for side in sides:
        over = [row for row in side.rows if row.filled_quantity > row.quantity]
        stated = max([row.filled_quantity for row in over], default=ZERO)
        if stated:
            text = f"overfilled, {side.name} says {format_amount(stated)} filled"
            gaps = [Gap(row.quantity, row.filled_quantity) for row in over if side.in_floats]
            yield RowFinding(RowCase.ORDER_OVERFILLED, text, tuple(gaps))
        summed = fill_sum(side.fills or ())
        if ordered is not None and summed > ordered and summed != stated:
            text = f"overfilled, {side.name}'s fills of it are {format_amount(summed)}"
            in_floats = side.in_floats or any(each.in_floats for each in sides if each.rows)
            gaps = [Gap(ordered, summed)] if in_floats else []
            yield RowFinding(RowCase.ORDER_OVERFILLED, text, tuple(gaps))


def fill_sums(sides: Sides) -> Iterator[RowFinding]:
    """The fills of a side against its own order, else against the other side's.

    Where both sides give the order, their filled quantities are compared, too: so
    each side's order is held against both sides' fills.
    """
    for side, other in (sides, sides[::-1]):
        holder = side if side.rows else other
        if side.fills is None or not holder.rows:
            continue
        summed = fill_sum(side.fills)
        filled = sorted({row.filled_quantity for row in holder.rows} - {summed})
        if filled:
            text = (
                f"{holder.name} says {_few(filled)} filled, "
                f"{side.name}'s {_counted(side.fills)} of it sum to {format_amount(summed)}"
                f"{sum_hint(side.fills, other.fills, filled)}"
            )
            in_floats = side.in_floats or holder.in_floats
            gaps = [Gap(min(summed, each), max(summed, each)) for each in filled if in_floats]
            yield RowFinding(RowCase.ORDER_FILLS, text, tuple(gaps))


def stray_fills(sides: Sides) -> Iterator[RowFinding]:
    """The fills of a side that no row of its own order, else of the other's, can have."""
    for side, other in (sides, sides[::-1]):
        holder = side if side.rows else other
        strays = [fill for fill in side.fills or () if not _fits(fill, holder.rows)]
        if strays and holder.rows:
            shown = "; ".join(map(_text, strays[:_MOST_SHOWN]))
            more = f"; and {len(strays) - _MOST_SHOWN} more" if strays[_MOST_SHOWN:] else ""
            text = f"{holder.name}'s order cannot have {side.name}'s fill {shown}{more}"
            yield RowFinding(RowCase.ORDER_FILLS, text)


def all_of(order: Order, fills: Sequence[Fill]) -> bool:
    """True if every fill has the order side and the symbol of the order; quick."""
    side, symbol = order.side, order.symbol
    return all(fill.side is side and fill.symbol == symbol for fill in fills)


def _fits(fill: Fill, rows: Sequence[Order]) -> bool:
    return any(fill.side is row.side and fill.symbol == row.symbol for row in rows)


def _text(fill: Fill) -> str:
    return f"{printable(fill.fill_id, 60)}, a {fill.side} of {printable(fill.symbol, 60)}"


def _few(amounts: Sequence[Decimal]) -> str:
    more = f" and {len(amounts) - _MOST_SHOWN} more" if len(amounts) > _MOST_SHOWN else ""
    return " and ".join(map(format_amount, amounts[:_MOST_SHOWN])) + more


def _counted(fills: Sequence[Fill]) -> str:
    return "1 fill" if len(fills) == 1 else f"{len(fills)} fills"


def fill_sum(fills: Sequence[Fill]) -> Decimal:
    """The quantity of all fills."""
    return fills[0].quantity if len(fills) == 1 else exact_sum([fill.quantity for fill in fills])
