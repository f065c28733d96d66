"""ccxt's unified deposits, withdrawals and payments of funding as movements.

Only a transfer that is `ok` moved anything. Its fee is a movement of its own.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from recon_core.model import Movement, MovementKind
from recon_core.sessions.formats import rows
from recon_core.values.errors import SessionError
from recon_core.values.printable import quoted

_KINDS: Final = {"deposit": MovementKind.DEPOSIT, "withdrawal": MovementKind.WITHDRAWAL}


def transfers(listed: Iterable[rows.Row]) -> tuple[Movement, ...]:
    """Return the movements of unified rows; raises `SessionError`."""
    moved = rows.each(listed, "transfers", lambda row: [*_movements(row)])
    return tuple(movement for each in moved for movement in each)


def _movements(row: rows.Row) -> Iterator[Movement]:
    kind = _kind(row)
    if kind is not MovementKind.FUNDING and rows.text(row, "status") != "ok":
        return
    name, time, amount = rows.text(row, "id"), _time(row), rows.number(row, "amount")
    currency = rows.optional_text(row, "currency") or rows.text(row, "code")
    if kind is MovementKind.WITHDRAWAL:
        amount = amount.copy_abs().copy_negate()
    yield Movement(name, kind, time, currency=currency, amount=amount)
    fee = row.get("fee")
    charge: rows.Row = fee if isinstance(fee, dict) else {}
    cost = rows.optional_number(charge, "cost")
    if cost:
        paid_in = rows.optional_text(charge, "currency") or currency
        charged = cost.copy_abs().copy_negate()
        yield Movement(f"{name}.fee", MovementKind.FEE, time, currency=paid_in, amount=charged)


def _kind(row: rows.Row) -> MovementKind:
    kind = rows.optional_text(row, "type")
    if kind in _KINDS:
        return _KINDS[kind]
    if kind is None and row.get("symbol"):
        return MovementKind.FUNDING
    raise SessionError(f"type: {quoted(kind)}; expected deposit or withdrawal, or funding")


def _time(row: rows.Row) -> datetime:
    found = rows.milliseconds(row, "timestamp")
    if found is None:
        raise SessionError("timestamp: is unknown (null); expected a time")
    return found
