"""Rows of a freqtrade bot's tables: trades, orders, and the balances that it began with."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from recon_core.model import CashBalance, Order, OrderSide, OrderState
from recon_core.sessions.formats import rows
from recon_core.sessions.formats.freqtrade_trades import (
    FilledOrder,
    Trade,
    order_side,
    trading_mode,
)
from recon_core.values.amounts import ZERO
from recon_core.values.errors import ReconError, SessionError
from recon_core.values.printable import quoted
from recon_core.values.times import parse_time

_STATES: Final = {
    "open": OrderState.ACKNOWLEDGED,
    "closed": OrderState.FILLED,
    "canceled": OrderState.CANCELLED,
    "cancelled": OrderState.CANCELLED,
    "expired": OrderState.EXPIRED,
    "rejected": OrderState.REJECTED,
}


def read_trade(row: rows.Row, orders: list[rows.Row]) -> Trade:
    """A row of `trades` with the rows of its filled orders."""
    is_short = rows.flag(row, "is_short")
    is_open = rows.flag(row, "is_open")
    amount = rows.number(row, "amount") if is_open else ZERO
    filled = tuple(_filled(order, is_short=is_short) for order in orders)
    closed = _time(row, "close_date")
    return Trade(
        trade_id=str(row["id"]),
        pair=rows.text(row, "pair"),
        mode=trading_mode(rows.optional_text(row, "trading_mode")),
        entry_fee=rows.number(row, "fee_open"),
        exit_fee=rows.number(row, "fee_close"),
        funding=rows.optional_number(row, "funding_fees") or ZERO,
        open_quantity=amount.copy_negate() if is_short else amount,
        time=closed or max([_required_time(row, "open_date"), *(order.time for order in filled)]),
        orders=filled,
        stated_profit=None if is_open else rows.optional_number(row, "close_profit_abs"),
    )


def _filled(row: rows.Row, *, is_short: bool) -> FilledOrder:
    side = _side(row)
    entry = OrderSide.SELL if is_short else OrderSide.BUY
    return FilledOrder(
        fill_id=rows.text(row, "order_id"),
        side=side,
        is_entry=side is entry,
        quantity=rows.number(row, "filled"),
        price=_price(row),
        time=_order_time(row),
        base_fee=rows.optional_number(row, "ft_fee_base") or None,
        exchange_order_id=rows.text(row, "order_id"),
    )


def read_order(row: rows.Row) -> Order:
    """A row of `orders`, as it last stood."""
    return Order(
        symbol=rows.text(row, "ft_pair"),
        side=_side(row),
        quantity=_first(row, "amount", "ft_amount"),
        filled_quantity=rows.optional_number(row, "filled") or ZERO,
        state=_state(row),
        time=_required_time(row, "order_update_date", "order_filled_date", "order_date"),
        exchange_order_id=rows.text(row, "order_id"),
        order_type=rows.optional_text(row, "order_type"),
        price=rows.optional_number(row, "price"),
        average_fill_price=rows.optional_number(row, "average"),
    )


def _side(row: rows.Row) -> OrderSide:
    stated = rows.text(row, "ft_order_side")
    # A stop at the exchange; the exchange's own word says which way.
    return order_side(rows.text(row, "side") if stated == "stoploss" else stated)


def _state(row: rows.Row) -> OrderState:
    status = rows.text(row, "status")
    if status not in _STATES:
        raise SessionError(f"status: {quoted(status)}; expected one of {', '.join(_STATES)}")
    if status == "open" and rows.optional_number(row, "filled"):
        return OrderState.PARTIALLY_FILLED
    return _STATES[status]


def _price(row: rows.Row) -> Decimal:
    return _first(row, "average", "price", "ft_price")


def _first(row: rows.Row, *names: str) -> Decimal:
    for name in names:
        found = rows.optional_number(row, name)
        if found:
            return found
    return rows.number(row, names[-1])


def _order_time(row: rows.Row) -> datetime:
    return _required_time(row, "order_filled_date", "order_update_date", "order_date")


def _required_time(row: rows.Row, *names: str) -> datetime:
    for name in names:
        found = _time(row, name)
        if found is not None:
            return found
    raise SessionError(f"{names[-1]}: is missing; expected a time")


def _time(row: rows.Row, name: str) -> datetime | None:
    """A time as SQLAlchemy writes it: UTC, without saying so."""
    value = rows.optional_text(row, name)
    try:
        return None if value is None else parse_time(f"{value}Z")
    except ReconError:
        raise SessionError(f"{name}: {quoted(value)} is no time in UTC without offset") from None


def first_balances(
    wallet_rows: list[dict[str, Any]],
) -> tuple[datetime | None, tuple[CashBalance, ...] | None]:
    """The balances that freqtrade wrote down first, of currencies and not of positions."""
    timed = rows.each(
        wallet_rows, "wallet_history", lambda row: (_required_time(row, "timestamp"), row)
    )
    opened = min((time for time, _ in timed), default=None)
    first = [row for time, row in timed if time == opened and "/" not in str(row.get("currency"))]
    balances = rows.each(
        first,
        "wallet_history",
        lambda row: CashBalance(rows.text(row, "currency"), rows.number(row, "balance")),
    )
    return opened, tuple(balances)
