"""Ties: trades whose worth is in the middle between two amounts of the currency.

0.1445 ETH at 0.03509 BTC are 0.005070505 BTC, in 8 decimals 0.00507050 or 0.00507051: half-even,
half-up, and a product of binary floats round it differently. So a balance that an engine computed
may be a few units off the balance that is replayed, and no row is wrong. An instrument that says so
(`float_notional`) is replayed by the product of floats: its ties leave nothing undecided.
"""

from collections import Counter
from decimal import Decimal
from math import isqrt
from typing import Final

from recon_core.explain.problem.problem import Problem
from recon_core.ledger.bookings import is_derivative
from recon_core.values.amounts import EXACT

_TWO: Final = Decimal(2)


def tied_amounts(problem: Problem) -> dict[str, Decimal]:
    """Return what ties leave undecided in each balance with a required effect, in its currency.

    A unit for each tie, but at most `2 + 2 sqrt(ties)` units: errors to both sides cancel, and this
    is four standard deviations of their sum.
    """
    postings = problem.postings
    ties: Counter[str] = Counter()
    units: dict[str, Decimal] = {}
    for fill in problem.fills:
        instrument = postings.instruments.get(fill.symbol)
        if instrument is None or is_derivative(instrument) or instrument.float_notional:
            continue
        name = postings.cash(instrument.quote, fill.account)
        unit = postings.resolution(instrument.quote)
        if unit and name in problem.required:
            units[name] = unit
            ties[name] += _is_tie(EXACT.multiply(fill.quantity, fill.price), unit)
    return {
        name: EXACT.multiply(units[name], Decimal(min(count, 2 + 2 * isqrt(count))))
        for name, count in ties.items()
        if count
    }


def _is_tie(worth: Decimal, unit: Decimal) -> bool:
    """True if an amount is an odd number of half units."""
    halves = EXACT.multiply(worth, _TWO).scaleb(-unit.adjusted(), EXACT)
    return EXACT.remainder(halves, _TWO).copy_abs() == 1
