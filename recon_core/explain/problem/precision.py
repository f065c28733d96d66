"""Decimals of a currency: those that are declared, or the most that a side states."""

from collections.abc import Iterator
from decimal import Decimal

from recon_core.model import RecordedSession, SideRecord
from recon_core.values.amounts import decimal_places, shortest


def is_too_fine(recorded: RecordedSession, amount: Decimal, currency: str | None) -> bool:
    """True if an amount has more decimals than its currency has.

    A fee of 0.000001445 BTC is too fine where BTC is declared with 8 decimals and no amount of
    either side has more, or where no declaration says so and the amounts have 8 at most.
    """
    declared = recorded.currencies.get(currency or "")
    places = decimal_places(shortest(amount))
    if currency is None or not places or (declared is not None and places <= declared.precision):
        return False
    known = [each for record in recorded.own_records().values() for each in _of(record, currency)]
    is_unknown = declared is None and not known
    return not is_unknown and all(decimal_places(each) < places for each in known)


def _of(record: SideRecord, currency: str) -> Iterator[Decimal]:
    """Yield the fees, movements and balances that a side states in a currency."""
    yield from (row.fee for row in record.fills or () if row.fee_currency == currency and row.fee)
    moved = (row.amount for row in record.movements or () if row.currency == currency)
    yield from (amount for amount in moved if amount is not None)
    opening = () if record.opening is None else record.opening.cash
    yield from (row.total for row in (*(record.cash or ()), *opening) if row.currency == currency)
