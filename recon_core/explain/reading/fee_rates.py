"""Fees of many fills that are all at one other rate, whatever their rounding makes of it."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

from recon_core.amounts import decimal_places, shortest

_MOST_TRIED: Final = 5

Fees = tuple[Decimal, Decimal]
"""A fee as it was booked, and as it is right; neither is 0."""


def at_one_rate(fees: Sequence[Fees]) -> list[bool]:
    """Which of the fees are the right ones at one other rate, each of both rounded.

    The ratio is that of one of the largest fees, which their rounding changes least; the one
    that most of the fees have.
    """
    places = max((decimal_places(shortest(fee)) for pair in fees for fee in pair), default=0)
    unit = Fraction(1, 10**places)
    pairs = [(Fraction(booked), Fraction(right)) for booked, right in fees]
    best: list[bool] = []
    for booked, right in sorted(pairs, key=lambda pair: -abs(pair[1]))[:_MOST_TRIED]:
        ratio = booked / right
        slack = unit * (1 + abs(ratio))
        found = [abs(one - ratio * other) <= slack for one, other in pairs]
        best = found if sum(found) > sum(best) else best
    return best
