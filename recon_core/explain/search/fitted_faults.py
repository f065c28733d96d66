"""Faults with a fitted number, and faults of one fill that second evidence confirms.

A fitted number counts only if the market could give it: a price on the tick of the other fills
and near them, a quantity with their decimals, a fee at their rate.
"""

from collections.abc import Iterator
from typing import Final

from recon_core.explain import causes
from recon_core.explain.problem.fee_evidence import MANY_UNITS, FeeContradiction
from recon_core.explain.problem.fee_schedule import FeeModel
from recon_core.explain.problem.hypotheses import Hypothesis
from recon_core.explain.problem.market import market_of
from recon_core.explain.problem.problem import FaultIn, Problem
from recon_core.model import Fill
from recon_core.values.amounts import EXACT

_MOST: Final = 40
"""Contradicted fills of a position: more show fees that follow another rule, not a fault."""

_MOST_FILLS: Final = 2_000
"""Fills of a problem: each is compared with the fee at every rate of its market."""


def contradicted_by_fees(problem: Problem) -> Iterator[Hypothesis]:
    """Yield the price and the quantity that the fee of each contradicted row requires.

    For a fee in an unusual currency, yield the fee in the usual currency instead. Yield nothing if
    the rows are right, for more than `_MOST_FILLS` fills, and for a position with more than `_MOST`
    contradicted fills: their fees follow another rule.
    """
    if problem.fault_in is FaultIn.STATEMENT or len(problem.fills) > _MOST_FILLS:
        return
    for name in problem.by_symbol:
        market = market_of(problem, name)
        if market is None:
            continue
        wrong = [
            (model, fill)
            for fill in market.fills
            for model in [market.models[fill.side]]
            if model is not None and _is_contradicted(problem, model, fill)
        ]
        for model, fill in wrong if len(wrong) <= _MOST else ():
            one = FeeContradiction(problem, market, model, fill)
            for cause in causes.CAUSES:
                yield from cause.by_fee(one)


def _is_contradicted(problem: Problem, model: FeeModel, fill: Fill) -> bool:
    """True if a fee is over 100 units from every rate, or in an unusual currency."""
    if not fill.fee or not fill.quantity:
        return False
    if fill.fee_currency != model.currency:
        return True
    unit = problem.postings.fee_unit(model.currency)
    limit = EXACT.multiply(unit, MANY_UNITS)
    return model.off(problem.postings, fill) > limit


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
