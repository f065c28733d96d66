"""Positions and balances given from Python: as rows, or as names with their amounts."""

from collections.abc import Iterable, Mapping
from typing import Any

from recon_core.model import CashBalance, Position
from recon_core.values.amounts import require_amount
from recon_core.values.printable import printable


def positions_of(given: Mapping[str, Any] | Iterable[Position]) -> tuple[Position, ...]:
    """Rows as they are; symbols with signed quantities as rows."""
    if not isinstance(given, Mapping):
        return tuple(given)
    return tuple(
        Position(symbol, require_amount(quantity, f"position {printable(symbol, 60)}"))
        for symbol, quantity in given.items()
    )


def cash_of(given: Mapping[str, Any] | Iterable[CashBalance]) -> tuple[CashBalance, ...]:
    """Rows as they are; currencies with totals as rows."""
    if not isinstance(given, Mapping):
        return tuple(given)
    return tuple(
        CashBalance(currency, require_amount(total, f"cash {printable(currency, 60)}"))
        for currency, total in given.items()
    )
