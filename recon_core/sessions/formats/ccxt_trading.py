"""ccxt's unified trades and orders.

Amounts of contract markets are in contracts; they are multiplied by the contract size where
a position of the same source states it. An order or trade that is listed twice is kept
twice: it is data, and reported as a duplicate.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from recon_core.model import Fill, Movement, MovementKind, Order, OrderSide, OrderState
from recon_core.sessions.formats import rows
from recon_core.values.amounts import EXACT, ZERO, shortest
from recon_core.values.errors import ReconError, SessionError
from recon_core.values.printable import quoted
from recon_core.values.times import parse_time

_STATES: Final = {
    "open": OrderState.ACKNOWLEDGED,
    "closed": OrderState.FILLED,
    "canceled": OrderState.CANCELLED,
    "canceling": OrderState.ACKNOWLEDGED,
    "expired": OrderState.EXPIRED,
    "rejected": OrderState.REJECTED,
}
_NO_IDS: Final = (None, "0")

Sizes = Mapping[str, Decimal]


def fills(listed: Iterable[rows.Row], sizes: Sizes) -> tuple[Fill, ...]:
    """Every trade as a fill, its first fee with it."""
    return tuple(rows.each(listed, "trades", lambda row: _fill(row, sizes)))


def fees(listed: Iterable[rows.Row]) -> tuple[Movement, ...]:
    """The further fees of trades that were charged in several currencies."""
    return tuple(
        movement for moved in rows.each(listed, "trades", _further_fees) for movement in moved
    )


def orders(listed: Iterable[rows.Row], sizes: Sizes) -> tuple[Order, ...]:
    """Return every order; a client id of several orders names none of them."""
    listed = list(listed)
    ids = set(rows.each(listed, "orders", _ids))
    shared = {client for client, count in Counter(client for client, _ in ids).items() if count > 1}
    return tuple(rows.each(listed, "orders", lambda row: _order(row, sizes, shared)))


def _ids(row: rows.Row) -> tuple[str | None, str | None]:
    return rows.optional_text(row, "clientOrderId"), rows.optional_text(row, "id")


def _fill(row: rows.Row, sizes: Sizes) -> Fill:
    symbol = rows.text(row, "symbol")
    charged = _fees(row)
    cost, currency = charged[0] if charged else (ZERO, None)
    return Fill(
        fill_id=rows.text(row, "id"),
        symbol=symbol,
        side=_side(row),
        quantity=_scaled(rows.number(row, "amount"), symbol, sizes),
        price=rows.number(row, "price"),
        time=_time(row, "timestamp"),
        fee=cost,
        fee_currency=currency,
        exchange_order_id=rows.optional_text(row, "order"),
    )


def _order(row: rows.Row, sizes: Sizes, shared: set[Any]) -> Order:
    symbol = rows.text(row, "symbol")
    filled = rows.number(row, "filled")
    client = rows.optional_text(row, "clientOrderId")
    named = client not in _NO_IDS and client not in shared
    return Order(
        symbol=symbol,
        side=_side(row),
        quantity=_scaled(rows.number(row, "amount"), symbol, sizes),
        filled_quantity=_scaled(filled, symbol, sizes),
        state=_state(row, filled),
        time=_time(row, "lastUpdateTimestamp", "lastTradeTimestamp", "timestamp"),
        client_order_id=client if named else None,
        exchange_order_id=rows.text(row, "id"),
        order_type=rows.optional_text(row, "type"),
        price=rows.optional_number(row, "price"),
        average_fill_price=rows.optional_number(row, "average"),
    )


def _state(row: rows.Row, filled: Decimal) -> OrderState:
    status = rows.optional_text(row, "status")
    if status not in _STATES:
        shown = "is unknown (null)" if status is None else quoted(status)
        raise SessionError(f"status: {shown}; expected one of {', '.join(_STATES)}")
    state = _STATES[status]
    return OrderState.PARTIALLY_FILLED if state is OrderState.ACKNOWLEDGED and filled else state


def _scaled(amount: Decimal, symbol: str, sizes: Sizes) -> Decimal:
    return shortest(EXACT.multiply(amount, sizes.get(symbol, Decimal(1))))


def _side(row: rows.Row) -> OrderSide:
    side = rows.text(row, "side")
    if side not in ("buy", "sell"):
        raise SessionError(f"side: {quoted(side)}; expected buy or sell")
    return OrderSide(side.upper())


def _time(row: rows.Row, *names: str) -> datetime:
    for name in names:
        found = rows.milliseconds(row, name)
        if found is not None:
            return found
    try:
        return parse_time(rows.text(row, "datetime"))
    except ReconError as error:
        raise SessionError(f"timestamp: is unknown, and datetime: {error}") from None


def _fees(row: rows.Row) -> list[tuple[Decimal, str | None]]:
    """Return the fees in each currency; a fee that the exchange does not state is left out."""
    listed = row.get("fees")
    charged = listed if isinstance(listed, list) and listed else [row.get("fee")]
    sums: dict[str | None, Decimal] = {}
    for fee in charged:
        if isinstance(fee, dict) and (cost := rows.optional_number(fee, "cost")) is not None:
            currency = rows.optional_text(fee, "currency")
            sums[currency] = EXACT.add(sums.get(currency, ZERO), cost)
    return [(cost, currency) for currency, cost in sums.items()]


def _further_fees(row: rows.Row) -> list[Movement]:
    return [
        Movement(
            movement_id=f"{rows.text(row, 'id')}.fee{count}",
            movement_kind=MovementKind.FEE,
            time=_time(row, "timestamp"),
            currency=currency,
            amount=cost.copy_negate(),
        )
        for count, (cost, currency) in enumerate(_fees(row)[1:], 2)
    ]
