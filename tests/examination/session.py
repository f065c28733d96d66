"""The session file of two sides."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from .ledger import Books, Fill, Movement, State
from .worlds import Side, World

Json = dict[str, Any]


def text(amount: Decimal) -> str:
    """The amount without an exponent."""
    plain = format(amount, "f")
    return "0" if not amount else plain


def moment(time: datetime) -> str:
    """The time as the format has it."""
    return time.isoformat().replace("+00:00", "Z")


def document(
    world: World, ledger: Side, exchange: Side, multipliers: Mapping[str, Decimal]
) -> Json:
    """The session as plain data; `multipliers` are declared in place of the true ones."""
    ordered: dict[str | None, Decimal] = {}
    for fill in world.books.fills:
        ordered[fill.order] = ordered.get(fill.order, Decimal(0)) + fill.quantity
    instruments = {}
    for symbol, thing in world.instruments.items():
        row = {"kind": thing.kind, "base": thing.base, "quote": thing.quote}
        multiplier = multipliers.get(symbol, thing.multiplier)
        if multiplier != 1:
            row["multiplier"] = text(multiplier)
        instruments[symbol] = row
    made: Json = {
        "schema": "recon.session/1",
        "session_id": f"examination-{world.seed}",
        "mode": "SIM",
        "instruments": instruments,
        "internal": _side(ledger, "ledger", ordered),
        "external": _side(exchange, "exchange", ordered),
    }
    if world.declared:
        made["currencies"] = {c: {"precision": places} for c, places in world.precision.items()}
    return made


def _side(side: Side, source: str, ordered: Mapping[str | None, Decimal]) -> Json:
    shown = side.shown
    made: Json = {"source": source, "as_of": moment(side.as_of)}
    if shown.floats:
        made["numbers"] = "float"
    if shown.opening:
        made["opening"] = _opening(side.listed)
    if shown.fills:
        made["fills"] = [_fill(row, shown.order_ids) for row in side.listed.fills]
    if shown.movements:
        made["movements"] = [_movement(row) for row in side.listed.movements]
    if shown.orders:
        made["orders"] = _orders(side.books, ordered, shown.order_ids)
    made |= _state(side.state, positions=shown.positions, cash=shown.cash)
    if side.snapshots:
        made["snapshots"] = [
            {"as_of": moment(time)} | _state(state, positions=shown.positions, cash=shown.cash)
            for time, state in side.snapshots
        ]
    return made


def _opening(books: Books) -> Json:
    positions = [
        {"symbol": symbol, "leg": leg, "quantity": text(quantity), "average_price": text(price)}
        for (symbol, leg), (quantity, price) in books.positions.items()
    ]
    return {"cash": {c: text(a) for c, a in books.cash.items()}, "positions": positions}


def _state(state: State, *, positions: bool, cash: bool) -> Json:
    made: Json = {}
    if positions:
        made["positions"] = [
            {"symbol": symbol, "leg": leg, "quantity": text(quantity)}
            for (symbol, leg), quantity in state.positions.items()
        ]
    if cash:
        made["cash"] = {currency: text(amount) for currency, amount in state.cash.items()}
    return made


def _fill(row: Fill, order_ids: str) -> Json:
    made: Json = {
        "fill_id": row.id,
        "symbol": row.symbol,
        "side": row.side,
        "quantity": text(row.quantity),
        "price": text(row.price),
        "time": moment(row.time),
    }
    if row.leg != "NET":
        made["leg"] = row.leg
    if row.fee is not None:
        made |= {"fee": text(row.fee), "fee_currency": row.fee_currency}
    return made | _ids(row, order_ids)


def _ids(row: Fill, order_ids: str) -> Json:
    made: Json = {}
    if order_ids in {"both", "client"} and row.order:
        made["client_order_id"] = row.order
    if order_ids in {"both", "exchange"} and row.exchange_order:
        made["exchange_order_id"] = row.exchange_order
    return made


def _movement(row: Movement) -> Json:
    made: Json = {"movement_id": row.id, "kind": row.kind, "time": moment(row.time)}
    if row.currency is not None and row.amount is not None:
        made |= {"currency": row.currency, "amount": text(row.amount)}
    if row.symbol is not None and row.quantity is not None:
        made |= {"symbol": row.symbol, "quantity": text(row.quantity)}
    return made


def _orders(books: Books, ordered: Mapping[str | None, Decimal], order_ids: str) -> list[Json]:
    """Order reports: what the rows fill of the quantities that were truly ordered."""
    groups: dict[str | None, list[Fill]] = {}
    for row in books.fills:
        groups.setdefault(row.order, []).append(row)
    made = []
    for rows in groups.values():
        first, filled = rows[0], sum((row.quantity for row in rows), Decimal(0))
        quantity = ordered.get(first.order, filled)
        made.append(
            _ids(first, order_ids)
            | {
                "symbol": first.symbol,
                "side": first.side,
                "quantity": text(quantity),
                "filled_quantity": text(filled),
                "state": "FILLED" if filled >= quantity else "PARTIALLY_FILLED",
                "time": moment(first.time),
            }
        )
    return made


def written(made: Json) -> str:
    """The session file's text."""
    return json.dumps(made, indent=1)
