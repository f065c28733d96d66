"""Linear and inverse derivatives: cash moves by fee and realised PnL only.

Source of the rules: the design's "Ledger comparisons". A linear contract gains
`quantity x multiplier x (exit - entry)` in its settlement currency; an inverse one
`quantity x multiplier x (1 / entry - 1 / exit)` in its base currency, so that its
average entry price is the harmonic one. Spot traded on a margin account moves cash
like a linear contract that settles in the quote currency, and is declared as one.
PnL is rounded half-even, once, to the precision of the currency; a PnL that no finite
decimal is and that no precision is declared for is refused by name.
"""

from decimal import Decimal
from typing import Final

from recon_core.amounts import ZERO, shortest
from recon_core.errors import ReplayError
from recon_core.ledger.cost_basis import (
    UNIT,
    CostBasis,
    Interval,
    Ratio,
    exactly,
    half_even,
    in_full,
)
from recon_core.model import Fill, Instrument, InstrumentKind, Position
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


def unit_value(price: Decimal, instrument: Instrument, row: Fill | Position) -> Ratio:
    """What a unit is entered at: its price, or the inverse of it for an inverse contract.

    `row` is named in the error for a price that has no inverse.
    """
    numerator, divisor = price.as_integer_ratio()
    if instrument.instrument_kind is not InstrumentKind.INVERSE:
        return numerator, divisor
    if numerator <= 0:
        symbol = printable(instrument.symbol, 100)
        raise ReplayError(
            f"{row_name(row)}: price {price:f} of inverse {symbol}; expected one above 0"
        )
    return divisor, numerator


def pnl_factor(instrument: Instrument) -> Ratio:
    """What turns quantity (scaled) times gained value into an amount."""
    numerator, divisor = instrument.multiplier.as_integer_ratio()
    inverse = instrument.instrument_kind is InstrumentKind.INVERSE
    return -numerator if inverse else numerator, divisor * UNIT


def realise(
    basis: CostBasis, quantity: int, value: Ratio, factor: Ratio, places: int | None
) -> Decimal | None:
    """Book a quantity (scaled) at a value; the PnL that it realised, rounded to `places`.

    Without `places` the PnL is exact, and `None` where no finite decimal is; the basis
    must not be shortened then.
    """
    steps, count = basis.steps, len(basis.steps)
    gained = basis.apply(quantity, value)
    if not gained.low and not gained.high:
        return ZERO
    pnl = gained.times(*factor)
    if places is None:
        return exactly((pnl.low, pnl.divisor))
    rounded = pnl.rounded(places)
    if rounded is not None:
        return rounded
    full = in_full(steps[:count]).apply(quantity, value).times(*factor)
    return half_even((full.low, full.divisor), places)


def row_name(row: Fill | Position) -> str:
    """What a row is called in an error."""
    if isinstance(row, Fill):
        return f"fill {printable(row.fill_id, 60)}"
    return f"opening position {printable(row.symbol, 100)}"


def refuse_inexact(fill: Fill, currency: str) -> ReplayError:
    """The error for a PnL that cannot be booked without a precision."""
    return ReplayError(
        f"{row_name(fill)}: its PnL in {printable(currency, 60)} has no finite decimal form; "
        "expected a declared precision of that currency"
    )


def average_price(basis: CostBasis, instrument: Instrument) -> Decimal | None:
    """The average entry price, half-even at the 30th decimal place; `None` without one."""
    value = basis.average()
    if value is None:
        return None
    price = _price(value, instrument)
    if price is None:
        full = in_full(basis.steps).average()
        price = None if full is None else _price(full, instrument)
    return None if price is None else shortest(price)


def _price(value: Interval, instrument: Instrument) -> Decimal | None:
    if instrument.instrument_kind is not InstrumentKind.INVERSE:
        return value.rounded(_MOST_PLACES)
    prices = {half_even((value.divisor, bound), _MOST_PLACES) for bound in (value.low, value.high)}
    return prices.pop() if len(prices) == 1 else None
