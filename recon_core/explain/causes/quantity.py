"""Wrong quantities: the quantity that a position requires, added to that of one fill.

A BUY of 5 in a position that requires +45: the right quantity is 50. The cash, a fee or a slip
of the pen is the evidence.
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from recon_core.explain.problem.dimensions import is_position
from recon_core.explain.problem.fee_evidence import charged_again, fee_denies, fee_shows, told
from recon_core.explain.problem.figures import slip
from recon_core.explain.problem.hypotheses import Hypothesis, Strength
from recon_core.explain.problem.market import NEARLY, Market, Paid, market_of, paid_in
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.problem import Problem
from recon_core.model import Fill, InstrumentKind, OrderSide
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO, shortest_places


def slipped(
    problem: Problem,
    kind: CauseKind,
    other: Fill,
    fill: Fill,
    how: str | None,
) -> Iterator[Hypothesis]:
    if how is not None:
        is_weak = fee_denies(problem, fill, other)
        strength = Strength.CHANCE if is_weak else Strength.FITTED
        yield Hypothesis(kind, Patch((fill,), (other,)), (fill,), strength, how)


def slipped_quantities(problem: Problem) -> Iterator[Hypothesis]:
    """Yield the wrong quantities that are slips of the pen, whatever the cash requires."""
    return (hypothesis for hypothesis in quantities(problem) if hypothesis.detail)


def quantities(problem: Problem) -> Iterator[Hypothesis]:
    """Yield the wrong quantities that the only differing position requires, whatever the cash."""
    positions = [name for name in problem.required if is_position(name)]
    market = market_of(problem, positions[0]) if len(positions) == 1 else None
    if market is not None:
        for fill in market.fills:
            yield from any_quantity(problem, market, fill, problem.required[positions[0]])


def any_quantity(
    problem: Problem, market: Market, fill: Fill, required: Decimal
) -> Iterator[Hypothesis]:
    """Yield a fill with the quantity that its position requires, whatever the cash requires.

    `required` is a signed quantity. Nothing if the new quantity is not positive.
    """
    quantity = _needed_of(fill, required)
    if quantity <= 0:
        return
    how = slip(*told(problem, fill.quantity, quantity))
    for other in _with_quantity(problem, market, fill, quantity):
        patch = Patch((fill,), (other,))
        strength = _strength_of_any(fill, other, slipped=how is not None)
        if not _may_be(problem, market, fill, other):
            strength = Strength.CHANCE
        yield Hypothesis(CauseKind.WRONG_QUANTITY, patch, (fill,), strength, how or "")


def _needed_of(fill: Fill, required: Decimal) -> Decimal:
    """Return the quantity with which a fill would book the required quantity more."""
    return EXACT.add(
        fill.quantity, required if fill.side is OrderSide.BUY else required.copy_negate()
    )


def _may_be(problem: Problem, market: Market, fill: Fill, other: Fill) -> bool:
    """True if a quantity has the market's decimals and the row's fee does not deny it."""
    has_lots = market.has_lots_of(shortest_places(other.quantity))
    return has_lots and not fee_denies(problem, fill, other)


def _strength_of_any(fill: Fill, other: Fill, *, slipped: bool) -> Strength:
    """Return the evidence strength of any quantity: with a new fee, a missing fill fits as well."""
    return Strength.FITTED if slipped or fill.fee == other.fee else Strength.CHANCE


def wrong_quantities(problem: Problem, market: Market, name: str) -> Iterator[Hypothesis]:
    """Yield the wrong quantities that have the whole required effect, cash included."""
    required = problem.required[name]
    for fill in Paid(problem, market, name).candidates():
        quantity = _needed_of(fill, required)
        if quantity <= 0 or not _worth(problem, market, fill, required):
            continue
        for other in _with_quantity(problem, market, fill, quantity):
            patch = Patch((fill,), (other,))
            if problem.reached_by(patch):
                how = slip(*told(problem, fill.quantity, quantity))
                strength = _strength_of_quantity(
                    problem, market, fill, other, slipped=how is not None
                )
                if strength > Strength.EXACT and not _may_be(problem, market, fill, other):
                    strength = Strength.CHANCE
                yield Hypothesis(CauseKind.WRONG_QUANTITY, patch, (fill,), strength, how or "")
                break


def _strength_of_quantity(
    problem: Problem, market: Market, fill: Fill, other: Fill, *, slipped: bool
) -> Strength:
    """Return the evidence strength of a wrong quantity.

    0: the row's fee is that of the right quantity. 1: a slip of the pen. Without both: 2 if no fee
    model is known, 3 if the fee stays, 2 or `UNPROVEN` if it changes with a larger or a smaller
    quantity. A missing fill would fit as well.
    """
    if not problem.rows_right and fee_shows(problem, market, fill, other):
        return Strength.SHOWN
    if slipped:
        return Strength.EXACT
    if market.models[fill.side] is None:
        return Strength.FITTED
    if fill.fee == other.fee:
        return Strength.WEAK
    return Strength.FITTED if other.quantity > fill.quantity else Strength.CHANCE


def _worth(problem: Problem, market: Market, fill: Fill, required: Decimal) -> bool:
    """True if the required cash is nearly the required quantity's value at the fill's price."""
    if market.instrument.instrument_kind is InstrumentKind.INVERSE:
        return True
    name = problem.postings.cash(paid_in(market.instrument), fill.account)
    if name not in problem.dimensions.compared or name in problem.unknown:
        return True
    price = EXACT.multiply(fill.price, market.instrument.multiplier)
    expected = EXACT.multiply(required, price).copy_negate()
    off = EXACT.subtract(problem.required.get(name, ZERO), expected).copy_abs()
    return EXACT.multiply(off, NEARLY) <= expected.copy_abs()


def _with_quantity(
    problem: Problem, market: Market, fill: Fill, quantity: Decimal
) -> Iterator[Fill]:
    """Yield the fill with another quantity: with its own fee, and as it would be charged."""
    other = replace(fill, quantity=quantity)
    yield other
    yield from charged_again(problem, market, fill, other)
