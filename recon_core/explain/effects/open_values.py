"""What open derivatives are worth at entry, from the average prices of their positions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from recon_core.amounts import decimal_places, round_to_places
from recon_core.explain.effects.bookings import Bookings, to_decimal, trade_value
from recon_core.explain.effects.space import add_to
from recon_core.ledger import PositionLedger
from recon_core.ledger.bookings import is_derivative
from recon_core.model import Position


@dataclass(frozen=True, slots=True)
class OpenValue:
    """What open derivatives are worth at entry, by balance; `unknown` balances have no value."""

    value: Mapping[str, Decimal]
    unknown: frozenset[str]
    tolerance: Mapping[str, Decimal]


def open_value(
    bookings: Bookings, positions: Iterable[Position], averages: Mapping[str, Decimal | None]
) -> OpenValue:
    """The value at entry of derivative positions, from their average prices by dimension.

    The cash of a derivative account is what its trades were worth, plus this.
    """
    value: dict[str, Decimal] = {}
    tolerance: dict[str, Decimal] = {}
    unknown = set()
    for row in positions:
        instrument = bookings.instruments.get(row.symbol)
        if instrument is None or not is_derivative(instrument) or not row.quantity:
            continue
        name = bookings.cash(instrument.settlement, row.account)
        average = averages.get(bookings.space.position(row.symbol, row.leg, row.account))
        if average is None or average <= 0:
            unknown.add(name)
            continue
        entry = trade_value(instrument, row.quantity, average)
        add_to(value, name, entry.copy_negate())
        add_to(tolerance, name, _doubt(entry, average))
    return OpenValue(value, frozenset(unknown), tolerance)


def _doubt(entry: Decimal, average: Decimal) -> Decimal:
    """What a rounded average price leaves open: one unit of its last digit."""
    unit = Decimal((0, (1,), -decimal_places(average)))
    share = Fraction(entry.copy_abs()) * Fraction(unit) / Fraction(average)
    return round_to_places(to_decimal(share), 30)


def averages_of(
    bookings: Bookings, ledger: PositionLedger, positions: Iterable[Position]
) -> dict[str, Decimal | None]:
    """The average price of every derivative position of a ledger, by dimension."""
    return {
        bookings.space.position(row.symbol, row.leg, row.account): ledger.average_price(
            row.symbol, account=row.account, leg=row.leg
        )
        for row in positions
        if bookings.derivative(row.symbol) and row.quantity
    }
