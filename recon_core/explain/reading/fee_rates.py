"""Fees that were all charged at one wrong rate, allowing for the rounding of each fee.

Example: the right fees are 1.00, 2.00 and 3.33 USDT, the posted fees 0.75, 1.50 and 2.50. The
largest pair gives the ratio 2.50 / 3.33 = 0.7508. The other fees differ from 0.7508 times the right
fee by at most 0.0015, less than the 0.0175 that cents allow: all three are at one rate.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import compress
from typing import Final, TypeVar

from recon_core.values.amounts import decimal_places, shortest

_MOST_TRIED: Final = 5
"""Ratios that are tried, each a pass over all rows. Rounding changes the ratio of a large fee
least, so the largest fees are enough; several, because a large fee may have a fault of its own."""

_Row = TypeVar("_Row")


def at_one_rate(
    rows: Sequence[_Row], fees_of: Callable[[_Row], tuple[Decimal, Decimal]]
) -> list[_Row]:
    """Return the rows whose fees are the right fees at one other rate, both fees rounded.

    `fees_of` gives the posted and the right fee of a row, neither of them 0. The ratio of each of
    the largest fees is tried; the ratio that most rows have wins.
    """
    fees = list(map(fees_of, rows))
    places = max((decimal_places(shortest(fee)) for pair in fees for fee in pair), default=0)
    unit = Fraction(1, 10**places)
    pairs = [(Fraction(posted), Fraction(right)) for posted, right in fees]
    best: list[_Row] = []
    for posted, right in sorted(pairs, key=lambda pair: -abs(pair[1]))[:_MOST_TRIED]:
        ratio = posted / right
        slack = unit * (1 + abs(ratio))
        told = [abs(one - ratio * other) <= slack for one, other in pairs]
        best = list(compress(rows, told)) if sum(told) > len(best) else best
    return best
