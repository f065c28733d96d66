"""Fills from a file without a file model each: what is plainly right is read at once.

A file holds many fills and little else that costs time. A list in which every row is
plainly right becomes fills here; any other list is left to the file models of
`recon_core.sessions.schema`, which say what is wrong with it. What is accepted is the
same either way, and so are the fills: both are tested against each other.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from recon_core.amounts import AMOUNT_PATTERN, ZERO, NumberText
from recon_core.model import Fill, Leg, OrderSide

_AMOUNT: Final = rf"({AMOUNT_PATTERN})\|"
_TIME: Final = r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?Z)"
# One match for the whole row: no amount and no time holds a vertical bar.
_plain_row: Final = re.compile(_AMOUNT * 3 + _TIME, re.ASCII).fullmatch
_SIDES: Final = {str(side): side for side in OrderSide}
_LEGS: Final = {str(leg): leg for leg in Leg}
_KEYS: Final = frozenset(field.name for field in fields(Fill))


class _NotPlainError(Exception):
    """A row that the file models have to look at."""


def plain_fills(rows: Any) -> list[Fill] | None:
    """The fills that `rows` are, `None` where one of them is not plainly right."""
    if not isinstance(rows, list):
        return None
    try:
        return list(_fills(rows))
    except (_NotPlainError, AttributeError, KeyError, TypeError, ValueError):
        return None


def _fills(rows: list[Any]) -> Iterator[Fill]:
    """Fills whose values are checked here, so that `Fill` does not check them again."""
    (put_id, put_symbol, put_side, put_quantity, put_price, put_time, put_fee, put_currency,
     put_client, put_exchange, put_account, put_leg, put_position) = _SETTERS  # fmt: skip
    new, at = object.__new__, datetime.fromisoformat
    for row in rows:
        get, fill = row.get, new(Fill)
        quantity, price, time, fee, currency = _figures(row, get)
        client, exchange = get("client_order_id"), get("exchange_order_id")
        account, position = get("account"), get("position_id")
        # Most of them are absent, and a call costs as much as all that a row needs else.
        for given in (client, exchange, account, position):
            if given is not None:
                _name(given)
        put_id(fill, _name(row["fill_id"]))
        put_symbol(fill, _name(row["symbol"]))
        put_side(fill, _SIDES[row["side"]])
        put_quantity(fill, quantity)
        put_price(fill, price)
        put_time(fill, at(time))
        put_fee(fill, fee)
        put_currency(fill, currency)
        put_client(fill, client)
        put_exchange(fill, exchange)
        put_account(fill, account)
        put_leg(fill, _LEGS[get("leg", "NET")])
        put_position(fill, position)
        yield fill


def _figures(
    row: dict[str, Any], get: Callable[..., Any]
) -> tuple[Decimal, Decimal, str, Decimal, str | None]:
    """Quantity, price, time, fee and its currency."""
    if not row.keys() <= _KEYS:
        raise _NotPlainError
    charged = get("fee")
    fee_text = "0" if charged is None else charged
    figures = row["quantity"], row["price"], fee_text, row["time"]
    try:
        match = _plain_row("|".join(figures))
    except TypeError:
        match = _plain_row("|".join(map(_figure_text, figures)))
    if match is None:
        raise _NotPlainError
    quantity, price, fee = Decimal(match[1]), Decimal(match[2]), Decimal(match[3])
    currency = get("fee_currency")
    if currency is not None:
        _name(currency)
    if quantity <= ZERO or (fee and currency is None):
        raise _NotPlainError
    return quantity, price or price.copy_abs(), match[4], fee or fee.copy_abs(), currency


def _figure_text(value: Any) -> str:
    """Text, or a number of JSON, which is kept as its text; any other is for the file models."""
    if isinstance(value, NumberText):
        return value.text
    if isinstance(value, str):
        return value
    raise _NotPlainError


def _name(value: Any) -> str:
    if type(value) is not str or not value:
        raise _NotPlainError
    return value


_SETTERS: Final[tuple[Callable[[Fill, Any], None], ...]] = tuple(
    getattr(Fill, name).__set__
    for name in (
        "fill_id", "symbol", "side", "quantity", "price", "time", "fee", "fee_currency",
        "client_order_id", "exchange_order_id", "account", "leg", "position_id",
    )
)  # fmt: skip
