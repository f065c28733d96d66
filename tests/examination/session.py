"""The session file of two sides."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from .ledger import Books, Fill, Movement, State
from .worlds import Side, World

Json = dict[str, Any]


def _row(**fields: object) -> Json:
    """The fields as the format has them; what is `None` is left out."""
    return {name: _value(value) for name, value in fields.items() if value is not None}


def _value(value: object) -> object:
    if isinstance(value, Decimal):
        return format(value, "f") if value else "0"
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def document(
    world: World, ledger: Side, exchange: Side, multipliers: Mapping[str, Decimal]
) -> Json:
    """The session as plain data; `multipliers` are declared in place of the true ones."""
    ordered: dict[str | None, Decimal] = {}
    for fill in world.books.fills:
        ordered[fill.order] = ordered.get(fill.order, Decimal(0)) + fill.quantity
    instruments = {}
    for symbol, thing in world.instruments.items():
        size = multipliers.get(symbol, thing.multiplier)
        instruments[symbol] = _row(
            kind=thing.kind,
            base=thing.base,
            quote=thing.quote,
            multiplier=None if size == 1 else size,
        )
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
    shown, listed = side.shown, side.listed
    made = _row(source=source, as_of=side.as_of, numbers="float" if shown.floats else None)
    if shown.opening:
        made["opening"] = _opening(listed)
    if shown.fills:
        made["fills"] = [_fill(row, shown.order_ids) for row in listed.fills]
    if shown.movements:
        made["movements"] = [_movement(row) for row in listed.movements]
    if shown.orders:
        made["orders"] = _orders(side.books, ordered, shown.order_ids)
    made |= _state(side.state, positions=shown.positions, cash=shown.cash)
    if side.snapshots:
        made["snapshots"] = [
            _row(as_of=time) | _state(state, positions=shown.positions, cash=shown.cash)
            for time, state in side.snapshots
        ]
    return made


def _opening(books: Books) -> Json:
    positions = [
        _row(symbol=symbol, leg=leg, quantity=quantity, average_price=price)
        for (symbol, leg), (quantity, price) in books.positions.items()
    ]
    return {"cash": _row(**books.cash), "positions": positions}


def _state(state: State, *, positions: bool, cash: bool) -> Json:
    made: Json = {}
    if positions:
        made["positions"] = [
            _row(symbol=symbol, leg=leg, quantity=quantity)
            for (symbol, leg), quantity in state.positions.items()
        ]
    if cash:
        made["cash"] = _row(**state.cash)
    return made


def _fill(row: Fill, order_ids: str) -> Json:
    fields = _row(
        fill_id=row.id,
        symbol=row.symbol,
        side=row.side,
        quantity=row.quantity,
        price=row.price,
        time=row.time,
        leg=None if row.leg == "NET" else row.leg,
        fee=row.fee,
        fee_currency=None if row.fee is None else row.fee_currency,
    )
    return fields | _ids(row, order_ids)


def _ids(row: Fill, order_ids: str) -> Json:
    return _row(
        client_order_id=row.order if order_ids in {"both", "client"} else None,
        exchange_order_id=row.exchange_order if order_ids in {"both", "exchange"} else None,
    )


def _movement(row: Movement) -> Json:
    return _row(
        movement_id=row.id,
        kind=row.kind,
        time=row.time,
        currency=row.currency,
        amount=row.amount,
        symbol=row.symbol,
        quantity=row.quantity,
    )


def _orders(books: Books, ordered: Mapping[str | None, Decimal], order_ids: str) -> list[Json]:
    """Order reports: what the rows fill of the quantities that were truly ordered."""
    groups: dict[str | None, list[Fill]] = {}
    for row in books.fills:
        groups.setdefault(row.order, []).append(row)
    made = []
    for rows in groups.values():
        first, filled = rows[0], sum((row.quantity for row in rows), Decimal(0))
        quantity = ordered.get(first.order, filled)
        report = _row(
            symbol=first.symbol,
            side=first.side,
            quantity=quantity,
            filled_quantity=filled,
            state="FILLED" if filled >= quantity else "PARTIALLY_FILLED",
            time=first.time,
        )
        made.append(_ids(first, order_ids) | report)
    return made


def written(made: Json) -> str:
    """The session file's text."""
    return json.dumps(made, indent=1)
