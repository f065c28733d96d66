"""Ties: trades whose worth is in the middle between two amounts of the currency.

0.1445 ETH at 0.03509 BTC are 0.005070505 BTC, in 8 decimals 0.00507050 or 0.00507051: half-even,
half-up, and a product of binary floats round it differently. So a balance that an engine computed
may be a few units off the balance that is replayed, and no row is wrong. An instrument that says so
(`float_notional`) is replayed by the product of floats: its ties leave nothing undecided.
"""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from itertools import repeat
from math import isqrt
from operator import attrgetter
from typing import Final

from recon_core.explain.problem.problem import Problem
from recon_core.ledger.bookings import is_derivative
from recon_core.model import Fill
from recon_core.values.amounts import EXACT

_HALF: Final = Decimal("0.5")
_PRICE: Final = attrgetter("price")
_QUANTITY: Final = attrgetter("quantity")


def tied_amounts(problem: Problem) -> dict[str, Decimal]:
    """Return what ties leave undecided in each balance with a required effect, in its currency.

    A unit for each tie, but at most `2 + 2 sqrt(ties)` units: errors to both sides cancel, and this
    is four standard deviations of their sum.
    """
    postings = problem.postings
    ties: Counter[str] = Counter()
    units: dict[str, Decimal] = {}
    for fills in problem.by_symbol.values():
        instrument, account = postings.instruments.get(fills[0].symbol), fills[0].account
        if instrument is None or is_derivative(instrument) or instrument.float_notional:
            continue
        name = postings.cash(instrument.quote, account)
        unit = postings.resolution(instrument.quote)
        if unit and name in problem.required:
            units[name] = unit
            ties[name] += _ties(fills, unit)
    return {
        name: EXACT.multiply(units[name], Decimal(min(count, 2 + 2 * isqrt(count))))
        for name, count in ties.items()
        if count
    }


def _ties(fills: Sequence[Fill], unit: Decimal) -> int:
    """Return how many fills are worth an odd number of half units."""
    half = EXACT.multiply(unit, _HALF)
    worth = map(EXACT.multiply, map(_QUANTITY, fills), map(_PRICE, fills))
    left = map(EXACT.remainder, worth, repeat(unit))
    return sum(map(half.__eq__, map(Decimal.copy_abs, left)))
