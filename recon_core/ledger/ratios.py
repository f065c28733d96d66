"""Fractions of two integers, intervals of them, and the one rounding of a posting."""

import math
from decimal import Decimal, Inexact
from typing import Final, NamedTuple

from recon_core.values.amounts import EXACT, shortest

Ratio = tuple[int, int]
"""A fraction of two integers, the divisor above 0, not necessarily reduced."""


class Interval(NamedTuple):
    """A number between `low / divisor` and `high / divisor`; exact where they are equal."""

    low: int
    high: int
    divisor: int

    def units(self, numerator: int, divisor: int = 1) -> int | None:
        """Times a fraction, half-even; `None` where the interval may not decide it."""
        low, high, whole = self
        if low == high:
            return _half_even(low * numerator, whole * divisor)
        if numerator < 0:
            low, high, numerator = -high, -low, -numerator
        whole *= divisor
        units, rest = divmod(low * numerator, whole)
        # Twice the distance of both ends from the unit below: a half is `whole`.
        near, far = 2 * rest, 2 * (rest + (high - low) * numerator)
        if near > whole:
            units, far = units + 1, far - 2 * whole
        elif near == whole:
            return None
        return units if far < whole else None

    def rounded(self, places: int) -> Decimal | None:
        """Half-even to `places` decimals; `None` where the interval may not decide it."""
        units = self.units(10**places)
        return None if units is None else EXACT.scaleb(Decimal(units), -places)


NOTHING: Final = Interval(0, 0, 1)


def half_even(ratio: Ratio, places: int) -> Decimal:
    """Return a fraction rounded half-even to `places` decimals: the rounding of one posting."""
    numerator, divisor = ratio
    return EXACT.scaleb(Decimal(_half_even(numerator * 10**places, divisor)), -places)


def _half_even(numerator: int, divisor: int) -> int:
    units, remainder = divmod(numerator, divisor)
    if 2 * remainder > divisor or (2 * remainder == divisor and units % 2):
        units += 1
    return units


def exactly(ratio: Ratio) -> Decimal | None:
    """A fraction as the decimal that it is; `None` where it has no finite form."""
    common = math.gcd(*ratio)
    numerator, divisor = ratio[0] // common, ratio[1] // common
    try:
        return shortest(EXACT.divide(Decimal(numerator), Decimal(divisor)))
    except Inexact:
        return None
