"""Fills and orders on one line each, safe to print: what both sides say of a diff."""

from collections.abc import Iterable
from typing import Final

from recon_core.model import Fill, Leg, Order
from recon_core.values.amounts import format_amount
from recon_core.values.printable import printable
from recon_core.values.times import format_time

_MOST_SHOWN: Final = 3
"""Rows or ids that a text lists; more are counted."""


def fill_text(fill: Fill) -> str:
    """A fill on one line: `BUY 0.1 at 42000.00, fee 4.20 EUR, 2026-01-01T09:30:00Z`."""
    leg = "" if fill.leg is Leg.NET else f" {fill.leg}"
    parts = [f"{fill.side}{leg} {format_amount(fill.quantity)} at {format_amount(fill.price)}"]
    if fill.fee_currency is not None:
        parts.append(f"fee {format_amount(fill.fee)} {printable(fill.fee_currency, 60)}")
    elif not fill.fee:
        parts.append("no fee")
    parts.append(format_time(fill.time))
    order_id = fill.order_id
    if order_id:
        parts.append(f"of order {printable(order_id, 60)}")
    return ", ".join(parts)


def order_text(order: Order) -> str:
    """An order on one line: `BUY 1.0 LIMIT at 42000.00, 0.5 filled, CANCELLED, 2026-…`."""
    kind = "" if order.order_type is None else f" {printable(order.order_type, 30)}"
    price = "" if order.price is None else f" at {format_amount(order.price)}"
    return (
        f"{order.side} {format_amount(order.quantity)} {printable(order.symbol, 60)}{kind}{price}, "
        f"{format_amount(order.filled_quantity)} filled, {order.state}, {format_time(order.time)}"
    )


def stated_ids(rows: Iterable[Fill | Order], name: str) -> str:
    """Return the ids that rows state, ` (e1 and e2)`: their lines have not all of them."""
    ids = dict.fromkeys(value for row in rows if (value := getattr(row, name)) is not None)
    shown = " and ".join(printable(value, 60) for value in list(ids)[:_MOST_SHOWN])
    more = f" and {len(ids) - _MOST_SHOWN} more" if len(ids) > _MOST_SHOWN else ""
    return f" ({shown}{more})"


def stated(texts: Iterable[str], count: int) -> str:
    """Return a side's statement in words: its rows, equal ones once, at most three of them."""
    if not count:
        return "not listed"
    counted: dict[str, int] = {}
    for text in texts:
        counted[text] = counted.get(text, 0) + 1
    shown = [text if times == 1 else f"{times} times {text}" for text, times in counted.items()]
    more = len(shown) - _MOST_SHOWN
    return "; and ".join(shown[:_MOST_SHOWN]) + (f"; and {more} more" if more > 0 else "")
