"""Faults with a number that is solved for: a missing fill, a wrong quantity, a wrong price.

A solved number counts only where it is one that a market gives: a price on the tick of the
other fills and near them, a quantity of their decimals, a fee at their rate.
"""

from collections.abc import Iterator

from recon_core.explain.effects.space import is_position
from recon_core.explain.faults.edits import Edit
from recon_core.explain.faults.exchanged_fees import exchanged_fees
from recon_core.explain.faults.fill_edits import FillEdits
from recon_core.explain.faults.market import market_of
from recon_core.explain.faults.solved_fills import untold_fills
from recon_core.explain.faults.solved_prices import wrong_prices
from recon_core.explain.faults.solved_quantities import wrong_quantities
from recon_core.explain.grounds.ground import Ground


def solved(ground: Ground, edits: FillEdits, tried: int = 1) -> Iterator[Edit]:
    """Every edit with a solved number that is what is needed, on one of so many grounds tried."""
    yield from exchanged_fees(ground)
    positions = [name for name in ground.need if is_position(name)]
    if len(positions) == 1:
        market = market_of(ground, positions[0], edits)
        if market is not None:
            yield from wrong_quantities(ground, market, edits, positions[0])
            found = list(untold_fills(ground, market, positions[0], tried))
            finer = market.finer() if ground.space.dust and not found else ()
            for other in finer:  # prices of floats are on no tick
                found = found or list(untold_fills(ground, other, positions[0], tried))
            yield from found
    elif not positions:
        yield from wrong_prices(ground, edits)


def guessed(ground: Ground, edits: FillEdits) -> Iterator[Edit]:
    """A fill that gives what is needed, as some fill does nearly always: it proves nothing."""
    positions = [name for name in ground.need if is_position(name)]
    market = market_of(ground, positions[0], edits) if len(positions) == 1 else None
    if market is not None:
        yield from untold_fills(ground, market, positions[0], 1, any_price=True)
