"""Fills with another price or quantity, and the evidence that their fee gives."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, Literal

from recon_core.explain.problem.fee_schedule import FeeModel, fee_value
from recon_core.explain.problem.figures import slip
from recon_core.explain.problem.hypotheses import Hypothesis, Strength
from recon_core.explain.problem.market import Market
from recon_core.explain.problem.problem import FaultIn, Problem
from recon_core.model import Fill
from recon_core.values.amounts import EXACT

MANY_UNITS: Final = Decimal(100)
"""Units of the fee currency between a fee and a wrong fill's fee.

An unrelated fee is then at a rate by coincidence once in 100. Within a few units, rounding
alone could separate both fees.
"""


NEAR_A_RATE: Final = Decimal(100)
"""Reciprocal of the distance, as a fraction, of a fee from one at a rate: half of it is far."""


@dataclass(frozen=True, slots=True)
class FeeContradiction:
    """A fill of a market whose fee is at no rate of the market's fee model.

    `is_far`: its fee is over 100 units from every rate, or in another currency.
    """

    problem: Problem
    market: Market
    model: FeeModel
    fill: Fill
    is_far: bool

    def factors(self) -> Iterator[tuple[Decimal, Fraction]]:
        """Yield each rate, and the factor by which the value would give the fee.

        Nothing for a fee in another currency than that of the model, or near a rate.
        """
        value = Fraction(fee_value(self.problem.postings, self.fill, in_base=self.model.in_base))
        if not value or not self.is_far or self.fill.fee_currency != self.model.currency:
            return
        charged = Fraction(self.fill.fee) - Fraction(self.model.fixed)
        for rate in filter(None, self.model.rates):
            times = charged / (Fraction(rate) * value)
            if times > 0:
                yield rate, times


def charged_again(problem: Problem, market: Market, fill: Fill, other: Fill) -> Iterator[Fill]:
    """Yield the changed fill with its fee at each rate of its market that changes the fee."""
    model = market.models[fill.side]
    if model is None or not fill.fee:
        return
    for rate in model.rates:
        fee = model.fee(problem.postings, other, rate)
        if fee != fill.fee:
            yield replace(other, fee=fee)


def with_changed_fees(problem: Problem, hypothesis: Hypothesis) -> Hypothesis | None:
    """Return a hypothesis on several fills with the fees at which the changed fills are charged.

    `None` if a fee is at no known rate, or if no fee changes.
    """
    added = []
    for old, new in zip(hypothesis.patch.removed, hypothesis.patch.added, strict=True):
        fee = _fee_at_rate_of(problem, old, new)
        if fee is None:
            return None
        added.append(replace(new, fee=fee))
    patch = replace(hypothesis.patch, added=tuple(added))
    return None if patch == hypothesis.patch else replace(hypothesis, patch=patch)


def _fee_at_rate_of(problem: Problem, old: Fill, new: Fill) -> Decimal | None:
    """Return the fee of a fill at the rate of another one, `None` if that is at no known rate."""
    model = problem.schedules.model(old)
    if model is None:
        return None
    fees = ((model.fee(problem.postings, one, rate) for one in (old, new)) for rate in model.rates)
    return next((fee for given, fee in fees if given == old.fee), None)


def fee_shows(problem: Problem, market: Market, wrong: Fill, right: Fill) -> bool:
    """True if the fee is that of the right fill, and over 100 units from that of the wrong one."""
    model = market.models[wrong.side]
    if model is None or wrong.fee != right.fee or not wrong.fee:
        return False
    far = EXACT.multiply(model.unit(problem.postings, wrong), MANY_UNITS)
    return model.off(problem.postings, wrong) > far and model.gives(problem.postings, right)


def fee_contradicts(problem: Problem, wrong: Fill, right: Fill) -> bool:
    """True if the fee of a wrong row is over a unit from every fee of the right row."""
    model = problem.schedules.model(wrong)
    if (
        problem.fault_in is FaultIn.STATEMENT
        or model is None
        or wrong.fee != right.fee
        or not wrong.fee
    ):
        return False
    return not model.is_near(problem.postings, right)


def off_by_ten(
    problem: Problem, figure: Literal["price", "quantity"]
) -> Iterator[tuple[Fill, Fill, Strength, str]]:
    """Yield each fill, the fill with a figure off by a factor of ten, the strength and the slip.

    A fee that contradicts the other figure leaves it a chance.
    """
    for fill in problem.fills:
        given: Decimal = getattr(fill, figure)
        for power in (-1, 1):
            number = given.scaleb(power, EXACT)
            changed: dict[str, Any] = {figure: number}
            other = replace(fill, **changed)
            how = slip(*problem.wrong_and_right(given, number))
            if how is not None:
                contradicted = fee_contradicts(problem, fill, other)
                yield fill, other, Strength.CHANCE if contradicted else Strength.FITTED, how


def at_usual_rate(problem: Problem, hypothesis: Hypothesis) -> Hypothesis:
    """Return the hypothesis with what the usual rates say of its new fee.

    It is shown by the row if only the new fee is at a usual rate, and the old one differs by more
    than the unit to which fees may be rounded up or down. It fits by chance if only the
    old one is, or is near one; of a fee in another currency, a second balance is evidence as well.
    """
    patch = hypothesis.patch
    if problem.fault_in is FaultIn.STATEMENT or not patch.removed:
        return hypothesis
    (given,), (other,) = patch.removed, patch.added
    is_changed = (given.fee, given.fee_currency) != (other.fee, other.fee_currency)
    model = problem.schedules.model(given) if is_changed else None
    if model is None:
        return hypothesis
    changed = replace(given, fee=other.fee, fee_currency=other.fee_currency)
    was_usual, is_usual = (model.gives(problem.postings, one) for one in (given, changed))
    unit = problem.postings.fee_unit(given.charged_in)
    is_off = EXACT.subtract(given.fee, other.fee).copy_abs() > unit
    if is_usual and not was_usual and (is_off or given.charged_in != other.charged_in):
        return replace(hypothesis, strength=Strength.SHOWN)
    if not is_usual and not was_usual:
        was_usual, is_usual = (_is_near_a_rate(problem, model, one) for one in (given, changed))
    is_moved = given.fee_currency != other.fee_currency
    is_chance = was_usual and not is_usual and not is_moved
    return replace(hypothesis, strength=Strength.CHANCE) if is_chance else hypothesis


def has_usual_fee(problem: Problem, fill: Fill) -> bool:
    """True if another fill of a market has the fee of a fill for each unit, or its rate.

    18.00 for 8 contracts, where 4 cost 9.00; 1.28 of 3,192, where 3.51 are of 8,787.
    """
    model = problem.schedules.model(fill)
    others = [one for one in problem.schedules.sample(fill) if one is not fill]
    if model is not None:
        return any(True for _ in at_rates_of(problem, model, fill, others))
    return any(
        EXACT.multiply(one.fee, fill.quantity) == EXACT.multiply(fill.fee, one.quantity)
        for one in others
        if one.charged_in == fill.charged_in
    )


def at_rates_of(
    problem: Problem, model: FeeModel, fill: Fill, others: Iterable[Fill]
) -> Iterator[Fill]:
    """Yield the other fills whose fee is at a rate that gives the fee of a fill."""
    postings = problem.postings
    rates = [rate for rate in model.rates if model.fee(postings, fill, rate) == fill.fee]
    return (
        one for one in others if any(model.fee(postings, one, rate) == one.fee for rate in rates)
    )


def _is_near_a_rate(problem: Problem, model: FeeModel, fill: Fill) -> bool:
    """True if a fee is about one at a rate: a wrong price among the others distorts all rates.

    A rate that is known from fees of few units gives no fee to its last unit.
    """
    paid = replace(fill, fee=fill.fee.copy_abs())
    off = model.off(problem.postings, paid)
    is_rounded = off <= problem.postings.fee_unit(model.currency)
    return is_rounded or EXACT.multiply(off, NEAR_A_RATE) <= paid.fee
