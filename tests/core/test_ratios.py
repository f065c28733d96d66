"""Intervals of fractions: the one rounding of a booking, or no word where it is not sure."""

import math
from fractions import Fraction

from hypothesis import example, given
from hypothesis import strategies as st

from recon_core.ledger.ratios import Interval, half_even

HALF = Fraction(1, 2)
SMALL = st.integers(-60, 60)


def holds_a_half(low: Fraction, high: Fraction) -> bool:
    """True if a number half way between two whole ones is in the interval, ends included."""
    return math.floor(high - HALF) >= math.ceil(low - HALF)


@given(SMALL, st.integers(0, 40), st.integers(1, 12), SMALL, st.integers(1, 12))
@example(1, 1, 2, 1, 1)  # from a half to one
@example(0, 1, 2, 1, 1)  # from zero to a half
@example(1, 1, 4, -1, 1)  # from minus a half to minus a quarter
@example(1, 1, 4, 2, 1)
@example(3, 2, 7, -5, 3)
def test_an_interval_is_rounded_where_no_half_is_in_it(
    low: int, width: int, divisor: int, numerator: int, over: int
) -> None:
    """Half-even for what is exact; else the rounding of every number in it, of both signs."""
    units = Interval(low, low + width, divisor).units(numerator, over)
    ends = sorted(Fraction(end * numerator, divisor * over) for end in (low, low + width))
    if width == 0:
        assert units == round(ends[0])
    elif holds_a_half(*ends):
        assert units is None
    else:
        assert {units} == {round(end) for end in ends}


@given(SMALL, st.integers(1, 60), st.integers(0, 4))
@example(5, 2, 0)
@example(-5, 2, 0)
@example(7, 2, 0)
def test_a_fraction_is_rounded_half_even(numerator: int, divisor: int, places: int) -> None:
    """It agrees with `round`, which is half-even by definition."""
    rounded = Fraction(half_even((numerator, divisor), places))
    assert rounded * 10**places == round(Fraction(numerator, divisor) * 10**places)
