"""Faults with a fitted number: a missing fill, a wrong quantity, a wrong price.

A fitted number counts only if the market could give it: a price on the tick of the other fills
and near them, a quantity with their decimals, a fee at their rate.
"""

from collections.abc import Iterator
from dataclasses import replace

from recon_core.explain.causes.fee_currency import exchanged_fees
from recon_core.explain.causes.price import wrong_prices
from recon_core.explain.causes.quantity import slipped, wrong_quantities
from recon_core.explain.causes.unstated_fills import unstated_fills
from recon_core.explain.problem.dimensions import is_position
from recon_core.explain.problem.fee_evidence import told
from recon_core.explain.problem.figures import slip
from recon_core.explain.problem.hypotheses import Hypothesis
from recon_core.explain.problem.market import market_of
from recon_core.explain.problem.problem import Problem
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT


def tenfold(problem: Problem) -> Iterator[Hypothesis]:
    """Yield every price and every quantity multiplied by ten, and divided by ten."""
    for fill in problem.fills:
        for power in (-1, 1):
            price = replace(fill, price=fill.price.scaleb(power, EXACT))
            how = slip(*told(problem, fill.price, price.price))
            yield from slipped(problem, CauseKind.WRONG_PRICE, price, fill, how)
            more = replace(fill, quantity=fill.quantity.scaleb(power, EXACT))
            how = slip(*told(problem, fill.quantity, more.quantity))
            yield from slipped(problem, CauseKind.WRONG_QUANTITY, more, fill, how)


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
            found = list(unstated_fills(problem, market, positions[0], tried))
            finer = market.finer() if problem.dimensions.dust and not found else ()
            for other in finer:  # float prices are off the tick
                found = found or list(unstated_fills(problem, other, positions[0], tried))
            yield from found
    elif not positions:
        yield from wrong_prices(problem)


def guessed(problem: Problem) -> Iterator[Hypothesis]:
    """Yield a fill that has the required effect, as some fill nearly always has: no proof."""
    positions = [name for name in problem.required if is_position(name)]
    market = market_of(problem, positions[0]) if len(positions) == 1 else None
    if market is not None:
        yield from unstated_fills(problem, market, positions[0], 1, any_price=True)
