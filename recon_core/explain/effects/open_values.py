"""Entry value of open derivative positions, from their average prices."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from recon_core.explain.effects.dimensions import add_to
from recon_core.explain.effects.postings import Postings, to_decimal, trade_value
from recon_core.ledger import PositionLedger
from recon_core.ledger.bookings import is_derivative
from recon_core.model import Position
from recon_core.values.amounts import decimal_places, round_to_places


@dataclass(frozen=True, slots=True)
class OpenValue:
    """Entry value of open derivatives by balance, in its currency.

    `unknown`: balances with a position that has no average price. `tolerance`: the uncertainty
    by rounded average prices.
    """

    value: Mapping[str, Decimal]
    unknown: frozenset[str]
    tolerance: Mapping[str, Decimal]


def open_value(
    postings: Postings, positions: Iterable[Position], averages: Mapping[str, Decimal | None]
) -> OpenValue:
    """Return the entry value of derivative positions; `averages` are prices by dimension.

    The cash of a derivative account is the sum of its trade values plus this value.
    """
    value: dict[str, Decimal] = {}
    tolerance: dict[str, Decimal] = {}
    unknown = set()
    for row in positions:
        instrument = postings.instruments.get(row.symbol)
        if instrument is None or not is_derivative(instrument) or not row.quantity:
            continue
        name = postings.cash(instrument.settlement, row.account)
        average = averages.get(postings.dimensions.position(row.symbol, row.leg, row.account))
        if average is None or average <= 0:
            unknown.add(name)
            continue
        entry = trade_value(instrument, row.quantity, average)
        add_to(value, name, entry.copy_negate())
        add_to(tolerance, name, _doubt(entry, average))
    return OpenValue(value, frozenset(unknown), tolerance)


def _doubt(entry: Decimal, average: Decimal) -> Decimal:
    """Return the uncertainty of an entry value: one unit in the last digit of the average price."""
    unit = Decimal((0, (1,), -decimal_places(average)))
    share = Fraction(entry.copy_abs()) * Fraction(unit) / Fraction(average)
    return round_to_places(to_decimal(share), 30)


def averages_of(
    postings: Postings, ledger: PositionLedger, positions: Iterable[Position]
) -> dict[str, Decimal | None]:
    """Return the average price of every open derivative position of a ledger, by dimension."""
    return {
        postings.dimensions.position(row.symbol, row.leg, row.account): ledger.average_price(
            row.symbol, account=row.account, leg=row.leg
        )
        for row in positions
        if postings.derivative(row.symbol) and row.quantity
    }
