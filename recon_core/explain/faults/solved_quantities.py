"""Wrong quantities: what the position needs more is what one of its fills says too little.

The right quantity follows from the position; cash, a fee or a slip of the pen speak for it.
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from recon_core.amounts import EXACT, ZERO, shortest_places
from recon_core.explain.effects.changes import Change
from recon_core.explain.effects.slips import slip
from recon_core.explain.effects.space import is_position
from recon_core.explain.faults.changed_numbers import charged_again, fee_denies, fee_shows, told
from recon_core.explain.faults.edits import UNPROVEN, Edit
from recon_core.explain.faults.fill_edits import FillEdits
from recon_core.explain.faults.market import NEARLY, Market, Paid, market_of, paid_in
from recon_core.explain.grounds.ground import Ground
from recon_core.explanation import CauseKind
from recon_core.model import Fill, InstrumentKind, OrderSide


def slipped_quantities(ground: Ground, edits: FillEdits) -> Iterator[Edit]:
    """Wrong quantities by a slip that are what the position needs, whatever the cash needs."""
    return (edit for edit in quantities(ground, edits) if edit.detail)


def quantities(ground: Ground, edits: FillEdits) -> Iterator[Edit]:
    """Wrong quantities that are what the position needs, whatever the cash needs."""
    positions = [name for name in ground.need if is_position(name)]
    market = market_of(ground, positions[0], edits) if len(positions) == 1 else None
    if market is not None:
        for fill in market.fills:
            yield from any_quantity(ground, market, edits, fill, ground.need[positions[0]])


def any_quantity(
    ground: Ground, market: Market, edits: FillEdits, fill: Fill, need: Decimal
) -> Iterator[Edit]:
    """The quantity of a fill that a position's need asks for, whatever the cash needs."""
    quantity = _needed_of(fill, need)
    if quantity <= 0:
        return
    how = slip(*told(ground, fill.quantity, quantity))
    for other in _with_quantity(ground, market, fill, quantity):
        change = Change((fill,), (other,))
        rank = _rank_of_any(fill, other, slipped=how is not None)
        if not _may_be(ground, market, edits, fill, other):
            rank = UNPROVEN
        yield Edit(CauseKind.WRONG_QUANTITY, change, (fill,), rank, how or "")


def _needed_of(fill: Fill, need: Decimal) -> Decimal:
    """The quantity with which a fill would give a position what it needs more."""
    return EXACT.add(fill.quantity, need if fill.side is OrderSide.BUY else need.copy_negate())


def _may_be(ground: Ground, market: Market, edits: FillEdits, fill: Fill, other: Fill) -> bool:
    """Whether a quantity has the market's decimals, and no fee of the row denies it."""
    has_lots = market.has_lots_of(shortest_places(other.quantity))
    return has_lots and not fee_denies(ground, edits, fill, other)


def _rank_of_any(fill: Fill, other: Fill, *, slipped: bool) -> int:
    """What speaks for any quantity: with its own fee it is as well a fill that no row tells."""
    return 2 if slipped or fill.fee == other.fee else UNPROVEN


def wrong_quantities(ground: Ground, market: Market, edits: FillEdits, name: str) -> Iterator[Edit]:
    """Wrong quantities that are all that is needed, in a position and in cash."""
    need = ground.need[name]
    for fill in Paid(ground, market, name).candidates():
        quantity = _needed_of(fill, need)
        if quantity <= 0 or not _worth(ground, market, fill, need):
            continue
        for other in _with_quantity(ground, market, fill, quantity):
            change = Change((fill,), (other,))
            if ground.reached_by(change):
                how = slip(*told(ground, fill.quantity, quantity))
                rank = _rank_of_quantity(ground, market, fill, other, slipped=how is not None)
                if rank > 1 and not _may_be(ground, market, edits, fill, other):
                    rank = UNPROVEN
                yield Edit(CauseKind.WRONG_QUANTITY, change, (fill,), rank, how or "")
                break


def _rank_of_quantity(
    ground: Ground, market: Market, fill: Fill, other: Fill, *, slipped: bool
) -> int:
    """What speaks for a wrong quantity: the fee of the right one, or a slip of the pen.

    A fee contradicts a wrong quantity; without fees a missing fill fits as well, and so it
    does where the fee grows with the quantity.
    """
    if not ground.rows_right and fee_shows(ground, market, fill, other):
        return 0
    if slipped:
        return 1
    if market.models[fill.side] is None:
        return 2
    if fill.fee == other.fee:
        return 3
    return 2 if other.quantity > fill.quantity else UNPROVEN


def _worth(ground: Ground, market: Market, fill: Fill, need: Decimal) -> bool:
    """Whether the need in cash is nearly the need in the position at the fill's price."""
    if market.instrument.instrument_kind is InstrumentKind.INVERSE:
        return True
    name = ground.bookings.cash(paid_in(market.instrument), fill.account)
    if name not in ground.space.compared or name in ground.unknown:
        return True
    price = EXACT.multiply(fill.price, market.instrument.multiplier)
    expected = EXACT.multiply(need, price).copy_negate()
    off = EXACT.subtract(ground.need.get(name, ZERO), expected).copy_abs()
    return EXACT.multiply(off, NEARLY) <= expected.copy_abs()


def _with_quantity(ground: Ground, market: Market, fill: Fill, quantity: Decimal) -> Iterator[Fill]:
    """The fill with another quantity, its fee as it is and as that quantity is charged."""
    other = replace(fill, quantity=quantity)
    yield other
    yield from charged_again(ground, market, fill, other)
