"""The orders report of nautilus_trader: how each order stood, as evidence for the fills.

An order that states its quantity in the quote currency and was filled is left out: its
quantity and what was filled of it count different things.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from recon_core.model import Order, OrderState
from recon_core.sessions.formats.nautilus_accounts import Report
from recon_core.sessions.formats.nautilus_rows import (
    Row,
    amount,
    cell,
    order_side,
    time,
)
from recon_core.sessions.formats.rows import each_of
from recon_core.values.amounts import shortest_amount
from recon_core.values.errors import ReconError, SessionError
from recon_core.values.printable import quoted

_STATES: Final[Mapping[str, OrderState]] = {
    "INITIALIZED": OrderState.CREATED,
    "EMULATED": OrderState.CREATED,
    "RELEASED": OrderState.CREATED,
    "SUBMITTED": OrderState.SUBMITTED,
    "ACCEPTED": OrderState.ACKNOWLEDGED,
    "TRIGGERED": OrderState.ACKNOWLEDGED,
    "PENDING_UPDATE": OrderState.ACKNOWLEDGED,
    "PENDING_CANCEL": OrderState.ACKNOWLEDGED,
    "PARTIALLY_FILLED": OrderState.PARTIALLY_FILLED,
    "FILLED": OrderState.FILLED,
    "CANCELED": OrderState.CANCELLED,
    "EXPIRED": OrderState.EXPIRED,
    "REJECTED": OrderState.REJECTED,
    "DENIED": OrderState.REJECTED,
    "VOIDED": OrderState.FAILED,
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NANOSECONDS: Final = re.compile(r"[0-9]{1,20}", re.ASCII)
_FLOAT: Final = "float "
"""Prefix of a binary float of a Parquet column, as `parquet_rows` writes it."""


def orders(report: Report) -> tuple[Order, ...]:
    """Every order whose quantities can be compared; raises `SessionError` naming the row."""
    found = each_of(report.rows, report.name, _order)
    return tuple(order for order in found if order is not None)


def left_out_note(report: Report) -> list[str]:
    """A note on the orders that `orders` leaves out."""
    count = sum(map(_in_quote, report.rows))
    if not count:
        return []
    one = "1 order states its quantity" if count == 1 else f"{count} orders state their quantity"
    return [f"{report.name}: {one} in the quote currency; not compared"]


def filled_any(report: Report) -> bool:
    """True if the report says that something was filled."""
    return any(each_of(report.rows, report.name, lambda row: amount(row, "filled_qty")))


def _in_quote(row: Row) -> bool:
    return row.get("is_quote_quantity") == "True" and bool(amount(row, "filled_qty"))


def _order(row: Row) -> Order | None:
    if _in_quote(row):
        return None
    filled = _unsigned(row, "filled_qty")
    return Order(
        symbol=cell(row, "instrument_id"),
        side=order_side(row, "side"),
        quantity=_unsigned(row, "quantity"),
        filled_quantity=filled,
        state=_state(row, filled),
        time=_last_time(row),
        client_order_id=cell(row, "client_order_id"),
        exchange_order_id=row.get("venue_order_id") or None,
        order_type=row.get("type") or None,
        price=amount(row, "price") if row.get("price") else None,
        account=row.get("account_id") or None,
        average_fill_price=_average(row),
    )


def _state(row: Row, filled: Decimal) -> OrderState:
    """The engine calls an order that works on after a part was filled by several names."""
    status = cell(row, "status")
    if status not in _STATES:
        raise SessionError(f"status: {quoted(status)}; expected one of {', '.join(_STATES)}")
    state = _STATES[status]
    return OrderState.PARTIALLY_FILLED if state is OrderState.ACKNOWLEDGED and filled else state


def _unsigned(row: Row, name: str) -> Decimal:
    found = amount(row, name)
    if found < 0:
        raise SessionError(f"{name}: {found:f} is below 0; the side says SELL")
    return found


def _average(row: Row) -> Decimal | None:
    """The engine computes it in binary floats; it is taken at its shortest decimal text."""
    text = row.get("avg_px", "").removeprefix(_FLOAT)
    try:
        return shortest_amount(text) if text else None
    except ReconError as error:
        raise SessionError(f"avg_px: {error}") from None


def _last_time(row: Row) -> datetime:
    """Nanoseconds since 1970; digits beyond the microsecond are cut, as everywhere."""
    text = cell(row, "ts_last")
    if _NANOSECONDS.fullmatch(text) is None:
        return time(row, "ts_last")
    return _EPOCH + timedelta(microseconds=int(text) // 1000)
