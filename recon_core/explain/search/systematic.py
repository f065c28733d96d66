"""Faults of all rows at once: a rate, a unit, a sign, a rounding, cumulative quantities.

`systematic` yields those that may have the whole required effect, `habits` those that reduce it.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from recon_core.explain.causes.cumulative import cumulative
from recon_core.explain.causes.fee_amount import no_fees, turned_fees
from recon_core.explain.causes.fee_currency import in_other_currencies
from recon_core.explain.causes.fee_rate import of_every_fee
from recon_core.explain.causes.rounding import rounded_to, rounding_effect
from recon_core.explain.causes.sign import TURNED, turned_trades
from recon_core.explain.causes.unit import in_another_unit, multipliers
from recon_core.explain.problem.dimensions import Vector, is_position, negated
from recon_core.explain.problem.fee_evidence import charged_along
from recon_core.explain.problem.hypotheses import Hypothesis
from recon_core.explain.problem.problem import Problem
from recon_core.explain.search.every_trade import of_every_trade
from recon_core.model import Fill
from recon_core.values.amounts import EXACT, ZERO

_MOST_HABIT_PLACES: Final = 7
"""Decimals of a rounding, 0 to 6: each that fits costs a search for the second fault."""

_MOST_GROUPS: Final = 6
"""Groups of fills: each hypothesis on one costs a search for the second fault."""

_COMMON: Final = tuple(Decimal(1).scaleb(exponent) for exponent in (-8, -3, -2, -1, 1, 2, 3, 8))
"""Factors between units in use: tenths, percent, thousandths, satoshi (10^-8) and the inverses."""


def systematic(problem: Problem) -> Iterator[Hypothesis]:
    """Yield the hypotheses on all fills of a problem, and on those of each position."""
    for fills in _groups(problem):
        yield from of_every_fee(problem, fills)
        yield from of_every_trade(problem, fills)
    for hypothesis in cumulative(problem):
        yield hypothesis
        charged = charged_along(problem, hypothesis)
        if charged is not None:
            yield charged


def reducing(problem: Problem) -> Iterator[Hypothesis]:
    """Yield the exact hypotheses on all fills that reduce the required effect.

    A second fault is then searched in the residual.
    """
    for fills in _groups(problem, _MOST_GROUPS):
        for hypothesis in _habits_of(problem, fills):
            if _nearer(problem, hypothesis.patch.vector(problem.postings)):
                yield hypothesis


def _groups(problem: Problem, most: int | None = None) -> Iterator[Sequence[Fill]]:
    """Yield all fills, those of each symbol and of each position; no group of a single fill."""
    several = list(problem.by_symbol.values()) if len(problem.by_symbol) > 1 else []
    symbols: dict[str, list[Fill]] = {}
    for fills in several:
        symbols.setdefault(fills[0].symbol, []).extend(fills)
    if 1 < len(symbols) < len(several):
        several = [*symbols.values(), *several]
    return (fills for fills in [problem.fills, *several][:most] if len(fills) > 1)


def _habits_of(problem: Problem, fills: Sequence[Fill]) -> Iterator[Hypothesis]:
    charged, posted = [fill for fill in fills if fill.fee], problem.postings.trades(fills)
    fees = problem.postings.fees(charged)
    if len(charged) > 1:
        if _nearer(problem, _times(fees, TURNED)):
            yield turned_fees(charged)
        if problem.rows_right and _nearer(problem, negated(fees)):
            yield no_fees(charged)
        yield from in_other_currencies(problem, charged)
    if _nearer(problem, _times(posted, TURNED)):
        yield turned_trades(fills)
    for factor in (*_COMMON, *multipliers(problem, fills)):
        if _nearer(problem, _times(posted, EXACT.subtract(factor, Decimal(1)))):
            yield in_another_unit(problem, fills, factor)
    if problem.rows_right:
        for places in range(_MOST_HABIT_PLACES):
            effect = rounding_effect(problem, fills, places)
            if effect is None or _nearer(problem, effect):
                yield from rounded_to(fills, places)


def _times(effect: Vector, factor: Decimal) -> dict[str, Decimal]:
    return {name: EXACT.multiply(amount, factor) for name, amount in effect.items()}


def _nearer(problem: Problem, effect: Vector) -> bool:
    """True if an effect reduces what is required in its largest dimension, positions first.

    A balance alone does not decide: other symbols may move it, too.
    """
    seen = problem.dimensions.seen(effect)
    if not seen:
        return False
    name = max(seen, key=lambda each: (is_position(each), seen[each].copy_abs(), each))
    required = problem.required.get(name, ZERO)
    return EXACT.subtract(required, seen[name]).copy_abs() < required.copy_abs()
