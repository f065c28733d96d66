"""ccxt's unified balance and positions.

A balance is `total` less `debt` where the exchange states a debt: what was borrowed is not
owned. A position is `contracts` times `contractSize`, signed by its side; where `hedged` is
true it is on its leg. A position of size 0 says no more than one that is not listed, and is
left out.
"""

from collections.abc import Iterable
from decimal import Decimal

from recon_core.model import CashBalance, Leg, Position
from recon_core.sessions.formats import rows
from recon_core.values.amounts import EXACT, ZERO, shortest
from recon_core.values.errors import SessionError
from recon_core.values.printable import printable, quoted


def balances(result: rows.Row) -> tuple[CashBalance, ...]:
    """The balances of all currencies; an empty balance is what a failed call looks like."""
    totals = result.get("total")
    if not isinstance(totals, dict):
        raise SessionError("total: is missing or no object; expected a unified balance")
    if not totals:
        raise SessionError(
            "total: is empty; expected at least one currency, an empty balance "
            "is what a failed call gives"
        )
    return tuple(_balance(result, currency) for currency in totals)


def _balance(result: rows.Row, currency: str) -> CashBalance:
    parts = {name: _part(result, name, currency) for name in ("total", "free", "used", "debt")}
    total, free, used = parts["total"], parts["free"], parts["used"]
    if total is None and free is not None and used is not None:
        total = EXACT.add(free, used)
    if total is None:
        shown = printable(currency, 60)
        raise SessionError(f"total.{shown}: is unknown (null); expected a number")
    return CashBalance(currency, EXACT.subtract(total, parts["debt"] or ZERO), free, used)


def _part(result: rows.Row, name: str, currency: str) -> Decimal | None:
    try:
        table = result.get(name)
        found = rows.optional_number(table, currency) if isinstance(table, dict) else None
        own = result.get(currency)
        if found is None and isinstance(own, dict):
            return rows.optional_number(own, name)
    except SessionError as error:
        raise SessionError(f"{name}.{error}") from None
    return found


def positions(listed: Iterable[rows.Row]) -> tuple[Position, ...]:
    """Return the positions that are not flat; raises `SessionError` for a duplicate."""
    found: dict[tuple[str, Leg], Position] = {}
    for position in rows.each(listed, "positions", _position):
        if position is None:
            continue
        key = (position.symbol, position.leg)
        if key in found:
            raise SessionError(
                f"positions: duplicate {printable(position.symbol, 60)} {position.leg}"
            )
        found[key] = position
    return tuple(found.values())


def contract_sizes(listed: Iterable[rows.Row]) -> dict[str, Decimal]:
    """Return the contract size of each symbol whose position states it."""
    sizes = {}
    for row in listed:
        size = rows.optional_number(row, "contractSize")
        if size is not None:
            sizes[rows.text(row, "symbol")] = size
    return sizes


def _position(row: rows.Row) -> Position | None:
    contracts = _contracts(row)
    if not contracts:
        return None
    size = rows.optional_number(row, "contractSize")
    if size is None:
        raise SessionError("contractSize: is unknown (null); expected a number")
    side, is_hedged = _side(row), row.get("hedged") is True
    if contracts < ZERO and side is Leg.LONG:
        shown = printable(rows.text(row, "symbol"), 60)
        raise SessionError(f"{shown}: contracts: {contracts:f} of side long; expected 0 or more")
    quantity = shortest(EXACT.multiply(contracts.copy_abs(), size))
    return Position(
        symbol=rows.text(row, "symbol"),
        quantity=quantity if side is Leg.LONG else quantity.copy_negate(),
        average_price=rows.optional_number(row, "entryPrice"),
        leg=side if is_hedged else Leg.NET,
    )


def _contracts(row: rows.Row) -> Decimal:
    contracts = rows.optional_number(row, "contracts")
    if contracts is not None:
        return contracts
    # Exchanges list every market; a flat one has a value of 0, not null.
    if rows.optional_number(row, "notional") == 0:
        return ZERO
    raise SessionError("contracts: is unknown (null); expected a number, or a notional of 0")


def _side(row: rows.Row) -> Leg:
    side = row.get("side")
    if side is None and row.get("hedged") is True and isinstance(row.get("info"), dict):
        side = str(row["info"].get("positionSide")).lower()
        side = None if side == "none" else side
    if side not in ("long", "short"):
        shown = "is unknown (null)" if side is None else quoted(side)
        raise SessionError(f"side: {shown}; expected long or short")
    return Leg.LONG if side == "long" else Leg.SHORT
