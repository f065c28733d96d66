"""Rows that contradict their own fee: the fee gives the price or the quantity.

Fees are at 0.1 %, and a BUY of 2 at 100 has a fee of 0.6. At no known rate is this its fee; a
quantity of 6, or a price of 300, has it to the last digit. Either may be the right number.
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

from recon_core.explain.problem.fee_schedule import FeeModel, fee_value
from recon_core.explain.problem.figures import slip
from recon_core.explain.problem.hypotheses import Hypothesis, Strength, fee_change
from recon_core.explain.problem.market import Market, market_of
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.problem import Problem
from recon_core.model import Fill, InstrumentKind
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT

_MOST: Final = 40
"""Contradicted fills of a position: more show fees that follow another rule, not a fault."""

_MOST_FILLS: Final = 2_000
"""Fills of a problem: each is compared with the fee at every rate of its market."""

_MANY_UNITS: Final = Decimal(100)
"""Units of the fee currency between a fee and every rate.

Within a few units, rounding explains the distance; over 100, a coincidence is 1 in 100.
"""


def contradicted(problem: Problem) -> Iterator[Hypothesis]:
    """Yield the price and the quantity that the fee of each contradicted row requires.

    For a fee in an unusual currency, yield the fee in the usual currency instead. Yield nothing if
    the rows are right, for more than `_MOST_FILLS` fills, and for a position with more than `_MOST`
    contradicted fills: their fees follow another rule.
    """
    if problem.rows_right or len(problem.fills) > _MOST_FILLS:
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
            if fill.fee_currency == model.currency:
                yield from _as_charged(problem, market, model, fill)
            else:
                yield from _as_usual(problem, model, fill)


def _is_contradicted(problem: Problem, model: FeeModel, fill: Fill) -> bool:
    """True if a fee is over 100 units from every rate, or in an unusual currency."""
    if not fill.fee or not fill.quantity:
        return False
    if fill.fee_currency != model.currency:
        return True
    unit = problem.postings.resolution(model.currency)
    limit = EXACT.multiply(unit, _MANY_UNITS)
    return model.off(problem.postings, fill) > limit


def _as_usual(problem: Problem, model: FeeModel, fill: Fill) -> Iterator[Hypothesis]:
    """Yield the fee of a fill in the usual currency, at each known rate."""
    for rate in model.rates:
        fee = model.fee(problem.postings, fill, rate)
        detail = f"it was {fee:f} {model.currency}"
        hypothesis = fee_change(fill, CauseKind.FEE_CURRENCY, fee, model.currency, Strength.SHOWN)
        yield replace(hypothesis, detail=detail)


def _as_charged(
    problem: Problem, market: Market, model: FeeModel, fill: Fill
) -> Iterator[Hypothesis]:
    value = Fraction(fee_value(problem.postings, fill, in_base=model.in_base))
    inverse = market.instrument.instrument_kind is InstrumentKind.INVERSE
    for rate in model.rates if value else ():
        times = Fraction(fill.fee) / (Fraction(rate) * value)
        if times <= 0:
            continue
        quantity = _rounded(Fraction(fill.quantity) * times, market.lot_places)
        ratio = 1 / times if inverse else times
        price = _rounded(Fraction(fill.price) * ratio, market.tick_places)
        for kind, other, given, right in (
            (CauseKind.WRONG_QUANTITY, replace(fill, quantity=quantity), fill.quantity, quantity),
            (CauseKind.WRONG_PRICE, replace(fill, price=price), fill.price, price),
        ):
            if kind is CauseKind.WRONG_PRICE and model.in_base and not inverse:
                continue  # a fee on the quantity does not depend on the price
            if right > 0 and model.fee(problem.postings, other, rate) == fill.fee:
                how = slip(given, right) or ""
                yield Hypothesis(kind, Patch((fill,), (other,)), (fill,), Strength.EXACT, how)


def _rounded(amount: Fraction, places: int) -> Decimal:
    return Decimal(round(amount * 10**places)).scaleb(-places, EXACT)
