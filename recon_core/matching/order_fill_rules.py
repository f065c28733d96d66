"""Whether the fills that name an order can be of it: its direction and its symbol.

A sum alone proves little: a sale can fill the quantity of an order to buy. The ids are
not looked at here, because a venue may give an order that is changed a new one.
"""

from collections.abc import Iterator, Sequence

from recon_core.matched import RowCase, RowFinding
from recon_core.model import Fill, Order
from recon_core.printable import printable

_MOST_SHOWN = 3

Stated = tuple[tuple[str, tuple[Order, ...], tuple[Fill, ...] | None], ...]
"""Each side by its name: its rows of one order, and its fills that name it."""


def all_of(order: Order, fills: Sequence[Fill]) -> bool:
    """Whether every fill has the direction and the symbol of the order; quick."""
    side, symbol = order.side, order.symbol
    return all(fill.side is side and fill.symbol == symbol for fill in fills)


def foreign_fills(sides: Stated) -> Iterator[RowFinding]:
    """The fills of a side that no row of its own order, else of the other's, can have."""
    for index, (side, rows, fills) in enumerate(sides):
        of, held = (side, rows) if rows else sides[1 - index][:2]
        wrong = [fill for fill in fills or () if held and not _fits(fill, held)]
        if wrong:
            shown = "; ".join(map(_text, wrong[:_MOST_SHOWN]))
            more = f"; and {len(wrong) - _MOST_SHOWN} more" if wrong[_MOST_SHOWN:] else ""
            text = f"{of}'s order cannot have {side}'s fill {shown}{more}"
            yield RowFinding(RowCase.ORDER_FILLS, text)


def _fits(fill: Fill, rows: Sequence[Order]) -> bool:
    return any(fill.side == row.side and fill.symbol == row.symbol for row in rows)


def _text(fill: Fill) -> str:
    return f"{printable(fill.fill_id, 60)}, a {fill.side} of {printable(fill.symbol, 60)}"
