"""Fees of many fills that are all at one other rate, whatever their rounding makes of it."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import compress
from typing import Final, TypeVar

from recon_core.amounts import decimal_places, shortest

_MOST_TRIED: Final = 5

_Row = TypeVar("_Row")


def at_one_rate(
    rows: Sequence[_Row], fees_of: Callable[[_Row], tuple[Decimal, Decimal]]
) -> list[_Row]:
    """The rows whose fees are the right ones at one other rate, each of both rounded.

    `fees_of` gives a fee as it was booked and as it is right; neither is 0. The ratio is that
    of one of the largest fees, which their rounding changes least: the one that most rows have.
    """
    fees = list(map(fees_of, rows))
    places = max((decimal_places(shortest(fee)) for pair in fees for fee in pair), default=0)
    unit = Fraction(1, 10**places)
    pairs = [(Fraction(booked), Fraction(right)) for booked, right in fees]
    best: list[_Row] = []
    for booked, right in sorted(pairs, key=lambda pair: -abs(pair[1]))[:_MOST_TRIED]:
        ratio = booked / right
        slack = unit * (1 + abs(ratio))
        told = [abs(one - ratio * other) <= slack for one, other in pairs]
        best = list(compress(rows, told)) if sum(told) > len(best) else best
    return best
