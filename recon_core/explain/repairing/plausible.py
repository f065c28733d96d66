"""Price check of the fills that a repair adds.

A price is plausible from 2/3 of the lowest to 3/2 of the highest price of the symbol's other
fills in the session.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from recon_core.model import Fill, RecordedSession
from recon_core.values.amounts import EXACT, format_amount
from recon_core.values.errors import ReconError
from recon_core.values.printable import printable


def require_plausible(recorded: RecordedSession, added: Iterable[Fill]) -> None:
    """Raise `ReconError` that names the first fill with an implausible price."""
    known = {
        fill.fill_id for record in recorded.own_records().values() for fill in record.fills or ()
    }
    for fill in added:
        prices = _prices(recorded, fill)
        if not prices and fill.fill_id in known:
            continue  # a row of a side, without prices to compare
        if not prices or not _within(fill.price, min(prices), max(prices)):
            raise ReconError(_implausible(fill, prices))


def _prices(recorded: RecordedSession, fill: Fill) -> list[Decimal]:
    """Return the prices of the session's other fills of the symbol."""
    return [
        each.price
        for record in recorded.own_records().values()
        for each in record.fills or ()
        if each.symbol == fill.symbol and each.fill_id != fill.fill_id
    ]


def _within(price: Decimal, lowest: Decimal, highest: Decimal) -> bool:
    """True if a price is at least 2/3 of the lowest and at most 3/2 of the highest."""
    below = EXACT.multiply(EXACT.subtract(lowest, price), Decimal(3))
    above = EXACT.multiply(EXACT.subtract(price, highest), Decimal(2))
    return below <= lowest.copy_abs() and above <= highest.copy_abs()


def _implausible(fill: Fill, prices: Sequence[Decimal]) -> str:
    symbol, price = printable(fill.symbol, 60), format_amount(fill.price)
    said = f"implausible price: fill {printable(fill.fill_id, 60)} of {symbol} would be at {price}"
    if not prices:
        return f"{said}, and the session has no other fill of {symbol} to hold it against"
    lowest, highest = (format_amount(each) for each in (min(prices), max(prices)))
    return f"{said}, and the session's other fills are at {lowest} to {highest}"
