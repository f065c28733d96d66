"""Wrong quantities: the quantity that a position requires, added to that of one fill.

A BUY of 5 in a position that requires +45: the right quantity is 50. The cash, a fee or a slip
of the pen is the evidence.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import chain, compress, islice, starmap
from operator import attrgetter
from typing import Final

from recon_core.explain.causes.copies import is_shown_by_rows
from recon_core.explain.causes.family import CauseFamily, FieldFault, Rival
from recon_core.explain.causes.rounding import rounded_figure
from recon_core.explain.problem.chances import (
    at_next_ticks,
    is_any_quantity,
    is_below_cash,
    is_of_many_prices,
)
from recon_core.explain.problem.dimensions import minus
from recon_core.explain.problem.fee_evidence import (
    FeeContradiction,
    charged_again,
    fee_contradicts,
    fee_shows,
    off_by_ten,
)
from recon_core.explain.problem.fee_schedule import FeeModel
from recon_core.explain.problem.figures import power_of_ten, slip
from recon_core.explain.problem.hypotheses import Facts, Hypothesis, Strength, unstated_fill
from recon_core.explain.problem.market import (
    NEAR_VALUE,
    Market,
    Paid,
    market_of,
    on_tick,
    paid_in,
    prices_between,
)
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.problem import FaultIn, Problem
from recon_core.explain.problem.wording import wrong_number
from recon_core.ledger.bookings import signed_quantity
from recon_core.model import Fill, InstrumentKind, OrderSide
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO, shortest_places

_MOST_RIVALS: Final = 4
"""Sizes that are named beside an answer: five explanations are shown at most."""

_MOST_REPLAYED: Final = 50
"""Fills of a derivative up to which each is asked for another size; each costs a replay."""

_BOTH: Final = Decimal(2)
"""Fees, and units, that two fills may differ by in sum: each has its own."""

_PRICE: Final = attrgetter("price")


def quantities_with_slip(problem: Problem) -> Iterator[Hypothesis]:
    """Yield the wrong quantities that are slips of the pen; cash is ignored."""
    return (hypothesis for hypothesis in quantities(problem) if hypothesis.facts.is_slip)


def quantities(problem: Problem) -> Iterator[Hypothesis]:
    """Yield the wrong quantities that the only differing position requires; cash is ignored."""
    for name, required in problem.moved:
        market = market_of(problem, name)
        if market is not None:
            for fill in market.fills:
                yield from any_quantity(problem, market, fill, required)


def any_quantity(
    problem: Problem, market: Market, fill: Fill, required: Decimal
) -> Iterator[Hypothesis]:
    """Yield a fill with the quantity that its position requires; cash is ignored.

    `required` is a signed quantity. Nothing if the new quantity is not positive.
    """
    quantity = _required_quantity(problem, market, fill, required)
    if quantity <= 0:
        return
    how = slip(*problem.wrong_and_right(fill.quantity, quantity))
    for other in _with_quantity(problem, market, fill, quantity):
        strength = _strength_of_any(fill, other, is_slip=how is not None)
        if not _may_be(problem, market, fill, other):
            strength = Strength.CHANCE
        yield with_quantity(fill, other, strength, how)


def _required_quantity(
    problem: Problem, market: Market | None, fill: Fill, required: Decimal
) -> Decimal:
    """Return the quantity with which a fill would book the required quantity more."""
    more = required if fill.side is OrderSide.BUY else required.copy_negate()
    quantity = EXACT.add(fill.quantity, more)
    return quantity if market is None else market.without_dust(quantity, problem.dimensions.dust)


def _may_be(problem: Problem, market: Market, fill: Fill, other: Fill) -> bool:
    """True if a quantity has the market's decimals and the row's fee does not deny it."""
    has_lots = market.has_lots_of(shortest_places(other.quantity))
    return has_lots and not fee_contradicts(problem, fill, other)


def _strength_of_any(fill: Fill, other: Fill, *, is_slip: bool) -> Strength:
    """Return the evidence strength of any quantity: with a new fee, a missing fill fits as well."""
    return Strength.FITTED if is_slip or fill.fee == other.fee else Strength.CHANCE


def _fitted(problem: Problem, tried: int) -> Iterator[Hypothesis]:
    """Yield the wrong quantities that have the whole required effect, cash included.

    After one of several first faults some price fits by chance, where a tick is worth little.
    """
    for name, required in problem.moved:
        market = market_of(problem, name)
        if market is not None:
            yield from _of_market(problem, market, required, tried)


def _of_market(
    problem: Problem, market: Market, required: Decimal, tried: int
) -> Iterator[Hypothesis]:
    for fill in Paid(problem, market, required, problem.required).candidates():
        quantity = _required_quantity(problem, market, fill, required)
        if quantity <= 0 or not _worth(problem, market, fill, required):
            continue
        for other in _with_quantity(problem, market, fill, quantity):
            patch = Patch((fill,), (other,))
            if problem.reached_by(patch):
                how = slip(*problem.wrong_and_right(fill.quantity, quantity))
                strength = _strength(problem, market, fill, other, is_slip=how is not None)
                may_be = _may_be(problem, market, fill, other)
                is_any = tried > 1 and is_any_quantity(problem, market, required, tried)
                is_any = is_any or _may_be_missing(problem, market, fill, other)
                is_finer = not market.has_lots_of(shortest_places(other.quantity))
                is_digit = how is not None and power_of_ten(fill.quantity, quantity) is None
                is_weak = strength > (Strength.SHOWN if is_digit else Strength.EXACT)
                if (is_finer and how is None) or (is_weak and (is_any or not may_be)):
                    strength = Strength.CHANCE
                yield with_quantity(fill, other, strength, how)
                break


def _may_be_missing(problem: Problem, market: Market, fill: Fill, other: Fill) -> bool:
    """True if a missing fill has the cash and the fee of another quantity, at many prices.

    Cash in cents does not show the price: 0.005 at 99.60 and at 99.59 are 0.50 both. So a missing
    fill has a fee of its own, at a price beside. Of a smaller quantity it is a fill of the other
    side.
    """
    more = EXACT.subtract(other.quantity, fill.quantity)
    if problem.fault_in is not FaultIn.ROWS:
        return False
    side = fill.side if more > 0 else fill.side.other
    fee = EXACT.subtract(other.fee, fill.fee)
    missing = replace(fill, side=side, quantity=more.copy_abs(), fee=fee)
    model = market.models[side]
    if problem.postings.derivative(fill.symbol) and model is not None:
        return _is_missing_at_a_price(problem, market, missing, model)
    fees = [model.fee(problem.postings, missing, rate) for rate in model.rates] if model else []
    if not (fees and market.is_charged):
        fees.append(ZERO)
    fits = missing.fee in fees or is_below_cash(problem, market, missing)
    return fits and is_of_many_prices(problem, market, missing)


def _is_missing_at_a_price(
    problem: Problem, market: Market, missing: Fill, model: FeeModel
) -> bool:
    """True if a fill of a contract that stays open, at a rate of its market, has the effect too."""
    return any(
        problem.reached_by(Patch(added=(replace(one, fee=model.fee(problem.postings, one, rate)),)))
        for one in (missing, *at_next_ticks(market, missing))
        for rate in model.rates
    )


def _strength(
    problem: Problem, market: Market, fill: Fill, other: Fill, *, is_slip: bool
) -> Strength:
    """Return the evidence strength of a wrong quantity.

    SHOWN if the row's fee is that of the right quantity, EXACT for a slip of the pen. Without both,
    FITTED if no fee model is known, WEAK if the fee is unchanged; if it changes, FITTED with a
    larger and CHANCE with a smaller quantity: a missing fill would fit as well.
    """
    if problem.fault_in is FaultIn.ROWS and fee_shows(problem, market, fill, other):
        return Strength.SHOWN
    if is_slip:
        return Strength.EXACT
    if market.models[fill.side] is None:
        return Strength.FITTED
    if fill.fee == other.fee:
        return Strength.WEAK
    return Strength.FITTED if other.quantity > fill.quantity else Strength.CHANCE


def _worth(problem: Problem, market: Market, fill: Fill, required: Decimal) -> bool:
    """True if the required cash is near the required quantity's value at the fill's price."""
    if market.instrument.instrument_kind is InstrumentKind.INVERSE:
        return True
    name = problem.postings.cash(paid_in(market.instrument), fill.account)
    if name not in problem.dimensions.compared or name in problem.unknown:
        return True
    price = EXACT.multiply(fill.price, market.instrument.multiplier)
    expected = EXACT.multiply(required, price).copy_negate()
    off = EXACT.subtract(problem.required.get(name, ZERO), expected).copy_abs()
    return EXACT.multiply(off, NEAR_VALUE) <= expected.copy_abs()


def _with_quantity(
    problem: Problem, market: Market, fill: Fill, quantity: Decimal
) -> Iterator[Fill]:
    """Yield the fill with another quantity: with its own fee, and as it would be charged."""
    other = replace(fill, quantity=quantity)
    yield other
    yield from charged_again(problem, market, fill, other)


def with_quantity(fill: Fill, other: Fill, strength: Strength, how: str | None) -> Hypothesis:
    """Build the change of a fill to another quantity; `how` describes the error, if it is known."""
    return Hypothesis(
        CauseKind.WRONG_QUANTITY,
        Patch((fill,), (other,)),
        (fill,),
        strength,
        how or "",
        facts=Facts(is_slip=how is not None),
    )


def of_order(problem: Problem, fill: Fill, required: Decimal) -> Iterator[Hypothesis]:
    """Yield a fill with the quantity that its order requires, its fee unchanged or at a rate."""
    quantity = _required_quantity(problem, None, fill, required)
    if quantity <= 0:
        return
    other = replace(fill, quantity=quantity)
    how, model = slip(fill.quantity, quantity), problem.schedules.model(fill)
    yield with_quantity(fill, other, Strength.SHOWN, how)
    for rate in () if model is None or not fill.fee else model.rates:
        fee = fill.fee if model is None else model.fee(problem.postings, other, rate)
        if fee != fill.fee:
            yield with_quantity(fill, replace(other, fee=fee), Strength.SHOWN, how)


def _of_a_pair(problem: Problem) -> Iterator[Hypothesis]:
    """Yield every quantity off by a factor of ten, and those that the position requires."""
    yield from starmap(with_quantity, off_by_ten(problem, "quantity"))
    yield from quantities(problem)


def _by_fee(one: FeeContradiction) -> Iterator[Hypothesis]:
    """Yield the quantity that the fee of a contradicted row requires, at each known rate."""
    for rate, times in one.factors():
        quantity = on_tick(Fraction(one.fill.quantity) * times, one.market.lot_places)
        other = replace(one.fill, quantity=quantity)
        if quantity > 0 and one.model.fee(one.problem.postings, other, rate) == one.fill.fee:
            how = slip(one.fill.quantity, quantity)
            yield with_quantity(one.fill, other, Strength.EXACT, how)


def _in_a_row(wrong: Fill, right: Fill) -> FieldFault:
    """Return the fault of the quantity of a row: a slip, its fee, a rounding, or another one."""
    how = slip(wrong.quantity, right.quantity)
    if how is None and right.fee:
        off = EXACT.subtract(wrong.quantity, right.quantity).copy_abs()
        how = "off by its fee" if off == right.fee.copy_abs() else None
    rounded = rounded_figure("quantity", wrong, right) if how is None else None
    return rounded or FieldFault(CauseKind.WRONG_QUANTITY, how or "")


def _rivals(
    problem: Problem, hypotheses: Sequence[Hypothesis], _max_skew: timedelta
) -> Iterator[Rival]:
    """Yield another size of a fill at the price of one that is removed, turned or of another size.

    BUYs of 15 and 19 at one price and 15 too many: the first is an orphan, or the second is of 4.
    SELLs of 1 and 4 at one price and 2 too many: the first is a BUY, or the second is of 2. The
    price of a derivative is in no cash while its position is open: any price is one price then.
    In cents 75 at 1.26606 and 75 at 1.26607 may cost as much. A fill that no row states is asked
    for another size of a listed one as well: 1 sold at 392.83 with a fee of 0.39 is 1 bought less
    at 392.05, and 0.39 paid less.
    """
    for at, one in enumerate(hypotheses):
        for size in islice(_other_sizes(problem, one), _MOST_RIVALS):
            yield Rival({at: ()}, size, "", is_timed=True)


def _other_sizes(problem: Problem, one: Hypothesis) -> Iterator[Hypothesis]:
    """Yield the sizes of listed fills that leave what a cause leaves, none if rows show it."""
    if is_shown_by_rows(problem, one):
        return
    if unstated_fill(one.patch) is not None and not one.patch.rows_removed:
        yield from _instead_of(problem, one.patch)
    elif unstated_fill(one.patch) is None and _is_at_its_price(one.patch):
        (fill,) = one.patch.removed
        others = problem.by_symbol.get(problem.postings.position(fill), ())
        same = compress(others, map(fill.price.__eq__, map(_PRICE, others)))
        is_derivative = problem.postings.derivative(fill.symbol)
        near = _of_open_positions if is_derivative else _at_near_prices
        for other in chain(same, near(problem, one.patch, others)):
            yield from _of_its_effect(problem, one.patch, other)


def _instead_of(problem: Problem, patch: Patch) -> Iterator[Hypothesis]:
    """Yield the sizes of listed fills that post what a missing fill posts, their fees to a unit.

    A contract's fill posts no cash by its price, and is compared at that price elsewhere.
    """
    (lost,) = patch.added
    market = market_of(problem, problem.postings.position(lost))
    if market is None or problem.postings.derivative(lost.symbol):
        return
    paid = problem.postings.cash(paid_in(market.instrument), lost.account)
    unit = problem.postings.cash_step.of_fees(paid_in(market.instrument))
    most = EXACT.multiply(_BOTH, EXACT.add(lost.fee.copy_abs(), unit))
    worth = EXACT.multiply(lost.quantity, market.instrument.multiplier)
    effect, required = patch.vector(problem.postings), signed_quantity(lost)
    near = prices_between(EXACT.multiply(lost.price, worth).copy_negate(), worth, most)
    off = EXACT.multiply(_BOTH, unit)  # the rounded fee of the new size is a unit more
    for fill in Paid(problem, market, required, effect, off).candidates(near):
        quantity = _required_quantity(problem, market, fill, required)
        if quantity <= 0:
            continue
        for other in _with_quantity(problem, market, fill, quantity):
            size = Patch((fill,), (other,))
            left = problem.dimensions.real(minus(size.vector(problem.postings), effect))
            if set(left) <= {paid} and left.get(paid, ZERO).copy_abs() <= unit:
                how = slip(*problem.wrong_and_right(fill.quantity, quantity))
                yield with_quantity(fill, other, Strength.CHANCE, how)
                break


def _of_open_positions(problem: Problem, patch: Patch, others: Sequence[Fill]) -> Iterator[Fill]:
    """Yield the fills of other prices of which another size leaves what a patch leaves."""
    (fill,) = patch.removed
    left = problem.replayed_after(patch) if len(others) <= _MOST_REPLAYED else None
    for other in () if left is None else others:
        for size in _of_its_effect(problem, patch, other) if other.price != fill.price else ():
            after = problem.replayed_after(size.patch)
            if left is not None and after is not None and after.required == left.required:
                yield other


def _at_near_prices(problem: Problem, patch: Patch, others: Sequence[Fill]) -> Iterator[Fill]:
    """Yield the fills of other prices of which another size posts the very amounts of a patch."""
    (fill,) = patch.removed
    instrument = problem.postings.instruments.get(fill.symbol)
    if instrument is None:
        return
    both_rounded = 2 * Fraction(problem.postings.resolution(instrument.quote))
    effect = patch.vector(problem.postings)
    for other in others:
        off = abs(Fraction(other.price) - Fraction(fill.price))
        if not 0 < off * Fraction(max(fill.quantity, other.quantity)) <= both_rounded:
            continue
        for size in _of_its_effect(problem, patch, other):
            if not problem.dimensions.real(minus(size.patch.vector(problem.postings), effect)):
                yield other


def _is_at_its_price(patch: Patch) -> bool:
    """True if a patch removes one fill, and adds none or another one at its price."""
    prices = {fill.price for fill in (*patch.removed, *patch.added)}
    return len(patch.removed) == 1 >= len(patch.added) and len(prices) == 1


def _of_its_effect(problem: Problem, patch: Patch, other: Fill) -> Iterator[Hypothesis]:
    """Yield the size of a fill that posts what the patch of another fill of its price posts.

    Nothing if its fee denies it: a fee at no known rate, or another one where no rate is known. The
    fill itself shows the fee of its own size.
    """
    (fill,) = patch.removed
    moved, fee = signed_quantity(fill).copy_negate(), fill.fee.copy_negate()
    for added in patch.added:
        moved, fee = EXACT.add(moved, signed_quantity(added)), EXACT.add(fee, added.fee)
    more = moved if other.side is OrderSide.BUY else moved.copy_negate()
    quantity = EXACT.add(other.quantity, more)
    is_paid_alike = not fee or other.fee_currency == fill.fee_currency
    if other is fill or not more or quantity <= 0 or not is_paid_alike:
        return
    size = replace(other, quantity=quantity, fee=EXACT.add(other.fee, fee))
    is_alike = (size.quantity, size.fee) == (fill.quantity, fill.fee)
    if is_alike or _may_be_charged(problem, other, size):
        yield with_quantity(other, size, Strength.CHANCE, slip(other.quantity, quantity))


def _may_be_charged(problem: Problem, fill: Fill, other: Fill) -> bool:
    """True if a fill of another size has a fee at a known rate, or no rate is known."""
    model = problem.schedules.model(fill)
    if model is None:
        return fill.fee == other.fee
    rates = (model.fee(problem.postings, other, rate) for rate in model.rates)
    return not (fill.fee or other.fee) or other.fee in rates


FAMILY: Final = CauseFamily(
    sentences={CauseKind.WRONG_QUANTITY: wrong_number("quantity")},
    fitted=_fitted,
    of_a_pair=_of_a_pair,
    by_fee=_by_fee,
    rivals=_rivals,
    fields={"quantity": _in_a_row},
)
