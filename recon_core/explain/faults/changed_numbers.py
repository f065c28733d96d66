"""Fills with another price or quantity, and the evidence that their fee gives."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final

from recon_core.explain.effects.patches import Patch
from recon_core.explain.effects.slips import slip
from recon_core.explain.faults.hypotheses import Hypothesis, Strength
from recon_core.explain.faults.market import Market
from recon_core.explain.problems.problem import Problem
from recon_core.model import Fill
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT

_MANY_UNITS: Final = Decimal(100)
"""Units of the fee currency between a fee and a wrong fill's fee.

An unrelated fee is then at a rate by coincidence once in 100. Within a few units, rounding
alone could separate both fees.
"""


def charged_again(problem: Problem, market: Market, fill: Fill, other: Fill) -> Iterator[Fill]:
    """Yield the changed fill with its fee at each rate of its market that changes the fee."""
    model = market.models[fill.side]
    if model is None or not fill.fee:
        return
    for rate in model.rates:
        fee = model.fee(problem.postings, other, rate)
        if fee != fill.fee:
            yield replace(other, fee=fee)


def charged_along(problem: Problem, hypothesis: Hypothesis) -> Hypothesis | None:
    """Return a hypothesis on several fills with the fees at which the changed fills are charged.

    `None` if a fee is at no known rate, or if no fee changes.
    """
    added = []
    for old, new in zip(hypothesis.patch.removed, hypothesis.patch.added, strict=True):
        model = problem.schedules.model(old)
        rates = () if model is None else model.rates
        fee = next(
            (
                model.fee(problem.postings, new, rate)
                for rate in rates
                if model is not None and model.fee(problem.postings, old, rate) == old.fee
            ),
            None,
        )
        if fee is None:
            return None
        added.append(replace(new, fee=fee))
    patch = replace(hypothesis.patch, added=tuple(added))
    return None if patch == hypothesis.patch else replace(hypothesis, patch=patch)


def told(problem: Problem, given: Decimal, other: Decimal) -> tuple[Decimal, Decimal]:
    """Return a fill's number and its changed number in the order (wrong, right)."""
    return (other, given) if problem.rows_right else (given, other)


def fee_shows(problem: Problem, market: Market, wrong: Fill, right: Fill) -> bool:
    """True if the fee is that of the right fill, and over 100 units from that of the wrong one."""
    model = market.models[wrong.side]
    if model is None or wrong.fee != right.fee or not wrong.fee:
        return False
    wrongly, rightly = (
        [model.fee(problem.postings, each, rate) for rate in model.rates] for each in (wrong, right)
    )
    unit = problem.postings.resolution(model.currency)
    apart = min(EXACT.subtract(fee, wrong.fee).copy_abs() for fee in wrongly)
    return apart > EXACT.multiply(unit, _MANY_UNITS) and right.fee in rightly


def fee_denies(problem: Problem, wrong: Fill, right: Fill) -> bool:
    """True if the fee of a wrong row is over a unit from every fee of the right row."""
    model = problem.schedules.model(wrong)
    if problem.rows_right or model is None or wrong.fee != right.fee or not wrong.fee:
        return False
    return model.off(problem.postings, right) > problem.postings.resolution(model.currency)


def tenfold(problem: Problem) -> Iterator[Hypothesis]:
    """Yield every price and every quantity multiplied by ten, and divided by ten."""
    for fill in problem.fills:
        for power in (-1, 1):
            price = replace(fill, price=fill.price.scaleb(power, EXACT))
            how = slip(*told(problem, fill.price, price.price))
            yield from _slipped(problem, CauseKind.WRONG_PRICE, price, fill, how)
            more = replace(fill, quantity=fill.quantity.scaleb(power, EXACT))
            how = slip(*told(problem, fill.quantity, more.quantity))
            yield from _slipped(problem, CauseKind.WRONG_QUANTITY, more, fill, how)


def _slipped(
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
