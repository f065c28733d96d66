"""Linear and inverse derivatives: cash moves by fee and realised PnL only.

Source of the rules: design, "Ledger comparisons". A linear contract gains
`quantity x multiplier x (exit - entry)` in its settlement currency; an inverse one
`quantity x multiplier x (1 / entry - 1 / exit)` in its base currency, so that its
average entry price is the harmonic one. Spot traded on a margin account moves cash
like a linear contract that settles in the quote currency, and is declared as one.
PnL is rounded half-even, once, to the precision of the currency; a PnL that no finite
decimal is and that no precision is declared for is refused by name.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from operator import attrgetter
from typing import Final

from recon_core.ledger.cost_basis import UNIT, CostBasis, in_full
from recon_core.ledger.ratios import NOTHING, Interval, Ratio, exactly, half_even
from recon_core.model import Fill, Instrument, InstrumentKind, Position
from recon_core.values.amounts import EXACT, ZERO, shortest
from recon_core.values.errors import ReplayError
from recon_core.values.printable import printable

_MOST_PLACES: Final = 30
"""Decimals of an average entry price; an amount has no more."""
_fill_price = attrgetter("price")


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
    """Return the entry value of a unit: its price, or the inverse for an inverse contract.

    `row` is named in the error for a price that has no inverse.
    """
    ratio = price.as_integer_ratio()
    inverse = instrument.instrument_kind is InstrumentKind.INVERSE
    return _inverse(ratio, instrument, row) if inverse else ratio


def unit_values(fills: Sequence[Fill], instrument: Instrument) -> Iterator[Ratio]:
    """`unit_value` of each fill at its price."""
    ratios = map(Decimal.as_integer_ratio, map(_fill_price, fills))
    if instrument.instrument_kind is not InstrumentKind.INVERSE:
        return ratios
    return (_inverse(ratio, instrument, fill) for ratio, fill in zip(ratios, fills, strict=True))


def _inverse(price: Ratio, instrument: Instrument, row: Fill | Position) -> Ratio:
    numerator, divisor = price
    if numerator <= 0:
        shown = row.price if isinstance(row, Fill) else row.average_price
        symbol = printable(instrument.symbol, 100)
        raise ReplayError(
            f"{row_name(row)}: price {shown:f} of inverse {symbol}; expected one above 0"
        )
    return divisor, numerator


@dataclass(slots=True)
class PnlRule:
    """Rule that turns gained value into PnL: times a factor, rounded half-even to `places`.

    The factor turns a quantity (scaled) times a value into an amount. Without `places` PnL
    stays exact; a basis must not be shortened then.
    """

    factor: Ratio
    places: int | None
    _scale: Ratio = field(init=False)

    def __post_init__(self) -> None:
        numerator, divisor = self.factor
        numerator *= 10 ** (self.places or 0)
        common = math.gcd(numerator, divisor)
        self._scale = numerator // common, divisor // common

    def realise(self, basis: CostBasis, quantity: int, value: Ratio) -> Decimal | None:
        """Book a quantity (scaled) at a value; the PnL, `None` where no finite decimal is."""
        steps = basis.steps
        gained = basis.apply(quantity, value)
        if gained is NOTHING:
            return ZERO
        numerator, divisor = self._scale
        if self.places is None:
            return exactly((gained.low * numerator, gained.divisor * divisor))
        units = gained.units(numerator, divisor)
        if units is None:
            # The last step is the one that was just booked.
            units = in_full(steps[:-1]).apply(quantity, value).units(numerator, divisor)
        return None if units is None else EXACT.scaleb(Decimal(units), -self.places)


def pnl_rule(instrument: Instrument, places: int | None) -> PnlRule:
    """Return the PnL rule of an instrument."""
    numerator, divisor = instrument.multiplier.as_integer_ratio()
    inverse = instrument.instrument_kind is InstrumentKind.INVERSE
    return PnlRule((-numerator if inverse else numerator, divisor * UNIT), places)


def row_name(row: Fill | Position) -> str:
    """Return the name of a row in an error."""
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
