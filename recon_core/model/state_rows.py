"""Positions and balances given from Python: as rows, or as names with their amounts.

Every function takes what makes an exact amount of a value; its second argument says in
an error what the value was for.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from recon_core.model import CashBalance, Position
from recon_core.values.amounts import require_amount
from recon_core.values.printable import printable

Exactly = Callable[[Any, str], Decimal]


def positions_of(
    given: Mapping[str, Any] | Iterable[Position], exactly: Exactly = require_amount
) -> tuple[Position, ...]:
    """Rows as they are; symbols with signed quantities as rows."""
    if not isinstance(given, Mapping):
        return tuple(given)
    return tuple(
        Position(symbol, exactly(quantity, f"position {printable(symbol, 60)}"))
        for symbol, quantity in given.items()
    )


def cash_of(
    given: Mapping[str, Any] | Iterable[CashBalance], exactly: Exactly = require_amount
) -> tuple[CashBalance, ...]:
    """Rows as they are; currencies with totals as rows."""
    if not isinstance(given, Mapping):
        return tuple(given)
    return tuple(
        CashBalance(currency, exactly(total, f"cash {printable(currency, 60)}"))
        for currency, total in given.items()
    )
