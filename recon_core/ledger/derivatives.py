"""Linear and inverse derivatives: cash moves by fee and realised PnL only.

Source of the rules: the design's "Ledger comparisons". A linear contract gains
`quantity x multiplier x (exit - entry)` in its settlement currency; an inverse one
`quantity x multiplier x (1 / entry - 1 / exit)` in its base currency, so that its
average entry price is the harmonic one. Spot traded on a margin account moves cash
like a linear contract that settles in the quote currency, and is declared as one.
PnL is an exact fraction until it is rounded half-even, once, to the precision of the
currency; a PnL that no finite decimal is and that no precision is declared for is
refused by name.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from recon_core.amounts import ZERO, shortest
from recon_core.errors import ReplayError
from recon_core.ledger.cost_basis import UNIT, CostBasis, Ratio, exactly, half_even
from recon_core.model import Currency, Fill, Instrument, InstrumentKind
from recon_core.printable import printable

_MOST_PLACES: Final = 30


def require_derivative(instrument: Instrument) -> None:
    """Refuse by name an inverse contract that does not settle in its base currency."""
    inverse = instrument.instrument_kind is InstrumentKind.INVERSE
    if inverse and instrument.settlement != instrument.base:
        base, settlement = printable(instrument.base, 60), printable(instrument.settlement, 60)
        raise ReplayError(
            f"instrument {printable(instrument.symbol, 100)} is inverse and settles in "
            f"{settlement}; expected its base currency {base}"
        )


def unit_value(price: Decimal, instrument: Instrument, what: str) -> Ratio:
    """What a unit is entered at: its price, or the inverse of it for an inverse contract.

    `what` names the row in the error for a price that has no inverse.
    """
    numerator, divisor = price.as_integer_ratio()
    if instrument.instrument_kind is not InstrumentKind.INVERSE:
        return numerator, divisor
    if numerator <= 0:
        symbol = printable(instrument.symbol, 100)
        raise ReplayError(f"{what}: price {price:f} of inverse {symbol}; expected one above 0")
    return divisor, numerator


def average_price(value: Ratio, instrument: Instrument) -> Decimal:
    """The price of an average value, half-even at the 30th decimal place."""
    numerator, divisor = value
    if instrument.instrument_kind is InstrumentKind.INVERSE:
        numerator, divisor = divisor, numerator
    return shortest(half_even((numerator, divisor), _MOST_PLACES))


def realise(
    basis: CostBasis, quantity: int, fill: Fill, instrument: Instrument, what: str
) -> Ratio:
    """Book a signed quantity (scaled by 10**30) at a fill's price; the PnL it realised.

    Raises `ReplayError` where what is closed came without a price.
    """
    closing = basis.quantity != 0 and (basis.quantity > 0) != (quantity > 0)
    if closing and not basis.priced:
        raise ReplayError(
            f"{what} closes a position of {printable(instrument.symbol, 100)} that came without "
            "a price (from the opening or a movement); expected its average_price in the opening"
        )
    numerator, divisor = basis.apply(quantity, unit_value(fill.price, instrument, what))
    if instrument.instrument_kind is InstrumentKind.INVERSE:
        numerator = -numerator
    factor, parts = instrument.multiplier.as_integer_ratio()
    return numerator * factor, divisor * parts * UNIT


def booked_pnl(pnl: Ratio, currency: str, currencies: Mapping[str, Currency], what: str) -> Decimal:
    """The PnL as it is booked: rounded to the declared precision, or exactly."""
    if not pnl[0]:
        return ZERO
    declared = currencies.get(currency)
    if declared is not None:
        return half_even(pnl, declared.precision)
    exact = exactly(pnl)
    if exact is None:
        raise ReplayError(
            f"{what}: its PnL in {printable(currency, 60)} has no finite decimal form; "
            "expected a declared precision of that currency"
        )
    return exact
