"""Cells and rows of nautilus_trader's reports, each error naming the file and the row."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from recon_core.model import CashBalance, Fill, Movement, MovementKind, OrderSide
from recon_core.values.amounts import parse_amount
from recon_core.values.errors import ReconError, SessionError
from recon_core.values.printable import quoted
from recon_core.values.times import parse_time

Row = dict[str, str]
_MONEY = re.compile(r"(\S+) (\S+)")
_SIDES: Final = {str(side): side for side in OrderSide}


def balance(row: Row) -> CashBalance:
    """A row of an account report."""
    return CashBalance(
        currency=cell(row, "currency"),
        total=amount(row, "total"),
        free=amount(row, "free"),
        locked=amount(row, "locked"),
        account=cell(row, "account_id"),
    )


def fill(row: Row) -> Fill:
    """A row of the fills report; the engine averages its positions by position id."""
    fee, currency = money(cell(row, "commission"), "commission")
    return Fill(
        fill_id=cell(row, "trade_id"),
        symbol=cell(row, "instrument_id"),
        side=order_side(row, "order_side"),
        quantity=amount(row, "last_qty"),
        price=amount(row, "last_px"),
        time=time(row, "ts_event"),
        fee=fee,
        fee_currency=currency,
        client_order_id=row.get("client_order_id") or None,
        exchange_order_id=row.get("venue_order_id") or None,
        account=cell(row, "account_id"),
        position_id=row.get("position_id") or None,
    )


def order_side(row: Row, name: str) -> OrderSide:
    """The side of an order or a fill."""
    side = cell(row, name)
    if side not in _SIDES:
        raise SessionError(f"{name}: {quoted(side)}; expected BUY or SELL")
    return _SIDES[side]


def movement(row: Row) -> Movement:
    """A row of `movements`, with the field names of the session format."""
    currency, symbol = row.get("currency") or None, row.get("symbol") or None
    if currency is None and symbol is None:
        raise SessionError("expected currency with amount, symbol with quantity")
    return Movement(
        movement_id=cell(row, "movement_id"),
        movement_kind=MovementKind(cell(row, "kind")),
        time=time(row, "time"),
        currency=currency,
        amount=None if currency is None else amount(row, "amount"),
        symbol=symbol,
        quantity=None if symbol is None else amount(row, "quantity"),
        account=row.get("account") or None,
    )


def money(text: str, name: str) -> tuple[Decimal, str]:
    """`5.73778753 USDT` as amount and currency."""
    match = _MONEY.fullmatch(text)
    if match is None:
        raise SessionError(f"{name}: {quoted(text)}; expected an amount and a currency")
    return parse_amount(match[1]), match[2]


def amount(row: Row, name: str) -> Decimal:
    """The amount in a column."""
    text = cell(row, name)
    try:
        return parse_amount(text)
    except ReconError as error:
        raise SessionError(f"{name}: {error}") from None


def time(row: Row, name: str) -> datetime:
    """The time in a column; the index of an account report has no name."""
    return parse_time(cell(row, name))


def cell(row: Row, name: str) -> str:
    """The text in a column, which must be there."""
    value = row.get(name)
    if value is None or value == "":
        raise SessionError(f"{name or 'time'}: is missing or empty")
    return value


def key(table: Any, name: str) -> str:
    """A text of a JSON object, which must be there."""
    value = table.get(name) if isinstance(table, dict) else None
    if not isinstance(value, str) or not value:
        raise SessionError(f"{name}: is missing; expected text")
    return value
