"""Faults with a fitted number, and faults of one fill that second evidence confirms.

A fitted number counts only if the market could give it: a price on the tick of the other fills
and near them, a quantity with their decimals, a fee at their rate.
"""

from collections.abc import Iterator
from typing import Final

from recon_core.explain import causes
from recon_core.explain.problem.fee_evidence import MANY_UNITS, FeeContradiction
from recon_core.explain.problem.hypotheses import Hypothesis
from recon_core.explain.problem.market import Market, market_of
from recon_core.explain.problem.problem import FaultIn, Problem
from recon_core.values.amounts import EXACT

_MOST: Final = 40
"""Contradicted fills of a position: more show fees that follow another rule, not a fault."""

_MOST_FILLS: Final = 2_000
"""Fills of a problem: each is compared with the fee at every rate of its market."""


def contradicted_by_fees(problem: Problem) -> Iterator[Hypothesis]:
    """Yield the faults that the fee of each contradicted row shows: of price, quantity, or fee.

    Yield nothing if the rows are right, for more than `_MOST_FILLS` fills, and for a position with
    more than `_MOST` contradicted fills: their fees follow another rule.
    """
    for one in contradictions_of_fees(problem):
        for cause in causes.CAUSES:
            yield from cause.by_fee(one)


def contradictions_of_fees(problem: Problem) -> Iterator[FeeContradiction]:
    """Yield the fills whose fee is over one unit from every rate of their market."""
    if problem.fault_in is FaultIn.STATEMENT or len(problem.fills) > _MOST_FILLS:
        return
    for name in problem.by_symbol:
        market = market_of(problem, name)
        found = () if market is None else list(_of_market(problem, market))
        far = [one for one in found if one.is_far]
        yield from next((some for some in (found, far) if len(some) <= _MOST), ())


def _of_market(problem: Problem, market: Market) -> Iterator[FeeContradiction]:
    for fill in market.fills:
        model = market.models[fill.side]
        if model is None or not fill.fee or not fill.quantity:
            continue
        off, unit = model.off(problem.postings, fill), model.unit(problem.postings, fill)
        is_far = fill.fee_currency != model.currency or off > EXACT.multiply(unit, MANY_UNITS)
        if is_far or off > unit:
            yield FeeContradiction(problem, market, model, fill, is_far)


def fitted(problem: Problem, tried: int = 1) -> Iterator[Hypothesis]:
    """Yield every hypothesis with a fitted number that has the required effect.

    `tried` is the number of similar searches.
    """
    for cause in causes.CAUSES:
        yield from cause.fitted(problem, tried)


def of_a_pair(problem: Problem) -> Iterator[Hypothesis]:
    """Yield the faults of one fill that are looked for only together with another fault."""
    for cause in causes.CAUSES:
        yield from cause.of_a_pair(problem)
