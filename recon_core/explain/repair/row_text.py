"""Rows of a repair as text and back: the fields of a fill or a movement by name."""

import hashlib
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from recon_core.explain.problem.hypotheses import Row
from recon_core.model import Fill, Leg, Movement, MovementKind, OrderSide
from recon_core.values.amounts import ZERO, format_amount, parse_amount
from recon_core.values.errors import ReconError
from recon_core.values.printable import quoted
from recon_core.values.times import format_time, parse_time

_PLAIN: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")

REMOVE_FILL: Final = "remove_fill"

ADD_FILL: Final = "add_fill"

REMOVE_MOVEMENT: Final = "remove_movement"

ADD_MOVEMENT: Final = "add_movement"

ADJUST_POSITION: Final = "adjust_position"

ADJUST_CASH: Final = "adjust_cash"

ADJUST_OPENING: Final = "adjust_opening"

ACTIONS: Final = (
    REMOVE_FILL,
    ADD_FILL,
    REMOVE_MOVEMENT,
    ADD_MOVEMENT,
    ADJUST_POSITION,
    ADJUST_CASH,
    ADJUST_OPENING,
)
"""Actions of an entry."""

COPIES: Final = "copies"
"""Field with the number of equal rows that an entry leaves: a duplicate fill has an equal row."""

AVERAGE_PRICE: Final = "average_price"
"""Field with the average price of a corrected position, where one is known."""

Values = dict[str, str]


def row_values(row: Row) -> Values:
    """Return the fields of a row as text, without absent fields, fees of 0 and the NET leg."""
    fields = _fill_fields(row) if isinstance(row, Fill) else _movement_fields(row)
    return {name: value for name, value in fields.items() if value is not None}


def _fill_fields(fill: Fill) -> dict[str, str | None]:
    return {
        "fill_id": fill.fill_id,
        "client_order_id": fill.client_order_id,
        "exchange_order_id": fill.exchange_order_id,
        "symbol": fill.symbol,
        "side": str(fill.side),
        "quantity": format_amount(fill.quantity),
        "price": format_amount(fill.price),
        "fee": format_amount(fill.fee) if fill.fee else None,
        "fee_currency": fill.fee_currency,
        "time": format_time(fill.time),
        "account": fill.account,
        "leg": None if fill.leg is Leg.NET else str(fill.leg),
        "position_id": fill.position_id,
    }


def _movement_fields(movement: Movement) -> dict[str, str | None]:
    return {
        "movement_id": movement.movement_id,
        "kind": str(movement.movement_kind),
        "time": format_time(movement.time),
        "currency": movement.currency,
        "amount": None if movement.amount is None else format_amount(movement.amount),
        "symbol": movement.symbol,
        "quantity": None if movement.quantity is None else format_amount(movement.quantity),
        "account": movement.account,
        "group": movement.group,
    }


def fill_of(values: Mapping[str, str]) -> Fill:
    """Return the fill that `row_values` wrote; raise `ReconError` for anything else."""
    return Fill(
        fill_id=field_text(values, "fill_id"),
        symbol=field_text(values, "symbol"),
        side=OrderSide(_choice(values, "side", OrderSide)),
        quantity=amount_of(values, "quantity"),
        price=amount_of(values, "price"),
        time=parse_time(field_text(values, "time")),
        fee=amount_of(values, "fee") if "fee" in values else ZERO,
        fee_currency=values.get("fee_currency"),
        client_order_id=values.get("client_order_id"),
        exchange_order_id=values.get("exchange_order_id"),
        account=values.get("account"),
        leg=Leg(_choice(values, "leg", Leg)) if "leg" in values else Leg.NET,
        position_id=values.get("position_id"),
    )


def movement_of(values: Mapping[str, str]) -> Movement:
    """Return the movement that `row_values` wrote; raise `ReconError` for anything else."""
    return Movement(
        movement_id=field_text(values, "movement_id"),
        movement_kind=MovementKind(_choice(values, "kind", MovementKind)),
        time=parse_time(field_text(values, "time")),
        currency=values.get("currency"),
        amount=amount_of(values, "amount") if "amount" in values else None,
        symbol=values.get("symbol"),
        quantity=amount_of(values, "quantity") if "quantity" in values else None,
        account=values.get("account"),
        group=values.get("group"),
    )


def field_text(values: Mapping[str, str], name: str) -> str:
    """Return a field that must be present; raise `ReconError` if it is absent."""
    if name not in values:
        raise ReconError(f"a row of the repair has no {name}")
    return values[name]


def amount_of(values: Mapping[str, str], name: str) -> Decimal:
    """Return an amount that must be present; raise `ReconError` if it is absent or no amount.

    A state may have more digits than a row.
    """
    text = field_text(values, name)
    try:
        return parse_amount(text)
    except ReconError:
        if _PLAIN.fullmatch(text):
            return Decimal(text)
        raise ReconError(f"{name}: {quoted(text)} is not an amount") from None


def copies_of(values: Mapping[str, str]) -> int:
    """Return the number of equal rows that an entry leaves; raise `ReconError` for no number."""
    text = field_text(values, COPIES)
    if not (text.isascii() and text.isdigit() and len(text) <= 9):  # noqa: PLR2004  # a count
        raise ReconError(f"{COPIES}: {quoted(text)}; expected a whole number")
    return int(text)


def _choice(values: Mapping[str, str], name: str, choices: Any) -> str:
    text = field_text(values, name)
    if text not in tuple(choices):
        raise ReconError(f"{name}: {quoted(text)}; expected one of {', '.join(choices)}")
    return text


def digest(*parts: object) -> str:
    """Return 16 hexadecimal digits that depend on the parts only."""
    content = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:16]
