"""Faults with a fitted number: a missing fill, a wrong quantity, a wrong price.

A fitted number counts only if the market could give it: a price on the tick of the other fills
and near them, a quantity with their decimals, a fee at their rate.
"""

from collections.abc import Iterator

from recon_core.explain.effects.dimensions import is_position
from recon_core.explain.faults.exchanged_fees import exchanged_fees
from recon_core.explain.faults.hypotheses import Hypothesis
from recon_core.explain.faults.market import market_of
from recon_core.explain.faults.solved_fills import untold_fills
from recon_core.explain.faults.solved_prices import wrong_prices
from recon_core.explain.faults.solved_quantities import wrong_quantities
from recon_core.explain.problems.problem import Problem


def solved(problem: Problem, tried: int = 1) -> Iterator[Hypothesis]:
    """Yield every hypothesis with a fitted number that has the required effect.

    `tried` is the number of problems that are searched in the same way.
    """
    yield from exchanged_fees(problem)
    positions = [name for name in problem.required if is_position(name)]
    if len(positions) == 1:
        market = market_of(problem, positions[0])
        if market is not None:
            yield from wrong_quantities(problem, market, positions[0])
            found = list(untold_fills(problem, market, positions[0], tried))
            finer = market.finer() if problem.dimensions.dust and not found else ()
            for other in finer:  # float prices are off the tick
                found = found or list(untold_fills(problem, other, positions[0], tried))
            yield from found
    elif not positions:
        yield from wrong_prices(problem)


def guessed(problem: Problem) -> Iterator[Hypothesis]:
    """Yield a fill that has the required effect, as some fill nearly always has: no proof."""
    positions = [name for name in problem.required if is_position(name)]
    market = market_of(problem, positions[0]) if len(positions) == 1 else None
    if market is not None:
        yield from untold_fills(problem, market, positions[0], 1, any_price=True)
